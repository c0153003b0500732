//! Copies of objects, whole or as parts of an upload. A copy of an object onto itself changes its
//! metadata or encryption. Not for: the steps that every write shares (see `writes`).

use super::acls::for_new_object;
use super::checksum::with_checksum;
use super::details::{copy_source, invalid_argument};
use super::encryption::{decide, encryption_headers};
use super::errors::not_implemented;
use super::lock::{for_upload, lock_headers};
use super::objects::{check_archived, hidden};
use super::permit::refused;
use super::reads::{Conditions, action_for, etag, find, whole_seconds};
use super::text_headers::described;
use super::writes::{check_condition, etag_of, store};
use crate::s3::call::{S3Call, nothing};
use crate::s3::multipart::{check_part_number, keep_part};
use crate::s3::object_tags::from_header;
use crate::s3::writes::{check_storage_class, permit_tags};
use crate::world::buckets::{
    Algorithm, Bucket, Checksum, Content, Described, Object, Replicated, Sse, Tags, Versioning,
};
use bytes::Bytes;
use crrctl_iam::names::Region;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource,
    MetadataDirective, TaggingDirective, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Result, s3_error};
use std::time::SystemTime;

/// The source of a copy: its location, and the version found there.
struct From {
    bucket: String,
    key: String,
    version: Option<String>,
    /// The version id to return.
    shown: Option<String>,
    object: Object,
    written: SystemTime,
    region: Region,
}

/// Refuses a header `x-amz-copy-source` that does not name a bucket and a key.
pub(super) fn check_source_header(headers: &HeaderMap) -> S3Result<()> {
    const HEADER: &str = "x-amz-copy-source";
    if headers.contains_key(HEADER) && copy_source(headers).is_none_or(|key| key.is_empty()) {
        // S3 gives the name of the header as its value too.
        return Err(invalid_argument(HEADER, HEADER, "Invalid copy source object key"));
    }
    Ok(())
}

/// Reads the source with the caller's permissions. The source may be in another Region (S3 API
/// Reference, `CopyObject`, "Permissions").
fn source(call: &S3Call<'_>, given: &CopySource, owner: Option<&str>) -> S3Result<From> {
    let CopySource::Bucket { bucket, key, version_id } = given else {
        return Err(not_implemented("copies from access points"));
    };
    // `s3s` takes a `+` for itself.
    let key = &copy_source(&call.headers).unwrap_or_else(|| key.to_string());
    let version = version_id.as_deref();
    let found: &Bucket = call.state.found_bucket(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
    if owner.is_some_and(|owner| owner != found.owner.as_str()) {
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    let action = action_for(version, "s3:GetObject", "s3:GetObjectVersion");
    call.permitted(bucket, Some((key, version)), action).map_err(refused)?;
    let looked = find(found, key, version).map_err(|error| hidden(call, bucket, error))?;
    check_archived(looked.1)?;
    Ok(From {
        bucket: bucket.to_string(),
        key: key.clone(),
        version: version.map(String::from),
        shown: (*found.versioning != Versioning::Never).then(|| looked.0.id.clone()),
        object: looked.1.clone(),
        written: looked.0.written,
        region: found.region.clone(),
    })
}

/// Checks the conditions on the source, from the input of either operation. A condition that does
/// not hold always returns 412.
macro_rules! check_source {
    ($input:expr, $from:expr, $now:expr) => {
        Conditions {
            matches: $input.copy_source_if_match.as_ref(),
            differs: $input.copy_source_if_none_match.as_ref(),
            modified_since: $input.copy_source_if_modified_since.as_ref(),
            unmodified_since: $input.copy_source_if_unmodified_since.as_ref(),
            now: $now,
        }
        .check_source(&$from.object.etag, $from.written)
    };
}

/// S3 API Reference, `CopyObject`.
pub(super) fn copy(call: &mut S3Call<'_>, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
    call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    let acl = for_new_object(call, &input.bucket, &input.key)?;
    if input.website_redirect_location.is_some() {
        return Err(not_implemented("website redirects"));
    }
    let from = source(call, &input.copy_source, input.expected_source_bucket_owner.as_deref())?;
    check_source!(input, from, call.state.now())?;
    check_condition(call, &input.bucket, &input.key)?;
    let (described, tags) = (described(call, &input, &from)?, tags(call, &input, &from)?);
    let lock = for_upload(call, &input.bucket, &input.key, &lock_headers!(input))?;
    let mut asked = encryption_headers!(input);
    asked.beyond |= input.copy_source_sse_customer_algorithm.is_some();
    let sse = decide(call, &input.bucket, &asked)?;
    check_itself(call, &input, &from, &sse)?;
    let at = (&from.region, &*from.bucket, &*from.key);
    call.check_key_in(at, &from.object.sse, "kms:Decrypt")?;
    call.check_key(&sse, "kms:GenerateDataKey", &input.bucket, &input.key)?;
    let data = from.object.data.clone();
    let wanted = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::named(name.as_str()));
    let checksum = Checksum::of(wanted.unwrap_or(from.object.checksum.algorithm), &data);
    let tag = etag_of(&sse, || hex::encode(Md5::digest(&data)));
    let result = CopyObjectResult {
        e_tag: Some(etag(&tag)),
        last_modified: Some(whole_seconds(call.state.now())),
        checksum_type: Some(ChecksumType::from_static(checksum.kind())),
        ..nothing()
    };
    let output = CopyObjectOutput {
        copy_object_result: Some(with_checksum!(result, &checksum)),
        copy_source_version_id: from.shown,
        server_side_encryption: Some(sse.algorithm()),
        ssekms_key_id: sse.key(),
        bucket_key_enabled: sse.bucket_key(),
        ..nothing()
    };
    let replicated = Replicated::No;
    let parts = Vec::new();
    let object = Object {
        data,
        etag: tag,
        described,
        tags,
        sse,
        lock,
        acl,
        checksum,
        parts,
        upload: None,
        replicated,
    };
    let version_id =
        store(call.state, &input.bucket, &input.key, Content::Object(Box::new(object)))?;
    Ok(CopyObjectOutput { version_id, ..output })
}

/// Refuses a copy of the newest version onto itself that changes nothing. S3 accepts any such copy
/// in a bucket whose default encryption was set with `PutBucketEncryption`, and any that changes
/// the encryption (recorded from S3 by `LocalStack`'s snapshots
/// `test_copy_in_place_with_bucket_encryption` and `test_s3_copy_object_in_place_with_encryption`).
fn check_itself(
    call: &S3Call<'_>,
    input: &CopyObjectInput,
    from: &From,
    sse: &Sse,
) -> S3Result<()> {
    let itself = from.version.is_none() && input.bucket == from.bucket && input.key == from.key;
    let bucket = call.state.buckets.0.get(&input.bucket);
    let replaces = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let changes = replaces
        || input.storage_class.is_some()
        || input.server_side_encryption.is_some()
        || input.bucket_key_enabled.is_some()
        || *sse != from.object.sse
        || bucket.is_some_and(|bucket| bucket.encryption.is_some());
    if itself && !changes {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, \
             storage class, website redirect location or encryption attributes."
        ));
    }
    Ok(())
}

