//! Parses the typed values of conditions: Booleans, numbers, dates, IP addresses, bytes.
//! Section: "IAM JSON policy elements: Condition operators". Each parser returns `None` for a text
//! that it can't parse and never fails.
//! Not for: the choice of a comparison by operator (see `condition`).

use std::cmp::Ordering;
use std::net::IpAddr;

/// Parses `true` or `false`, ignoring case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// Returns whether `text` is an integer or a decimal number.
pub(crate) fn is_number(text: &str) -> bool {
    number(text).is_some()
}

/// Compares two numbers; `None` if either text is not a number.
pub(super) fn compare_numbers(a: &str, b: &str) -> Option<Ordering> {
    // An integer can be larger than a float represents exactly.
    if let (Ok(a), Ok(b)) = (a.trim().parse::<i128>(), b.trim().parse::<i128>()) {
        return Some(a.cmp(&b));
    }
    number(a)?.partial_cmp(&number(b)?)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Parses a date into nanoseconds since 1970: a W3C form of ISO 8601 (from a year to fractions of a
/// second), or epoch seconds.
/// Section: "Date condition operators".
pub(crate) fn date(text: &str) -> Option<i128> {
    // Four digits are a year; other integers are epoch seconds.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole && text.len() != 4 {
        return i128::from(text.parse::<i64>().ok()?).checked_mul(1_000_000_000);
    }
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut fields = date.split('-');
    let year = digits_of(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |month| digits_of(month, 2))?;
    let day = fields.next().map_or(Some(1), |day| digits_of(day, 2))?;
    // A time requires a complete date.
    let complete = date.len() == 10 || time.is_none();
    if fields.next().is_some() || !complete || !(1..=12).contains(&month) {
        return None;
    }
    if day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let midnight = i128::from(days_since_epoch(year, month, day)) * 86_400_000_000_000;
    Some(midnight + time.map_or(Some(0), time_of_day)?)
}

/// Parses `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s`, with `Z` or an offset, into nanoseconds since
/// midnight UTC.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else {
        let at = text.rfind(['+', '-'])?;
        let (hours, minutes) = text[at + 1..].split_once(':')?;
        let minutes = clock_field(hours, 23)? * 60 + clock_field(minutes, 59)?;
        (&text[..at], if text[at..].starts_with('-') { -minutes } else { minutes })
    };
    let mut fields = clock.split(':');
    let hours = clock_field(fields.next()?, 23)?;
    let minutes = clock_field(fields.next()?, 59)?;
    let (seconds, fraction) = match fields.next() {
        None => (0, 0),
        Some(text) => match text.split_once('.') {
            None => (clock_field(text, 60)?, 0),
            Some((seconds, digits)) => (clock_field(seconds, 60)?, fraction(digits)?),
        },
    };
    let total = (hours * 60 + minutes - offset) * 60 + seconds;
    fields.next().is_none().then_some(i128::from(total) * 1_000_000_000 + fraction)
}

fn clock_field(text: &str, most: i64) -> Option<i64> {
    digits_of(text, 2).filter(|number| *number <= most)
}

/// Parses the digits after the decimal point into nanoseconds. Further digits are truncated.
fn fraction(digits: &str) -> Option<i128> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}")[..9].parse().ok()
}

fn digits_of(text: &str, length: usize) -> Option<i64> {
    let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days of the Gregorian calendar. Years start in March here, so that a leap day is the last
/// day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// A CIDR range of IP addresses. A bare address is a range of one address. Section: "IP address
/// condition operators".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Parses `203.0.113.0/24`, `2001:DB8::/64` or a bare address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(most), |prefix| prefix.parse().ok())?;
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Returns whether the range contains `address`. An IPv6 range contains no IPv4 address.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.prefix;
                let head = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                head(network.to_bits()) == head(address.to_bits())
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.prefix;
                let head = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                head(network.to_bits()) == head(address.to_bits())
            }
            _ => false,
        }
    }
}

/// Decodes base64 with padding. Section: "Binary condition operators". The request's bytes are in
/// base64 too.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in body.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}
