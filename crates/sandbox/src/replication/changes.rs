//! Changes after the upload: tags, ACL, retention and legal hold of a version follow to its replicas, and from a replica back to
//! its source where a rule has `ReplicaModifications` (S3 User Guide, "Replicating metadata changes with replica modification
//! sync"). What arrives here is never sent on, so nothing goes in circles. Not for: new versions (see `replica`).

use crate::replication::location::{Reason, destination, source};
use crate::replication::role::ReplicationRole;
use crate::world::State;
use crate::world::buckets::{Content, Lock, Object, Version, Versioning};
use crate::world::replication::{MetadataChange, ReplicationJob};

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
