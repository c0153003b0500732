//! Replication statuses of the newest objects of the source, as far as the first page of versions
//! shows them.
//! Not for: why an object FAILED (see the other checks).

use super::Finding;
use super::seen::Seen;
use crate::aws::{At, Aws, Error, is_unnamable};
use crate::manifest::Topology;
use aws_sdk_s3::types::ReplicationStatus as Status;
use futures::stream::{self, StreamExt};
use serde::Serialize;

pub(super) const NAME: &str = "objects.failed";
/// The number of objects to check.
const NEWEST: usize = 10;

/// A key and a version id.
type Version = (String, Option<String>);

/// Returns the finding about the newest objects, and some of those that FAILED.
pub(super) async fn check(aws: &Aws, seen: &Seen) -> (Vec<Finding>, Vec<Version>) {
    let mut failed = Vec::new();
    let side = &seen.topology.source;
    let is_readable = seen.source().is_some_and(|bucket| bucket.head.is_ok());
    if !is_readable {
        return (Vec::new(), failed);
    }
    let finding = match sample(aws, &seen.topology, NEWEST).await {
        Err(error) => Finding::unread(NAME, &error),
        Ok(Sample { looked_at: 0, .. }) => Finding::skip(NAME, "the rule's prefix holds no object"),
        Ok(Sample { looked_at, failed: 0, .. }) => {
            Finding::pass(NAME, format!("none of the newest {looked_at} objects is FAILED"))
        }
        Ok(sample) => {
            let detail = format!(
                "{} of the newest {} objects are FAILED, such as `{}`; that is final for them",
                sample.failed, sample.looked_at, sample.failed_keys[0]
            );
            let remedy = "fix what the other checks name, then `crrctl backfill --status failed`; with all of them passed, a service or resource control policy of the organisation is the first suspect";
            failed = sample.failed_versions;
            Finding::fail(NAME, detail, remedy)
        }
    };
    (vec![finding.at(&side.region)], failed)
}

/// Replication statuses of the newest objects of a source. The versions are those of the first page
/// that S3 lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct Sample {
    pub looked_at: usize,
    pub completed: usize,
    pub pending: usize,
    pub failed: usize,
    /// Replicas of another rule, and objects that no rule selected.
    pub none: usize,
    /// Keys of some FAILED objects.
    pub failed_keys: Vec<String>,
    /// The same with their version ids.
    #[serde(skip)]
    pub failed_versions: Vec<(String, Option<String>)>,
    /// Versions under the probe prefix of this pair.
    pub kept_probes: usize,
}

/// The number of keys to name.
const NAMED: usize = 10;

/// Reads the replication status of the `newest` objects of the source.
pub async fn sample(aws: &Aws, topology: &Topology, newest: usize) -> Result<Sample, Error> {
    let side = &topology.source;
    let s3 = aws.s3(&side.region);
    let mut found = Vec::new();
    for prefix in topology.prefixes(side) {
        let list = s3.list_object_versions().bucket(side.bucket.as_str()).prefix(prefix);
        let page = list.send().await.at("s3:ListObjectVersions", &side.region)?;
        let versions = page.versions.unwrap_or_default().into_iter();
        found.extend(versions.filter(|it| !is_unnamable(it.key().unwrap_or_default())));
    }
    let is_probe = |key: Option<&str>| topology.wanted.is_probe_key(key.unwrap_or_default());
    let (kept, mut versions): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|it| is_probe(it.key()));
    versions.sort_by_key(|version| {
        std::cmp::Reverse(version.last_modified().map(aws_smithy_types::DateTime::as_nanos))
    });
    versions.truncate(newest);
    let heads = versions.into_iter().map(|version| {
        let key = version.key().unwrap_or_default().to_owned();
        let head = s3.head_object().bucket(side.bucket.as_str()).key(&key);
        let id = version.version_id().map(str::to_owned);
        let head = head.set_version_id(id.clone());
        async move { (key, id, head.send().await.at("s3:HeadObject", &side.region)) }
    });
    let mut sample = Sample { kept_probes: kept.len(), ..Sample::default() };
    let mut heads = stream::iter(heads).buffered(16);
    while let Some((key, id, head)) = heads.next().await {
        let head = match head {
            Ok(head) => head,
            // The object was deleted in the meantime.
            Err(error) if error.is_absent() => continue,
            // The preceding list request succeeded, so the credentials are valid and the object is
            // the cause.
            Err(error) if error.may_be_the_objects() => continue,
            Err(error) => return Err(error),
        };
        sample.looked_at += 1;
        match head.replication_status() {
            Some(Status::Failed) => {
                sample.failed += 1;
                if sample.failed_keys.len() < NAMED {
                    sample.failed_keys.push(key.clone());
                    sample.failed_versions.push((key, id));
                }
            }
            Some(Status::Completed | Status::Complete) => sample.completed += 1,
            Some(Status::Pending) => sample.pending += 1,
            _ => sample.none += 1,
        }
    }
    Ok(sample)
}
