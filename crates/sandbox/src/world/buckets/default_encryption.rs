//! The default encryption of a bucket, applied to an upload. Not for: the encryption that an upload
//! specifies (see `s3::encryption`).

use super::{Bucket, Sse};
use crate::world::Caller;
use crate::world::kms::{Kms, Unusable};
use s3s::dto::ServerSideEncryption;
use std::time::SystemTime;

/// The encryption types that a bucket blocks for new objects. New buckets block SSE-C (S3 User
/// Guide, "Default SSE-C setting for new buckets FAQ": since April 2026).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BlockedEncryption {
    #[default]
    SseC,
    None,
}

impl BlockedEncryption {
    /// Returns S3's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SseC => "SSE-C",
            Self::None => "NONE",
        }
    }
}

/// Returns the default encryption of an object that `requester` writes. A default key that does not
/// exist is an error. An alias is resolved in the requester's account (S3 API Reference,
/// `ServerSideEncryptionByDefault`).
pub(crate) fn default_of(
    bucket: &Bucket,
    kms: &mut Kms,
    requester: &Caller,
    now: SystemTime,
    bucket_key: Option<bool>,
) -> Result<Sse, Unusable> {
    let Some(rule) = bucket.encryption.at(now) else { return Ok(Sse::S3) };
    let Some(default) = &rule.apply_server_side_encryption_by_default else { return Ok(Sse::S3) };
    let dual = match default.sse_algorithm.as_str() {
        ServerSideEncryption::AWS_KMS => false,
        ServerSideEncryption::AWS_KMS_DSSE => true,
        _ => return Ok(Sse::S3),
    };
    let key = match &default.kms_master_key_id {
        Some(key) => kms.resolve(requester, key)?,
        None => kms.managed_for_s3(requester, now),
    };
    let bucket_key = !dual && bucket_key.or(rule.bucket_key_enabled).unwrap_or(false);
    Ok(Sse::Kms { dual, key, bucket_key })
}
