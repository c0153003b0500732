//! Tags of object versions. Not for: permission to tag in an upload (see `writes`).

use super::details::{Details, invalid_argument};
use super::permit::parameter;
use super::reads::{action_for, find};
use super::settings::{check_tags, read_tags, rendered};
use crate::s3::call::S3Call;
use crate::world::buckets::{Bucket, Content, Object, Tags, Version, Versioning};
use crate::world::replication::{MetadataChange, schedule_change};
use bytes::Bytes;
use http::HeaderValue;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput,
};
use s3s::{S3ErrorCode, S3Result, s3_error};

/// The maximum number of tags of an object (S3 User Guide, "Categorizing your storage using tags").
pub(super) const MOST: usize = 10;

/// Finds a version to change, and the version id to return.
pub(super) fn find_mut<'a>(
    call: &'a mut S3Call<'_>,
    action: &str,
    (bucket, key, version): (&str, &str, Option<&str>),
) -> S3Result<(&'a mut Object, Option<String>)> {
    let bucket = call.bucket_of(bucket, (key, version), action)?;
    let id = find_for_change(bucket, key, version)?;
    let shown = (*bucket.versioning != Versioning::Never).then(|| id.clone());
    match bucket.version_mut(key, &id).map(|version| &mut version.content) {
        Some(Content::Object(object)) => Ok((object, shown)),
        _ => Err(s3_error!(NoSuchKey)),
    }
}

/// Returns the id of the version that a request changes or whose tags it reads. Where it names none
/// and the newest version is a delete marker, the marker is what S3 refuses.
fn find_for_change(bucket: &Bucket, key: &str, version: Option<&str>) -> S3Result<String> {
    match (version, bucket.latest(key)) {
        (None, Some(Version { id, content: Content::DeleteMarker, .. })) => {
            find(bucket, key, Some(id)).map(|(version, _)| version.id.clone())
        }
        _ => find(bucket, key, version).map(|(version, _)| version.id.clone()),
    }
}

/// Schedules the replication of a metadata change that was just made.
pub(super) fn follow(
    call: &mut S3Call<'_>,
    (bucket, key, version): (&str, &str, Option<&str>),
    part: MetadataChange,
) -> S3Result<()> {
    let id = find(call.visit(bucket)?, key, version)?.0.id.clone();
    schedule_change(call.state, bucket, key, &id, part);
    Ok(())
}

/// S3 API Reference, `GetObjectTagging`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetObjectTaggingInput,
) -> S3Result<GetObjectTaggingOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let action = action_for(at.2, "s3:GetObjectTagging", "s3:GetObjectVersionTagging");
    let (object, version_id) = find_mut(call, action, at).map_err(|error| {
        // S3 was recorded to give the bucket with the key here, and nowhere else.
        let key = ("Key", format!("{}/{}", at.0, at.1));
        if *error.code() == S3ErrorCode::NoSuchKey { Details::on(error, [key]) } else { error }
    })?;
    Ok(GetObjectTaggingOutput { tag_set: rendered(&object.tags), version_id })
}

/// S3 API Reference, `PutObjectTagging`: replaces the whole tag set.
pub(super) fn put(
    call: &mut S3Call<'_>,
    (bucket, key): (&str, &str),
    body: &Bytes,
) -> S3Result<()> {
    let tags = read_tags(body, MOST)?;
    let version = parameter(&call.uri, "versionId");
    let at = (bucket, key, version.as_deref());
    let (object, version_id) =
        find_mut(call, action_for(at.2, "s3:PutObjectTagging", "s3:PutObjectVersionTagging"), at)?;
    object.tags = tags;
    if let Some(id) = version_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        call.extra.headers.insert("x-amz-version-id", id);
    }
    follow(call, at, MetadataChange::Tags)
}

/// S3 API Reference, `DeleteObjectTagging`.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteObjectTaggingInput,
) -> S3Result<DeleteObjectTaggingOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let (object, version_id) = find_mut(
        call,
        action_for(at.2, "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
        at,
    )?;
    object.tags = Tags::new();
    follow(call, at, MetadataChange::Tags)?;
    Ok(DeleteObjectTaggingOutput { version_id })
}

/// Parses the `x-amz-tagging` header: URL-encoded pairs. Whatever is wrong with one, S3 was recorded
/// to refuse the header; a reserved key and too many tags have errors of their own.
pub(super) fn from_header(header: Option<&str>) -> S3Result<Tags> {
    let header = header.unwrap_or_default();
    let tags: Tags = form_urlencoded::parse(header.as_bytes()).into_owned().collect();
    let is_reserved = tags.iter().any(|(key, _)| key.starts_with("aws:"));
    check_tags(&tags, MOST).map_err(|error| {
        if is_reserved || error.code().as_str() != "InvalidTag" {
            return error;
        }
        let text = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        invalid_argument("x-amz-tagging", header, text)
    })?;
    Ok(tags)
}
