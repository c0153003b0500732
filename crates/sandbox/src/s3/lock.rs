//! Object Lock: the lock of a new version, the headers of an upload that ask for it, and the bypass
//! of governance mode (S3 User Guide, "Locking objects with Object Lock"). Not for: the Object Lock
//! operations (see `lock_settings` and `retention`).

use super::details::invalid_argument;
use super::permit::KeyVersion;
use super::{event_hold, permit};
use crate::s3::call::S3Call;
use crate::world::buckets::{Lock, Mode, Retention};
use s3s::dto::{ObjectLockLegalHoldStatus, ObjectLockMode, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};
use std::time::SystemTime;

/// The Object Lock headers of an upload.
pub(super) struct LockHeaders<'a> {
    pub(super) mode: Option<&'a ObjectLockMode>,
    pub(super) until: Option<&'a Timestamp>,
    pub(super) legal_hold: Option<&'a ObjectLockLegalHoldStatus>,
}

/// Builds `LockHeaders` from an operation's input.
macro_rules! lock_headers {
    ($input:expr) => {
        $crate::s3::lock::LockHeaders {
            mode: $input.object_lock_mode.as_ref(),
            until: $input.object_lock_retain_until_date.as_ref(),
            legal_hold: $input.object_lock_legal_hold_status.as_ref(),
        }
    };
}
pub(super) use lock_headers;

/// Returns the lock of a new version: the one that the upload asks for, else the bucket's default
/// (S3 API Reference, `PutObject`, the `x-amz-object-lock-` headers). The messages are those
/// observed from S3.
pub(super) fn for_upload(
    call: &mut S3Call<'_>,
    bucket: &str,
    key: &str,
    asked: &LockHeaders<'_>,
) -> S3Result<Lock> {
    let now = call.state.now();
    let hold = event_hold::in_headers(&call.headers)?;
    let lock = Lock {
        retention: retention(asked, hold, now)?,
        legal_hold: legal_hold(asked)?,
        event_hold: hold.and_then(event_hold::EventHoldChange::period),
    };
    let found = call.visit(bucket)?;
    if lock == Lock::default() && hold.is_none() {
        return Ok(found.default_lock(now));
    }
    if found.object_lock.is_none() {
        return Err(missing());
    }
    lock.describe(&mut call.asked, now);
    for (is_asked, action) in [
        (lock.retention.is_some(), "s3:PutObjectRetention"),
        (lock.legal_hold.is_some(), "s3:PutObjectLegalHold"),
    ] {
        if is_asked {
            call.permitted_new(bucket, key, action).map_err(permit::refused)?;
        }
    }
    if lock.retention.is_some() || hold.is_some() {
        return Ok(lock);
    }
    Ok(Lock { legal_hold: lock.legal_hold, ..call.visit(bucket)?.default_lock(now) })
}

/// Refuses an upload with a retention period but without a checksum (S3 API Reference, `PutObject`,
/// `Content-MD5`).
pub(super) fn require_checksum(call: &S3Call<'_>, lock: &Lock) -> S3Result<()> {
    let sent = call
        .headers
        .keys()
        .any(|name| *name == "content-md5" || name.as_str().starts_with("x-amz-checksum-"));
    if lock.retention.is_some() && !sent {
        return Err(s3_error!(
            InvalidRequest,
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        ));
    }
    Ok(())
}

fn retention(
    asked: &LockHeaders<'_>,
    hold: Option<event_hold::EventHoldChange>,
    now: SystemTime,
) -> S3Result<Option<Retention>> {
    let released = hold.and_then(|hold| hold.period()?.after_hold(now));
    let (mode, until) = match (asked.mode, asked.until) {
        (None, None) if released.is_some() => {
            return Err(event_hold::invalid("An event hold needs a retention mode."));
        }
        (None, None) => return Ok(None),
        (Some(mode), None) if released.is_some() => (mode, released),
        (Some(mode), Some(until)) => (mode, released.max(Some(future(until, now)?))),
        _ => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            ));
        }
    };
    let mode = Mode::named(mode.as_str())
        .ok_or_else(|| s3_error!(InvalidArgument, "Unknown wormMode directive."))?;
    Ok(until.map(|until| Retention { mode, until }))
}

fn legal_hold(asked: &LockHeaders<'_>) -> S3Result<Option<bool>> {
    match asked.legal_hold.map(ObjectLockLegalHoldStatus::as_str) {
        None => Ok(None),
        Some("ON") => Ok(Some(true)),
        Some("OFF") => Ok(Some(false)),
        Some(_) => Err(s3_error!(InvalidArgument, "Legal Hold must be either of 'ON' or 'OFF'")),
    }
}

/// Parses a retain-until date, which must be in the future.
pub(super) fn future(date: &Timestamp, now: SystemTime) -> S3Result<SystemTime> {
    let mut text = Vec::new();
    let written = date.format(TimestampFormat::DateTime, &mut text).ok();
    let time = written
        .and_then(|()| String::from_utf8(text).ok()?.parse::<jiff::Timestamp>().ok())
        .map(SystemTime::from)
        .ok_or_else(|| s3_error!(InvalidArgument, "The retain until date is invalid."))?;
    if time <= now {
        let text = "The retain until date must be in the future!";
        return Err(invalid_argument("RetainUntilDate", &pacific(time), text));
    }
    Ok(time)
}

/// Returns a time as S3 was recorded to show it in this error, such as
/// `Tue Dec 31 16:00:00 PST 2019`. S3's daylight saving time is not modelled.
fn pacific(time: SystemTime) -> String {
    const PST: i8 = -8;
    let zone = jiff::tz::offset(PST).to_time_zone();
    let time = jiff::Timestamp::try_from(time).unwrap_or_default().to_zoned(zone);
    time.strftime("%a %b %d %H:%M:%S PST %Y").to_string()
}

/// The error for a bucket without Object Lock.
pub(super) fn missing() -> S3Error {
    s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration")
}

/// The error for a version that Object Lock protects.
pub(super) fn protected() -> S3Error {
    s3_error!(AccessDenied, "Access Denied because object protected by object lock.")
}

/// Returns whether a request bypasses governance mode. A request that asks for the bypass is
/// refused if the caller lacks `s3:BypassGovernanceRetention`.
pub(super) fn bypasses(
    call: &S3Call<'_>,
    asked: Option<bool>,
    bucket: &str,
    object: KeyVersion<'_>,
) -> S3Result<bool> {
    if asked != Some(true) {
        return Ok(false);
    }
    if call.visit(bucket)?.object_lock.is_none() {
        let name = "x-amz-bypass-governance-retention";
        let text = format!("{name} is only applicable to Object Lock enabled buckets.");
        return Err(invalid_argument(name, "true", text));
    }
    let allowed = call.permitted(bucket, Some(object), "s3:BypassGovernanceRetention");
    allowed.map(|()| true).map_err(permit::refused)
}
