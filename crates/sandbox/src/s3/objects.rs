//! Reading objects: `GetObject` and `HeadObject`. Not for: finding the version (see `reads`).

use super::checksum::with_checksum;
use super::details::{Details, invalid_argument, invalid_range};
use super::errors::{custom, not_implemented};
use super::multipart::check_part_number;
use super::permit::refused;
use super::reads::{Conditions, action_for, etag, expiration_of, find};
use super::{event_hold, text_headers};
use crate::s3::call::{ResponseStatus, S3Call, nothing};
use crate::world::buckets::{Checksum, Described, Lock, Object, Sse, Versioning};
use bytes::Bytes;
use crrctl_iam::Principal;
use http::{HeaderValue, StatusCode};
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ObjectLockLegalHoldStatus, ObjectLockMode, Range, ReplicationStatus,
    ServerSideEncryption, StorageClass, StreamingBlob, Timestamp,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};
use std::time::SystemTime;

/// The input members that `GetObject` and `HeadObject` share.
struct ObjectRequest<'a> {
    bucket: &'a str,
    key: &'a str,
    version: Option<&'a str>,
    conditions: Conditions<'a>,
    range: Option<Range>,
    part: Option<i32>,
    checksum: bool,
    /// Whether the request carries a customer-provided key (SSE-C), which is not modelled.
    beyond: bool,
}

/// Builds an `ObjectRequest` from the input of either operation.
macro_rules! wanted {
    ($input:expr, $now:expr) => {
        ObjectRequest {
            bucket: &$input.bucket,
            key: &$input.key,
            version: $input.version_id.as_deref(),
            conditions: Conditions {
                matches: $input.if_match.as_ref(),
                differs: $input.if_none_match.as_ref(),
                modified_since: $input.if_modified_since.as_ref(),
                unmodified_since: $input.if_unmodified_since.as_ref(),
                now: $now,
            },
            range: $input.range,
            part: $input.part_number,
            checksum: $input
                .checksum_mode
                .as_ref()
                .is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED),
            beyond: $input.sse_customer_algorithm.is_some(),
        }
    };
}

/// A version that was found, with the data to return.
struct FoundObject {
    data: Bytes,
    /// The `Content-Range` of `data`, where the request asks for a range or a part.
    content_range: Option<String>,
    /// The number of parts, where the request asks for a part of a multipart object.
    parts: Option<i32>,
    described: Described,
    etag: ETag,
    written: SystemTime,
    version_id: Option<String>,
    sse: Sse,
    checksum: Option<Checksum>,
    replication: Option<&'static str>,
    /// The value of `x-amz-expiration`.
    expiration: Option<String>,
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
            expiration: found.expiration,
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
            parts_count: found.parts,
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
    check_overrides(call, &input)?;
    let mut found = look(call, &wanted!(input, call.state.now()), Reading::Data)?;
    call.extra.headers = event_hold::headers(&found.lock);
    text_headers::show(&mut found.described, &mut call.extra.headers);
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
    let wanted = wanted!(input, call.state.now());
    let mut found = look(call, &wanted, Reading::Metadata)?;
    call.extra.headers = event_hold::headers(&found.lock);
    text_headers::show(&mut found.described, &mut call.extra.headers);
    // `s3s` does not have the member `TagCount` of this operation.
    if found.tags > 0 {
        call.extra.headers.insert("x-amz-tagging-count", HeaderValue::from(found.tags));
    }
    if found.content_range.is_some() {
        call.extra.extensions.insert(ResponseStatus(StatusCode::PARTIAL_CONTENT));
    }
    Ok(filled!(HeadObjectOutput, found))
}

/// What a request reads of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Data,
    Metadata,
}

