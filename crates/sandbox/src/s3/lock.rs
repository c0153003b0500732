//! Object Lock: what protects a version, what an upload asks for, and who gets past it (S3 User Guide, "Locking objects with
//! Object Lock"). Not for: the operations on it (see `lock_settings` and `retention`).

use super::store::Bucket;
use super::{S3Call, event_hold, permit};
use crrctl_iam::Context;
use jiff::Span;
use jiff::tz::TimeZone;
use s3s::dto::{ObjectLockLegalHoldStatus, ObjectLockMode, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};
use std::time::SystemTime;

/// How strictly a retention binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Whoever may bypass it can.
    Governance,
    /// Nobody gets past it.
    Compliance,
}

impl Mode {
    /// Returns the mode of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "GOVERNANCE" => Some(Self::Governance),
            "COMPLIANCE" => Some(Self::Compliance),
            _ => None,
        }
    }

    /// Returns S3's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// Until when a version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) mode: Mode,
    pub(crate) until: SystemTime,
}

impl Retention {
    /// Returns whether putting `new` in its place takes protection away, which only those who bypass governance may.
    pub(super) fn is_loosened_by(&self, new: Option<Self>, now: SystemTime) -> bool {
        self.until > now && new.is_none_or(|new| new.mode != self.mode || new.until < self.until)
    }
}

/// What protects a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) retention: Option<Retention>,
    /// Whether there is a legal hold; `None` where none was ever spoken of.
    pub(crate) legal_hold: Option<bool>,
    /// For how long an event hold that is on will retain the version once it is released.
    pub(crate) event_hold: Option<Period>,
}

impl Lock {
    /// Returns whether the version can't be deleted, even by whoever bypasses governance where `bypass` is set.
    pub(super) fn holds(&self, now: SystemTime, bypass: bool) -> bool {
        let retained = self.retained(now).is_some_and(|retention| {
            retention.until > now && !(bypass && retention.mode == Mode::Governance)
        });
        retained || self.legal_hold == Some(true)
    }

    /// Returns the retention as of now: while an event hold is on, its date moves on with the time (S3 User Guide, "Locking
    /// objects with Object Lock").
    pub(crate) fn retained(&self, now: SystemTime) -> Option<Retention> {
        let retention = self.retention?;
        let moving = self.event_hold.and_then(|period| period.after_hold(now));
        Some(Retention {
            until: moving.map_or(retention.until, |until| until.max(retention.until)),
            ..retention
        })
    }

    /// Adds the condition keys of a request that sets this
    /// (Service Authorization Reference, "Condition keys for Amazon S3").
    pub(crate) fn describe(&self, context: &mut Context, now: SystemTime) {
        if let Some(Retention { mode, until }) = self.retention {
            let days = until.duration_since(now).unwrap_or_default().as_secs().div_ceil(86_400);
            context.set("s3:object-lock-mode", mode.name());
            context.set("s3:object-lock-remaining-retention-days", days.to_string());
            context.set("s3:object-lock-retain-until-date", crate::clock::rfc3339(until));
        }
        if let Some(on) = self.legal_hold {
            context.set("s3:object-lock-legal-hold", if on { "ON" } else { "OFF" });
        }
        if let Some(period) = self.event_hold {
            context.set("s3:object-lock-event-hold", "ON");
            context.set("s3:object-lock-event-hold-duration-days", period.days().to_string());
        }
    }
}

/// A bucket's Object Lock, which can't be turned off again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ObjectLock {
    /// What new versions get that ask for nothing else.
    pub(super) default: Option<DefaultLock>,
}

/// A default retention.
#[derive(Debug, Clone, Copy)]
pub(super) struct DefaultLock {
    pub(super) mode: Mode,
    pub(super) period: Period,
}

/// A period as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Days(i32),
    Years(i32),
}

impl Period {
    fn after(self, now: SystemTime) -> Option<SystemTime> {
        let span = match self {
            Self::Days(days) => Span::new().days(days),
            Self::Years(years) => Span::new().years(years),
        };
        let start = jiff::Timestamp::try_from(now).ok()?.to_zoned(TimeZone::UTC);
        Some(SystemTime::from(start.checked_add(span).ok()?.timestamp()))
    }

    /// Returns the end of a hold's period that begins now: there a year has 365 days.
    pub(super) fn after_hold(self, now: SystemTime) -> Option<SystemTime> {
        Self::Days(self.days()).after(now)
    }

