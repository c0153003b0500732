//! The public access block of a bucket. Not for: what it blocks (see `gate::bucket_policy`, `acls`,
//! `policies`), or the configuration of an account (see `s3control::public_access`).

use super::errors::custom;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{NO_PUBLIC_ACCESS_BLOCK, with_all_settings};
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
        let (code, text) = NO_PUBLIC_ACCESS_BLOCK;
        custom(404, code, text.to_owned())
    })?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) })
}

/// S3 API Reference, `PutPublicAccessBlock`.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutPublicAccessBlockInput,
) -> S3Result<PutPublicAccessBlockOutput> {
    let block = with_all_settings(&input.public_access_block_configuration);
    let bucket = call.bucket(&input.bucket, "s3:PutBucketPublicAccessBlock")?;
    bucket.public_access_block = Some(block);
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
