//! A bounded sample of the versions in the source bucket: how many no rule covers, and how many a
//! job can't replicate.
//! Not for: the report of a job (see `report`).

use super::job::Wish;
use crate::aws::{At, Aws, Error, is_unnamable};
use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use aws_sdk_s3::types::ObjectVersion;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;

/// The number of versions to read, one call each.
const MOST: usize = 100;

/// The result of a sample; probes and reports don't count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Sample {
    /// Versions in the sample.
    pub looked_at: u64,
    /// Versions without a replication status: written before a rule covered them.
    pub uncovered: u64,
    /// Versions whose status is FAILED.
    pub failed: u64,
    /// Versions in Glacier Flexible Retrieval or Deep Archive, which S3 does not replicate.
    pub archived: u64,
    /// Versions whose status is COMPLETED.
    #[serde(skip)]
    pub completed: u64,
    /// Versions that are replicas.
    #[serde(skip)]
    pub replicas: u64,
    /// Whether there are more versions than the sample holds.
    pub more: bool,
    /// Whether probes lie there, which don't count and which a job replicates all the same.
    #[serde(skip)]
    pub has_probes: bool,
}

impl Sample {
    /// Returns whether the sample is the whole bucket, and no version has one of `statuses`, as a
    /// job's filter names them. A version that can't be read may have any of them.
    pub fn has_none_of(&self, statuses: &[String]) -> bool {
        let of = |status: &String| match status.as_str() {
            "NONE" => self.uncovered,
            "FAILED" => self.failed,
            "COMPLETED" => self.completed,
            "REPLICA" => self.replicas,
            _ => self.looked_at,
        };
        let known = self.uncovered + self.failed + self.completed + self.replicas;
        !self.more
            && !self.has_probes
            && known == self.looked_at
            && statuses.iter().map(of).sum::<u64>() == 0
    }
}

/// Reads the first versions under the rules' prefixes that `wish` selects, but for their statuses, from
/// the first page of the bucket's list.
pub async fn sample(aws: &Aws, topology: &Topology, wish: &Wish) -> Result<Sample, Error> {
    let source = &topology.source;
    let prefixes = topology.prefixes(source);
    let list = aws.s3(&source.region).list_object_versions().bucket(source.bucket.as_str());
    let list = match prefixes.as_slice() {
        [prefix] => list.prefix(*prefix),
        _ => list,
    };
    let page = list.send().await.at("s3:ListObjectVersions", &source.region)?;
    let is_theirs = |version: &&ObjectVersion| {
        let key = version.key().unwrap_or_default();
        prefixes.iter().any(|prefix| key.starts_with(prefix))
            && !topology.wanted.is_probe_key(key)
            && !topology.is_report(source, key)
            && !is_unnamable(key)
            && wish.selects(version)
    };
    let theirs: Vec<&ObjectVersion> = page.versions().iter().filter(is_theirs).collect();
    let looks = theirs.iter().take(MOST).map(|version| status(aws, topology, version));
    let statuses: Vec<Option<String>> = stream::iter(looks).buffered(16).try_collect().await?;
    let count = |wanted: Option<&str>| {
        u64::try_from(statuses.iter().filter(|it| it.as_deref() == wanted).count())
            .unwrap_or_default()
    };
    let is_archived = |version: &&&ObjectVersion| {
        let class =
            version.storage_class().map(aws_sdk_s3::types::ObjectVersionStorageClass::as_str);
        matches!(class, Some("GLACIER" | "DEEP_ARCHIVE"))
    };
    let archived = theirs.iter().take(MOST).filter(is_archived).count();
    Ok(Sample {
        looked_at: u64::try_from(statuses.len()).unwrap_or_default(),
        uncovered: count(None),
        failed: count(Some("FAILED")),
        completed: count(Some("COMPLETED")) + count(Some("COMPLETE")),
        replicas: count(Some("REPLICA")),
        archived: u64::try_from(archived).unwrap_or_default(),
        has_probes: page.versions().iter().any(|version| {
            topology.wanted.is_probe_key(version.key().unwrap_or_default()) && wish.selects(version)
        }),
        more: theirs.len() > MOST || page.is_truncated() == Some(true),
    })
}

async fn status(
    aws: &Aws,
    topology: &Topology,
    version: &ObjectVersion,
) -> Result<Option<String>, Error> {
    let source = &topology.source;
    let head = aws.s3(&source.region).head_object().bucket(source.bucket.as_str());
    let head = head
        .key(version.key().unwrap_or_default())
        .set_version_id(version.version_id().map(str::to_owned));
    match head.send().await.at("s3:HeadObject", &source.region) {
        Ok(output) => Ok(output.replication_status().map(|status| status.as_str().to_owned())),
        // The version was deleted in the meantime: there is nothing to replicate.
        Err(error) if error.is_absent() => Ok(Some("deleted".to_owned())),
        // The preceding list request succeeded, so the credentials are valid and the object is the
        // cause.
        Err(error) if error.may_be_the_objects() => {
            Ok(Some("under a key of its owner's".to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Refuses a report bucket with default retention: S3 Batch Operations can't write there
/// (S3 User Guide, "Managing Object Lock", considerations for batch operations).
pub async fn check_report_place(aws: &Aws, topology: &Topology) -> Result<(), Failure> {
    let (bucket, region) = (topology.reports().bucket, &topology.source.region);
    let get = aws.s3(region).get_object_lock_configuration().bucket(&bucket);
    let lock = match get.send().await.at("s3:GetObjectLockConfiguration", region) {
        Ok(output) => output.object_lock_configuration,
        Err(error) if error.is_absent() || error.is("ObjectLockConfigurationNotFoundError") => None,
        Err(error) => return Err(error.into()),
    };
    if lock.and_then(|lock| lock.rule).is_none() {
        return Ok(());
    }
    let message = format!(
        "the bucket of reports `{bucket}` has default retention, so no report can be written there"
    );
    Err(Failure::new(Kind::InTheWay, "reports-locked", message).in_region(region))
}
