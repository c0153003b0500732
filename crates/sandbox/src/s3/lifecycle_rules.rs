//! The checks that S3 makes of lifecycle rules (S3 API Reference,
//! `PutBucketLifecycleConfiguration`; S3 User Guide, "Lifecycle configuration elements"). No source
//! is recorded for the texts of the messages.
//! Not for: storing the rules (see `lifecycle`).

use super::errors::malformed;
use crate::world::buckets::lifecycle::instant;
use s3s::dto::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, Timestamp,
    TransitionStorageClass,
};
use s3s::{S3Error, S3Result, s3_error};

/// The maximum number of rules (S3 User Guide, "Setting an S3 Lifecycle configuration on a
/// bucket"), and the maximum length of an id.
const MAX_RULES: usize = 1000;
const MAX_ID: usize = 255;

/// The minimum age of objects before a transition to the classes for infrequent access, in days.
const MIN_DAYS: i32 = 30;

/// A day, in nanoseconds.
const DAY: i128 = 86_400_000_000_000;

/// Refuses rules that S3 does not accept.
pub(super) fn check(rules: &[LifecycleRule]) -> S3Result<()> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(malformed());
    }
    for rule in rules {
        check_shape(rule)?;
    }
    // The older rules have a `Prefix` of their own, and can't stand beside rules with a `Filter`.
    if rules.iter().any(|rule| rule.filter.is_some())
        && rules.iter().any(|rule| rule.filter.is_none())
    {
        return Err(request("Filter element can only be used in Lifecycle V2."));
    }
    for (at, rule) in rules.iter().enumerate() {
        let id = rule.id.as_deref().unwrap_or_default();
        if id.chars().count() > MAX_ID {
            return Err(argument("ID length should not exceed allowed limit of 255"));
        }
        if !id.is_empty() && rules[..at].iter().any(|other| other.id.as_deref() == Some(id)) {
            return Err(argument("Rule ID must be unique. Found same ID for one or more rules"));
        }
        check_actions(rule)?;
    }
    Ok(())
}

fn argument(text: &str) -> S3Error {
    s3_error!(InvalidArgument, "{text}")
}

fn request(text: &str) -> S3Error {
    s3_error!(InvalidRequest, "{text}")
}

/// Checks what the schema says: a status, exactly one of `Filter` and `Prefix`, known classes.
fn check_shape(rule: &LifecycleRule) -> S3Result<()> {
    let known = [ExpirationStatus::ENABLED, ExpirationStatus::DISABLED];
    let scoped = rule.filter.is_some() != rule.prefix.is_some();
    let filtered = rule.filter.as_ref().is_none_or(is_valid_filter);
    let expires = rule.expiration.as_ref().is_none_or(is_valid_expiration);
    let moves = rule.transitions.iter().flatten().all(|one| {
        one.days.is_some() != one.date.is_some() && is_known(one.storage_class.as_ref())
    });
    let later = rule
        .noncurrent_version_transitions
        .iter()
        .flatten()
        .all(|one| one.noncurrent_days.is_some() && is_known(one.storage_class.as_ref()));
    let noncurrent = rule.noncurrent_version_expiration.as_ref();
    let ages = noncurrent.is_none_or(|one| one.noncurrent_days.is_some());
    let aborts = rule.abort_incomplete_multipart_upload.as_ref();
    let aborts = aborts.is_none_or(|abort| abort.days_after_initiation.is_some());
    let valid = known.contains(&rule.status.as_str())
        && scoped
        && filtered
        && expires
        && moves
        && later
        && ages
        && aborts;
    if valid { Ok(()) } else { Err(malformed()) }
}

fn is_known(class: Option<&TransitionStorageClass>) -> bool {
    let known = [
        TransitionStorageClass::DEEP_ARCHIVE,
        TransitionStorageClass::GLACIER,
        TransitionStorageClass::GLACIER_IR,
        TransitionStorageClass::INTELLIGENT_TIERING,
        TransitionStorageClass::ONEZONE_IA,
        TransitionStorageClass::STANDARD_IA,
    ];
    class.is_some_and(|class| known.contains(&class.as_str()))
}

/// A filter has at most one condition; several stand in an `And`.
fn is_valid_filter(filter: &LifecycleRuleFilter) -> bool {
    let conditions = [
        filter.prefix.is_some(),
        filter.tag.is_some(),
        filter.object_size_greater_than.is_some(),
        filter.object_size_less_than.is_some(),
        filter.and.is_some(),
    ];
    let combined = filter.and.as_ref().is_none_or(|and| {
        let tags = and.tags.as_ref().map_or(0, Vec::len);
        let others = [
            and.prefix.is_some(),
            and.object_size_greater_than.is_some(),
            and.object_size_less_than.is_some(),
        ];
        tags + others.into_iter().filter(|given| *given).count() > 1
    });
    conditions.into_iter().filter(|given| *given).count() <= 1 && combined
}

