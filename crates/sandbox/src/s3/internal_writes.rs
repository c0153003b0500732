//! Changes to buckets without an S3 request: bucket tags set through S3 Control, and job reports
//! that S3 writes with a job's role. Not for: permission checks, which the callers of these
//! functions make.

use super::settings::{check_new_tags, check_tags};
use super::writes;
use crate::wire::Fault;
use crate::world::State;
use crate::world::buckets::{
    Acl, Algorithm, Bucket, Checksum, Content, Described, Lock, Object, Replicated, Sse, Tags,
};
use bytes::Bytes;
use md5::{Digest, Md5};
use s3s::{S3Error, S3Result, s3_error};
use std::time::SystemTime;

impl Bucket {
    /// Returns the bucket's tags that readers see at `now`.
    pub(crate) fn tags(&self, now: SystemTime) -> &Tags {
        self.tags.at(now)
    }

    /// Adds tags, and replaces those with the same key. Readers see the change from `listed` on.
    pub(crate) fn add_tags(
        &mut self,
        added: Tags,
        (now, listed): (SystemTime, SystemTime),
    ) -> Result<(), Fault> {
        check_new_tags(&added).map_err(|error| fault_of(&error))?;
        let mut tags = (*self.tags).clone();
        tags.retain(|(key, _)| added.iter().all(|(other, _)| other != key));
        tags.extend(added);
        check_tags(&tags, 50).map_err(|error| fault_of(&error))?;
        self.tags.set(tags, now, listed);
        Ok(())
    }

    /// Removes tags by key. Readers see the removed tags until `listed`.
    pub(crate) fn remove_tags(&mut self, keys: &[String], (now, listed): (SystemTime, SystemTime)) {
        let mut tags = (*self.tags).clone();
        tags.retain(|(key, _)| !keys.contains(key));
        self.tags.set(tags, now, listed);
    }
}

/// Writes an object that S3 itself creates to a bucket, under SSE-S3.
pub(crate) fn deliver(
    state: &mut State,
    bucket: &str,
    key: &str,
    data: Bytes,
) -> Result<(), Fault> {
    // S3 delivers no reports to a bucket with a default retention period (S3 User Guide, "Tracking
    // job status and completion reports").
    let kept = state.buckets.0.get(bucket).and_then(|bucket| bucket.object_lock);
    if kept.is_some_and(|lock| lock.default.is_some()) {
        let text = "The bucket has a default retention, where S3 delivers no reports.";
        return Err(Fault::bad("InvalidRequest", text));
    }
    let owner = state.buckets.0.get(bucket).map(|bucket| bucket.owner.clone());
    let owner = owner.ok_or_else(|| fault_of(&s3_error!(NoSuchBucket)))?;
    let object = Object {
        acl: Acl::private(owner),
        etag: hex::encode(Md5::digest(&data)),
        checksum: Checksum::of(Algorithm::Crc64Nvme, &data),
        described: Described::default(),
        tags: Tags::new(),
        sse: Sse::S3,
        lock: Lock::default(),
        parts: Vec::new(),
        upload: None,
        replicated: Replicated::No,
        data,
    };
    let stored: S3Result<_> = writes::store(state, bucket, key, Content::Object(Box::new(object)));
    stored.map(drop).map_err(|error| fault_of(&error))
}

/// Converts an S3 error to a `Fault`, for services with another protocol.
fn fault_of(error: &S3Error) -> Fault {
    let status = error.status_code().map_or(400, |status| status.as_u16());
    let code = error.code().as_str().to_owned();
    let text = error.message().or_else(|| super::errors::message(&code)).unwrap_or_default();
    Fault::new(status, code.clone(), text)
}
