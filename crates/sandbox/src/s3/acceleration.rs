//! S3 Transfer Acceleration: the setting is stored, checked and returned. It has no effect, since
//! the sandbox has no accelerate endpoint. Not for: other settings.

use super::errors::malformed;
use crate::s3::call::{S3Call, nothing};
use s3s::dto::{
    BucketAccelerateStatus, GetBucketAccelerateConfigurationInput,
    GetBucketAccelerateConfigurationOutput, PutBucketAccelerateConfigurationInput,
    PutBucketAccelerateConfigurationOutput,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `GetBucketAccelerateConfiguration`: empty where it was never set.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketAccelerateConfigurationInput,
) -> S3Result<GetBucketAccelerateConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetAccelerateConfiguration")?;
    let named = |on| {
        BucketAccelerateStatus::from_static(if on {
            BucketAccelerateStatus::ENABLED
        } else {
            BucketAccelerateStatus::SUSPENDED
        })
    };
    let status = bucket.accelerated.map(named);
    Ok(GetBucketAccelerateConfigurationOutput { status, ..nothing() })
}

/// S3 API Reference, `PutBucketAccelerateConfiguration`. The order of the checks is as recorded
/// (`LocalStack`'s snapshot `test_bucket_acceleration_configuration_exc`).
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketAccelerateConfigurationInput,
) -> S3Result<PutBucketAccelerateConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutAccelerateConfiguration")?;
    if input.bucket.contains('.') {
        return Err(s3_error!(
            InvalidRequest,
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        ));
    }
    let status = input.accelerate_configuration.status.ok_or_else(malformed)?;
    bucket.accelerated = match status.as_str() {
        BucketAccelerateStatus::ENABLED => Some(true),
        BucketAccelerateStatus::SUSPENDED => Some(false),
        _ => return Err(malformed()),
    };
    Ok(nothing())
}
