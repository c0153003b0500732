//! Notification configurations of buckets: stored whole, checked, and returned. S3 checks that it can
//! publish to each topic and queue, and sends each that is new a test event. The sandbox has no
//! functions: the ARN of any function in the bucket's Region is accepted.
//! Not for: which destinations want an event (see `world::buckets::notifications`).

use super::details::{Details, invalid_argument};
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::notifications::{
    EVENTS, NotificationTarget, TargetKind, covers, targets,
};
use crate::world::buckets::random_text;
use crate::world::clock::milliseconds;
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
    let old: Vec<String> = bucket.notifications.iter().flat_map(arns).collect();
    if input.skip_destination_validation != Some(true) {
        check_destinations(call, &input.bucket, &configuration)?;
    }
    give_ids(&mut configuration);
    let new = arns(&configuration).into_iter().filter(|arn| !old.contains(arn)).collect();
    call.find_mut(&input.bucket)?.notifications = Some(configuration);
    send_test_events(call, &input.bucket, new);
    Ok(nothing())
}

/// Returns the ARNs of the topics and queues of a configuration.
fn arns(configuration: &NotificationConfiguration) -> Vec<String> {
    let is_channel = |target: &NotificationTarget<'_>| target.kind != TargetKind::Function;
    targets(configuration).into_iter().filter(is_channel).map(|it| it.arn.to_owned()).collect()
}

/// Checks that S3 can publish to each topic and queue. The elements of the refusal are numbered (as
/// clients log them: aws/aws-cli#8162).
fn check_destinations(
    call: &S3Call<'_>,
    name: &str,
    configuration: &NotificationConfiguration,
) -> S3Result<()> {
    let bucket = call.visit(name)?;
    for arn in arns(configuration) {
        let Ok(parsed) = Arn::new(&*arn) else { continue };
        if let Err(problem) = call.state.may_publish((name, bucket), &parsed) {
            let text = "Unable to validate the following destination configurations";
            let error = s3_error!(InvalidArgument, "{text}");
            return Err(Details::on(error, [("ArgumentName1", arn), ("ArgumentValue1", problem)]));
        }
    }
    Ok(())
}

/// Sends a test event to each topic and queue (S3 User Guide, "Event message structure").
fn send_test_events(call: &mut S3Call<'_>, name: &str, mut arns: Vec<String>) {
    arns.sort();
    arns.dedup();
    let now = call.state.now();
    for arn in arns {
        let Some(channel) = call.state.messaging.0.get_mut(&arn) else { continue };
        let event = serde_json::json!({
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": milliseconds(now),
            "Bucket": name,
            "RequestId": random_text(16),
            "HostId": random_text(76),
        });
        channel.push(event.to_string(), now);
    }
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
