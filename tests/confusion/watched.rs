//! Every way in which somebody breaks what tells of failed replication: the notification, the alarm,
//! their targets, the policies of these and their keys. `check` names each first; `apply` mends what
//! the pair owns, and leaves what it does not.
//! Not for: what keeps an object from being replicated (see `ways`).

use super::named;
use crate::alarms::{TOPIC, aws};
use crate::alerts::{CALLED, QUEUE, put_targets};
use crate::common::{SOURCE, Stand};
use aws_sdk_s3::types as t;
use crrctl::names::{Arn, Region};
use crrctl::world::AlarmSays;
use serde_json::Value;

/// Who mends what is broken.
#[derive(Clone, Copy, PartialEq)]
enum Mender {
    /// `apply`: it is the pair's own.
    Apply,
    /// The owner of the topic, the queue or the key. `apply` changes nothing of it.
    Owner,
}
use Mender::{Apply, Owner};

/// A way: what is broken, the check that names it first, a word of what it says, and who mends it.
type Way = (&'static str, &'static [&'static str], &'static str, Mender, fn(&Stand));

const WAYS: &[Way] = &[
    ("no entry", &["alerts.entry"], "has no notification", Apply, |stand| {
        put_entry(stand, |_| None);
    }),
    ("the entry has a filter", &["alerts.entry"], "differs in filter", Apply, |stand| {
        put_entry(stand, |it| {
            let prefix = t::FilterRule::builder().name(t::FilterRuleName::Prefix).value("in/");
            let key = t::S3KeyFilter::builder().filter_rules(prefix.build()).build();
            Some(it.filter(t::NotificationConfigurationFilter::builder().key(key).build()))
        });
    }),
    (
        "the entry has another event",
        &["alerts.entry"],
        "OperationMissedThreshold",
        Apply,
        |stand| {
            put_entry(stand, |it| {
                let missed = t::Event::from("s3:Replication:OperationMissedThreshold");
                Some(it.set_events(Some(vec![missed])))
            });
        },
    ),
    ("the entry has another target", &["alerts.entry"], "other", Apply, |stand| {
        let other = format!("{QUEUE}-other");
        let policy = crate::alerts::publishes(SOURCE).replace(QUEUE, &other);
        put_channel(stand, &other, "Policy", &policy);
        put_entry(stand, |it| Some(it.queue_arn(&other)));
    }),
    (
        "the rule has no metrics",
        &["replication.rules", "alerts.metrics"],
        "metrics",
        Apply,
        |stand| {
            stand.s3("us-east-1", async |s3| {
                let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
                let mut live = live.replication_configuration.unwrap();
                live.rules[0].destination.as_mut().unwrap().metrics = None;
                let put = s3.put_bucket_replication().bucket(SOURCE);
                put.replication_configuration(live).send().await.unwrap();
            });
        },
    ),
    ("no queue", &["alerts.target"], "there is no queue", Owner, |stand| remove(stand, QUEUE)),
    ("the queue has no policy", &["alerts.policy"], "s3.amazonaws.com", Owner, |stand| {
        put_channel(stand, QUEUE, "Policy", "");
    }),
    ("the queue's policy is for another bucket", &["alerts.policy"], SOURCE, Owner, |stand| {
        put_channel(stand, QUEUE, "Policy", &crate::alerts::publishes("another"));
    }),
    ("the queue is under AWS's key", &["alerts.policy"], "alias/aws/sqs", Owner, |stand| {
        put_channel(stand, QUEUE, "KmsMasterKeyId", "alias/aws/sqs");
    }),
    (
        "the queue is under a key that is not for S3",
        &["alerts.policy"],
        "kms:GenerateDataKey",
        Owner,
        |stand| {
            put_channel(stand, QUEUE, "KmsMasterKeyId", &a_key(stand));
        },
    ),
    ("no alarm", &["alarm.exists"], "is missing", Apply, |stand| {
        let region = Region::new("us-east-1").unwrap();
        stand.wait(async { aws(stand).await.delete_alarm(&region, ALARM).await.unwrap() });
    }),
    ("the alarm takes no actions", &["alarm.exists"], "actions enabled", Apply, |stand| {
        put_alarm(stand, |it| it.actions_enabled = false);
    }),
    ("the alarm has another threshold", &["alarm.exists"], "threshold", Apply, |stand| {
        put_alarm(stand, |it| it.threshold = 10.0);
    }),
    ("the alarm compares otherwise", &["alarm.exists"], "comparison", Apply, |stand| {
        put_alarm(stand, |it| "LessThanThreshold".clone_into(&mut it.comparison));
    }),
    ("the alarm is raised by missing data", &["alarm.exists"], "missing data", Apply, |stand| {
        put_alarm(stand, |it| "breaching".clone_into(&mut it.missing_data));
    }),
    ("the alarm has another period", &["alarm.exists"], "period", Apply, |stand| {
        put_alarm(stand, |it| it.period = 60);
    }),
    ("the alarm watches another metric", &["alarm.exists"], "metric", Apply, |stand| {
        put_alarm(stand, |it| "4xxErrors".clone_into(&mut it.metric));
    }),
    ("the alarm watches another rule", &["alarm.exists"], "metric", Apply, |stand| {
        put_alarm(stand, |it| drop(it.dimensions.insert("RuleId".to_owned(), "theirs".to_owned())));
    }),
    ("the alarm notifies another topic", &["alarm.exists"], "actions", Apply, |stand| {
        put_alarm(stand, |it| it.alarm_actions = vec![format!("{TOPIC}-other")]);
    }),
    ("the alarm notifies nobody", &["alarm.exists"], "actions", Apply, |stand| {
        put_alarm(stand, |it| it.alarm_actions.clear());
    }),
    ("no topic", &["alarm.topic"], "there is no topic", Owner, |stand| remove(stand, TOPIC)),
    ("the topic has no policy", &["alarm.policy"], "cloudwatch.amazonaws.com", Owner, |stand| {
        put_channel(stand, TOPIC, "Policy", "");
    }),
    ("the topic's policy is for S3", &["alarm.policy"], "alarm:crrctl.demo.*", Owner, |stand| {
        let policy = crate::alerts::publishes(SOURCE).replace("sqs:SendMessage", "sns:Publish");
        put_channel(stand, TOPIC, "Policy", &policy.replace(QUEUE, TOPIC));
    }),
    ("the topic is under AWS's key", &["alarm.policy"], "alias/aws/sns", Owner, |stand| {
        put_channel(stand, TOPIC, "KmsMasterKeyId", "alias/aws/sns");
    }),
    (
        "the topic is under a key that is not for CloudWatch",
        &["alarm.policy"],
        "kms:GenerateDataKey*",
        Owner,
        |stand| {
            put_channel(stand, TOPIC, "KmsMasterKeyId", &a_key(stand));
        },
    ),
];

const ALARM: &str = "crrctl.demo.us-west-2";

fn put_channel(stand: &Stand, arn: &str, name: &str, value: &str) {
    stand.sandbox().put_channel(&Arn::new(arn).unwrap(), &[(name, value)]).unwrap();
}

fn remove(stand: &Stand, arn: &str) {
    stand.sandbox().remove_channel(&Arn::new(arn).unwrap());
}

/// Makes a key with the default key policy.
fn a_key(stand: &Stand) -> String {
    stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata.unwrap().arn.unwrap()
    })
}

