//! The public access block of a bucket. Not for: what it blocks (see `gate::bucket_policy`, `acls`,
//! `policies`), or the configuration of an account (see `s3control::public_access`).

use crate::s3::call::{S3Call, nothing};
use s3s::S3Result;
use s3s::dto::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, PublicAccessBlockConfiguration, PutPublicAccessBlockInput,
    PutPublicAccessBlockOutput,
};

/// Returns the public access block of a new bucket (S3 User Guide, "Blocking public access": all on
/// since April 2023).
pub(super) fn all_blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    }
}

/// S3 API Reference, `GetPublicAccessBlock`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetPublicAccessBlockInput,
) -> S3Result<GetPublicAccessBlockOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketPublicAccessBlock")?;
    let block = bucket.public_access_block.clone().ok_or_else(|| {
        super::errors::custom(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found".into(),
        )
    })?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) })
}

/// S3 API Reference, `PutPublicAccessBlock`: an omitted setting is off.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutPublicAccessBlockInput,
) -> S3Result<PutPublicAccessBlockOutput> {
    let given = input.public_access_block_configuration;
    let explicit = |setting: Option<bool>| Some(setting.unwrap_or(false));
    let bucket = call.bucket(&input.bucket, "s3:PutBucketPublicAccessBlock")?;
    bucket.public_access_block = Some(PublicAccessBlockConfiguration {
        block_public_acls: explicit(given.block_public_acls),
        block_public_policy: explicit(given.block_public_policy),
        ignore_public_acls: explicit(given.ignore_public_acls),
        restrict_public_buckets: explicit(given.restrict_public_buckets),
    });
    Ok(nothing())
}

/// S3 API Reference, `DeletePublicAccessBlock`.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeletePublicAccessBlockInput,
) -> S3Result<DeletePublicAccessBlockOutput> {
    call.bucket(&input.bucket, "s3:PutBucketPublicAccessBlock")?.public_access_block = None;
    Ok(nothing())
}
