//! A bucket's versioning and MFA delete, which requires the root user and an MFA device. Not for:
//! versions themselves (see `objects` and `deletes`).

use super::errors::malformed;
use crate::s3::call::{S3Call, nothing};
use crate::world::Slow;
use crate::world::buckets::Versioning;
use crrctl_iam::Principal;
use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, MFADeleteStatus,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Result, s3_error};

/// Refuses a request that requires the root user's MFA device but does not carry a valid
/// `x-amz-mfa` header, `SERIAL CODE` (S3 User Guide, "Configuring MFA delete"). Any six digits are
/// accepted as the code. S3 also requires TLS.
pub(super) fn check_device(call: &S3Call<'_>, mfa: Option<&str>) -> S3Result<()> {
    let is_shown = mfa.and_then(|shown| shown.rsplit_once(' ')).is_some_and(|(serial, code)| {
        !serial.is_empty() && code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit())
    });
    if is_shown && matches!(call.caller.principal, Principal::Root { .. }) {
        return Ok(());
    }
    Err(s3_error!(AccessDenied, "Mfa Authentication must be used for this request"))
}

/// S3 API Reference, `GetBucketVersioning`: returns no status for a bucket on which versioning was
/// never set.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketVersioningInput,
) -> S3Result<GetBucketVersioningOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketVersioning")?;
    let mfa_delete =
        bucket.mfa_delete.then(|| MFADeleteStatus::from_static(MFADeleteStatus::ENABLED));
    let status = match *bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        mfa_delete,
    })
}

/// S3 API Reference, `PutBucketVersioning`: versioning can't be suspended while the bucket has a
/// replication configuration or Object Lock.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketVersioningInput,
) -> S3Result<PutBucketVersioningOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutBucketVersioning")?;
    let (is_on, has_lifecycle) = (bucket.mfa_delete, bucket.lifecycle.is_some());
    let mfa_delete = match &input.versioning_configuration.mfa_delete {
        Some(wish) if wish.as_str() == MFADeleteStatus::ENABLED => true,
        Some(wish) if wish.as_str() == MFADeleteStatus::DISABLED => false,
        Some(_) => return Err(malformed()),
        None => is_on,
    };
    if is_on || mfa_delete {
        check_device(call, input.mfa.as_deref())?;
    }
    if mfa_delete && has_lifecycle {
        // MFA delete can't be combined with a lifecycle configuration (S3 User Guide, "Configuring
        // MFA delete"). The error code is not documented.
        return Err(s3_error!(
            InvalidBucketState,
            "MFA delete is not supported on buckets with a lifecycle configuration."
        ));
    }
    let bucket = call.visit(&input.bucket)?;
    let status = input.versioning_configuration.status.ok_or_else(|| {
        s3_error!(
            IllegalVersioningConfigurationException,
            "The Versioning element must be specified"
        )
    })?;
    let versioning = match status.as_str() {
        BucketVersioningStatus::ENABLED => Versioning::Enabled,
        BucketVersioningStatus::SUSPENDED if bucket.replication.is_some() => {
            return Err(s3_error!(
                InvalidBucketState,
                "A replication configuration is present on this bucket, so you cannot change the versioning state. To change the \
                 versioning state, first delete the replication configuration."
            ));
        }
        BucketVersioningStatus::SUSPENDED if bucket.object_lock.is_some() => {
            return Err(s3_error!(
                InvalidBucketState,
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            ));
        }
        BucketVersioningStatus::SUSPENDED => Versioning::Suspended,
        _ => return Err(malformed()),
    };
    let (now, from) = (call.state.now(), call.state.done_at(Slow::Versioning));
    let bucket = call.find_mut(&input.bucket)?;
    bucket.versioning.set(versioning, now, from);
    bucket.mfa_delete = mfa_delete;
    Ok(nothing())
}