/// Writes the pair's entry as `change` makes it, or leaves it out.
fn put_entry(
    stand: &Stand,
    change: impl Fn(
        t::builders::QueueConfigurationBuilder,
    ) -> Option<t::builders::QueueConfigurationBuilder>,
) {
    let failed = t::Event::from("s3:Replication:OperationFailedReplication");
    let entry = t::QueueConfiguration::builder().id("crrctl.demo").queue_arn(QUEUE).events(failed);
    let entry = change(entry).map(|it| vec![it.build().unwrap()]);
    let all = t::NotificationConfiguration::builder().set_queue_configurations(entry).build();
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_bucket_notification_configuration().bucket(SOURCE);
        put.notification_configuration(all).send().await.unwrap();
    });
}

fn put_alarm(stand: &Stand, change: impl Fn(&mut AlarmSays)) {
    let region = Region::new("us-east-1").unwrap();
    stand.wait(async {
        let aws = aws(stand).await;
        let mut alarm = aws.alarms(&region, ALARM).await.unwrap().remove(0);
        change(&mut alarm.says);
        aws.put_alarm(&region, &alarm.name, &alarm.says, &alarm.tags).await.unwrap();
    });
}

/// Returns whether an apply wrote anything.
fn changed(applied: &Value) -> bool {
    applied["changed"].as_bool().unwrap()
}

/// Returns why `way` was not named or not mended.
fn miss(stand: &Stand, (what, checks, word, mender, breaks): &Way) -> Option<String> {
    breaks(stand);
    let check = || stand.in_process_with(&["check", "-o", "json"], CALLED);
    let broken = check();
    let report = broken.json();
    let Some(first) = named(&report, &[]) else { return Some(format!("{what}: nothing is named")) };
    println!("{what:<52} {:<14} {}", first.check, first.says);
    if broken.code != 2 || !checks.contains(&first.check.as_str()) || !first.says.contains(word) {
        return Some(format!(
            "{what}: {} is not {checks:?} of {word:?}: {}",
            first.check, first.says
        ));
    }
    let apply = ["apply", "--yes", "--no-probe", "-o", "json"];
    let applied = stand.in_process_with(&apply, CALLED).exits(0).json();
    if changed(&applied) != (*mender == Apply) {
        return Some(format!("{what}: apply changed {}: {applied}", applied["changed"]));
    }
    if *mender == Owner {
        let still = named(&check().json(), &[]);
        if still.is_none_or(|still| still.check != first.check) {
            return Some(format!("{what}: apply hid it"));
        }
        for arn in [TOPIC, QUEUE] {
            remove(stand, arn);
        }
        put_targets(stand.sandbox());
    }
    let after = check();
    (after.code != 0).then(|| format!("{what}: not mended: {after}"))
}

#[test]
fn what_tells_of_failed_replication_is_named_and_mended() {
    let stand = Stand::new();
    put_targets(stand.sandbox());
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], CALLED).exits(0);
    let misses: Vec<String> = WAYS.iter().filter_map(|way| miss(&stand, way)).collect();
    assert!(misses.is_empty(), "{} of {}: {}", misses.len(), WAYS.len(), misses.join("\n"));
}
