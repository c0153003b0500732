//! A bucket's Object Lock configuration. Not for: the lock of new versions (see `lock`).

use super::errors::{custom, malformed, not_implemented};
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{DefaultLock, Mode, ObjectLock, Period, Versioning};
use s3s::dto::{
    DefaultRetention, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
    PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};
use s3s::{S3Result, s3_error};

/// The maximum default retention period, in days and in years: 100 years (S3 User Guide, "Object
/// Lock retention periods").
const MAX_DAYS: i32 = 36_500;
const MAX_YEARS: i32 = 100;

/// S3 API Reference, `GetObjectLockConfiguration`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetObjectLockConfigurationInput,
) -> S3Result<GetObjectLockConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketObjectLockConfiguration")?;
    let lock = bucket.object_lock.ok_or_else(|| s3_error!(ObjectLockConfigurationNotFoundError))?;
    let rule = lock.default.map(|default_lock| {
        let (days, years) = match default_lock.period {
            Period::Days(days) => (Some(days), None),
            Period::Years(years) => (None, Some(years)),
        };
        let mode = Some(ObjectLockRetentionMode::from_static(default_lock.mode.name()));
        ObjectLockRule { default_retention: Some(DefaultRetention { days, mode, years }) }
    });
    let enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let configuration = ObjectLockConfiguration { object_lock_enabled: enabled, rule };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

/// S3 API Reference, `PutObjectLockConfiguration`: enables Object Lock, and sets or removes the
/// default retention.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutObjectLockConfigurationInput,
) -> S3Result<PutObjectLockConfigurationOutput> {
    let now = call.state.now();
    let bucket = call.bucket(&input.bucket, "s3:PutBucketObjectLockConfiguration")?;
    if input.token.is_some() {
        return Err(not_implemented("the token for Object Lock on existing buckets"));
    }
    let empty = || custom(400, "MissingRequestBodyError", "Request Body is empty".into());
    let configuration = input.object_lock_configuration.ok_or_else(empty)?;
    let enabled = configuration.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str);
    if enabled != Some(ObjectLockEnabled::ENABLED) {
        return Err(malformed());
    }
    let default = match configuration.rule {
        None => None,
        Some(rule) => Some(default_lock(&rule.default_retention.ok_or_else(malformed)?)?),
    };
    if *bucket.versioning.at(now) != Versioning::Enabled {
        return Err(s3_error!(
            InvalidBucketState,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        ));
    }
    bucket.object_lock = Some(ObjectLock { default });
    Ok(nothing())
}

fn default_lock(given: &DefaultRetention) -> S3Result<DefaultLock> {
    let mode = given.mode.as_ref().and_then(|mode| Mode::named(mode.as_str()));
    let mode = mode.ok_or_else(malformed)?;
    let (number, most, period) = match (given.days, given.years) {
        (Some(days), None) => (days, MAX_DAYS, Period::Days(days)),
        (None, Some(years)) => (years, MAX_YEARS, Period::Years(years)),
        _ => return Err(malformed()),
    };
    if number < 1 {
        return Err(s3_error!(
            InvalidArgument,
            "Default retention period must be a positive integer value."
        ));
    }
    if number > most {
        return Err(s3_error!(InvalidArgument, "Default retention period is too large."));
    }
    Ok(DefaultLock { mode, period })
}
