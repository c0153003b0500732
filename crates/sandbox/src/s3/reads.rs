//! Finds the version that a request names, and checks the conditional headers of a request.
//! Not for: building the response.

use super::details::{header_not_implemented, invalid_argument, precondition_failed};
use super::errors::with_headers;
use crate::world::buckets::{Bucket, Content, NULL, Object, Version, Versioning, is_version_id};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::time::SystemTime;

/// Returns the IAM action: `versioned` where the request names a version id, else `plain`.
pub(super) fn action_for(
    version: Option<&str>,
    plain: &'static str,
    versioned: &'static str,
) -> &'static str {
    if version.is_some() { versioned } else { plain }
}

/// Finds the version of a key that a request names, or the newest version if it names none.
///
/// # Errors
/// `NoSuchKey`, `NoSuchVersion`, `InvalidArgument` for an invalid version id, `MethodNotAllowed`
/// for a version id of a delete marker (S3 User Guide, "Working with delete markers").
pub(super) fn find<'a>(
    bucket: &'a Bucket,
    key: &str,
    version: Option<&str>,
) -> S3Result<(&'a Version, &'a Object)> {
    let Some(id) = version else {
        let newest = bucket.latest(key).ok_or_else(|| s3_error!(NoSuchKey))?;
        return match &newest.content {
            Content::Object(object) => Ok((newest, object)),
            Content::DeleteMarker => Err(with_headers(
                s3_error!(NoSuchKey),
                &[("x-amz-delete-marker", "true"), ("x-amz-version-id", &newest.id)],
            )),
        };
    };
    check_version_of(bucket, id)?;
    let found = bucket.version(key, id).ok_or_else(|| s3_error!(NoSuchVersion))?;
    match &found.content {
        Content::Object(object) => Ok((found, object)),
        Content::DeleteMarker => Err(with_headers(
            s3_error!(MethodNotAllowed),
            &[("x-amz-delete-marker", "true"), ("allow", "DELETE"), ("x-amz-version-id", id)],
        )),
    }
}

/// Refuses a version id that can't be one of the bucket: before versioning was enabled, S3 decodes
/// only `null`.
pub(super) fn check_version_of(bucket: &Bucket, id: &str) -> S3Result<()> {
    check_version_id(id)?;
    if *bucket.versioning == Versioning::Never && id != NULL {
        return Err(invalid_argument("versionId", id, "Invalid version id specified"));
    }
    Ok(())
}

/// Refuses an invalid version id.
pub(super) fn check_version_id(id: &str) -> S3Result<()> {
    if is_version_id(id) {
        Ok(())
    } else {
        Err(invalid_argument("versionId", id, "Invalid version id specified"))
    }
}

/// The conditions of a GET or HEAD request: If-Match, If-None-Match, If-Modified-Since,
/// If-Unmodified-Since (S3 API Reference, `GetObject`).
pub(super) struct Conditions<'a> {
    pub(super) matches: Option<&'a ETagCondition>,
    pub(super) differs: Option<&'a ETagCondition>,
    pub(super) modified_since: Option<&'a Timestamp>,
    pub(super) unmodified_since: Option<&'a Timestamp>,
    pub(super) now: SystemTime,
}

impl Conditions<'_> {
    /// Refuses a copy with 412 where a condition on its source does not hold.
    pub(super) fn check_source(&self, etag: &str, written: SystemTime) -> S3Result<()> {
        let failed =
            |condition: &str| Err(precondition_failed(&format!("x-amz-copy-source-{condition}")));
        match self.failed(etag, written) {
            Some(condition) => failed(condition),
            None => Ok(()),
        }
    }

    /// Refuses with 412 where a condition does not hold, or with 304 where the client already has
    /// the current version.
    pub(super) fn check(&self, etag: &str, written: SystemTime) -> S3Result<()> {
        match self.failed(etag, written) {
            None => Ok(()),
            Some(condition @ ("If-Match" | "If-Unmodified-Since")) => {
                Err(precondition_failed(condition))
            }
            Some(_) => {
                let mut error = S3Error::new(S3ErrorCode::NotModified);
                error.set_status_code(http::StatusCode::NOT_MODIFIED);
                Err(with_headers(error, &[("etag", &format!("\"{etag}\""))]))
            }
        }
    }

    /// Returns the name of the first condition that does not hold. A condition on a time does not
    /// count where one on the `ETag` of the same kind is given, and a modification since a time to
    /// come is not asked for (RFC 9110, section 13.1.3; recorded in localstack's test
    /// `test_upload_part_copy_with_copy_source_if_modified_since_in_future_success`).
    fn failed(&self, etag: &str, written: SystemTime) -> Option<&'static str> {
        let modified_after = |since: &Timestamp| whole_seconds(written) > *since;
        match self.matches {
            Some(condition) if !holds(condition, etag) => return Some("If-Match"),
            None if self.unmodified_since.is_some_and(modified_after) => {
                return Some("If-Unmodified-Since");
            }
            _ => {}
        }
        if let Some(condition) = self.differs {
            return holds(condition, etag).then_some("If-None-Match");
        }
        let past = self.modified_since.filter(|since| **since <= Timestamp::from(self.now));
        let unchanged = past.is_some_and(|since| !modified_after(since));
        unchanged.then_some("If-Modified-Since")
    }
}

/// Returns whether an `ETag` meets a condition.
pub(super) fn holds(condition: &ETagCondition, etag: &str) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|other| other.value() == etag)
}

/// Truncates a time to whole seconds, the precision of S3's headers and of its XML.
pub(super) fn whole_seconds(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(since.as_secs()))
}

/// Refuses a conditional write whose condition does not hold (S3 API Reference, `PutObject`,
/// If-Match and If-None-Match).
pub(super) fn check_write(
    bucket: &Bucket,
    key: &str,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    const ADDITIONAL: &str =
        "We don't accept the provided value of If-None-Match header for this API";
    if if_match.is_some() && if_none_match.is_some() {
        let text = "Multiple conditional request headers present in the request";
        return Err(header_not_implemented("If-Match,If-None-Match", Some(text)));
    }
    let current = find(bucket, key, None).ok().map(|(_, object)| object);
    if if_match.is_some_and(ETagCondition::is_any) {
        let text = "We don't accept the provided value of If-Match header for this API";
        return Err(header_not_implemented("If-Match", Some(text)));
    }
    if let Some(condition) = if_none_match {
        if !condition.is_any() {
            return Err(header_not_implemented("If-None-Match", Some(ADDITIONAL)));
        }
        if current.is_some() {
            return Err(precondition_failed("If-None-Match"));
        }
    }
    match (if_match, current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(s3_error!(NoSuchKey)),
        (Some(condition), Some(object)) if holds(condition, &object.etag) => Ok(()),
        (Some(_), Some(_)) => Err(precondition_failed("If-Match")),
    }
}

/// Returns an `ETag` for a response.
pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// Returns the value of `x-amz-expiration` for a version: when the lifecycle rules expire it. Only
/// the newest version of a key has one.
pub(super) fn expiration_of(bucket: &Bucket, key: &str, version: &Version) -> Option<String> {
    let newest = bucket.latest(key).is_some_and(|newest| newest.id == version.id);
    match &version.content {
        Content::Object(object) if newest => {
            Some(bucket.expiry_of(key, object, version.written)?.header())
        }
        _ => None,
    }
}
