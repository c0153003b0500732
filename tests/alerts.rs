//! `replication.alerts`: the notification is written beside those of others, failures reach the queue,
//! and all of it goes again.
//! Not for: what is refused, and how it is said (see `told::alerts`).

use crate::common::{SOURCE, Stand, new_topic};
use aws_sdk_s3::types as t;
use crrctl_sandbox::Sandbox;
use serde_json::{Value, json};

pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:alerts";
pub(crate) const MANIFEST: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}]\n\
    replication: {activation: direct, alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}}\n";
/// A pair with the notification and the alarm.
pub(crate) const CALLED: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}]\n\
    replication: {activation: direct, alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}, \
    alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";
const FAILED: &str = "s3:Replication:OperationFailedReplication";

/// Returns the policy of a queue that S3 may send the events of `bucket` to.
pub(crate) fn publishes(bucket: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {
            "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{bucket}")},
            "StringEquals": {"aws:SourceAccount": crrctl_sandbox::DEFAULT_ACCOUNT},
        },
    }]})
    .to_string()
}

/// Sets attributes of the queue, and makes it if it is not there.
pub(crate) fn put_queue(stand: &Stand, attributes: &[(&str, &str)]) {
    let arn = crrctl::names::Arn::new(QUEUE).unwrap();
    stand.sandbox().put_channel(&arn, attributes).unwrap();
}

/// Makes the queue and the topic of [`CALLED`], which let S3 and CloudWatch publish.
pub(crate) fn put_targets(sandbox: &Sandbox) {
    let queue = crrctl::names::Arn::new(QUEUE).unwrap();
    sandbox.put_channel(&queue, &[("Policy", &publishes(SOURCE))]).unwrap();
    new_topic(sandbox, crate::alarms::TOPIC);
}

/// Somebody else has a notification of `event` on the source, and one to `EventBridge`.
pub(crate) fn their_notification(stand: &Stand, event: &str) {
    stand.s3("us-east-1", async |s3| {
        let rule = t::FilterRule::builder().name(t::FilterRuleName::Prefix).value("in/").build();
        let key = t::S3KeyFilter::builder().filter_rules(rule).build();
        let filter = t::NotificationConfigurationFilter::builder().key(key).build();
        let entry = t::QueueConfiguration::builder().id("theirs").queue_arn(QUEUE);
        let entry = entry.events(t::Event::from(event)).filter(filter).build().unwrap();
        let bridge = t::EventBridgeConfiguration::builder().build();
        let all = t::NotificationConfiguration::builder().queue_configurations(entry);
        let put = s3.put_bucket_notification_configuration().bucket(SOURCE);
        let all = all.event_bridge_configuration(bridge).build();
        put.notification_configuration(all).send().await.unwrap();
    });
}

/// Returns the notification configuration of the source, without the pair's entry, and that entry.
fn notifications(stand: &Stand) -> (String, Option<t::QueueConfiguration>) {
    stand.s3("us-east-1", async |s3| {
        let get = s3.get_bucket_notification_configuration().bucket(SOURCE);
        let mut live = get.send().await.unwrap();
        let bridge = live.event_bridge_configuration().is_some();
        let entries = live.queue_configurations.get_or_insert_default();
        let at = entries.iter().position(|it| it.id() == Some("crrctl.demo"));
        let ours = at.map(|at| entries.remove(at));
        (format!("{entries:?} {bridge}"), ours)
    })
}

fn apply(stand: &Stand, manifest: &str) -> Value {
    let args = ["apply", "--yes", "--no-probe", "-o", "json"];
    stand.in_process_with(&args, manifest).exits(0).json()
}

fn messages(stand: &Stand) -> Vec<Value> {
    stand.control("GET", "messages", "").as_array().unwrap().clone()
}

