//! Deletes probes, then lists what remains of the run: an upload whose response was lost, or a
//! replica that arrived late.
//! Not for: probes of other runs, which may be in progress.

use super::Prober;
use super::upload::Uploaded;
use crate::aws::{At, Error};
use crate::events::Event;
use crate::manifest::Side;
use crate::steps::hold::bypass;
use futures::future::join_all;
use std::collections::BTreeMap;

impl Prober {
    /// Deletes the uploaded objects by version id on every side. A delete without a version id
    /// would create a delete marker, which would replicate.
    pub(super) async fn clean_up(&self, uploaded: &[Uploaded], replicas: &BTreeMap<Side, String>) {
        for side in self.topology.sides() {
            for object in uploaded {
                let is_last =
                    uploaded.last().is_some_and(|last| last.version_id == object.version_id);
                let replica = replicas.get(side).filter(|_| is_last);
                let version_id = replica.unwrap_or(&object.version_id);
                if let Err(error) = self.delete(side, &object.key, version_id).await {
                    let note =
                        format!("s3://{}/{} is left behind: {error}", side.bucket, object.key);
                    self.events.say(&Event::StepNote { step: self.step(), note });
                }
            }
        }
    }

    /// Deletes everything under this run's random prefix, by version id on every side.
    pub(super) async fn remove_what_is_left(&self) {
        let left = join_all(self.topology.sides().map(|side| self.remove_left(side))).await;
        for error in left.into_iter().filter_map(Result::err) {
            let note = format!("probes may be left behind until `crrctl destroy`: {error}");
            self.events.say(&Event::StepNote { step: self.step(), note });
        }
    }

    async fn remove_left(&self, side: &Side) -> Result<(), Error> {
        for prefix in self.topology.probe_prefixes(side) {
            self.remove_under(side, format!("{prefix}{}/", self.run)).await?;
        }
        Ok(())
    }

    async fn remove_under(&self, side: &Side, prefix: String) -> Result<(), Error> {
        let s3 = self.aws.s3(&side.region);
        let list = s3.list_object_versions().bucket(side.bucket.as_str()).prefix(prefix);
        let page = list.send().await.at("s3:ListObjectVersions", &side.region)?;
        for version in page.versions() {
            let (key, id) = (version.key(), version.version_id());
            self.delete(side, key.unwrap_or_default(), id.unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Deletes one version; a version that no longer exists is no error.
    async fn delete(&self, side: &Side, key: &str, version_id: &str) -> Result<(), Error> {
        let s3 = self.aws.s3(&side.region);
        let delete =
            s3.delete_object().bucket(side.bucket.as_str()).key(key).version_id(version_id);
        let delete = delete.set_bypass_governance_retention(bypass(&self.topology));
        match delete.send().await.at("s3:DeleteObject", &side.region) {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }
}
