//! What a bucket's default encryption makes of an upload. Not for: what an upload asks for itself (see `s3::encryption`).

use super::{Bucket, Sse};
use crate::world::Caller;
use crate::world::kms::{Kms, Unusable};
use s3s::dto::ServerSideEncryption;
use std::time::SystemTime;

/// Returns how a bucket encrypts by default what `requester` writes; a key that is not there is an error. An alias is looked up in
/// the requester's account (S3 API Reference, `ServerSideEncryptionByDefault`).
pub(crate) fn default_of(
    bucket: &Bucket,
    kms: &mut Kms,
    requester: &Caller,
    now: SystemTime,
    bucket_key: Option<bool>,
) -> Result<Sse, Unusable> {
    let Some(default) = &bucket.encryption.at(now).apply_server_side_encryption_by_default else {
        return Ok(Sse::S3);
    };
    let dual = match default.sse_algorithm.as_str() {
        ServerSideEncryption::AWS_KMS => false,
        ServerSideEncryption::AWS_KMS_DSSE => true,
        _ => return Ok(Sse::S3),
    };
    let key = match &default.kms_master_key_id {
        Some(key) => kms.resolve(requester, key)?,
        None => kms.managed_for_s3(requester, now),
    };
    let bucket_key =
        !dual && bucket_key.or(bucket.encryption.at(now).bucket_key_enabled).unwrap_or(false);
    Ok(Sse::Kms { dual, key, bucket_key })
}
