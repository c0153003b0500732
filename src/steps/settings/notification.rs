//! The pair's entry in the notification configuration of a bucket. S3 keeps one configuration of a
//! bucket and takes no condition on its writes, so it is read before and after each write, and the
//! entries of others go back as they came.
//! Not for: which entry the pair requires (see `plan::alerts`).

use crate::aws::settle::{Look, Wait};
use crate::aws::{At, Aws, Error};
use crate::failure::{Failure, Kind};
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{NotificationDiffers, SharedDocument};
use crate::plan::{Action, alerts};
use crate::settings::{Notification, Notifications, TargetKind};
use crate::steps::{Run, built, known_arn, nothing_to_do};
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    Event, NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration,
    S3KeyFilter, TopicConfiguration,
};
use std::time::Duration;

/// Returns the entries, reduced to what crrctl compares and exports.
pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Notifications, Error> {
    Ok(described(&read(aws, bucket, region).await?))
}

async fn read(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<NotificationConfiguration, Error> {
    let request = aws.s3(region).get_bucket_notification_configuration().bucket(bucket.as_str());
    let output = request.send().await.at("s3:GetBucketNotificationConfiguration", region)?;
    let GetBucketNotificationConfigurationOutput {
        topic_configurations,
        queue_configurations,
        lambda_function_configurations,
        event_bridge_configuration,
        ..
    } = output;
    Ok(NotificationConfiguration::builder()
        .set_topic_configurations(topic_configurations)
        .set_queue_configurations(queue_configurations)
        .set_lambda_function_configurations(lambda_function_configurations)
        .set_event_bridge_configuration(event_bridge_configuration)
        .build())
}

fn described(live: &NotificationConfiguration) -> Notifications {
    let topics = live
        .topic_configurations()
        .iter()
        .map(|it| entry(it.id(), it.topic_arn(), it.events(), it.filter()));
    let queues = live
        .queue_configurations()
        .iter()
        .map(|it| entry(it.id(), it.queue_arn(), it.events(), it.filter()));
    let functions = live
        .lambda_function_configurations()
        .iter()
        .map(|it| entry(it.id(), it.lambda_function_arn(), it.events(), it.filter()));
    Notifications {
        entries: topics.chain(queues).chain(functions).collect(),
        event_bridge: live.event_bridge_configuration().is_some(),
    }
}

/// Returns the entries in the order of their ids.
fn in_order(live: &NotificationConfiguration) -> Notifications {
    let mut live = described(live);
    live.entries.iter_mut().for_each(|entry| entry.events.sort());
    live.entries.sort_by(|a, b| a.id.cmp(&b.id));
    live
}

fn entry(
    id: Option<&str>,
    target: &str,
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
) -> Notification {
    let rules = filter.and_then(|it| it.key()).map(S3KeyFilter::filter_rules).unwrap_or_default();
    let value = |wanted: &str| {
        let is_it = |name: &str| name.eq_ignore_ascii_case(wanted);
        let rule = rules.iter().find(|rule| rule.name().is_some_and(|name| is_it(name.as_str())));
        rule.and_then(|rule| rule.value()).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Notification {
        id: id.unwrap_or_default().to_owned(),
        target: target.to_owned(),
        events: events.iter().map(|event| event.as_str().to_owned()).collect(),
        prefix: value("prefix"),
        suffix: value("suffix"),
    }
}

pub(in crate::steps) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &SharedDocument<Notification, NotificationDiffers>,
) -> Result<Arn, Failure> {
    let wanted = match work {
        SharedDocument::Create(entry) => Some(entry),
        SharedDocument::Update(differs) => differs.to.as_ref(),
        SharedDocument::Remove => None,
        SharedDocument::Unchanged => return Err(nothing_to_do(action)),
    };
    let bucket = BucketName::new(&action.name)?;
    put(run, &bucket, &action.region, wanted).await?;
    if *work == SharedDocument::Remove {
        return known_arn(action);
    }
    Ok(run.scope.bucket_arn(&bucket))
}

/// Returns whether the entry `id` is as it is wanted, or is not there where none is wanted.
fn has(found: &Notifications, id: &str, wanted: Option<&Notification>) -> bool {
    let live = found.entries.iter().find(|entry| entry.id == id);
    match (live, wanted) {
        (None, None) => true,
        (Some(live), Some(wanted)) => live.is_same(wanted),
        _ => false,
    }
}

/// Returns a configuration without the pair's entry.
fn others(mut live: NotificationConfiguration, id: &str) -> NotificationConfiguration {
    let is_other = |other: Option<&str>| other != Some(id);
    if let Some(list) = &mut live.topic_configurations {
        list.retain(|it| is_other(it.id()));
    }
    if let Some(list) = &mut live.queue_configurations {
        list.retain(|it| is_other(it.id()));
    }
    live
}

/// Adds the pair's entry.
fn with(
    mut live: NotificationConfiguration,
    wanted: &Notification,
) -> Result<NotificationConfiguration, Failure> {
    let events = || wanted.events.iter().map(|event| Event::from(event.as_str())).collect();
    if wanted.kind() == TargetKind::Topic {
        let entry = TopicConfiguration::builder().id(&wanted.id).topic_arn(&wanted.target);
        let entry = built(entry.set_events(Some(events())).build())?;
        live.topic_configurations.get_or_insert_default().push(entry);
    } else {
        let entry = QueueConfiguration::builder().id(&wanted.id).queue_arn(&wanted.target);
        let entry = built(entry.set_events(Some(events())).build())?;
        live.queue_configurations.get_or_insert_default().push(entry);
    }
    Ok(live)
}

async fn put(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    wanted: Option<&Notification>,
) -> Result<(), Failure> {
    let id = Notification::own_id(&run.scope.topology.wanted.name);
    let before = read(&run.aws, bucket, region).await?;
    let found = described(&before);
    if has(&found, &id, wanted) {
        return Ok(());
    }
    let kept = others(before, &id);
    let written = match wanted {
        None => kept.clone(),
        Some(wanted) => {
            if let Some(other) = alerts::overlapping(wanted, &found) {
                let side = run.scope.side(bucket.as_str())?;
                return Err(alerts::refused(side, wanted, other));
            }
            with(kept.clone(), wanted)?
        }
    };
    let put = run.aws.s3(region).put_bucket_notification_configuration().bucket(bucket.as_str());
    let put = put.notification_configuration(written);
    let send =
        || async { put.clone().send().await.at("s3:PutBucketNotificationConfiguration", region) };
    run.retry(send).await.map_err(|failure| explained(failure, wanted))?;
    confirm(run, (bucket, region), (&id, wanted), &kept).await
}

/// Says what S3 does not: which of the target, its policy and its key to look at.
fn explained(failure: Failure, wanted: Option<&Notification>) -> Failure {
    let is_refused = failure.aws_code.as_deref() == Some("InvalidArgument");
    let Some(wanted) = wanted.filter(|_| is_refused) else {
        return failure;
    };
    failure.hint(format!(
        "S3 can't publish to {}: look whether it exists, whether its policy has the statement that `crrctl policy render alert-target` \
         prints, and whether the policy of its key has that of `crrctl policy render alert-key`",
        wanted.target
    ))
}

/// Reads the configuration until it is as it was written. Another writer may have overwritten it:
/// what is missing then is told, and never written over theirs.
async fn confirm(
    run: Run<'_>,
    (bucket, region): (&BucketName, &Region),
    (id, wanted): (&str, Option<&Notification>),
    kept: &NotificationConfiguration,
) -> Result<(), Failure> {
    let changed = "it is not as it was written: somebody else writes it too";
    let wait = Wait {
        what: format!("the notification configuration of `{bucket}`"),
        every: Duration::from_millis(250),
        at_most_every: Duration::from_secs(2),
        at_most: Duration::from_secs(20),
        in_a_row: 1,
        hint: "run the same command again: it reads the configuration first".to_owned(),
    };
    let look = || async {
        let live = read(&run.aws, bucket, region).await?;
        let is_ours = has(&described(&live), id, wanted);
        let is_as_written = is_ours && in_order(&others(live, id)) == in_order(kept);
        Ok(if is_as_written { Look::There(()) } else { Look::NotYet(changed.to_owned()) })
    };
    run.until(&wait, look).await.map_err(|failure| {
        if failure.kind != Kind::TooLate {
            return failure;
        }
        let message = format!("the notification configuration of `{bucket}` changed meanwhile");
        let meant = Failure::new(Kind::InTheWay, "changed-meanwhile", message);
        meant.in_region(region).hint("run the same command again: it reads the configuration first")
    })
}
