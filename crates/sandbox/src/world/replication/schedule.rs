//! Matches a version to the replication rules when the version is written or changed, sets its
//! status to PENDING and queues the work.
//! A change to tags, ACL, retention or legal hold of a version replicates to its replicas, and from
//! a replica back to its source if a rule enables `ReplicaModifications` (S3 User Guide,
//! "Replicating metadata changes with replica modification sync").
//! Not for: doing the work (see `crate::replication`).

use super::targets::syncs;
use super::{MetadataChange, ReplicationJob, ReplicationTarget, ReplicationWork, targets};
use crate::world::buckets::{Content, Outcome, Replicated, Version, Versioning};
use crate::world::{Slow, State};
use s3s::dto::ReplicationRule;
use std::collections::BTreeMap;

/// Determines the destinations of a version that was just written, sets the status of the version
/// to PENDING and queues the work.
pub(crate) fn schedule(state: &mut State, bucket: &str, key: &str, version: &str) {
    let now = state.now();
    let Some(source) = state.buckets.0.get_mut(bucket) else { return };
    if *source.versioning.at(now) != Versioning::Enabled {
        return;
    }
    let Some(configuration) = source.replication.at(now) else { return };
    let role = configuration.role.clone();
    let Some(written) = source.version(key, version) else { return };
    let targets = targets(&configuration.rules, key, &written.content);
    if targets.is_empty() {
        return;
    }
    let outcomes: BTreeMap<String, Outcome> =
        targets.iter().map(|target| (target.bucket.clone(), Outcome::Pending)).collect();
    if let Some(Version { content: Content::Object(object), .. }) = source.version_mut(key, version)
    {
        object.replicated = Replicated::Source(outcomes);
    }
    for target in targets {
        push(state, (bucket, key, version), &role, target, ReplicationWork::Whole);
    }
}

fn push(
    state: &mut State,
    (bucket, key, version): (&str, &str, &str),
    role: &str,
    target: ReplicationTarget,
    task: ReplicationWork,
) {
    let due = state.done_at(Slow::Replication);
    let begun = state.now();
    let found = state.buckets.0.get(bucket).and_then(|it| it.version(key, version));
    let size = match found.map(|it| &it.content) {
        Some(Content::Object(object)) if task == ReplicationWork::Whole => object.data.len(),
        _ => 0,
    };
    let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), version.to_owned());
    let role = role.to_owned();
    let record = 0;
    let job = ReplicationJob { bucket, key, version, role, target, task, record, due, begun, size };
    state.replication.push(job);
}

/// Queues the replication of a change to a version that was replicated or is a replica.
pub(crate) fn schedule_change(
    state: &mut State,
    bucket: &str,
    key: &str,
    version: &str,
    part: MetadataChange,
) {
    let now = state.now();
    let Some(at) = state.buckets.0.get(bucket) else { return };
    let Some(configuration) = at.replication.at(now) else { return };
    let Some(Version { content: what, .. }) = at.version(key, version) else { return };
    let role = configuration.role.clone();
    let mut wanted = wanted(&configuration.rules, key, what);
    wanted.retain(|target| {
        let there = state.buckets.0.get(&target.bucket);
        let copied = there.is_some_and(|there| there.version(key, version).is_some());
        let coming = state.replication.queue.iter().any(|job| {
            job.is_of(bucket, key, version, &target.bucket) && job.task == ReplicationWork::Whole
        });
        !coming && follows(what, &target.bucket, copied)
    });
    for target in &wanted {
        note_outcome(state, (bucket, key, version), &target.bucket, Outcome::Pending);
    }
    for target in wanted {
        push(state, (bucket, key, version), &role, target, ReplicationWork::Change(part));
    }
}

fn wanted(rules: &[ReplicationRule], key: &str, what: &Content) -> Vec<ReplicationTarget> {
    let Content::Object(object) = what else { return Vec::new() };
    match object.replicated {
        Replicated::No => Vec::new(),
        Replicated::Source(_) => targets(rules, key, what),
        Replicated::Replica(_) => {
            let back: Vec<ReplicationRule> =
                rules.iter().filter(|rule| syncs(rule)).cloned().collect();
            targets(&back, key, what)
        }
    }
}

/// Returns whether a change replicates to a destination. `copied` is set if the destination has the
/// version: this is required for a replica, and for a version whose replication failed.
fn follows(what: &Content, destination: &str, copied: bool) -> bool {
    let Content::Object(object) = what else { return false };
    match &object.replicated {
        Replicated::No => false,
        Replicated::Replica(_) => copied,
        Replicated::Source(outcomes) => match outcomes.get(destination) {
            None => false,
            Some(Outcome::Failed) => copied,
            Some(_) => true,
        },
    }
}

/// Records the outcome of replicating a version to a destination.
pub(crate) fn note_outcome(
    state: &mut State,
    (bucket, key, version): (&str, &str, &str),
    destination: &str,
    outcome: Outcome,
) {
    let found = state.buckets.0.get_mut(bucket).and_then(|b| b.version_mut(key, version));
    if let Some(Version { content: Content::Object(object), .. }) = found
        && let Replicated::Source(outcomes) | Replicated::Replica(outcomes) = &mut object.replicated
    {
        outcomes.insert(destination.to_owned(), outcome);
    }
}
