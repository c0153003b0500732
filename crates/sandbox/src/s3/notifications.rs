//! Notification configurations of buckets: stored whole, checked, and returned. The sandbox has no
//! topics, queues or functions, so it can't verify that a destination exists: any ARN of the right
//! service in the bucket's Region is accepted, as with `x-amz-skip-destination-validation`.
//! Not for: which destinations want an event (see `world::buckets::notifications`).

use super::details::invalid_argument;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::notifications::{
    EVENTS, NotificationTarget, TargetKind, covers, targets,
};
use crate::world::buckets::random_text;
use crrctl_iam::names::{Arn, Region};
use s3s::dto::{
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    NotificationConfiguration, PutBucketNotificationConfigurationInput,
    PutBucketNotificationConfigurationOutput,
};
use s3s::{S3Result, s3_error};

/// The maximum size of a filter value, in bytes, and the maximum number of configurations (S3 User
/// Guide, "Configuring event notifications using object key name filtering", API Reference,
/// `PutBucketNotificationConfiguration`).
const MAX_FILTER: usize = 1024;
const MAX_CONFIGURATIONS: usize = 100;

/// S3 API Reference, `GetBucketNotificationConfiguration`: empty for a bucket without one.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketNotificationConfigurationInput,
) -> S3Result<GetBucketNotificationConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketNotification")?;
    let NotificationConfiguration {
        event_bridge_configuration,
        lambda_function_configurations,
        queue_configurations,
        topic_configurations,
    } = bucket.notifications.clone().unwrap_or_default();
    Ok(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration,
        lambda_function_configurations,
        queue_configurations,
        topic_configurations,
    })
}

/// S3 API Reference, `PutBucketNotificationConfiguration`: replaces the whole configuration; an
/// empty one turns notifications off.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketNotificationConfigurationInput,
) -> S3Result<PutBucketNotificationConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutBucketNotification")?;
    let mut configuration = input.notification_configuration;
    check(&configuration, &bucket.region)?;
    give_ids(&mut configuration);
    bucket.notifications = Some(configuration);
    Ok(nothing())
}

/// Gives each configuration without an id a unique one, as S3 does.
fn give_ids(configuration: &mut NotificationConfiguration) {
    let new = || random_text(48);
    for one in configuration.topic_configurations.iter_mut().flatten() {
        one.id.get_or_insert_with(new);
    }
    for one in configuration.queue_configurations.iter_mut().flatten() {
        one.id.get_or_insert_with(new);
    }
    for one in configuration.lambda_function_configurations.iter_mut().flatten() {
        one.id.get_or_insert_with(new);
    }
}

fn check(configuration: &NotificationConfiguration, region: &Region) -> S3Result<()> {
    let all = targets(configuration);
    if all.len() > MAX_CONFIGURATIONS {
        let text = "The number of notification configurations exceeds the maximum of 100";
        return Err(s3_error!(InvalidArgument, "{text}"));
    }
    for target in &all {
        check_events(target)?;
        check_filter(target)?;
        check_arn(target, region)?;
    }
    for (at, one) in all.iter().enumerate() {
        if all[..at].iter().any(|other| one.id.is_some() && one.id == other.id) {
            let text = "Same ID used for multiple configurations. IDs must be unique";
            return Err(s3_error!(InvalidArgument, "{text}"));
        }
        if all[..at].iter().any(|other| overlap(one, other)) {
            return Err(s3_error!(
                InvalidArgument,
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping \
                 for the same event type."
            ));
        }
    }
    Ok(())
}

/// Checks the events of one configuration. Each is one of [`EVENTS`] and named once, so that few
/// remain to be compared. S3 was seen to refuse an event that it is given twice with this message
/// (minio/minio#2472).
fn check_events(target: &NotificationTarget<'_>) -> S3Result<()> {
    if target.events.is_empty() {
        return Err(s3_error!(MalformedXML));
    }
    for (at, event) in target.events.iter().enumerate() {
        if !EVENTS.contains(event) {
            let text = "The event is not supported for notifications";
            return Err(invalid_argument("Event", event, text));
        }
        if target.events[..at].contains(event) {
            let text = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
            return Err(invalid_argument("Event", &format!("{event}, {event}"), text));
        }
    }
    Ok(())
}

fn check_filter(target: &NotificationTarget<'_>) -> S3Result<()> {
    let rules = target.filter.and_then(|filter| filter.key.as_ref()?.filter_rules.as_deref());
    let mut seen: Vec<String> = Vec::new();
    for rule in rules.unwrap_or_default() {
        let name = rule.name.as_ref().map_or("", |name| name.as_str());
        let kind = name.to_lowercase();
        if !["prefix", "suffix"].contains(&&*kind) {
            let text = "filter rule name must be either prefix or suffix";
            return Err(invalid_argument("FilterRule.Name", name, text));
        }
        let value = rule.value.as_deref().unwrap_or_default();
        if value.len() > MAX_FILTER {
            let text = "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation";
            return Err(invalid_argument("FilterRule.Value", value, text));
        }
        if seen.contains(&kind) {
            let text = format!("Cannot specify more than one {kind} rule in a filter.");
            return Err(invalid_argument("FilterRule.Name", name, text));
        }
        seen.push(kind);
    }
    Ok(())
}

fn check_arn(target: &NotificationTarget<'_>, region: &Region) -> S3Result<()> {
    let (service, argument) = match target.kind {
        TargetKind::Topic => ("sns", "Topic"),
        TargetKind::Queue => ("sqs", "Queue"),
        TargetKind::Function => ("lambda", "CloudFunction"),
    };
    let parsed = Arn::new(target.arn).ok().filter(|arn| arn.service() == service);
    let Some(parsed) = parsed else {
        return Err(invalid_argument(argument, target.arn, "The ARN is not well formed"));
    };
    if parsed.region() != region.as_str() {
        let text = "The notification destination service region is not valid for the bucket location constraint";
        return Err(invalid_argument(argument, target.arn, text));
    }
    Ok(())
}

/// Returns whether an object could be covered by both configurations for the same event.
fn overlap(one: &NotificationTarget<'_>, other: &NotificationTarget<'_>) -> bool {
    let same_event =
        || one.events.iter().any(|a| other.events.iter().any(|b| covers(a, b) || covers(b, a)));
    let within = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let ends = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
    within(one.filter("prefix"), other.filter("prefix"))
        && ends(one.filter("suffix"), other.filter("suffix"))
        && same_event()
}
