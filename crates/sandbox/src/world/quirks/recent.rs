//! What changed a moment ago, for the quirks that last a time after a change.
//! Not for: changes whose earlier value stays in effect (see `world::lag::Spreading`).

use super::Quirk;
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

/// The resources, by ARN, on which a quirk lasts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    ends: BTreeMap<(Quirk, String), SystemTime>,
    /// What [`Self::begin_once`] has begun, ended or not.
    begun: BTreeSet<(Quirk, String)>,
    /// The time of the last call of [`Self::pass_time`].
    now: Option<SystemTime>,
}

impl Recent {
    /// Begins a quirk on the resource `arn`, which ends at `end`. Nothing begins without an end.
    pub(crate) fn begin(&mut self, quirk: Quirk, arn: &str, end: Option<SystemTime>) {
        if let Some(end) = end {
            self.ends.insert((quirk, arn.to_owned()), end);
        }
    }

    /// Like [`Self::begin`], but a quirk that once began on a resource does not begin again.
    pub(crate) fn begin_once(&mut self, quirk: Quirk, arn: &str, end: Option<SystemTime>) {
        if end.is_some() && self.begun.insert((quirk, arn.to_owned())) {
            self.begin(quirk, arn, end);
        }
    }

    /// Moves the quirks that last on the resource `old` to `new`, its new ARN. What lasted on
    /// another resource of that ARN ends.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        if old == new || self.ends.is_empty() {
            return;
        }
        self.ends.retain(|(_, arn), _| arn != new);
        let moved =
            |(quirk, arn): (Quirk, String)| (quirk, if arn == old { new.to_owned() } else { arn });
        let ends = std::mem::take(&mut self.ends);
        self.ends = ends.into_iter().map(|(key, end)| (moved(key), end)).collect();
    }

    /// Returns whether a quirk lasts on a resource. `arn` is called only if any quirk lasts on
    /// anything.
    pub(crate) fn lasts<T: Into<String>>(&self, quirk: Quirk, arn: impl FnOnce() -> T) -> bool {
        !self.ends.is_empty() && self.ends.contains_key(&(quirk, arn().into()))
    }

    /// Returns the time of the last call of [`Self::pass_time`].
    pub(crate) fn now(&self) -> Option<SystemTime> {
        self.now
    }

    /// Sets the current time. What has ended is removed.
    pub(crate) fn pass_time(&mut self, now: SystemTime) {
        self.now = Some(now);
        self.ends.retain(|_, end| *end > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_quirk_stays_with_a_resource_that_gets_another_arn() {
        let end = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(9));
        let mut recent = Recent::default();
        recent.begin(Quirk::RemovalNotFound, "old", end);
        recent.begin(Quirk::LateEntity, "new", end);
        recent.begin(Quirk::LateEntity, "other", end);
        recent.rename("old", "new");
        assert!(recent.lasts(Quirk::RemovalNotFound, || "new"));
        assert!(!recent.lasts(Quirk::RemovalNotFound, || "old"));
        assert!(!recent.lasts(Quirk::LateEntity, || "new"));
        assert!(recent.lasts(Quirk::LateEntity, || "other"));
    }

    #[test]
    fn a_quirk_lasts_until_its_end() {
        let (start, end) =
            (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(9));
        let mut recent = Recent::default();
        recent.pass_time(start);
        recent.begin(Quirk::LateKey, "arn", Some(end));
        recent.begin(Quirk::LateKey, "other", None);
        assert!(recent.lasts(Quirk::LateKey, || "arn"));
        assert!(!recent.lasts(Quirk::LateKey, || "other"));
        assert!(!recent.lasts(Quirk::LateAlias, || "arn"));
        recent.pass_time(end);
        assert!(!recent.lasts(Quirk::LateKey, || "arn"));
    }
}
