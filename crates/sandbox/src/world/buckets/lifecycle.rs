//! When lifecycle rules expire an object. Not for: the operations on lifecycle configurations (see
//! `s3::lifecycle`), or deleting expired objects, which the sandbox does not do.

use super::{Bucket, Object};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use s3s::dto::{ExpirationStatus, LifecycleRule, Tag, TimestampFormat};
use std::time::SystemTime;

/// The rule that expires an object first, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) rule: String,
    pub(crate) at: Timestamp,
}

impl Expiry {
    /// Returns the value of the header `x-amz-expiration` (S3 API Reference, `PutObject`): the rule
    /// id is URL-encoded.
    pub(crate) fn header(&self) -> String {
        let rule: String = form_urlencoded::byte_serialize(self.rule.as_bytes()).collect();
        let date = self.at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!("expiry-date=\"{date}\", rule-id=\"{rule}\"")
    }
}

impl Bucket {
    /// Returns when the lifecycle rules expire an object that is the newest version of its key.
    pub(crate) fn expiry_of(
        &self,
        key: &str,
        object: &Object,
        written: SystemTime,
    ) -> Option<Expiry> {
        let (rules, _) = self.lifecycle.as_ref()?;
        let applying = rules.iter().filter(|rule| applies(rule, key, object));
        let expiries = applying.filter_map(|rule| {
            let rule_id = rule.id.clone().unwrap_or_default();
            Some(Expiry { rule: rule_id, at: expires_at(rule, written)? })
        });
        expiries.min_by_key(|expiry| expiry.at)
    }
}

/// Returns the instant of a date in a request.
pub(crate) fn instant(date: &s3s::dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    date.format(TimestampFormat::DateTime, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Adds the days of a rule to the time of the upload, and rounds up to midnight UTC (S3 User Guide,
/// "Lifecycle rules based on an object's age").
fn expires_at(rule: &LifecycleRule, written: SystemTime) -> Option<Timestamp> {
    let expiration = rule.expiration.as_ref()?;
    if let Some(date) = &expiration.date {
        return instant(date);
    }
    let days = expiration.days?;
    let due = Timestamp::try_from(written).ok()?.to_zoned(TimeZone::UTC);
    let due = due.checked_add(days.days()).ok()?;
    let start = due.start_of_day().ok()?;
    let midnight = if start == due { start } else { start.checked_add(1.day()).ok()? };
    Some(midnight.timestamp())
}

/// Returns whether an enabled rule's filter matches an object.
fn applies(rule: &LifecycleRule, key: &str, object: &Object) -> bool {
    let size = i64::try_from(object.data.len()).unwrap_or(i64::MAX);
    let tagged = |tag: &Tag| {
        let wanted = (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default());
        object.tags.contains(&wanted)
    };
    let in_range = |more: Option<i64>, less: Option<i64>| {
        more.is_none_or(|more| size > more) && less.is_none_or(|less| size < less)
    };
    let starts =
        |prefix: &Option<String>| prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix));
    let filtered = rule.filter.as_ref().is_none_or(|filter| {
        let both = filter.and.as_ref().is_none_or(|and| {
            starts(&and.prefix)
                && and.tags.iter().flatten().all(tagged)
                && in_range(and.object_size_greater_than, and.object_size_less_than)
        });
        both && starts(&filter.prefix)
            && filter.tag.as_ref().is_none_or(tagged)
            && in_range(filter.object_size_greater_than, filter.object_size_less_than)
    });
    rule.status.as_str() == ExpirationStatus::ENABLED && starts(&rule.prefix) && filtered
}
