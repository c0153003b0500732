//! Attribute-based access control (ABAC) of buckets: whether a bucket's tags are used to control
//! access (S3 User Guide, "Enabling ABAC in general purpose buckets"). Not for: the tags as
//! condition keys (see `permit`).

use super::errors::{custom, malformed};
use crate::s3::call::S3Call;
use crate::wire::query::{element, wrapped};
use bytes::Bytes;
use s3s::{S3Error, S3Result};
use serde::Deserialize;

const ENABLED: &str = "Enabled";
const DISABLED: &str = "Disabled";

#[derive(Deserialize)]
struct AbacStatus {
    #[serde(rename = "Status")]
    status: Option<String>,
}

/// S3 API Reference, `GetBucketAbac`: disabled for a new bucket. Returns the XML of the response.
pub(super) fn get(call: &mut S3Call<'_>, bucket: &str) -> S3Result<String> {
    let on = call.bucket(bucket, "s3:GetBucketABAC")?.abac;
    let status = element("Status", if on { ENABLED } else { DISABLED });
    Ok(wrapped("AbacStatus", &status))
}

/// S3 API Reference, `PutBucketAbac`.
pub(super) fn put(call: &mut S3Call<'_>, bucket: &str, body: &Bytes) -> S3Result<()> {
    let found = call.bucket(bucket, "s3:PutBucketABAC")?;
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let given: AbacStatus = quick_xml::de::from_str(text).map_err(|_| malformed())?;
    found.abac = match given.status.as_deref() {
        Some(ENABLED) => true,
        Some(DISABLED) => false,
        _ => return Err(malformed()),
    };
    Ok(())
}

/// The error for `PutBucketTagging` and `DeleteBucketTagging` on a bucket with ABAC, whose tags are
/// changed with `TagResource` and `UntagResource` of S3 Control (S3 API Reference,
/// `PutBucketAbac`). AWS documents neither the code nor the message.
pub(super) fn tags_by_s3_control() -> S3Error {
    let text = "The bucket has attribute-based access control enabled. Use TagResource and UntagResource to change its tags.";
    custom(405, "MethodNotAllowed", text.to_owned())
}
