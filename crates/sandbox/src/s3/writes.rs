//! Writing objects: `PutObject`, and the steps that every write shares. Not for: multipart uploads
//! (see `multipart`).

use super::acls::for_new_object;
use super::checksum::with_checksum;
use super::details::Details;
use super::encryption::{decide, encryption_headers};
use super::errors::{full, not_implemented};
use super::lock::{for_upload, lock_headers, require_checksum};
use super::object_tags::from_header;
use super::permit::refused;
use super::reads::{check_write, etag, expiration_of};
use super::text_headers::described;
use crate::s3::call::{S3Call, nothing};
use crate::world::State;
use crate::world::buckets::{
    Algorithm, Checksum, Content, Object, Replicated, Sse, Tags, Version, Versioning, random_etag,
};
use crate::world::replication::schedule;
use bytes::Bytes;
use md5::{Digest, Md5};
use s3s::dto::{ChecksumType, ETagCondition, PutObjectInput, PutObjectOutput, StorageClass};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `PutObject`.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutObjectInput,
    data: Bytes,
) -> S3Result<PutObjectOutput> {
    call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    let acl = for_new_object(call, &input.bucket, &input.key)?;
    if input.write_offset_bytes.is_some() || input.website_redirect_location.is_some() {
        return Err(not_implemented("appending to objects and website redirects"));
    }
    check_write(
        call.visit(&input.bucket)?,
        &input.key,
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
    )?;
    let lock = for_upload(call, &input.bucket, &input.key, &lock_headers!(input))?;
    require_checksum(call, &lock)?;
    let sse = decide(call, &input.bucket, &encryption_headers!(input))?;
    call.check_key(&sse, "kms:GenerateDataKey", &input.bucket, &input.key)?;
    let tags = from_header(input.tagging.as_deref())?;
    permit_tags(call, &input.bucket, &input.key, &tags)?;
    let checksum = Checksum::of(Algorithm::sent_in(&call.headers), &data);
    let tag = etag_of(&sse, || hex::encode(Md5::digest(&data)));
    let storage_class = check_storage_class(input.storage_class.as_ref())?;
    let described = described!(call, input, storage_class);
    let output = PutObjectOutput {
        e_tag: Some(etag(&tag)),
        server_side_encryption: Some(sse.algorithm()),
        ssekms_key_id: sse.key(),
        bucket_key_enabled: sse.bucket_key(),
        checksum_type: Some(ChecksumType::from_static(checksum.kind())),
        ..nothing()
    };
    let output = with_checksum!(output, &checksum);
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
    let bucket = call.visit(&input.bucket)?;
    let newest = bucket.latest(&input.key);
    let expiration = newest.and_then(|newest| expiration_of(bucket, &input.key, newest));
    Ok(PutObjectOutput { version_id, expiration, ..output })
}

/// Checks that a caller that uploads an object with tags has `s3:PutObjectTagging` (S3 User Guide,
/// "Categorizing your storage using tags").
pub(super) fn permit_tags(call: &S3Call<'_>, bucket: &str, key: &str, tags: &Tags) -> S3Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    call.permitted_new(bucket, key, "s3:PutObjectTagging").map_err(refused)
}

/// Refuses a copy whose If-Match or If-None-Match condition on the destination does not hold. `s3s`
/// does not decode these two headers of a copy.
pub(super) fn check_condition(call: &S3Call<'_>, bucket: &str, key: &str) -> S3Result<()> {
    let header = |name: &str| {
        let value = call.headers.get(name).and_then(|value| value.to_str().ok())?;
        Some(if value == "*" {
            ETagCondition::Any
        } else {
            ETagCondition::ETag(etag(value.trim_matches('"')))
        })
    };
    let (wanted, unwanted) = (header("if-match"), header("if-none-match"));
    check_write(call.visit(bucket)?, key, wanted.as_ref(), unwanted.as_ref())
}

/// Returns the storage class to store. STANDARD is stored as `None`, because S3 does not return it
/// (S3 API Reference, `HeadObject`).
pub(super) fn check_storage_class(given: Option<&StorageClass>) -> S3Result<Option<String>> {
    match given.map(StorageClass::as_str) {
        None | Some(StorageClass::STANDARD) => Ok(None),
        Some(class) if is_storage_class(class) => Ok(Some(class.to_owned())),
        Some(class) => {
            let text = "The storage class you specified is not valid";
            let asked = ("StorageClassRequested", class.to_owned());
            Err(Details::on(s3_error!(InvalidStorageClass, "{text}"), [asked]))
        }
    }
}

/// Returns whether an object in a general purpose bucket can have this storage class.
pub(super) fn is_storage_class(class: &str) -> bool {
    matches!(
        class,
        StorageClass::STANDARD
            | StorageClass::REDUCED_REDUNDANCY
            | StorageClass::STANDARD_IA
            | StorageClass::ONEZONE_IA
            | StorageClass::INTELLIGENT_TIERING
            | StorageClass::GLACIER
            | StorageClass::DEEP_ARCHIVE
            | StorageClass::GLACIER_IR
    )
}

/// Returns the content encoding to store, without `aws-chunked`, which describes only the transfer
/// of the upload.
pub(super) fn stored_encoding(given: Option<String>) -> Option<String> {
    let kept: Vec<&str> = given
        .as_deref()?
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty() && *part != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// Returns the `ETag` of an object: the MD5 under SSE-S3, a random value under KMS (S3 API
/// Reference, `Object`).
pub(super) fn etag_of(sse: &Sse, md5: impl FnOnce() -> String) -> String {
    match sse {
        Sse::S3 => md5(),
        Sse::Kms { .. } => random_etag(),
    }
}

/// Writes a version as the bucket's versioning requires, schedules its replication, and returns the
/// version id to show.
pub(super) fn store(
    state: &mut State,
    name: &str,
    key: &str,
    content: Content,
) -> S3Result<Option<String>> {
    let now = state.now();
    let bucket = state.buckets.0.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
    // The version written last is the newest, even if the wall clock moves backward.
    let written = bucket.latest(key).map_or(now, |newest| newest.written.max(now));
    let id = bucket.next_id(written);
    let version = Version { id: id.clone(), written, content };
    state.buckets.check_room(&state.limits, name, version.weight(key)).map_err(full)?;
    let bucket = state.buckets.0.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
    bucket.insert(key, version);
    let shown = (*bucket.versioning.at(written) != Versioning::Never).then(|| id.clone());
    schedule(state, name, key, &id);
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transfer_encoding_is_not_kept() {
        assert_eq!(stored_encoding(Some("aws-chunked".into())), None);
        assert_eq!(stored_encoding(Some("gzip, aws-chunked".into())).as_deref(), Some("gzip"));
    }
}