fn look(
    call: &mut S3Call<'_>,
    wanted: &ObjectRequest<'_>,
    reading: Reading,
) -> S3Result<FoundObject> {
    if wanted.beyond {
        return Err(not_implemented("SSE-C"));
    }
    let action = action_for(wanted.version, "s3:GetObject", "s3:GetObjectVersion");
    call.bucket_of(wanted.bucket, (wanted.key, wanted.version), action)?;
    let now = call.state.now();
    let bucket = call.visit(wanted.bucket)?;
    let versioned = *bucket.versioning != Versioning::Never;
    let found = find(bucket, wanted.key, wanted.version);
    let (version, object) = found.map_err(|error| hidden(call, wanted.bucket, error))?;
    wanted.conditions.check(&object.etag, version.written)?;
    if reading == Reading::Data {
        check_archived(object)?;
    }
    let piece = Piece::of(object, wanted)?;
    let (data, content_range) = cut(&object.data, piece.range)?;
    let mut found = FoundObject {
        described: object.described.clone(),
        etag: etag(&object.etag),
        written: version.written,
        version_id: versioned.then(|| version.id.clone()),
        sse: object.sse.clone(),
        checksum: piece.checksum.filter(|_| wanted.checksum),
        parts: piece.parts,
        replication: object.replicated.status(),
        expiration: expiration_of(bucket, wanted.key, version),
        lock: Lock { retention: object.lock.retained(now), ..object.lock },
        tags: object.tags.len(),
        data,
        content_range,
    };
    // A caller without permission to read the lock gets a response without it (S3 User Guide,
    // "Managing Object Lock").
    let may = |action| {
        let object = (wanted.key, wanted.version);
        call.permitted(wanted.bucket, Some(object), action).is_ok()
    };
    if found.lock.retention.is_some() && !may("s3:GetObjectRetention") {
        found.lock = Lock { retention: None, event_hold: None, ..found.lock };
    }
    if found.lock.legal_hold.is_some() && !may("s3:GetObjectLegalHold") {
        found.lock.legal_hold = None;
    }
    // HeadObject decrypts only the checksum: S3 encrypts no other metadata of an object.
    if reading == Reading::Data || wanted.checksum {
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

/// The piece of an object that a request asks for.
struct Piece {
    range: Option<Range>,
    checksum: Option<Checksum>,
    parts: Option<i32>,
}

impl Piece {
    /// Returns the whole object, the range, or the part with the number that the request names,
    /// counted from 1 (S3 API Reference, `GetObject`, `partNumber`). A checksum covers a whole
    /// object or a part, so a range comes without one, unless it is of the whole object.
    fn of(object: &Object, wanted: &ObjectRequest<'_>) -> S3Result<Self> {
        let Some(number) = wanted.part else {
            let size = object.data.len() as u64;
            let is_whole = |range: Range| range.check(size).is_ok_and(|within| within == (0..size));
            let whole = wanted.range.is_none_or(is_whole);
            let checksum = whole.then(|| object.checksum.clone());
            return Ok(Self { range: wanted.range, checksum, parts: None });
        };
        if wanted.range.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            ));
        }
        check_part_number(number)?;
        let count = object.parts.len().max(1);
        let at = usize::try_from(number).unwrap_or_default() - 1;
        if at >= count {
            let text = "The requested partnumber is not satisfiable";
            let error = custom(416, "InvalidPartNumber", text.into());
            let asked = ("PartNumberRequested", number.to_string());
            return Err(Details::on(error, [asked, ("ActualPartCount", count.to_string())]));
        }
        let Some(part) = object.parts.get(at) else {
            let range = (!object.data.is_empty()).then_some(Range::Int { first: 0, last: None });
            return Ok(Self { range, checksum: Some(object.checksum.clone()), parts: None });
        };
        let first: usize = object.parts[..at].iter().map(|part| part.size).sum();
        let last = (first + part.size).checked_sub(1).map(|last| last as u64);
        let range = (part.size > 0).then_some(Range::Int { first: first as u64, last });
        let checksum = part.checksum.clone();
        Ok(Self { range, checksum, parts: i32::try_from(count).ok() })
    }
}

/// Refuses to read an archived object: restoring is not modelled (S3 User Guide, "Understanding
/// archival storage classes").
pub(super) fn check_archived(object: &Object) -> S3Result<()> {
    let class = object.described.storage_class.as_deref().unwrap_or_default();
    if !["GLACIER", "DEEP_ARCHIVE"].contains(&class) {
        return Ok(());
    }
    let text = "The operation is not valid for the object's storage class";
    let error = s3_error!(InvalidObjectState, "{text}");
    Err(Details::on(error, [("StorageClass", class.to_owned())]))
}

/// Refuses response headers that a request may not choose: none in an anonymous request, and none
/// that ISO-8859-1 can't represent (S3 API Reference, `GetObject`, "Overriding response header
/// values through the request"; the texts are as recorded from S3).
fn check_overrides(call: &S3Call<'_>, input: &GetObjectInput) -> S3Result<()> {
    let chosen = [
        ("response-cache-control", &input.response_cache_control),
        ("response-content-disposition", &input.response_content_disposition),
        ("response-content-encoding", &input.response_content_encoding),
        ("response-content-language", &input.response_content_language),
        ("response-content-type", &input.response_content_type),
    ];
    for (name, value) in chosen {
        let Some(value) = value else { continue };
        if call.caller.principal == Principal::Anonymous {
            return Err(s3_error!(
                InvalidRequest,
                "Request specific response headers cannot be used for anonymous GET requests."
            ));
        }
        if value.chars().any(|c| u32::from(c) > 0xff) {
            let text = "Header value cannot be represented using ISO-8859-1.";
            return Err(invalid_argument(name, value, text));
        }
    }
    Ok(())
}
