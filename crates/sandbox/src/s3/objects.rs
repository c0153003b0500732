//! Reading objects: `GetObject` and `HeadObject`. Not for: finding the version (see `reads`).

use super::checksum::with_checksum;
use super::details::invalid_range;
use super::errors::not_implemented;
use super::event_hold;
use super::permit::refused;
use super::reads::{Conditions, action_for, etag, find};
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{Checksum, Described, Lock, Sse, Versioning};
use bytes::Bytes;
use http::HeaderValue;
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ObjectLockLegalHoldStatus, ObjectLockMode, Range, ReplicationStatus,
    ServerSideEncryption, StorageClass, StreamingBlob, Timestamp,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Result};
use std::time::SystemTime;

/// The input members that `GetObject` and `HeadObject` share.
struct ObjectRequest<'a> {
    bucket: &'a str,
    key: &'a str,
    version: Option<&'a str>,
    conditions: Conditions<'a>,
    range: Option<Range>,
    checksum: bool,
    /// Whether the request asks for a part or carries a customer-provided key (SSE-C), which are
    /// not modelled.
    beyond: bool,
}

/// Builds an `ObjectRequest` from the input of either operation.
macro_rules! wanted {
    ($input:expr) => {
        ObjectRequest {
            bucket: &$input.bucket,
            key: &$input.key,
            version: $input.version_id.as_deref(),
            conditions: Conditions {
                matches: $input.if_match.as_ref(),
                differs: $input.if_none_match.as_ref(),
                modified_since: $input.if_modified_since.as_ref(),
                unmodified_since: $input.if_unmodified_since.as_ref(),
            },
            range: $input.range,
            checksum: $input
                .checksum_mode
                .as_ref()
                .is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED),
            beyond: $input.part_number.is_some() || $input.sse_customer_algorithm.is_some(),
        }
    };
}

/// A version that was found, with the data to return.
struct FoundObject {
    data: Bytes,
    /// The `Content-Range` of `data`, where the request asks for a range.
    content_range: Option<String>,
    described: Described,
    etag: ETag,
    written: SystemTime,
    version_id: Option<String>,
    sse: Sse,
    checksum: Option<Checksum>,
    replication: Option<&'static str>,
    lock: Lock,
    tags: usize,
}

/// Fills the output of either operation from a found version.
macro_rules! filled {
    ($output:ident, $found:expr) => {{
        let found = $found;
        let output = $output {
            accept_ranges: Some("bytes".into()),
            bucket_key_enabled: found.sse.bucket_key(),
            cache_control: found.described.cache_control,
            content_disposition: found.described.content_disposition,
            content_encoding: found.described.content_encoding,
            content_language: found.described.content_language,
            content_length: i64::try_from(found.data.len()).ok(),
            content_range: found.content_range,
            content_type: Some(
                found.described.content_type.unwrap_or_else(|| "binary/octet-stream".into()),
            ),
            e_tag: Some(found.etag),
            expires: found.described.expires,
            last_modified: Some(Timestamp::from(found.written)),
            object_lock_legal_hold_status: found
                .lock
                .legal_hold
                .map(|on| ObjectLockLegalHoldStatus::from_static(if on { "ON" } else { "OFF" })),
            object_lock_mode: found
                .lock
                .retention
                .map(|retention| ObjectLockMode::from_static(retention.mode.name())),
            object_lock_retain_until_date: found
                .lock
                .retention
                .map(|retention| Timestamp::from(retention.until)),
            metadata: Some(found.described.metadata).filter(|metadata| !metadata.is_empty()),
            replication_status: found.replication.map(ReplicationStatus::from_static),
            server_side_encryption: Some::<ServerSideEncryption>(found.sse.algorithm()),
            ssekms_key_id: found.sse.key(),
            storage_class: found.described.storage_class.map(StorageClass::from),
            version_id: found.version_id,
            ..nothing()
        };
        match found.checksum {
            Some(checksum) => {
                let kind = Some(ChecksumType::from_static(checksum.kind()));
                with_checksum!($output { checksum_type: kind, ..output }, &checksum)
            }
            None => output,
        }
    }};
}

