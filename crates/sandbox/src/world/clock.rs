//! The sandbox's own clock: the wall clock with an offset, which `advance` increases.
//! Not for: checking the age of a request, which uses the wall clock (see `gate::signature`).

use jiff::{Span, SpanRelativeTo};
use std::time::{Duration, SystemTime};

/// A clock that can be moved forward but never back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    ahead: Duration,
    behind: Duration,
    /// The wall-clock time at which the clock stopped; `None` if the clock runs. `advance` moves a
    /// stopped clock too.
    stands_at: Option<SystemTime>,
}

impl Clock {
    /// Creates a clock that is `behind` the wall clock. If `stands` is set, only `advance` moves
    /// the clock.
    pub(crate) fn new(behind: Duration, stands: bool) -> Self {
        let stands_at = stands.then(SystemTime::now);
        Self { ahead: Duration::ZERO, behind, stands_at }
    }

    /// Returns the current time of this clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.stands_at.unwrap_or_else(SystemTime::now) - self.behind + self.ahead
    }

    /// Moves the clock forward, by at most a hundred years in total, so that dates stay printable.
    pub(crate) fn advance(&mut self, by: Duration) {
        const MOST: Duration = Duration::from_hours(100 * 365 * 24);
        self.ahead = self.ahead.saturating_add(by).min(MOST);
    }
}

/// Parses a duration such as `300ms`, `90s`, `8d` (24 h each) or `1d12h`. Months, years and numbers
/// without a unit are refused.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    const RULE: &str = "a duration is a number with a unit, such as `90s`, `15m`, `2h` or `1d`";
    let refused = || format!("`{text}` is not a duration: {RULE}");
    let span: Span = text.trim().parse().map_err(|_| refused())?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(refused());
    }
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refused())?;
    Duration::try_from(signed).map_err(|_| refused())
}

/// Formats `time` as RFC 3339 in whole seconds, such as `2026-01-02T03:04:05Z`, as IAM does.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let stamp = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    stamp.unwrap_or_default().to_string()
}

/// Formats `time` as RFC 3339 with fractional seconds, as in the sandbox's own log.
pub(crate) fn rfc3339_exact(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap_or_default().to_string()
}

/// Formats `time` as RFC 3339 with milliseconds, as in S3's events.
pub(crate) fn milliseconds(time: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(time).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Returns `time` as seconds since 1970 with a fraction, the timestamp format of AWS JSON.
pub(crate) fn epoch_seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("8d", Some(691_200)),
            ("1d12h", Some(129_600)),
            ("8", None),
            ("", None),
            ("d", None),
            ("1mo", None),
            ("-5s", None),
            ("8dä", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(parse_duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
    }

    #[test]
    fn the_clock_only_moves_forward() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(24));
        assert!(clock.now() >= before + Duration::from_hours(24));
        clock.advance(Duration::MAX);
        assert!(rfc3339(clock.now()).ends_with('Z'));
    }
}
