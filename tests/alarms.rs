//! `replication.alarm`: a CloudWatch alarm for each rule, from its manifest to its end.

use crate::common::{DESTINATION, SOURCE, Stand, finished, new_topic};
use crate::policies::user;
use crrctl::aws::{Aws, Connection, Credentials};
use crrctl::names::Region;
use crrctl::world::AlarmSays;
use crrctl_sandbox::{DEFAULT_ACCOUNT, SECRET};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alerts";
const TOPIC_BACK: &str = "arn:aws:sns:us-west-2:111122223333:alerts";
pub(crate) const BOTH_WAYS: &str = "name: demo\nsource: {region: us-east-1}\ndestinations:\n  - region: us-west-2\n    \
    back: {alarm: {sns: 'arn:aws:sns:us-west-2:111122223333:alerts'}}\nreplication: {two_way: true, alarm: \
    {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";
pub(crate) const ON: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    replication: {alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";
const OFF: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    replication: {metrics: true}\n";
const ARN: &str = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:crrctl.demo.us-west-2";

/// Returns a client of the sandbox.
pub(crate) async fn aws(stand: &Stand) -> Aws {
    aws_at(stand.endpoint()).await
}

/// Returns a client of the sandbox at `endpoint`.
pub(crate) async fn aws_at(endpoint: String) -> Aws {
    let connection = Connection {
        endpoint_url: Some(endpoint),
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        ..Connection::default()
    };
    Aws::new(&Region::new("us-east-1").unwrap(), connection).await
}

/// An alarm that somebody else may have.
pub(crate) fn says() -> AlarmSays {
    AlarmSays {
        description: "theirs".to_owned(),
        namespace: "AWS/S3".to_owned(),
        metric: "4xxErrors".to_owned(),
        dimensions: BTreeMap::new(),
        statistic: "Sum".to_owned(),
        period: 60,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        threshold: 1.5,
        comparison: "GreaterThanThreshold".to_owned(),
        missing_data: "missing".to_owned(),
        actions_enabled: true,
        alarm_actions: Vec::new(),
        ok_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
    }
}

fn built(manifest: &str) -> Stand {
    let stand = Stand::new();
    for topic in [TOPIC, TOPIC_BACK] {
        new_topic(stand.sandbox(), topic);
    }
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], manifest).exits(0);
    stand
}

fn alarms(stand: &Stand) -> Vec<String> {
    stand.leftovers().into_iter().filter(|arn| arn.contains(":cloudwatch:")).collect()
}

/// Returns what the plan changes.
fn changed(plan: &Value) -> Vec<&Value> {
    let changes = plan["changes"].as_array().unwrap();
    changes.iter().filter(|change| change["action"] != "none").collect()
}

/// Returns the only thing that the plan changes, which is an alarm.
fn change(plan: &Value) -> &Value {
    let changed = changed(plan);
    assert!(changed.len() == 1 && changed[0]["kind"] == "cloudwatch:alarm", "{changed:#?}");
    changed[0]
}

#[test]
fn a_failed_object_raises_the_alarm_and_the_pair_leaves_none_behind() {
    let stand = built(ON);
    let plan = stand.in_process_with(&["plan"], ON).exits(0).json();
    assert!(changed(&plan).is_empty(), "{plan}");
    let seen = stand.control("GET", "alarms", "");
    assert_eq!(
        (&seen["alarms"][0]["arn"], &seen["alarms"][0]["state"]),
        (&json!(ARN), &json!("OK"))
    );
    let _ = stand.in_process_with(&["check"], ON).exits(0);
    stand.disable_replica_key();
    stand.put_theirs("a");
    stand.settled(1);
    let seen = stand.control("GET", "alarms", "");
    assert_eq!(seen["actions"][0]["action"], TOPIC, "{seen}");
    let messages = stand.control("GET", "messages", "");
    assert_eq!(messages[0]["target"], TOPIC, "a new topic lets the alarms publish: {messages}");
    let dimensions = &seen["actions"][0]["message"]["Trigger"]["Dimensions"];
    for dimension in [
        json!({"name": "SourceBucket", "value": SOURCE}),
        json!({"name": "DestinationBucket", "value": DESTINATION}),
        json!({"name": "RuleId", "value": "crrctl.demo.us-west-2"}),
    ] {
        assert!(dimensions.as_array().unwrap().contains(&dimension), "{dimensions}");
    }
    let checked = stand.in_process_with(&["check"], ON).exits(2).json();
    let checks = checked["checks"].as_array().unwrap();
    let state = checks.iter().find(|check| check["name"] == "alarm.state").unwrap();
    assert_eq!(state["result"], "fail", "{state}");
    let listed = stand.in_process(&["list"]).exits(0).json();
    assert!(listed.to_string().contains(ARN), "{listed}");
    let destroy = ["destroy", "--yes", "--purge-data", "-q"];
    let _ = stand.in_process_with(&destroy, ON).exits(0);
    assert_eq!(stand.leftovers(), [TOPIC, TOPIC_BACK]);
}

