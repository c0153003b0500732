//! Deletes probes, then lists what remains of the run: an upload whose response was lost, or a
//! replica that arrived late.
//! Not for: probes of other runs, which may be in progress.

use super::upload::Uploaded;
use super::{MANY, Prober};
use crate::aws::{At, Error};
use crate::events::Event;
use crate::failure::Failure;
use crate::manifest::Side;
use crate::steps::hold::bypass;
use crate::steps::{delete_together, deletion};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many versions of a bucket are deleted in one call. `DeleteObjects` takes a thousand (S3 API
/// Reference).
const TOGETHER: usize = 500;

/// A version to delete: its key and its version id.
type Version = (String, String);

/// The versions that are still to be deleted, by side.
#[derive(Debug, Default)]
pub(super) struct Undeleted(Mutex<BTreeMap<Side, Vec<Version>>>);

impl Undeleted {
    fn sides(&self) -> MutexGuard<'_, BTreeMap<Side, Vec<Version>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds versions, and takes those of a side that has enough for a call.
    fn add(&self, side: &Side, versions: Vec<Version>) -> Vec<Version> {
        let mut sides = self.sides();
        let of_side = sides.entry(side.clone()).or_default();
        of_side.extend(versions);
        if of_side.len() < TOGETHER { Vec::new() } else { std::mem::take(of_side) }
    }

    fn take(&self) -> BTreeMap<Side, Vec<Version>> {
        std::mem::take(&mut *self.sides())
    }
}

impl Prober {
    /// Deletes the uploaded objects by version id on every side, or, of many, notes them for a call that
    /// deletes many. A delete without a version id would create a delete marker, which would replicate.
    pub(super) async fn clean_up(&self, uploaded: &[Uploaded], replicas: &BTreeMap<Side, String>) {
        for side in self.topology.sides() {
            let last = uploaded.last().map(|last| &last.version_id);
            let version = |object: &Uploaded| {
                let replica = replicas.get(side).filter(|_| last == Some(&object.version_id));
                (object.key.clone(), replica.unwrap_or(&object.version_id).clone())
            };
            let versions = uploaded.iter().map(version).collect();
            if self.settings.count < MANY {
                self.delete_one_by_one(side, versions).await;
            } else {
                self.delete_together(side, &self.undeleted.add(side, versions)).await;
            }
        }
    }

    /// Deletes what was noted.
    pub(super) async fn clear(&self) {
        for (side, versions) in self.undeleted.take() {
            self.delete_together(&side, &versions).await;
        }
    }

    async fn delete_one_by_one(&self, side: &Side, versions: Vec<Version>) {
        for (key, version_id) in versions {
            if let Err(error) = self.delete(side, &key, &version_id).await {
                self.note(format!("s3://{}/{key} is left behind: {error}", side.bucket));
            }
        }
    }

    async fn delete_together(&self, side: &Side, versions: &[Version]) {
        for versions in versions.chunks(TOGETHER) {
            match self.delete_batch(side, versions).await {
                Ok(left) => left.into_iter().for_each(|text| self.note(text)),
                Err(error) => {
                    let (count, bucket) = (versions.len(), &side.bucket);
                    self.note(format!("{count} probes in `{bucket}` are left behind: {error}"));
                }
            }
        }
    }

    /// Deletes up to a thousand versions. Returns a note for each that S3 kept.
    async fn delete_batch(
        &self,
        side: &Side,
        versions: &[Version],
    ) -> Result<Vec<String>, Failure> {
        let delete = deletion(versions.iter().map(|(key, id)| (key.as_str(), id.as_str())))?;
        let (place, bypass) = ((&side.region, &side.bucket), bypass(&self.topology));
        let kept = delete_together(&self.aws, place, delete, bypass).await?;
        let note = |error: &aws_sdk_s3::types::Error| {
            let [key, code, message] = [error.key(), error.code(), error.message()]
                .map(|text| text.unwrap_or_default().to_owned());
            format!("s3://{}/{key} is left behind: {code}: {message}", side.bucket)
        };
        Ok(kept.iter().map(note).collect())
    }

    fn note(&self, note: String) {
        self.events.say(&Event::StepNote { step: self.step(), note });
    }

    /// Deletes everything under this run's random prefix, by version id on every side.
    pub(super) async fn remove_what_is_left(&self) {
        let left = join_all(self.topology.sides().map(|side| self.remove_left(side))).await;
        for error in left.into_iter().filter_map(Result::err) {
            self.note(format!("probes may be left behind until `crrctl destroy`: {error}"));
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
