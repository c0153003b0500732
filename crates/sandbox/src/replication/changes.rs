//! Changes after the upload: tags, ACL, retention and legal hold of a version follow to its replicas, and from a replica back to
//! its source where a rule has `ReplicaModifications` (S3 User Guide, "Replicating metadata changes with replica modification
//! sync"). What arrives here is never sent on, so nothing goes in circles. Not for: new versions (see `replica`).

use super::role::{Reason, ReplicationRole};
use super::targets::{ReplicationTarget, syncs, targets};
use super::{ReplicationJob, ReplicationWork, destination, push, source};
use crate::s3::{Content, Lock, Object, Outcome, Replicated, Version, Versioning};
use crate::state::State;
use s3s::dto::ReplicationRule;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataChange {
    Tags,
    Acl,
    Retention,
    LegalHold,
}

/// Sets off the replication of a change to a version, where it was replicated or is a replica.
pub(crate) fn changed(
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
        note(state, (bucket, key, version), &target.bucket, Outcome::Pending);
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

/// A change follows its version to where that went: not where the version failed, and from a replica only to where it is, too.
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

/// Notes how replicating a version to a destination stands.
pub(super) fn note(
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

/// Makes a change at the destination as the role, or returns AWS's `failureReason`.
pub(super) fn follow(
    state: &mut State,
    job: &ReplicationJob,
    part: MetadataChange,
) -> Result<(), Reason> {
    let from = source(state, job)?;
    let role = ReplicationRole::assume(state, &job.role, from.bucket)?;
    role.read_configuration(from)?;
    let changed = from.bucket.version(&job.key, &job.version).ok_or("SrcVersionNotFound")?;
    let Content::Object(changed) = &changed.content else { return Err("SrcObjectNotEligible") };
    role.read_part(from, part)?;
    let to = destination(state, job)?;
    if *to.bucket.versioning.at(state.now()) != Versioning::Enabled {
        return Err("DstBucketUnversioned");
    }
    if to.bucket.version(&job.key, &job.version).is_none() {
        return Err("DstVersionNotFound");
    }
    let locking = matches!(part, MetadataChange::Retention | MetadataChange::LegalHold);
    if locking && to.bucket.object_lock.is_none() {
        return Err("DstBucketObjectLockConfigMissing");
    }
    role.write_part(to, changed, part)?;
    let (tags, lock) = (changed.tags.clone(), changed.lock);
    let to = state.buckets.0.get_mut(&job.target.bucket).ok_or("DstBucketNotFound")?;
    let Some(Version { content: Content::Object(there), .. }) =
        to.version_mut(&job.key, &job.version)
    else {
        return Err("DstVersionNotFound");
    };
    let there: &mut Object = there;
    match part {
        MetadataChange::Tags => there.tags = tags,
        MetadataChange::Retention => {
            there.lock =
                Lock { retention: lock.retention, event_hold: lock.event_hold, ..there.lock };
        }
        MetadataChange::LegalHold => there.lock.legal_hold = lock.legal_hold,
        // The only ACLs that are modelled say the same as none.
        MetadataChange::Acl => {}
    }
    Ok(())
}