    fn days(self) -> i32 {
        match self {
            Self::Days(days) => days,
            Self::Years(years) => years * 365,
        }
    }
}

impl DefaultLock {
    fn from(&self, now: SystemTime) -> Lock {
        let until = self.period.after(now);
        Lock {
            retention: until.map(|until| Retention { mode: self.mode, until }),
            ..Lock::default()
        }
    }
}

impl Bucket {
    /// Returns what protects a new version of this bucket by default.
    pub(crate) fn default_lock(&self, now: SystemTime) -> Lock {
        let default = self.object_lock.and_then(|lock| lock.default);
        default.map(|default| default.from(now)).unwrap_or_default()
    }
}

/// The headers of an upload that speak of Object Lock.
pub(super) struct LockHeaders<'a> {
    pub(super) mode: Option<&'a ObjectLockMode>,
    pub(super) until: Option<&'a Timestamp>,
    pub(super) legal_hold: Option<&'a ObjectLockLegalHoldStatus>,
}

/// Takes them from an input.
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

/// Returns what protects a new version: what the upload asks for, else the bucket's default
/// (S3 API Reference, `PutObject`, the `x-amz-object-lock-` headers; the texts are those that S3 was seen to give).
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
            call.permitted(bucket, Some(key), action).map_err(permit::refused)?;
        }
    }
    if lock.retention.is_some() || hold.is_some() {
        return Ok(lock);
    }
    Ok(Lock { legal_hold: lock.legal_hold, ..call.visit(bucket)?.default_lock(now) })
}

/// Refuses an upload under retention that comes without a checksum (S3 API Reference, `PutObject`, `Content-MD5`).
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

/// Reads a date, which must lie ahead.
pub(super) fn future(date: &Timestamp, now: SystemTime) -> S3Result<SystemTime> {
    let mut text = Vec::new();
    let written = date.format(TimestampFormat::DateTime, &mut text).ok();
    let time = written
        .and_then(|()| String::from_utf8(text).ok()?.parse::<jiff::Timestamp>().ok())
        .map(SystemTime::from)
        .ok_or_else(|| s3_error!(InvalidArgument, "The retain until date is invalid."))?;
    if time <= now {
        return Err(s3_error!(InvalidArgument, "The retain until date must be in the future!"));
    }
    Ok(time)
}

/// The bucket has no Object Lock.
pub(super) fn missing() -> S3Error {
    s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration")
}

/// The version is protected.
pub(super) fn protected() -> S3Error {
    s3_error!(AccessDenied, "Access Denied because object protected by object lock.")
}

/// Returns whether a request gets past governance: it says so, and its caller may.
pub(super) fn bypasses(
    call: &S3Call<'_>,
    asked: Option<bool>,
    bucket: &str,
    key: &str,
) -> S3Result<bool> {
    if asked != Some(true) {
        return Ok(false);
    }
    let allowed = call.permitted(bucket, Some(key), "s3:BypassGovernanceRetention");
    allowed.map(|()| true).map_err(permit::refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn protection_ends_with_its_date_and_yields_to_those_who_may() {
        let now = SystemTime::UNIX_EPOCH;
        let later = now + Duration::from_secs(1);
        let lock =
            |mode, until| Lock { retention: Some(Retention { mode, until }), ..Lock::default() };
        let governance = lock(Mode::Governance, later);
        assert!(governance.holds(now, false) && !governance.holds(now, true));
        assert!(!governance.holds(later, false));
        assert!(lock(Mode::Compliance, later).holds(now, true));
        let held = Lock { legal_hold: Some(true), ..Lock::default() };
        assert!(held.holds(later, true));
    }

    #[test]
    fn years_are_the_calendars() {
        let until = Period::Years(4).after(SystemTime::UNIX_EPOCH);
        assert_eq!(until, Some(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 1461)));
    }

    #[test]
    fn an_event_hold_moves_the_date_on_and_never_back() {
        let (day, start) = (Duration::from_hours(24), SystemTime::UNIX_EPOCH);
        let retention = Some(Retention { mode: Mode::Compliance, until: start + 5 * day });
        let lock = Lock { retention, event_hold: Some(Period::Days(3)), ..Lock::default() };
        let until = |now| lock.retained(now).unwrap().until;
        assert_eq!(until(start), start + 5 * day);
        assert_eq!(until(start + 4 * day), start + 7 * day);
        assert!(lock.holds(start + 1000 * day, true));
        let year = Period::Years(4).after_hold(start);
        assert_eq!(year, Some(start + 1460 * day));
    }
}
