//! Event holds of Object Lock, which are newer than `s3s`: read from a request's headers and XML,
//! and added to a response's headers and XML. An event hold protects a version until the hold is
//! released, and for a period from then on (`CloudFormation` Template Reference, "`AWS::S3::Bucket`
//! `DefaultEventHold`"). Not for: whether a held version can be deleted (see
//! `world::buckets::lock`).

use super::call::ExtraXml;
use super::errors::not_implemented;
use crate::wire::query::{element, wrapped};
use crate::world::buckets::{Lock, Period};
use bytes::Bytes;
use http::header::HeaderValue;
use http::request::Parts;
use http::{Extensions, HeaderMap};
use s3s::{S3Error, S3Result, s3_error};
use serde::Deserialize;

const STATUS: &str = "x-amz-object-lock-event-hold";
const DAYS: &str = "x-amz-object-lock-event-hold-duration-days";
const YEARS: &str = "x-amz-object-lock-event-hold-duration-years";

/// The change to an event hold that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventHoldChange {
    /// Places a hold, which protects the version for this period after its release.
    On(Period),
    /// Releases the hold; in an upload, declines the bucket's default.
    Off,
}

impl EventHoldChange {
    /// Returns the period of a hold that is placed.
    pub(super) fn period(self) -> Option<Period> {
        match self {
            Self::On(period) => Some(period),
            Self::Off => None,
        }
    }

    fn new(status: Option<&str>, days: Option<i32>, years: Option<i32>) -> S3Result<Option<Self>> {
        match status {
            None if days.is_none() && years.is_none() => Ok(None),
            Some("OFF") if days.is_none() && years.is_none() => Ok(Some(Self::Off)),
            Some("ON") => Ok(Some(Self::On(period(days, years)?))),
            Some("OFF") | None => Err(invalid("An event hold duration needs an event hold.")),
            Some(_) => Err(invalid("Event Hold must be either of 'ON' or 'OFF'")),
        }
    }
}

/// Returns the change that the headers of an upload ask for.
pub(super) fn in_headers(headers: &HeaderMap) -> S3Result<Option<EventHoldChange>> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let number = |name: &str| {
        let parsed = text(name).map(|text| text.parse().map_err(|_| out_of_range()));
        parsed.transpose()
    };
    EventHoldChange::new(text(STATUS), number(DAYS)?, number(YEARS)?)
}

/// Reads the event hold of a `PutObjectRetention` body, which `s3s` skips, into the request's
/// extensions. Refuses a body that can't be decoded, and default event holds, which are not
/// modelled.
pub(super) fn keep(parts: &mut Parts, body: &Bytes) -> S3Result<()> {
    let query = parts.uri.query().unwrap_or_default();
    let within = |tag: &[u8]| body.windows(tag.len()).any(|window| window == tag);
    if query.starts_with("retention") && within(b"<EventHold") {
        let given: Retention = parse(body)?;
        let duration = given.duration.unwrap_or_default();
        let asked = EventHoldChange::new(given.status.as_deref(), duration.days, duration.years)?;
        parts.extensions.insert(BodyHold(asked));
    }
    if query.starts_with("object-lock") && within(b"<DefaultEventHold") {
        return Err(not_implemented("default event holds"));
    }
    Ok(())
}

/// Returns the change that the body of a request asks for.
pub(super) fn in_body(extensions: &Extensions) -> Option<EventHoldChange> {
    extensions.get::<BodyHold>()?.0
}

#[derive(Debug, Clone, Copy)]
struct BodyHold(Option<EventHoldChange>);

#[derive(Deserialize)]
struct Retention {
    #[serde(rename = "EventHold")]
    status: Option<String>,
    #[serde(rename = "EventHoldDuration")]
    duration: Option<Duration>,
}

#[derive(Deserialize, Default)]
struct Duration {
    #[serde(rename = "Days")]
    days: Option<i32>,
    #[serde(rename = "Years")]
    years: Option<i32>,
}

fn parse<'de, T: Deserialize<'de>>(body: &'de Bytes) -> S3Result<T> {
    let text = std::str::from_utf8(body).map_err(|_| s3_error!(MalformedXML))?;
    quick_xml::de::from_str(text).map_err(|_| s3_error!(MalformedXML))
}

/// Returns a hold's period: 1 to 36,500 days or 1 to 100 years, never both (S3 API Reference,
/// `S3ObjectLockEventHoldDuration`).
fn period(days: Option<i32>, years: Option<i32>) -> S3Result<Period> {
    match (days, years) {
        (Some(days @ 1..=36_500), None) => Ok(Period::Days(days)),
        (None, Some(years @ 1..=100)) => Ok(Period::Years(years)),
        (Some(_), Some(_)) | (None, None) => {
            Err(invalid("An event hold needs a duration in either days or years."))
        }
        _ => Err(out_of_range()),
    }
}

fn out_of_range() -> S3Error {
    invalid("The event hold duration must be 1 to 36500 days, or 1 to 100 years.")
}

/// The error for an invalid event hold. AWS documents its status and code, but no message.
pub(super) fn invalid(text: &str) -> S3Error {
    s3_error!(InvalidArgument, "{text}")
}

/// Returns the event hold headers of `HeadObject` and `GetObject`.
pub(super) fn headers(lock: &Lock) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(hold) = lock.event_hold {
        headers.insert(STATUS, HeaderValue::from_static("ON"));
        match hold {
            Period::Days(days) => headers.insert(DAYS, HeaderValue::from(days)),
            Period::Years(years) => headers.insert(YEARS, HeaderValue::from(years)),
        };
    }
    headers
}

/// Adds an event hold to the response of `GetObjectRetention`.
pub(super) fn tell(hold: Period, extensions: &mut Extensions) {
    let duration = match hold {
        Period::Days(days) => element("Days", days.to_string()),
        Period::Years(years) => element("Years", years.to_string()),
    };
    let xml = element("EventHold", "ON") + &wrapped("EventHoldDuration", &duration);
    extensions.insert(vec![ExtraXml { before: "</Retention>".to_owned(), xml }]);
}
