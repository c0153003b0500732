//! Parses and formats durations such as `90s`, `15m`, `1d` and sizes such as `64KiB`, as flags and
//! the manifest use them.
//! Not for: points in time.

use jiff::{Span, SpanRelativeTo, Unit};
use std::time::Duration;

/// Formats a count with its noun, such as `1 day` or `2 days`. The noun must have a plural in -s.
pub fn counted(count: impl Into<i64>, noun: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Parses a duration. A day has 24 hours. Months, years, and numbers without a unit are errors.
pub fn duration(text: &str) -> Result<Duration, String> {
    const RULE: &str = "a duration is a number with a unit, such as `90s`, `15m`, `2h` or `1d`";
    let refuse = || format!("`{text}` is not a duration: {RULE}");
    let span: Span = text.trim().parse().map_err(|_| refuse())?;
    if span.is_negative() || span.get_months() != 0 || span.get_years() != 0 {
        return Err(refuse());
    }
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
    Duration::try_from(signed).map_err(|_| refuse())
}

/// Formats a duration for people: `850 ms`, `12.3 s`, `4m 10s`, `2d 3h`.
pub fn format_duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    if duration < Duration::from_mins(1) {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 2);
    let balanced = Span::new()
        .try_seconds(seconds)
        .and_then(|span| {
            span.round(
                jiff::SpanRound::new()
                    .largest(Unit::Day)
                    .days_are_24_hours()
                    .smallest(Unit::Second),
            )
        })
        .unwrap_or_default();
    let parts = [
        (balanced.get_days().into(), "d"),
        (i64::from(balanced.get_hours()), "h"),
        (balanced.get_minutes(), "m"),
        (balanced.get_seconds(), "s"),
    ];
    let shown = parts.iter().filter(|(n, _)| *n != 0).take(2).map(|(n, unit)| format!("{n}{unit}"));
    shown.collect::<Vec<_>>().join(" ")
}

/// Formats a number of bytes for people, such as `1.5 MiB`.
pub fn bytes(count: f64) -> String {
    let mut rest = count.max(0.0);
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if rest < 1024.0 {
            return if unit == "bytes" {
                format!("{rest:.0} {unit}")
            } else {
                format!("{rest:.1} {unit}")
            };
        }
        rest /= 1024.0;
    }
    format!("{rest:.1} TiB")
}

/// Parses a size in bytes. `KB`, `MB`, `GB` are powers of 1,000 and `KiB`, `MiB`, `GiB` are powers
/// of 1,024. A number without a unit is an error.
pub fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let refuse = || {
        format!(
            "`{text}` is not a size: a size is a whole number with a unit, such as `64KiB` or `1MB`"
        )
    };
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| text.trim().strip_suffix(unit).map(|number| (number, factor)))
        .ok_or_else(refuse)?;
    let number: u64 = number.trim_end().parse().map_err(|_| refuse())?;
    number.checked_mul(*factor).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_want_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("1d", 86_400), ("1h30m", 5_400), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("60ms"), Ok(Duration::from_millis(60)));
        for text in ["", "90", "1mo", "1y", "-5s", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_read_well() {
        for (millis, text) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (12_340, "12.3 s"),
            (250_000, "4m 10s"),
            (183_600_000, "2d 3h"),
        ] {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn sizes_want_a_unit() {
        for (text, bytes) in [("64KiB", 65_536), ("1MB", 1_000_000), ("0B", 0), ("5 MiB", 5 << 20)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "64", "1.5MB", "99999999999GiB", "KiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
