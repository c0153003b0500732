//! Metadata changes after the upload. A change to the tags, ACL, retention or legal hold of a
//! version is replicated to its replicas, and from a replica to its source if a rule enables
//! `ReplicaModifications` (S3 User Guide, "Replicating metadata changes with replica modification
//! sync"). A replicated change is not replicated again, so there are no loops.
//! Not for: new versions (see `replica`).

use crate::replication::location::{Reason, destination, source};
use crate::replication::role::ReplicationRole;
use crate::world::State;
use crate::world::buckets::{Content, Lock, Object, Version, Versioning};
use crate::world::replication::{MetadataChange, ReplicationJob};

/// Applies a metadata change at the destination with the role's permissions, or returns AWS's
/// `failureReason`.
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
    let (tags, lock, acl) = (changed.tags.clone(), changed.lock, changed.acl.clone());
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
        // S3 stops the replication of ACLs where the owner of the replica is another (S3 User
        // Guide, "Changing the replica owner").
        MetadataChange::Acl => {
            if there.acl.owner == acl.owner {
                there.acl = acl;
            }
        }
    }
    Ok(())
}
