//! Makes one replica: reads the source version and writes the destination, both with the role's
//! permissions.
//! Not for: the permission checks (see `role`).

use crate::replication::location::{Reason, destination, source};
use crate::replication::role::{ReplicationRole, destination_key, source_key};
use crate::world::buckets::{
    Acl, Bucket, Content, Lock, Object, Replicated, Sse, Version, Versioning,
};
use crate::world::kms::{Kms, Unusable};
use crate::world::replication::ReplicationJob;
use crate::world::{Caller, State};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Makes the replica of one version, or returns AWS's `failureReason`
/// (S3 User Guide, "Receiving replication failure events with Amazon S3 Event Notifications").
pub(super) fn replicate(state: &mut State, job: &ReplicationJob) -> Result<(), Reason> {
    let version = read(state, job)?;
    let sse = encryption(state, job, &version)?;
    let what = write(state, job, &version, sse)?;
    let there = state.buckets.0.get(&job.target.bucket).ok_or("DstBucketNotFound")?;
    // A version that already exists at the destination, as in two-way replication, is not changed.
    if there.version(&job.key, &job.version).is_some() {
        return Ok(());
    }
    let version = Version { content: what, ..version };
    let more = version.weight(&job.key);
    // AWS has neither this `failureReason` nor this limit.
    state.buckets.check_room(&state.limits, &job.target.bucket, more).or(Err("SandboxFull"))?;
    let destination = state.buckets.0.get_mut(&job.target.bucket).ok_or("DstBucketNotFound")?;
    destination.insert(&job.key, version);
    Ok(())
}

/// Reads the source version with the role's permissions and checks the destination bucket's
/// settings.
fn read(state: &State, job: &ReplicationJob) -> Result<Version, Reason> {
    let from = source(state, job)?;
    let role = ReplicationRole::assume(state, &job.role, from.bucket)?;
    role.read_configuration(from)?;
    let version = from.bucket.version(&job.key, &job.version).ok_or("SrcVersionNotFound")?;
    match &version.content {
        Content::DeleteMarker => role.list(from)?,
        Content::Object(object) => {
            role.read(from, object)?;
            if let Sse::Kms { key, .. } = &object.sse {
                source_key(state, key)?;
            }
        }
    }
    let to = destination(state, job)?;
    if *to.bucket.versioning.at(state.now()) != Versioning::Enabled {
        return Err("DstBucketUnversioned");
    }
    // A source bucket with Object Lock requires a destination bucket with Object Lock (S3 User
    // Guide, "Requirements and considerations for replication").
    if from.bucket.object_lock.is_some() && to.bucket.object_lock.is_none() {
        return Err("DstBucketObjectLockConfigMissing");
    }
    Ok(version.clone())
}

/// Returns the encryption of the replica.
fn encryption(state: &State, job: &ReplicationJob, version: &Version) -> Result<Sse, Reason> {
    let Content::Object(object) = &version.content else { return Ok(Sse::S3) };
    let now = state.now();
    let from = source(state, job)?;
    let to = destination(state, job)?.bucket;
    let requester = ReplicationRole::assume(state, &job.role, from.bucket)?.caller_at(to);
    let to = state.buckets.0.get(&job.target.bucket).ok_or("DstBucketNotFound")?;
    let sse = encrypt(&state.kms, &requester, to, job, object, now)
        .map_err(|unusable| destination_key(&unusable))?;
    Ok(sse)
}

/// The replica of an SSE-KMS object is encrypted under the rule's replica key, the replica of any
/// other object with SSE-S3: replicas have the encryption of their sources, and the default
/// encryption of the destination bucket is not used (S3 User Guide, "Replicating encrypted
/// objects"). Only an object from before 2023 without encryption would get that default; the
/// sandbox has none. A replica under the rule's replica key uses a Bucket Key if the source object
/// does or if the destination bucket has it enabled.
fn encrypt(
    kms: &Kms,
    requester: &Caller,
    destination: &Bucket,
    job: &ReplicationJob,
    object: &Object,
    now: SystemTime,
) -> Result<Sse, Unusable> {
    let (Sse::Kms { dual, bucket_key, .. }, Some(key)) = (&object.sse, &job.target.key) else {
        return Ok(Sse::S3);
    };
    let key = kms.resolve(requester, key)?;
    let bucket_key = !dual && (*bucket_key || destination.has_bucket_key(now));
    Ok(Sse::Kms { dual: *dual, key, bucket_key })
}

/// Checks the permissions to write the replica and returns the content to store.
fn write(
    state: &State,
    job: &ReplicationJob,
    version: &Version,
    sse: Sse,
) -> Result<Content, Reason> {
    let (from, to) = (source(state, job)?, destination(state, job)?);
    let role = ReplicationRole::assume(state, &job.role, from.bucket)?;
    match &version.content {
        Content::DeleteMarker => role.mark(to).map(|()| Content::DeleteMarker),
        Content::Object(object) => {
            role.write(to, object, &sse, &job.target)?;
            if let Sse::Kms { key, .. } = &sse {
                state.kms.check_state(key).map_err(|unusable| destination_key(&unusable))?;
            }
            let mut replica = replica((**object).clone(), sse, job);
            if !role.replicates_tags(from, to) {
                replica.tags.clear();
            }
            replica.acl = acl(&replica.acl, to.bucket, job);
            replica.lock = lock(&replica.lock, to.bucket, state.now());
            Ok(Content::Object(Box::new(replica)))
        }
    }
}

/// Returns the replica's ACL: the one of the source, with the owner of the source object. Where the
/// rule changes the owner, or the destination bucket disables ACLs, the owner of the destination
/// bucket owns the replica (S3 User Guide, "Changing the replica owner").
fn acl(source: &Acl, to: &Bucket, job: &ReplicationJob) -> Acl {
    if job.target.owner_override || !to.has_acls() {
        Acl::private(to.owner.clone())
    } else {
        source.clone()
    }
}

/// Returns the replica's Object Lock settings: the retention and legal hold of the source. If the
/// source has no retention, the destination bucket's default retention applies
/// (S3 User Guide, "What does Amazon S3 replicate?").
fn lock(source: &Lock, to: &Bucket, now: SystemTime) -> Lock {
    if source.retention.is_some() {
        return *source;
    }
    Lock { legal_hold: source.legal_hold, ..to.default_lock(now) }
}

/// Converts a source object to its replica.
fn replica(mut object: Object, sse: Sse, job: &ReplicationJob) -> Object {
    object.sse = sse;
    object.replicated = Replicated::Replica(BTreeMap::new());
    if let Some(class) = &job.target.storage_class {
        object.described.storage_class = Some(class.clone()).filter(|class| class != "STANDARD");
    }
    object
}
