//! How long fresh objects are uploaded where one proves nothing.
//! Not for: how long an object may stay PENDING (see `poll`).

use super::Status;
use super::poll::{Polled, Unfit};
use std::time::Duration;

/// The shortest and the longest pause between two objects. Between these it is a quarter of the time
/// since the first one.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// How long fresh objects are uploaded where one proves nothing: S3 names no bound for the time in
/// which a rule, a role, a key or an encryption takes effect, and FAILED is final for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// One object, and one more where the first has no replication status.
    None,
    /// Growing pauses for this long, from the first object on.
    For(Duration),
    /// Until five minutes after a change that was made `ago`, before this run or by it; fifteen where an
    /// object has no version id, since versioning may take that long after it was first enabled (S3
    /// User Guide, "Using versioning in S3 buckets").
    AfterChange {
        /// How long before the first object the change was made.
        ago: Duration,
    },
}

impl Patience {
    /// Returns what was asked for, otherwise five minutes after the last change, which was made
    /// `changed` ago.
    #[must_use]
    pub fn of(asked: Option<Duration>, changed: Option<Duration>) -> Self {
        match (asked, changed) {
            (Some(asked), _) => Self::For(asked),
            (None, Some(ago)) => Self::AfterChange { ago },
            (None, None) => Self::None,
        }
    }

    /// Returns how long it lasts where nothing speaks of versioning.
    #[must_use]
    pub fn lasts(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::For(patience) => patience,
            Self::AfterChange { ago } => Duration::from_mins(5).saturating_sub(ago),
        }
    }

    /// Returns how long to go on after an object that `polled` shows.
    fn after(self, polled: &Polled) -> Duration {
        match (self, &polled.unfit) {
            (Self::AfterChange { ago }, Some(Unfit::NoVersion)) => {
                Duration::from_mins(15).saturating_sub(ago)
            }
            _ => self.lasts(),
        }
    }

    /// Returns how long fresh objects may still be uploaded.
    pub(super) fn left(self, polled: &Polled, elapsed: Duration) -> Duration {
        self.after(polled).saturating_sub(elapsed)
    }

    /// Returns the pause before the next object, or `None` where this object has the last word.
    pub(super) fn next(
        self,
        polled: &Polled,
        attempt: usize,
        elapsed: Duration,
    ) -> Option<Duration> {
        if matches!(polled.status, Status::Completed | Status::Pending) {
            return None;
        }
        let (shortest, longest) = PAUSES;
        let pause = (elapsed / 4).max(shortest).min(longest);
        let left = self.left(polled, elapsed);
        if left.is_zero() {
            let is_first = polled.status == Status::None && attempt == 1;
            return is_first.then_some(pause);
        }
        Some(pause.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Patience = Patience::AfterChange { ago: Duration::ZERO };

    fn polled(status: Status, unfit: Option<Unfit>) -> Polled {
        Polled { status, unfit, elapsed_ms: 0 }
    }

    /// Returns how many objects are uploaded, and how long after the first the last one is.
    fn tried(patience: Patience, polled: &Polled) -> (usize, Duration) {
        let (mut attempt, mut elapsed) = (1, Duration::ZERO);
        while let Some(pause) = patience.next(polled, attempt, elapsed) {
            (attempt, elapsed) = (attempt + 1, elapsed + pause);
        }
        (attempt, elapsed)
    }

    #[test]
    fn patience_is_a_time_and_the_last_object_is_uploaded_at_its_end() {
        let (failed, none) = (polled(Status::Failed, None), polled(Status::None, None));
        let no_version = polled(Status::None, Some(Unfit::NoVersion));
        let mins = Duration::from_mins;
        assert_eq!(tried(NOW, &failed), (24, mins(5)));
        assert_eq!(tried(NOW, &none), (24, mins(5)));
        assert_eq!(tried(NOW, &no_version).1, mins(15));
        for status in [&failed, &none, &no_version] {
            assert_eq!(tried(Patience::For(mins(40)), status).1, mins(40));
        }
        let earlier = |ago| Patience::AfterChange { ago };
        assert_eq!(tried(earlier(mins(3)), &failed).1, mins(2));
        assert_eq!(tried(earlier(mins(5)), &failed).0, 1);
        assert_eq!(tried(earlier(mins(5)), &no_version).1, mins(10));
        assert_eq!(tried(earlier(mins(60)), &none), (2, Duration::from_secs(2)));
        assert_eq!(tried(Patience::None, &failed), (1, Duration::ZERO));
        assert_eq!(tried(Patience::None, &none), (2, Duration::from_secs(2)));
        assert_eq!(tried(NOW, &polled(Status::Completed, None)).0, 1);
        assert_eq!(tried(NOW, &polled(Status::Pending, None)).0, 1);
    }

    #[test]
    fn what_was_asked_for_counts_with_and_without_a_change() {
        let (asked, now) = (Duration::from_secs(90), Some(Duration::ZERO));
        for changed in [now, None] {
            assert_eq!(Patience::of(Some(asked), changed), Patience::For(asked));
        }
        assert_eq!(Patience::of(None, now), NOW);
        assert_eq!(Patience::of(None, None), Patience::None);
    }
}
