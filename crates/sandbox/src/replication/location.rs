//! The source and the destination of a replication: a bucket and the key in it.
//! Not for: the role's permissions on them (see `role`).

use crate::world::State;
use crate::world::buckets::{Bucket, Object, object_arn};
pub(crate) use crate::world::replication::Reason;
use crate::world::replication::ReplicationJob;

/// A bucket and the key of the object that is read or written in it.
#[derive(Clone, Copy)]
pub(super) struct ObjectLocation<'a> {
    pub(super) name: &'a str,
    pub(super) bucket: &'a Bucket,
    pub(super) key: &'a str,
    /// The version that is replicated from here, if it is an object; `None` at the destination.
    pub(super) replicated: Option<&'a Object>,
}

impl ObjectLocation<'_> {
    /// Returns the ARN of the object.
    pub(super) fn arn(&self) -> String {
        object_arn(self.bucket.region.partition(), self.name, self.key)
    }
}

pub(super) fn source<'a>(
    state: &'a State,
    job: &'a ReplicationJob,
) -> Result<ObjectLocation<'a>, Reason> {
    let bucket = state.buckets.0.get(&job.bucket).ok_or("SrcBucketNotFound")?;
    let replicated = bucket.object(&job.key, Some(&job.version));
    Ok(ObjectLocation { name: &job.bucket, bucket, key: &job.key, replicated })
}

pub(super) fn destination<'a>(
    state: &'a State,
    job: &'a ReplicationJob,
) -> Result<ObjectLocation<'a>, Reason> {
    let bucket = state.buckets.0.get(&job.target.bucket).ok_or("DstBucketNotFound")?;
    Ok(ObjectLocation { name: &job.target.bucket, bucket, key: &job.key, replicated: None })
}