#[test]
fn what_somebody_changed_is_put_back_and_what_is_dropped_goes_with_prune() {
    let stand = built(ON);
    stand.wait(async {
        let (aws, region) = (aws(&stand).await, Region::new("us-east-1").unwrap());
        let alarm = aws.alarms(&region, "crrctl.").await.unwrap().remove(0);
        let changed = AlarmSays { threshold: 5.0, actions_enabled: false, ..alarm.says };
        aws.put_alarm(&region, &alarm.name, &changed, &alarm.tags).await.unwrap();
    });
    let plan = stand.in_process_with(&["plan"], ON).exits(0).json();
    let update = change(&plan);
    assert_eq!(update["reason"], "differs in threshold, actions enabled", "{update}");
    let detail = &update["detail"][0];
    assert_eq!((&detail["what"], &detail["from"]["threshold"]), (&json!("alarm"), &json!(5.0)));
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], ON).exits(0);
    let plan = stand.in_process_with(&["plan"], ON).exits(0).json();
    assert!(changed(&plan).is_empty(), "{plan}");
    // The manifest names no alarm any more.
    let plan = stand.in_process_with(&["plan"], OFF).exits(0).json();
    assert_eq!(change(&plan)["action"], "orphan");
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], OFF).exits(0);
    assert_eq!(alarms(&stand), [ARN]);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "--prune", "-q"], OFF).exits(0);
    assert_eq!(alarms(&stand), [""; 0]);
}

#[test]
fn each_way_of_a_pair_has_alarms_in_its_own_region() {
    let stand = built(BOTH_WAYS);
    let back = "arn:aws:cloudwatch:us-west-2:111122223333:alarm:crrctl.demo.us-east-1";
    assert_eq!(alarms(&stand), [ARN, back]);
    let plan = stand.in_process_with(&["plan"], BOTH_WAYS).exits(0).json();
    assert!(changed(&plan).is_empty(), "{plan}");
    let _ = stand.in_process_with(&["destroy", "--yes", "-q"], BOTH_WAYS).exits(0);
    assert_eq!(stand.leftovers(), [TOPIC, TOPIC_BACK]);
}

#[test]
fn topics_that_no_alarm_can_notify_are_refused_by_name() {
    let stand = Stand::new();
    for (topic, part) in [
        ("arn:aws:sns:us-west-2:111122223333:alerts", "another Region"),
        ("arn:aws-cn:sns:us-east-1:111122223333:alerts", "another partition"),
        ("arn:aws:sns:us-east-1:111122223333:alerts.fifo", "FIFO"),
        ("arn:aws:sqs:us-east-1:111122223333:alerts", "the service `sqs`"),
        ("arn:aws:sns:us-east-1:111122223333:alerts:1-2", "is no topic"),
        ("arn:aws:sns:us-east-1::alerts", "is no topic"),
        ("alerts", "arn"),
    ] {
        let manifest = ON.replace(TOPIC, topic);
        let refused = stand.in_process_with(&["plan"], &manifest).exits(3);
        let error = refused.json()["error"].to_string();
        assert!(
            error.contains(part) && error.contains("replication.alarm.sns"),
            "{topic}: {error}"
        );
    }
    for (manifest, key) in [
        (ON.replace("alarm:", "two_way: true, alarm:"), "destinations[0].back.alarm"),
        (ON.replace("{alarm:", "{metrics: false, alarm:"), "replication.metrics"),
        (ON.replace(&format!("{{sns: '{TOPIC}'}}"), "{}"), "replication.alarm.sns"),
        (OFF.replace("us-west-2}", "us-west-2, back: {alarm: {sns: x}}}"), "destinations[0].back"),
    ] {
        let refused = stand.in_process_with(&["plan"], &manifest).exits(3);
        let error = refused.json()["error"].to_string();
        assert!(error.contains(key), "{manifest}: {error}");
    }
    assert_eq!(stand.calls()["by_operation"], json!({}), "nothing is called");
}

