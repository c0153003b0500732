//! What is said of a topic or queue that S3 or CloudWatch can't publish to, and of notifications that
//! exclude those of a pair.
//! Not for: what is written (see `tests/alerts.rs`).

use super::blotted;
use crate::alarms::{ON, TOPIC};
use crate::alerts::{MANIFEST, QUEUE, publishes, put_queue, their_notification};
use crate::common::{Output, SOURCE, Stand, new_topic};
use std::fmt::Write;

const APPLY: [&str; 5] = ["apply", "--yes", "--no-probe", "-o", "json"];

#[test]
fn a_queue_that_s3_cannot_publish_to_is_refused_before_anything_is_made() {
    let stand = Stand::new();
    let apply = || stand.manifest(&APPLY, MANIFEST);
    let _ = apply().exits(3).told("alert-target-missing");
    put_queue(&stand, &[("Policy", "")]);
    let _ = apply().exits(5).told("alert-target-denies");
    put_queue(&stand, &[("Policy", &publishes("another-bucket"))]);
    let _ = apply().exits(5);
    put_queue(&stand, &[("Policy", &publishes(SOURCE)), ("KmsMasterKeyId", "alias/aws/sqs")]);
    let _ = apply().exits(3).told("alert-target-key");
    let key = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata.unwrap().arn.unwrap()
    });
    put_queue(&stand, &[("KmsMasterKeyId", &key)]);
    let _ = apply().exits(5).told("alert-key-denies");
    assert!(stand.leftovers().iter().all(|it| !it.contains(":s3:")), "{:?}", stand.leftovers());
}

#[test]
fn a_notification_that_overlaps_is_named() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    stand.bucket_of_its_owner("us-east-1", SOURCE, false);
    their_notification(&stand, "s3:Replication:*");
    let adopting = MANIFEST.replace("us-east-1}", "us-east-1, adopt: true}");
    let _ = stand.manifest(&APPLY, &adopting).exits(10).told("notification-overlaps");
}

/// Returns the checks that failed or are unknown and whose names begin with `prefix`.
fn failed(output: &Output, prefix: &str) -> String {
    let object = output.json();
    let mut text = String::new();
    for check in object["checks"].as_array().unwrap() {
        if check["name"].as_str().unwrap().starts_with(prefix)
            && (check["result"] == "fail" || check["result"] == "unknown")
        {
            let word = |name: &str| check[name].as_str().unwrap_or_default();
            let (name, place) = (word("name"), word("region"));
            let _ = writeln!(text, "{name} in {place}: {}; {}", word("detail"), word("remedy"));
        }
    }
    text
}

#[test]
fn every_check_of_alerts_fails_where_its_thing_is_broken() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    let _ = stand.in_process_with(&APPLY, MANIFEST).exits(0);
    let check = || stand.in_process_with(&["check", "-o", "json"], MANIFEST);
    assert_eq!(failed(&check(), "alerts."), "");
    stand.s3("us-east-1", async |s3| {
        let none = aws_sdk_s3::types::NotificationConfiguration::builder().build();
        let put = s3.put_bucket_notification_configuration().bucket(SOURCE);
        put.notification_configuration(none).send().await.unwrap();
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let mut live = live.replication_configuration.unwrap();
        for rule in &mut live.rules {
            rule.destination.as_mut().unwrap().metrics = None;
        }
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(live).send().await.unwrap();
    });
    put_queue(&stand, &[("Policy", "")]);
    let mut text = failed(&check(), "alerts.");
    stand.faults(&["sqs:GetQueueUrl:error=AccessDeniedException"]);
    text += &failed(&check(), "alerts.");
    assert!(!text.contains(QUEUE) || text.contains("alerts.policy"));
    blotted().bind(|| insta::assert_snapshot!("told-checks-alerts", text));
}

/// What `plan` warns of and `check` says of the topic of alarms, in each state of the topic.
#[test]
fn a_topic_that_cloudwatch_cannot_publish_to_is_told() {
    let stand = Stand::new();
    let arn = crrctl::names::Arn::new(TOPIC).unwrap();
    let set =
        |name: &str, value: &str| stand.sandbox().put_channel(&arn, &[(name, value)]).unwrap();
    let key = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata.unwrap().arn.unwrap()
    });
    let mut text = String::new();
    let mut told = |what: &str| {
        let plan = stand.in_process_with(&["plan", "-o", "json"], ON).exits(0).json();
        let warnings = plan["warnings"].as_array().unwrap().iter();
        let warned: Vec<_> = warnings.filter(|it| it.to_string().contains("alarm")).collect();
        let check = stand.in_process_with(&["check", "--before-apply", "-o", "json"], ON);
        let checked = failed(&check, "alarm.").replace(&key, "KEY");
        let is_unread = what == "may not be read";
        assert_eq!(
            check.code,
            if is_unread || checked.is_empty() { 0 } else { 2 },
            "{what}: {check}"
        );
        let warned: Vec<_> =
            warned.iter().map(|it| it.as_str().unwrap().replace(&key, "KEY")).collect();
        let _ = writeln!(text, "{what}\nplan: {}\n{checked}", warned.join("; "));
    };
    told("missing");
    new_topic(stand.sandbox(), TOPIC);
    told("new");
    set("KmsMasterKeyId", "alias/aws/sns");
    told("under the key that AWS manages");
    set("KmsMasterKeyId", &key);
    told("under a key of its own");
    set("KmsMasterKeyId", "");
    set(
        "Policy",
        &publishes(SOURCE).replace("sqs:SendMessage", "sns:Publish").replace(QUEUE, TOPIC),
    );
    told("for S3 alone");
    stand.faults(&["sns:GetTopicAttributes:error=AuthorizationError"]);
    told("may not be read");
    blotted().bind(|| insta::assert_snapshot!("told-checks-alarm-topic", text));
}
