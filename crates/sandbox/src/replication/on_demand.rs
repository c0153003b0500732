//! Replication on demand, as Batch Replication asks for it: one version, whatever became of it before, under the configuration as it
//! is now and as its role. Not for: jobs and the role they have (see `s3control`).

use crate::replication::location::Reason;
use crate::replication::replica::replicate;
use crate::replication::worker::settle;
use crate::world::State;
use crate::world::buckets::{Bucket, Content, Outcome, Replicated, Version};
use crate::world::replication::{ReplicationJob, ReplicationWork, targets};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Returns whether the rules of a bucket have a version go anywhere.
pub(crate) fn is_eligible(bucket: &Bucket, key: &str, what: &Content, now: SystemTime) -> bool {
    let configuration = bucket.replication.at(now).as_ref();
    configuration.is_some_and(|found| !targets(&found.rules, key, what).is_empty())
}

/// Replicates a version wherever the rules have it go and it is not yet.
///
/// # Errors
/// AWS's `failureReason` of the first destination that failed (S3 User Guide, "Receiving replication failure events with Amazon S3
/// Event Notifications").
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
        // What was there and is not has been deleted by its version id, which Batch Replication does not undo
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