#[test]
fn the_operators_policies_are_enough_from_the_first_apply_to_the_end() {
    let stand = Stand::new();
    new_topic(stand.sandbox(), TOPIC);
    let operator = stand.in_process_with(&["policy", "operator"], ON).exits(0).json();
    let without = stand.in_process_with(&["policy", "operator"], OFF).exits(0).json();
    assert!(operator.to_string().contains("cloudwatch:PutMetricAlarm"), "{operator}");
    assert!(!without.to_string().contains("Alarm"), "only where alarms are wanted: {without}");
    let path = stand.path("alarms.yaml");
    std::fs::write(&path, ON).unwrap();
    let run = |command: &str, more: &[&str], code| {
        let key = user(&stand, &operator, command);
        let args = [&[command, "-f", path.to_str().unwrap(), "-o", "json"], more].concat();
        let mut command = stand.command(&args);
        command.env("AWS_ACCESS_KEY_ID", key.0).env("AWS_SECRET_ACCESS_KEY", key.1);
        finished(&mut command).exits(code)
    };
    let _ = run("apply", &["--yes"], 0);
    assert_eq!(alarms(&stand), [ARN]);
    let checked = run("check", &[], 0).json();
    let checks = checked["checks"].as_array().unwrap();
    let is_read = |name| checks.iter().any(|it| it["name"] == name && it["result"] == "pass");
    assert!(["alarm.exists", "alarm.topic", "alarm.policy"].into_iter().all(is_read), "{checked}");
    let exported = run("export", &["terraform"], 0).json().to_string();
    assert!(exported.contains("aws_cloudwatch_metric_alarm"), "{exported}");
    let _ = run("destroy", &["--yes"], 0);
    assert_eq!(alarms(&stand), [""; 0]);
}

/// What may not be read is unknown in `check`, and never taken for an absence by `plan`.
#[test]
fn alarms_that_may_not_be_read_are_unknown() {
    let stand = built(ON);
    stand.faults(&["cloudwatch:DescribeAlarms:error=AccessDenied"]);
    let refused = stand.in_process_with(&["plan"], ON).exits(5).json();
    assert!(refused["error"].to_string().contains("cloudwatch:DescribeAlarms"), "{refused}");
    let checked = stand.in_process_with(&["check"], ON).exits(0).json();
    let checks = checked["checks"].as_array().unwrap();
    let seen = checks.iter().find(|check| check["name"] == "alarm.exists").unwrap();
    assert_eq!(seen["result"], "unknown", "{seen}");
}

/// The imported manifest has the alarms of both directions, and `plan` finds nothing to change. What it
/// can't say is told.
#[test]
fn a_two_way_pair_is_imported_with_the_alarms_of_both_directions() {
    let stand = built(BOTH_WAYS);
    let import_to = |code| {
        let imported = stand.run(&["import", SOURCE, "-o", "json"]).exits(code).json();
        imported["manifest"].as_str().unwrap().to_owned()
    };
    let import = || import_to(0);
    let manifest = import();
    for topic in [TOPIC, TOPIC_BACK] {
        assert_eq!(manifest.matches(topic).count(), 1, "{manifest}");
    }
    assert!(!manifest.contains("alarms are not"), "{manifest}");
    let plan = stand.in_process_with(&["plan"], &manifest).exits(0).json();
    assert!(changed(&plan).is_empty(), "{plan}");
    let west = Region::new("us-west-2").unwrap();
    let back =
        stand.wait(async { aws(&stand).await.alarms(&west, "crrctl.").await.unwrap().remove(0) });
    let put = |actions: &[&str]| {
        let alarm_actions = actions.iter().map(|it| (*it).to_owned()).collect();
        let says = AlarmSays { alarm_actions, ..back.says.clone() };
        stand.wait(async {
            aws(&stand).await.put_alarm(&west, &back.name, &says, &back.tags).await.unwrap();
        });
    };
    let two = format!("{TOPIC_BACK}-other");
    let function = "arn:aws:lambda:us-west-2:111122223333:function:page";
    for (actions, says) in [
        (&[TOPIC_BACK, &two][..], "`crrctl.demo.us-east-1` in us-west-2 has 2 actions"),
        (&[], "`crrctl.demo.us-east-1` in us-west-2 has 0 actions"),
        (&[function], "`crrctl.demo.us-east-1` in us-west-2 does arn:aws:lambda:"),
    ] {
        put(actions);
        let manifest = import();
        assert!(manifest.contains(says) && !manifest.contains("alarm:\n"), "{manifest}");
    }
    stand.wait(async { aws(&stand).await.delete_alarm(&west, &back.name).await.unwrap() });
    let manifest = import();
    let says = format!("the rule `crrctl.demo.us-east-1` of `{DESTINATION}` has none");
    assert!(manifest.contains(&says) && !manifest.contains("alarm:\n"), "{manifest}");
    stand.faults(&["cloudwatch:DescribeAlarms:error=AccessDenied"]);
    let manifest = import_to(5);
    assert!(
        manifest.contains(&format!("alarms of `{DESTINATION}` notify is not known")),
        "{manifest}"
    );
}
