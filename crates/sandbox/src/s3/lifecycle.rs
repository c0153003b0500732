//! Lifecycle configurations: stored and returned. The sandbox expires no objects. Not for: the
//! checks of their rules (see `lifecycle_rules`).

use super::errors::malformed;
use super::lifecycle_rules::check;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::random_text;
use s3s::dto::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `GetBucketLifecycleConfiguration`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketLifecycleConfigurationInput,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let lifecycle = call.bucket(&input.bucket, "s3:GetLifecycleConfiguration")?.lifecycle.clone();
    let (rules, least) = lifecycle.ok_or_else(|| s3_error!(NoSuchLifecycleConfiguration))?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        transition_default_minimum_object_size: least,
    })
}

/// S3 API Reference, `PutBucketLifecycleConfiguration`.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketLifecycleConfigurationInput,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutLifecycleConfiguration")?;
    let mut rules = input.lifecycle_configuration.ok_or_else(malformed)?.rules;
    check(&rules)?;
    if bucket.mfa_delete {
        // MFA delete excludes a lifecycle configuration (S3 User Guide, "Setting an S3 Lifecycle
        // configuration on a bucket"). The error code is not documented.
        return Err(s3_error!(
            InvalidBucketState,
            "Lifecycle configuration on MFA enabled buckets is not supported."
        ));
    }
    for rule in &mut rules {
        rule.id.get_or_insert_with(|| random_text(32));
    }
    // The value that S3 applies and returns where the request has none (S3 API Reference,
    // "x-amz-transition-default-minimum-object-size").
    let least = input.transition_default_minimum_object_size.unwrap_or_else(|| {
        TransitionDefaultMinimumObjectSize::from_static(
            TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K,
        )
    });
    let known = [
        TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K,
        TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS,
    ];
    if !known.contains(&least.as_str()) {
        return Err(s3_error!(
            InvalidArgument,
            "The transition default minimum object size is not known"
        ));
    }
    let least = Some(least);
    bucket.lifecycle = Some((rules, least.clone()));
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: least })
}

/// S3 API Reference, `DeleteBucketLifecycle`.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteBucketLifecycleInput,
) -> S3Result<DeleteBucketLifecycleOutput> {
    call.bucket(&input.bucket, "s3:PutLifecycleConfiguration")?.lifecycle = None;
    Ok(nothing())
}
