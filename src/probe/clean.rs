//! Looks whether anything of a run of probes is left: an upload whose answer was lost, or a replica that landed late.
//! Not for: probes of other runs, which may be under way.

use super::Prober;
use crate::aws::{At, Error};
use crate::events::Event;
use crate::manifest::Side;
use futures::future::join_all;

impl Prober {
    /// Removes what lies under this run's own, random prefix, by version id on every side.
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
            let delete = s3
                .delete_object()
                .bucket(side.bucket.as_str())
                .key(version.key().unwrap_or_default())
                .version_id(version.version_id().unwrap_or_default());
            match delete.send().await.at("s3:DeleteObject", &side.region) {
                Err(error) if !error.is_absent() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