#[test]
fn a_failure_reaches_the_queue_and_all_goes_again() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    let before = stand.leftovers();
    apply(&stand, MANIFEST);
    let (_, ours) = notifications(&stand);
    let ours = ours.unwrap();
    assert_eq!((ours.queue_arn(), ours.events()), (QUEUE, &[t::Event::from(FAILED)][..]));
    assert_eq!(messages(&stand)[0]["body"]["Event"], "s3:TestEvent");
    let plan = stand.in_process_with(&["plan", "-o", "json"], MANIFEST).exits(0).json();
    let changes = plan["changes"].as_array().unwrap();
    assert!(changes.iter().all(|it| it["action"] == "none"), "{plan}");
    stand.iam(async |iam| {
        let delete = iam.delete_role_policy().role_name("crrctl-demo-us-east-1");
        delete.policy_name("replication").send().await.unwrap();
    });
    stand.put_theirs("theirs");
    stand.settled(1);
    let event = &messages(&stand)[1]["body"]["Records"][0];
    assert_eq!(event["eventName"], FAILED);
    assert_eq!(event["s3"]["configurationId"], "crrctl.demo");
    assert_eq!(event["s3"]["object"]["key"], "theirs");
    assert_eq!(event["replicationEventData"]["replicationRuleId"], "crrctl.demo.us-west-2");
    let destroy = ["destroy", "--yes", "--purge-data", "--purge-keys", "-o", "json"];
    let _ = stand.in_process_with(&destroy, MANIFEST).exits(0);
    assert_eq!(stand.leftovers(), before);
}

#[test]
fn notifications_of_others_stay_as_they_are() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    stand.bucket_of_its_owner("us-east-1", SOURCE, false);
    their_notification(&stand, "s3:ObjectRemoved:*");
    let (theirs, none) = notifications(&stand);
    assert!(none.is_none() && theirs.contains("in/"), "{theirs}");
    let adopting = MANIFEST.replace("us-east-1}", "us-east-1, adopt: true}");
    let without =
        adopting.replace(", alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}", "");
    assert_ne!(without, adopting);
    for manifest in [&adopting, &without, &adopting] {
        apply(&stand, manifest);
        let (others, ours) = notifications(&stand);
        assert_eq!((others, ours.is_some()), (theirs.clone(), manifest == &adopting));
    }
    // A changed entry is put right.
    let wanted = notifications(&stand).1;
    their_notification(&stand, "s3:ObjectRemoved:*");
    apply(&stand, &adopting);
    assert_eq!(notifications(&stand).1, wanted);
}

#[test]
fn a_target_that_is_refused_at_first_is_tried_again() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    let fault = "s3:PutBucketNotificationConfiguration:error=OperationAborted:times=1";
    stand.faults(&[fault]);
    apply(&stand, MANIFEST);
    assert!(notifications(&stand).1.is_some());
}

#[test]
fn exports_have_the_whole_configuration() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    apply(&stand, MANIFEST);
    let export = |format: &str| {
        let file = stand.in_process_with(&["export", format, "-o", "json"], MANIFEST).exits(0);
        file.json().to_string()
    };
    let text = export("terraform");
    assert!(text.contains("aws_s3_bucket_notification") && text.contains("queue_arn"), "{text}");
    let text = export("cloudformation");
    assert!(text.contains("QueueConfigurations") && text.contains(FAILED), "{text}");
    let imported = stand.run(&["import", SOURCE, "-o", "json"]).exits(0);
    assert!(imported.stdout.contains(QUEUE), "{imported}");
}

/// A mend is offered only where crrctl would do it: `apply` refuses an entry beside one that covers its events.
#[test]
fn check_does_not_offer_what_apply_refuses() {
    let stand = Stand::new();
    put_queue(&stand, &[("Policy", &publishes(SOURCE))]);
    apply(&stand, MANIFEST);
    their_notification(&stand, "s3:Replication:*");
    let _ = stand.in_process_with(&["plan"], MANIFEST).exits(10);
    let checked = stand.in_process_with(&["check"], MANIFEST).exits(2).json();
    let checks = checked["checks"].as_array().unwrap();
    let entry = checks.iter().find(|it| it["name"] == "alerts.entry").unwrap();
    let remedy = entry["remedy"].as_str().unwrap();
    assert!(remedy.contains("`theirs`") && remedy.contains("take s3:Replication"), "{entry}");
    assert!(!remedy.contains("crrctl apply"), "{entry}");
}
