//! CloudWatch's metric alarms: what they need, what they tell, what becomes of them where an object fails to replicate.

use super::raw::Raw;
use super::{EAST, ROLE, Stand, TRUST, WEST, rule};
use aws_sdk_s3::types as t;
use serde_json::json;

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alerts";
/// A whole alarm, in the Query protocol.
const WHOLE: [(&str, &str); 14] = [
    ("AlarmName", "one"),
    ("Namespace", "AWS/S3"),
    ("MetricName", "OperationsFailedReplication"),
    ("Statistic", "Sum"),
    ("Period", "300"),
    ("EvaluationPeriods", "1"),
    ("Threshold", "0"),
    ("ComparisonOperator", "GreaterThanThreshold"),
    ("TreatMissingData", "notBreaching"),
    ("AlarmActions.member.1", TOPIC),
    ("Dimensions.member.1.Name", "SourceBucket"),
    ("Dimensions.member.1.Value", "alarm-src"),
    ("Tags.member.1.Key", "team"),
    ("Tags.member.1.Value", "storage"),
];

async fn asked(stand: &Stand, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    asked_of(stand, ("monitoring", "2010-08-01"), operation, members).await
}

async fn asked_of(
    stand: &Stand,
    (service, version): (&'static str, &str),
    operation: &str,
    members: &[(&str, &str)],
) -> (u16, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", version);
    form.extend_pairs(members);
    let raw = Raw {
        service,
        method: "POST",
        target: "/".to_owned(),
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: form.finish().into_bytes(),
    };
    let answer = raw.answer(stand.sandbox.address()).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// The whole alarm, with members changed, added (a new name) or left out (an empty value).
fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut members: Vec<_> = WHOLE.to_vec();
    for (name, value) in changes {
        members.retain(|(other, _)| other != name);
        if !value.is_empty() {
            members.push((name, value));
        }
    }
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cloudwatch_refuses_is_refused() {
    let stand = Stand::start().await;
    let of_west = "arn:aws:sns:us-west-2:111122223333:alerts";
    let fifo = "arn:aws:sns:us-east-1:111122223333:alerts.fifo";
    for (change, part) in [
        (("AlarmName", ""), "AlarmName"),
        (("AlarmName", "a\u{1}"), "control characters"),
        (("Namespace", ""), "Namespace"),
        (("MetricName", ""), "MetricName"),
        (("Statistic", "Median"), "enum value set"),
        (("Statistic", ""), "statistic"),
        (("Period", "45"), "multiple of 60"),
        (("Period", ""), "period"),
        (("EvaluationPeriods", "0"), "greater than or equal to 1"),
        (("EvaluationPeriods", "289"), "more than a day"),
        (("DatapointsToAlarm", "2"), "less than or equal to 1"),
        (("Threshold", ""), "Threshold"),
        (("Threshold", "NaN"), "a number"),
        (("ComparisonOperator", "Above"), "enum value set"),
        (("TreatMissingData", "never"), "TreatMissingData"),
        (("ActionsEnabled", "perhaps"), "ActionsEnabled"),
        (("AlarmActions.member.1", "topic"), "Invalid arn syntax"),
        (("AlarmActions.member.1", of_west), "Invalid region us-west-2 specified"),
        (("AlarmActions.member.1", fifo), "FIFO"),
        (("Dimensions.member.1.Value", ""), "dimensions"),
        (("Tags.member.1.Key", "aws:x"), "reserved"),
    ] {
        let (status, answer) = asked(&stand, "PutMetricAlarm", &with(&[change])).await;
        assert!(status == 400 && answer.contains(part), "{change:?}: {answer}");
        assert!(answer.contains("<Code>ValidationError</Code>"), "{answer}");
    }
    let (status, answer) =
        asked(&stand, "PutMetricAlarm", &with(&[("Metrics.member.1.Id", "m")])).await;
    assert_eq!(status, 501, "{answer}");
    let arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:one";
    for (operation, members, status, code) in [
        ("DeleteAlarms", vec![("AlarmNames.member.1", "one")], 404, "ResourceNotFound"),
        ("DeleteAlarms", vec![], 400, "ValidationError"),
        (
            "SetAlarmState",
            vec![("AlarmName", "one"), ("StateValue", "OK"), ("StateReason", "r")],
            404,
            "ResourceNotFound",
        ),
        (
            "SetAlarmState",
            vec![("AlarmName", "one"), ("StateValue", "BAD"), ("StateReason", "r")],
            400,
            "ValidationError",
        ),
        ("ListTagsForResource", vec![("ResourceARN", arn)], 404, "ResourceNotFoundException"),
        ("TagResource", vec![("ResourceARN", arn)], 404, "ResourceNotFoundException"),
        ("UntagResource", vec![("ResourceARN", arn)], 404, "ResourceNotFoundException"),
        ("DescribeAlarms", vec![("MaxRecords", "101")], 400, "ValidationError"),
        (
            "DescribeAlarms",
            vec![("AlarmNames.member.1", "one"), ("AlarmNamePrefix", "o")],
            400,
            "ValidationError",
        ),
        ("PutDashboard", vec![], 501, "NotImplemented"),
    ] {
        let (got, answer) = asked(&stand, operation, &members).await;
        let code = format!("<Code>{code}</Code>");
        assert!(got == status && answer.contains(&code), "{operation}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_lives_and_keeps_its_tags() {
    let stand = Stand::start().await;
    assert_eq!(asked(&stand, "PutMetricAlarm", &WHOLE).await.0, 200);
    // Tags of an alarm that exists are not changed by another put.
    let again = with(&[("Threshold", "5"), ("Tags.member.1.Value", "other")]);
    assert_eq!(asked(&stand, "PutMetricAlarm", &again).await.0, 200);
    let (_, shown) = asked(&stand, "DescribeAlarms", &[("AlarmNamePrefix", "on")]).await;
    for part in
        ["<AlarmName>one</AlarmName>", "<Threshold>5.0</Threshold>", "<StateValue>OK</StateValue>"]
    {
        assert!(shown.contains(part), "{shown}");
    }
    let (_, none) = asked(&stand, "DescribeAlarms", &[("AlarmNamePrefix", "tw")]).await;
    assert!(!none.contains("AlarmArn"), "{none}");
    let arn = ("ResourceARN", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:one");
    let tag = [arn, ("Tags.member.1.Key", "more"), ("Tags.member.1.Value", "1")];
    assert_eq!(asked(&stand, "TagResource", &tag).await.0, 200);
    let (_, tags) = asked(&stand, "ListTagsForResource", &[arn]).await;
    assert!(tags.contains("<Value>storage</Value>") && tags.contains("<Key>more</Key>"), "{tags}");
    assert_eq!(asked(&stand, "UntagResource", &[arn, ("TagKeys.member.1", "more")]).await.0, 200);
    let (_, tags) = asked(&stand, "ListTagsForResource", &[arn]).await;
    assert!(!tags.contains("more"), "{tags}");
    assert_eq!(stand.sandbox.leftovers(), [arn.1]);
    // The same over JSON.
    let raw = Raw {
        service: "monitoring",
        method: "POST",
        target: "/".to_owned(),
        headers: vec![
            ("content-type".into(), "application/x-amz-json-1.0".into()),
            ("x-amz-target".into(), "GraniteServiceVersion20100801.DescribeAlarms".into()),
        ],
        body: br#"{"AlarmNames": ["one"]}"#.to_vec(),
    };
    let answer = raw.answer(stand.sandbox.address()).await;
    assert!(answer.contains(r#""AlarmName":"one""#), "{answer}");
    assert_eq!(asked(&stand, "DeleteAlarms", &[("AlarmNames.member.1", "one")]).await.0, 200);
    assert!(stand.sandbox.leftovers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_object_raises_the_alarm_once_and_its_action_is_recorded() {
    let stand = Stand::start().await;
    stand.bucket("alarm-src", EAST, true).await;
    stand.bucket("alarm-dst", WEST, true).await;
    // The role may do nothing yet, so that each object fails.
    let role =
        stand.iam().create_role().path("/crrctl/").role_name(ROLE.rsplit('/').next().unwrap());
    role.assume_role_policy_document(TRUST).send().await.unwrap();
    let mut measured = rule("one", 1, "alarm-dst", None).build().unwrap();
    let on = t::Metrics::builder().status(t::MetricsStatus::Enabled).build().unwrap();
    measured.destination.as_mut().unwrap().metrics = Some(on);
    stand.replicate("alarm-src", [measured]).await;
    let of_rule = with(&[
        ("Dimensions.member.2.Name", "DestinationBucket"),
        ("Dimensions.member.2.Value", "alarm-dst"),
        ("Dimensions.member.3.Name", "RuleId"),
        ("Dimensions.member.3.Value", "one"),
    ]);
    assert_eq!(asked(&stand, "PutMetricAlarm", &of_rule).await.0, 200);
    let (_, before) = stand.control("GET", "alarms", "").await;
    assert_eq!((&before["alarms"][0]["state"], &before["actions"]), (&json!("OK"), &json!([])));
    stand.put("alarm-src", "a").await;
    stand.put("alarm-src", "b").await;
    let raised = stand.wait_for_alarm("ALARM").await;
    assert_eq!(raised["actions"].as_array().unwrap().len(), 1, "{raised}");
    let action = &raised["actions"][0];
    assert_eq!(action["action"], TOPIC);
    let message = &action["message"];
    assert_eq!(message["NewStateValue"], "ALARM");
    assert_eq!(message["Trigger"]["Dimensions"][2], json!({"name": "RuleId", "value": "one"}));
    // What failed is an hour old: missing data, and values of zero, do not breach.
    stand.control("POST", "clock", r#"{"advance": "1h"}"#).await;
    let over = stand.wait_for_alarm("OK").await;
    assert_eq!(over["actions"].as_array().unwrap().len(), 1, "there are no actions for OK: {over}");
    let set = [("AlarmName", "one"), ("StateValue", "ALARM"), ("StateReason", "a try")];
    assert_eq!(
        asked(&stand, "DisableAlarmActions", &[("AlarmNames.member.1", "one")]).await.0,
        200
    );
    assert_eq!(asked(&stand, "SetAlarmState", &set).await.0, 200);
    let silent = stand.wait_for_alarm("ALARM").await;
    assert_eq!(silent["actions"].as_array().unwrap().len(), 1, "actions are off: {silent}");
}

/// An alarm reaches its topic where the topic's policy lets CloudWatch publish, and not otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_gets_what_its_policy_lets_in() {
    let stand = Stand::start().await;
    let sns = ("sns", "2010-03-31");
    let policy = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": TOPIC,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:one"}}}});
    let made = asked_of(&stand, sns, "CreateTopic", &[("Name", "alerts")]).await;
    assert_eq!(made.0, 200, "{}", made.1);
    assert_eq!(asked(&stand, "PutMetricAlarm", &WHOLE).await.0, 200);
    let set = |state| [("AlarmName", "one"), ("StateValue", state), ("StateReason", "a try")];
    let attribute =
        |value| [("TopicArn", TOPIC), ("AttributeName", "Policy"), ("AttributeValue", value)];
    let messages = async || stand.control("GET", "messages", "").await.1;
    let nobody = policy.to_string().replace("cloudwatch.", "events.");
    let put = asked_of(&stand, sns, "SetTopicAttributes", &attribute(&nobody)).await;
    assert_eq!(put.0, 200, "{}", put.1);
    assert_eq!(asked(&stand, "SetAlarmState", &set("ALARM")).await.0, 200);
    assert_eq!(messages().await, json!([]));
    assert_eq!(asked(&stand, "SetAlarmState", &set("OK")).await.0, 200);
    let put = asked_of(&stand, sns, "SetTopicAttributes", &attribute(&policy.to_string())).await;
    assert_eq!(put.0, 200, "{}", put.1);
    assert_eq!(asked(&stand, "SetAlarmState", &set("ALARM")).await.0, 200);
    let got = messages().await;
    assert_eq!((&got[0]["target"], &got[0]["body"]["AlarmName"]), (&json!(TOPIC), &json!("one")));
}

impl Stand {
    /// Returns what the control endpoint tells once the alarm has this state.
    async fn wait_for_alarm(&self, state: &str) -> serde_json::Value {
        for _ in 0..1000 {
            let (_, seen) = self.control("GET", "alarms", "").await;
            if seen["alarms"][0]["state"] == state {
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the alarm never becomes {state}");
    }
}
