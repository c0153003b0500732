//! Object Lock: the protection of a version (S3 User Guide, "Locking objects with Object Lock").
//! Not for: Object Lock in requests (see `s3::lock`).

use crate::world::clock::rfc3339;
use crrctl_iam::Context;
use jiff::Span;
use jiff::tz::TimeZone;
use std::time::SystemTime;

/// The retention mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Callers with permission can bypass the retention.
    Governance,
    /// No caller can bypass the retention.
    Compliance,
}

impl Mode {
    /// Returns the mode with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "GOVERNANCE" => Some(Self::Governance),
            "COMPLIANCE" => Some(Self::Compliance),
            _ => None,
        }
    }

    /// Returns S3's name of the mode.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// The retention mode and the retain-until date of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) mode: Mode,
    pub(crate) until: SystemTime,
}

impl Retention {
    /// Returns whether replacing this retention with `new` weakens the protection. Only callers
    /// that bypass governance may weaken it.
    pub(crate) fn is_loosened_by(&self, new: Option<Self>, now: SystemTime) -> bool {
        self.until > now && new.is_none_or(|new| new.mode != self.mode || new.until < self.until)
    }
}

/// The Object Lock settings of a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) retention: Option<Retention>,
    /// Whether a legal hold is on; `None` if a legal hold was never set.
    pub(crate) legal_hold: Option<bool>,
    /// The period for which an event hold that is on retains the version after the hold is
    /// released.
    pub(crate) event_hold: Option<Period>,
}

impl Lock {
    /// Returns whether the version can't be deleted. `bypass` is set for a request that bypasses
    /// governance.
    pub(crate) fn holds(&self, now: SystemTime, bypass: bool) -> bool {
        let retained = self.retained(now).is_some_and(|retention| {
            retention.until > now && !(bypass && retention.mode == Mode::Governance)
        });
        retained || self.legal_hold == Some(true)
    }

    /// Returns the retention at `now`. While an event hold is on, the retain-until date moves
    /// forward with the time (S3 User Guide, "Locking objects with Object Lock").
    pub(crate) fn retained(&self, now: SystemTime) -> Option<Retention> {
        let retention = self.retention?;
        let moving = self.event_hold.and_then(|period| period.after_hold(now));
        Some(Retention {
            until: moving.map_or(retention.until, |until| until.max(retention.until)),
            ..retention
        })
    }

    /// Adds the condition keys of a request that sets this lock (Service Authorization Reference,
    /// "Condition keys for Amazon S3").
    pub(crate) fn describe(&self, context: &mut Context, now: SystemTime) {
        if let Some(Retention { mode, until }) = self.retention {
            let days = until.duration_since(now).unwrap_or_default().as_secs().div_ceil(86_400);
            context.set("s3:object-lock-mode", mode.name());
            context.set("s3:object-lock-remaining-retention-days", days.to_string());
            context.set("s3:object-lock-retain-until-date", rfc3339(until));
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

/// The Object Lock configuration of a bucket. Once enabled, Object Lock can't be turned off.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ObjectLock {
    /// The default retention of new versions that specify none.
    pub(crate) default: Option<DefaultLock>,
}

/// A default retention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DefaultLock {
    pub(crate) mode: Mode,
    pub(crate) period: Period,
}

/// A retention period in the unit in which it was specified.
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

    /// Returns the end of an event hold's period that starts at `now`. In this period, a year has
    /// 365 days.
    pub(crate) fn after_hold(self, now: SystemTime) -> Option<SystemTime> {
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
    pub(crate) fn from(&self, now: SystemTime) -> Lock {
        let until = self.period.after(now);
        Lock {
            retention: until.map(|until| Retention { mode: self.mode, until }),
            ..Lock::default()
        }
    }
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