/// S3 API Reference, `GetObject`: decryption requires the object's KMS key to be enabled.
pub(super) fn get(call: &mut S3Call<'_>, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let found = look(call, &wanted!(input), true)?;
    call.extra.headers = event_hold::headers(&found.lock);
    let (data, tags) = (found.data.clone(), found.tags);
    let output = filled!(GetObjectOutput, found);
    Ok(GetObjectOutput {
        body: Some(StreamingBlob::from(Body::from(data))),
        tag_count: i32::try_from(tags).ok().filter(|count| *count > 0),
        ..output
    })
}

/// S3 API Reference, `HeadObject`.
pub(super) fn head(call: &mut S3Call<'_>, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let wanted = wanted!(input);
    // HeadObject decrypts only the checksum: S3 encrypts no other metadata of an object.
    let found = look(call, &wanted, wanted.checksum)?;
    call.extra.headers = event_hold::headers(&found.lock);
    // `s3s` does not have the member `TagCount` of this operation.
    if found.tags > 0 {
        call.extra.headers.insert("x-amz-tagging-count", HeaderValue::from(found.tags));
    }
    Ok(filled!(HeadObjectOutput, found))
}

fn look(call: &mut S3Call<'_>, wanted: &ObjectRequest<'_>, decrypt: bool) -> S3Result<FoundObject> {
    if wanted.beyond {
        return Err(not_implemented("reading single parts, and SSE-C"));
    }
    let action = action_for(wanted.version, "s3:GetObject", "s3:GetObjectVersion");
    call.bucket_of(wanted.bucket, wanted.key, action)?;
    let now = call.state.now();
    let bucket = call.visit(wanted.bucket)?;
    let versioned = *bucket.versioning != Versioning::Never;
    let found = find(bucket, wanted.key, wanted.version);
    let (version, object) = found.map_err(|error| hidden(call, wanted.bucket, error))?;
    wanted.conditions.check(&object.etag, version.written)?;
    let (data, content_range) = cut(&object.data, wanted.range)?;
    let mut found = FoundObject {
        described: object.described.clone(),
        etag: etag(&object.etag),
        written: version.written,
        version_id: versioned.then(|| version.id.clone()),
        sse: object.sse.clone(),
        // The checksum covers the whole object, so a range is returned without it.
        checksum: (wanted.checksum && content_range.is_none()).then(|| object.checksum.clone()),
        replication: object.replicated.status(),
        lock: Lock { retention: object.lock.retained(now), ..object.lock },
        tags: object.tags.len(),
        data,
        content_range,
    };
    // A caller without permission to read the lock gets a response without it (S3 User Guide,
    // "Managing Object Lock").
    let may = |action| call.permitted(wanted.bucket, Some(wanted.key), action).is_ok();
    if found.lock.retention.is_some() && !may("s3:GetObjectRetention") {
        found.lock = Lock { retention: None, event_hold: None, ..found.lock };
    }
    if found.lock.legal_hold.is_some() && !may("s3:GetObjectLegalHold") {
        found.lock.legal_hold = None;
    }
    if decrypt {
        call.check_key(&found.sse, "kms:Decrypt", wanted.bucket, wanted.key)?;
    }
    Ok(found)
}

/// Replaces `NoSuchKey` with `AccessDenied` for a caller without `s3:ListBucket`, so that the
/// caller can't find out whether a key exists (S3 API Reference, `GetObject`, "Permissions").
pub(super) fn hidden(call: &S3Call<'_>, bucket: &str, error: S3Error) -> S3Error {
    let absent = *error.code() == S3ErrorCode::NoSuchKey;
    match call.permitted(bucket, None, "s3:ListBucket") {
        Err(denied) if absent => refused(denied),
        _ => error,
    }
}

/// Returns the requested range of an object, and its `Content-Range`.
fn cut(data: &Bytes, range: Option<Range>) -> S3Result<(Bytes, Option<String>)> {
    let Some(range) = range else { return Ok((data.clone(), None)) };
    let whole = data.len();
    let unsatisfiable = || invalid_range(&range.to_header_string(), whole);
    let within = range.check(whole as u64).map_err(|_| unsatisfiable())?;
    let at = |n: u64| usize::try_from(n).map_err(|_| unsatisfiable());
    let (start, end) = (at(within.start)?, at(within.end)?);
    let shown = format!("bytes {start}-{}/{whole}", end.saturating_sub(1));
    Ok((data.slice(start..end), Some(shown)))
}
