//! On-demand replication for Batch Replication: replicates one version regardless of its
//! replication status, with the current replication configuration and its role.
//! Not for: batch jobs and their roles (see `s3control`).

use crate::replication::location::Reason;
use crate::replication::replica::replicate;
use crate::replication::worker::settle;
use crate::world::State;
use crate::world::buckets::{Bucket, Content, Outcome, Replicated, Version};
use crate::world::replication::{ReplicationJob, ReplicationWork, targets};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Returns whether the replication rules of a bucket give a version at least one destination.
pub(crate) fn is_eligible(bucket: &Bucket, key: &str, what: &Content, now: SystemTime) -> bool {
    let configuration = bucket.replication.at(now).as_ref();
    configuration.is_some_and(|found| !targets(&found.rules, key, what).is_empty())
}

/// Replicates a version to each destination in the matching rules that does not have the version
/// yet.
///
/// # Errors
/// AWS's `failureReason` of the first destination that failed
/// (S3 User Guide, "Receiving replication failure events with Amazon S3 Event Notifications").
pub(crate) fn replicate_on_demand(
    state: &mut State,
    bucket: &str,
    key: &str,
    version: &str,
) -> Result<(), Reason> {
    let now = state.now();
    let source = state.buckets.0.get(bucket).ok_or("SrcBucketNotFound")?;
    let configuration =
        source.replication.at(now).as_ref().ok_or("SrcBucketReplicationConfigMissing")?;
    let found = source.version(key, version).ok_or_else(|| {
        if source.latest(key).is_some() { "SrcVersionNotFound" } else { "SrcKeyNotFound" }
    })?;
    let Content::Object(object) = &found.content else { return Err("SrcObjectNotEligible") };
    let targets = targets(&configuration.rules, key, &found.content);
    if targets.is_empty() || object.described.is_archived() {
        return Err("SrcObjectNotEligible");
    }
    let role = configuration.role.clone();
    let mut missing = Vec::new();
    for target in targets {
        let there = state.buckets.0.get(&target.bucket);
        if there.is_some_and(|bucket| bucket.version(key, version).is_some()) {
            continue;
        }
        // A replica that was completed and no longer exists was deleted by its version id. Batch
        // Replication does not create it again
        // (S3 User Guide, "Replicating existing objects with Batch Replication", considerations).
        if object.replicated.outcome(&target.bucket) == Some(Outcome::Completed) {
            return Err("DstObjectHardDeleted");
        }
        missing.push(target);
    }
    if missing.is_empty() {
        return Err("SrcReplicationNotPending");
    }
    let source = state.buckets.0.get_mut(bucket).ok_or("SrcBucketNotFound")?;
    if let Some(Version { content: Content::Object(object), .. }) = source.version_mut(key, version)
        && object.replicated == Replicated::No
    {
        object.replicated = Replicated::Source(BTreeMap::new());
    }
    let mut first = Ok(());
    for target in missing {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let (version, role) = (version.to_owned(), role.clone());
        let task = ReplicationWork::Whole;
        let (record, due, begun, size) = (0, now, now, 0);
        let job =
            ReplicationJob { bucket, key, version, role, target, task, record, due, begun, size };
        let job = ReplicationJob { record: state.replication.begin(&job), ..job };
        let outcome = replicate(state, &job);
        settle(state, &job, outcome);
        first = first.and(outcome);
    }
    first
}
