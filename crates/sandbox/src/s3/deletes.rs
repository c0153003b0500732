//! Deleting objects: a delete marker becomes the newest version, or one version is deleted
//! permanently. Not for: replication of deletes (see `replication`).

use super::details::{Details, header_not_implemented, precondition_failed};
use super::errors::message;
use super::lock::{bypasses, protected};
use super::permit::refused;
use super::reads::{action_for, check_version_of, holds};
use super::versioning;
use super::writes::store;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{Content, NULL, Versioning};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error,
};
use s3s::{S3Result, s3_error};

/// The maximum number of keys in one `DeleteObjects` request (S3 API Reference, `DeleteObjects`).
const MOST: usize = 1000;

/// The headers of a request that asks to delete a protected version: governance bypass and MFA.
#[derive(Debug, Clone, Copy)]
struct DeleteHeaders<'a> {
    bypass: Option<bool>,
    mfa: Option<&'a str>,
}

/// The result of a delete.
struct Deletion {
    /// Whether a delete marker was created or deleted.
    marker: bool,
    /// The id of the version that was deleted, or of the delete marker that was created.
    version: Option<String>,
}

/// S3 API Reference, `DeleteObject`.
pub(super) fn one(call: &mut S3Call<'_>, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    if input.if_match_size.is_some() {
        return Err(header_not_implemented("x-amz-if-match-size", None));
    }
    if input.if_match_last_modified_time.is_some() {
        return Err(header_not_implemented("x-amz-if-match-last-modified-time", None));
    }
    let shown =
        DeleteHeaders { bypass: input.bypass_governance_retention, mfa: input.mfa.as_deref() };
    if let Some(condition) = &input.if_match {
        check_condition(call, &input.bucket, &input.key, condition)?;
    }
    let done = delete(call, &input.bucket, &input.key, input.version_id.as_deref(), shown)?;
    Ok(DeleteObjectOutput {
        delete_marker: done.marker.then_some(true),
        version_id: done.version,
        ..nothing()
    })
}

/// Checks `If-Match` of a delete against the current version of the key, whichever version the
/// delete names (S3 User Guide, "How to perform conditional deletes"). The condition needs
/// `s3:GetObject` where it is an `ETag`. That a delete marker meets no condition is not documented.
fn check_condition(
    call: &mut S3Call<'_>,
    name: &str,
    key: &str,
    condition: &ETagCondition,
) -> S3Result<()> {
    call.bucket_of(name, (key, None), "s3:DeleteObject")?;
    if !condition.is_any() {
        call.permitted(name, Some((key, None)), "s3:GetObject").map_err(refused)?;
    }
    match call.visit(name)?.latest(key).map(|version| &version.content) {
        None => Err(s3_error!(NoSuchKey)),
        Some(Content::Object(object)) if holds(condition, &object.etag) => Ok(()),
        Some(_) => Err(precondition_failed("If-Match")),
    }
}

fn delete(
    call: &mut S3Call<'_>,
    name: &str,
    key: &str,
    version: Option<&str>,
    shown: DeleteHeaders<'_>,
) -> S3Result<Deletion> {
    let action = action_for(version, "s3:DeleteObject", "s3:DeleteObjectVersion");
    let now = call.state.now();
    let bucket = call.bucket_of(name, (key, version), action)?;
    if let Some(id) = version {
        check_version_of(bucket, id)?;
        if bucket.mfa_delete {
            versioning::check_device(call, shown.mfa)?;
        }
        check_lock(call, (name, key, id), shown.bypass)?;
        let bucket = call.find_mut(name)?;
        let removed = bucket.remove(key, id);
        let marker =
            removed.is_some_and(|version| matches!(version.content, Content::DeleteMarker));
        return Ok(Deletion { marker, version: Some(id.to_owned()) });
    }
    bypasses(call, shown.bypass, name, (key, None))?;
    let bucket = call.find_mut(name)?;
    if *bucket.versioning.at(now) == Versioning::Never {
        bucket.remove(key, NULL);
        return Ok(Deletion { marker: false, version: None });
    }
    let version = store(call.state, name, key, Content::DeleteMarker)?;
    Ok(Deletion { marker: true, version })
}

/// Refuses to delete a version that Object Lock protects.
fn check_lock(
    call: &S3Call<'_>,
    (bucket, key, id): (&str, &str, &str),
    bypass: Option<bool>,
) -> S3Result<()> {
    let Some(Content::Object(object)) = call.visit(bucket)?.version(key, id).map(|v| &v.content)
    else {
        return Ok(());
    };
    if object.lock.holds(call.state.now(), bypasses(call, bypass, bucket, (key, Some(id)))?) {
        return Err(protected());
    }
    Ok(())
}

/// S3 API Reference, `DeleteObjects`: each object is deleted separately, and the response lists the
/// failures.
pub(super) fn many(
    call: &mut S3Call<'_>,
    input: DeleteObjectsInput,
) -> S3Result<DeleteObjectsOutput> {
    call.visit(&input.bucket)?;
    if input.delete.objects.is_empty() || input.delete.objects.len() > MOST {
        return Err(s3_error!(MalformedXML));
    }
    let shown =
        DeleteHeaders { bypass: input.bypass_governance_retention, mfa: input.mfa.as_deref() };
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let version = object.version_id;
        let condition = match &object.e_tag {
            None => Ok(()),
            Some(etag) => {
                let condition = ETagCondition::ETag(etag.clone());
                check_condition(call, &input.bucket, &object.key, &condition)
            }
        };
        let done = condition
            .and_then(|()| delete(call, &input.bucket, &object.key, version.as_deref(), shown));
        match done {
            Ok(done) => deleted.push(DeletedObject {
                delete_marker: done.marker.then_some(true),
                delete_marker_version_id: done.version.filter(|_| done.marker),
                key: Some(object.key),
                version_id: version,
            }),
            // S3 names an invalid version id so here, and `InvalidArgument` elsewhere.
            Err(error) if Details::of(&error).is_some_and(|it| it.names("versionId")) => {
                errors.push(Error {
                    code: Some("NoSuchVersion".to_owned()),
                    message: message("NoSuchVersion").map(String::from),
                    key: Some(object.key),
                    version_id: version,
                });
            }
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error
                    .message()
                    .or_else(|| message(error.code().as_str()))
                    .map(String::from),
                key: Some(object.key),
                version_id: version,
            }),
        }
    }
    if input.delete.quiet == Some(true) {
        deleted.clear();
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..nothing() })
}
