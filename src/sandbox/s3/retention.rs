//! Retention and legal hold of single versions. Not for: what they forbid (see `lock`).

use super::Call;
use super::errors::{custom, malformed};
use super::lock::{Lock, Mode, Retention, bypasses, future, missing, protected};
use super::object_tags::{find_mut, follow};
use super::store::Object;
use crate::sandbox::replication::Part;
use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectRetentionInput,
    GetObjectRetentionOutput, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
    ObjectLockRetentionMode, PutObjectLegalHoldInput, PutObjectLegalHoldOutput,
    PutObjectRetentionInput, PutObjectRetentionOutput, Timestamp,
};
use s3s::{S3Error, S3Result};

/// Finds a version in a bucket with Object Lock, with its id.
fn find<'a>(
    call: &'a mut Call<'_>,
    action: &str,
    at: (&str, &str, Option<&str>),
) -> S3Result<&'a mut Object> {
    if call.bucket_of(at.0, at.1, action)?.object_lock.is_none() {
        return Err(missing());
    }
    Ok(find_mut(call, action, at)?.0)
}

fn none() -> S3Error {
    let text = "The specified object does not have a ObjectLock configuration";
    custom(404, "NoSuchObjectLockConfiguration", text.into())
}

/// S3 API Reference, `GetObjectRetention`.
pub(super) fn get(
    call: &mut Call<'_>,
    input: GetObjectRetentionInput,
) -> S3Result<GetObjectRetentionOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let retention = find(call, "s3:GetObjectRetention", at)?.lock.retention.ok_or_else(none)?;
    Ok(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(retention.mode.name())),
            retain_until_date: Some(Timestamp::from(retention.until)),
        }),
    })
}

/// S3 API Reference, `PutObjectRetention`: longer is always allowed; shorter, looser or none at all only to those who bypass
/// governance, and never under compliance.
pub(super) fn put(
    call: &mut Call<'_>,
    input: PutObjectRetentionInput,
) -> S3Result<PutObjectRetentionOutput> {
    let now = call.state.now();
    let given = input.retention.ok_or_else(malformed)?;
    let retention = match (&given.mode, &given.retain_until_date) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = Mode::named(mode.as_str()).ok_or_else(malformed)?;
            Some(Retention { mode, until: future(until, now)? })
        }
        _ => return Err(malformed()),
    };
    Lock { retention, legal_hold: None }.describe(&mut call.asked, now);
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let current = find(call, "s3:PutObjectRetention", at)?.lock.retention;
    if current.is_some_and(|current| current.is_loosened_by(retention, now)) {
        let governed = current.is_some_and(|current| current.mode == Mode::Governance);
        let bypass = bypasses(call, input.bypass_governance_retention, at.0, at.1)?;
        if !(governed && bypass) {
            return Err(protected());
        }
    }
    find(call, "s3:PutObjectRetention", at)?.lock.retention = retention;
    follow(call, at, Part::Retention)?;
    Ok(PutObjectRetentionOutput::default())
}

/// S3 API Reference, `GetObjectLegalHold`.
pub(super) fn get_legal_hold(
    call: &mut Call<'_>,
    input: GetObjectLegalHoldInput,
) -> S3Result<GetObjectLegalHoldOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let on = find(call, "s3:GetObjectLegalHold", at)?.lock.legal_hold.ok_or_else(none)?;
    let status = Some(ObjectLockLegalHoldStatus::from_static(if on { "ON" } else { "OFF" }));
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) })
}

/// S3 API Reference, `PutObjectLegalHold`.
pub(super) fn put_legal_hold(
    call: &mut Call<'_>,
    input: PutObjectLegalHoldInput,
) -> S3Result<PutObjectLegalHoldOutput> {
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed)?;
    let on = match status.as_str() {
        "ON" => true,
        "OFF" => false,
        _ => return Err(malformed()),
    };
    let now = call.state.now();
    Lock { retention: None, legal_hold: Some(on) }.describe(&mut call.asked, now);
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    find(call, "s3:PutObjectLegalHold", at)?.lock.legal_hold = Some(on);
    follow(call, at, Part::LegalHold)?;
    Ok(PutObjectLegalHoldOutput::default())
}