/// Returns the copy's metadata: the source's or the request's. The storage class is always the
/// request's.
fn described(call: &S3Call<'_>, input: &CopyObjectInput, from: &From) -> S3Result<Described> {
    let storage_class = check_storage_class(input.storage_class.as_ref())?;
    match input.metadata_directive.as_ref().map(MetadataDirective::as_str) {
        None | Some(MetadataDirective::COPY) => {
            Ok(Described { storage_class, ..from.object.described.clone() })
        }
        Some(MetadataDirective::REPLACE) => {
            let input = input.clone();
            Ok(described!(call, input, storage_class))
        }
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown metadata directive.")),
    }
}

/// Returns the copy's tags: the source's or the request's. To copy the source's tags, the caller
/// must be allowed to read them.
fn tags(call: &S3Call<'_>, input: &CopyObjectInput, from: &From) -> S3Result<Tags> {
    let tags = match input.tagging_directive.as_ref().map(TaggingDirective::as_str) {
        None | Some(TaggingDirective::COPY) => {
            if !from.object.tags.is_empty() {
                let version = from.version.as_deref();
                let action =
                    action_for(version, "s3:GetObjectTagging", "s3:GetObjectVersionTagging");
                let object = (&*from.key, version);
                call.permitted(&from.bucket, Some(object), action).map_err(refused)?;
            }
            from.object.tags.clone()
        }
        Some(TaggingDirective::REPLACE) => from_header(input.tagging.as_deref())?,
        Some(_) => return Err(s3_error!(InvalidArgument, "Unknown tagging directive.")),
    };
    permit_tags(call, &input.bucket, &input.key, &tags)?;
    Ok(tags)
}

/// S3 API Reference, `UploadPartCopy`.
pub(super) fn copy_part(
    call: &mut S3Call<'_>,
    input: UploadPartCopyInput,
) -> S3Result<UploadPartCopyOutput> {
    check_part_number(input.part_number)?;
    call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    if input.sse_customer_algorithm.is_some() || input.copy_source_sse_customer_algorithm.is_some()
    {
        return Err(not_implemented("SSE-C"));
    }
    let from = source(call, &input.copy_source, input.expected_source_bucket_owner.as_deref())?;
    check_source!(input, from, call.state.now())?;
    let at = (&from.region, &*from.bucket, &*from.key);
    call.check_key_in(at, &from.object.sse, "kms:Decrypt")?;
    let data = cut(&from.object.data, input.copy_source_range.as_deref())?;
    let now = call.state.now();
    let at = (&*input.bucket, &*input.key, &*input.upload_id);
    let (tag, checksum) = keep_part(call.state, at, input.part_number, data, now)?;
    let bucket = call.find_mut(&input.bucket)?;
    let upload = super::multipart::find(bucket, &input.key, &input.upload_id)?;
    let result = CopyPartResult {
        e_tag: Some(etag(&tag)),
        last_modified: Some(whole_seconds(now)),
        ..nothing()
    };
    let result = if upload.chosen { with_checksum!(result, &checksum) } else { result };
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: from.shown,
        server_side_encryption: Some(upload.sse.algorithm()),
        ssekms_key_id: upload.sse.key(),
        bucket_key_enabled: upload.sse.bucket_key(),
        ..nothing()
    })
}

/// Returns the range `bytes=first-last` of the source; both ends must be within the source.
fn cut(data: &Bytes, range: Option<&str>) -> S3Result<Bytes> {
    let Some(range) = range else { return Ok(data.clone()) };
    let ends = range.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?)));
    let (first, last) = ends.filter(|(first, last)| first <= last).ok_or_else(|| {
        invalid_argument(
            "x-amz-copy-source-range",
            range,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets \
             of the first and last bytes to copy"
        )
    })?;
    if first >= data.len() {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy range is invalid for the source object size"
        ));
    }
    if last >= data.len() {
        let size = data.len();
        return Err(invalid_argument(
            "x-amz-copy-source-range",
            range,
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok(data.slice(first..=last))
}