fn is_valid_expiration(expiration: &LifecycleExpiration) -> bool {
    let LifecycleExpiration { date, days, expired_object_delete_marker } = expiration;
    let given = [date.is_some(), days.is_some(), expired_object_delete_marker.is_some()];
    given.into_iter().filter(|given| *given).count() == 1
}

fn check_actions(rule: &LifecycleRule) -> S3Result<()> {
    let transitions = rule.transitions.as_deref().unwrap_or_default();
    let noncurrent = rule.noncurrent_version_transitions.as_deref().unwrap_or_default();
    let acts = rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || !transitions.is_empty()
        || !noncurrent.is_empty();
    if !acts {
        return Err(request("At least one action needs to be specified in a rule"));
    }
    check_tags(rule)?;
    check_days(rule)?;
    for (at, one) in transitions.iter().enumerate() {
        let class = one.storage_class.as_ref().map_or("", |class| class.as_str());
        check_age("Days", "Transition", one.days, class)?;
        let same = |other: &s3s::dto::Transition| other.storage_class == one.storage_class;
        if transitions[..at].iter().any(same) {
            let text = "'StorageClass' must be different for 'Transition' actions in same 'Rule'";
            return Err(request(text));
        }
        if one.date.as_ref().is_some_and(|date| !is_midnight(date)) {
            return Err(argument("'Date' must be at midnight GMT"));
        }
    }
    for one in noncurrent {
        let class = one.storage_class.as_ref().map_or("", |class| class.as_str());
        check_age("NoncurrentDays", "NoncurrentVersionTransition", one.noncurrent_days, class)?;
    }
    check_order(rule)
}

/// Refuses actions that can't go by the tags of an object.
fn check_tags(rule: &LifecycleRule) -> S3Result<()> {
    let filter = rule.filter.as_ref();
    let tagged = filter.is_some_and(|filter| {
        let combined = filter.and.as_ref().and_then(|and| and.tags.as_ref());
        filter.tag.is_some() || combined.is_some_and(|tags| !tags.is_empty())
    });
    if tagged && rule.abort_incomplete_multipart_upload.is_some() {
        return Err(request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
    }
    let marker = rule.expiration.as_ref().and_then(|one| one.expired_object_delete_marker);
    if tagged && marker.is_some() {
        return Err(request("ExpiredObjectDeleteMarker cannot be specified with Tags."));
    }
    Ok(())
}

fn check_days(rule: &LifecycleRule) -> S3Result<()> {
    let expiration = rule.expiration.as_ref();
    let noncurrent = rule.noncurrent_version_expiration.as_ref();
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    for (days, name, action) in [
        (expiration.and_then(|one| one.days), "Days", "Expiration"),
        (
            noncurrent.and_then(|one| one.noncurrent_days),
            "NoncurrentDays",
            "NoncurrentVersionExpiration",
        ),
        (
            abort.and_then(|one| one.days_after_initiation),
            "DaysAfterInitiation",
            "AbortIncompleteMultipartUpload",
        ),
    ] {
        if days.is_some_and(|days| days < 1) {
            let text = format!("'{name}' for {action} action must be a positive integer");
            return Err(argument(&text));
        }
    }
    if expiration.and_then(|one| one.date.as_ref()).is_some_and(|date| !is_midnight(date)) {
        return Err(argument("'Date' must be at midnight GMT"));
    }
    Ok(())
}

fn check_age(name: &str, action: &str, days: Option<i32>, class: &str) -> S3Result<()> {
    let waits =
        [TransitionStorageClass::STANDARD_IA, TransitionStorageClass::ONEZONE_IA].contains(&class);
    match days {
        Some(days) if days < 0 => {
            Err(argument(&format!("'{name}' for {action} action must be a nonnegative integer")))
        }
        Some(days) if waits && days < MIN_DAYS => Err(argument(&format!(
            "'{name}' in {action} action must be greater than or equal to 30 for storageClass '{class}'"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a rule that expires objects before it moves them.
fn check_order(rule: &LifecycleRule) -> S3Result<()> {
    let transitions = rule.transitions.as_deref().unwrap_or_default();
    let expiration = rule.expiration.as_ref();
    let Some(days) = expiration.and_then(|one| one.days) else { return Ok(()) };
    if transitions.iter().any(|one| one.date.is_some()) {
        return Err(request(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule",
        ));
    }
    if transitions.iter().any(|one| one.days.is_some_and(|moved| moved >= days)) {
        let prefix = rule.filter.as_ref().and_then(|filter| filter.prefix.as_deref());
        let prefix = prefix.or(rule.prefix.as_deref()).unwrap_or_default();
        return Err(argument(&format!(
            "'Days' in the Expiration action for prefix '{prefix}' must be greater than 'Days' in the Transition action"
        )));
    }
    Ok(())
}

fn is_midnight(date: &Timestamp) -> bool {
    instant(date).is_some_and(|date| date.as_nanosecond().rem_euclid(DAY) == 0)
}
