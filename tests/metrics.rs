//! What S3 tells CloudWatch of each rule, in `status`: pending, late, FAILED; off, denied, in two Regions, both ways.

use crate::common::{SOURCE, Stand, finished};
use crate::policies::user;
use crrctl::aws::{Aws, Connection, Credentials, Series};
use crrctl::names::Region;
use crrctl_sandbox::{DEFAULT_ACCOUNT, Lag, Options, SECRET};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

const ON: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nreplication: {metrics: true}\n";

fn built(manifest: &str) -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], manifest).exits(0);
    stand
}

fn metrics(stand: &Stand, manifest: &str) -> Value {
    // What drifted beyond mending is an error, and the rest is told all the same.
    stand.manifest(&["status", "-o", "json"], manifest).json()["metrics"].clone()
}

#[test]
fn status_shows_what_is_pending_late_and_failed() {
    let stand = built(ON);
    let whole = metrics(&stand, ON);
    assert_eq!(
        whole,
        json!([{
            "rule": "crrctl.demo.us-west-2", "source": SOURCE, "source_region": "us-east-1",
            "destination": crate::common::DESTINATION, "destination_region": "us-west-2",
            "bytes_pending": 0.0, "operations_pending": 0.0, "latency_seconds": 0.0, "operations_failed": 0.0,
            "unread": null,
        }])
    );
    let text = stand.manifest(&["status"], ON).exits(0).stdout;
    let line =
        "metrics  us-east-1 → us-west-2  0 pending, 0 bytes, 0 s behind, 0 failed in the last hour";
    assert!(text.contains(line), "{text}");
    stand.disable_replica_key();
    for key in ["a", "b"] {
        stand.put_theirs(key);
    }
    stand.settled(2);
    assert_eq!(metrics(&stand, ON)[0]["operations_failed"], 2.0);
    let text = stand.manifest(&["status"], ON).exits(10).stdout;
    assert!(text.contains("2 failed in the last hour"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted_with_its_bytes_and_its_time() {
    use crate::sandbox::{EAST, WEST, rule};
    use aws_sdk_s3::types as t;
    let options = Options { lag: Lag::Aws, seed: Some(1), ..Options::default() };
    let stand = crate::sandbox::Stand::with(options).await;
    stand.bucket("late-src", EAST, true).await;
    stand.bucket("late-dst", WEST, true).await;
    stand.role().await;
    stand.control("POST", "clock", r#"{"advance": "1m"}"#).await;
    let mut measured = rule("one", 1, "late-dst", None).build().unwrap();
    let on = t::Metrics::builder().status(t::MetricsStatus::Enabled).build().unwrap();
    measured.destination.as_mut().unwrap().metrics = Some(on);
    stand.replicate("late-src", [measured]).await;
    stand.control("POST", "clock", r#"{"advance": "1m"}"#).await;
    stand.put("late-src", "a").await;
    stand.put("late-src", "b").await;
    let series = |metric| Series {
        metric,
        statistic: "Maximum",
        dimensions: vec![
            ("SourceBucket", "late-src".to_owned()),
            ("DestinationBucket", "late-dst".to_owned()),
            ("RuleId", "one".to_owned()),
        ],
    };
    let asked = [
        series("OperationsPendingReplication"),
        series("BytesPendingReplication"),
        series("ReplicationLatency"),
    ];
    let home = Region::new(EAST).unwrap();
    let connection = Connection {
        ca_bundle: None,
        endpoint_url: Some(stand.sandbox.endpoint()),
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        ..Connection::default()
    };
    let aws = Aws::new(&home, connection).await;
    let between = (Timestamp::now() - 1.hour(), Timestamp::now());
    let west = Region::new(WEST).unwrap();
    let found = aws.metric_data(&home, &west, between, &asked).await.unwrap();
    assert_eq!(found[..2], [vec![2.0], vec![10.0]], "two objects of five bytes");
    assert!(found[2][0] < 60.0, "{found:?}");
    stand.control("POST", "clock", r#"{"advance": "1d"}"#).await;
    for _ in 0..500 {
        let found = aws.metric_data(&home, &west, between, &asked).await.unwrap();
        if found == [vec![0.0], vec![0.0], vec![0.0]] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    panic!("they stay pending");
}

#[test]
fn without_metrics_status_says_how_to_have_them_and_asks_nothing() {
    let off = ON.replace("metrics: true", "metrics: false");
    let stand = built(&off);
    stand.calls();
    assert_eq!(metrics(&stand, &off), json!([]));
    assert_eq!(stand.calls()["by_operation"]["cloudwatch:GetMetricData"], Value::Null);
    let text = stand.manifest(&["status"], &off).exits(0).stdout;
    assert!(text.contains("replication.metrics: true"), "{text}");
}

#[test]
fn both_ways_and_each_destination_have_values_of_their_own() {
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1, prefix: e/}]\n\
        replication: {two_way: true, metrics: true}\n";
    let stand = built(manifest);
    stand.calls();
    let all = metrics(&stand, manifest);
    let rules: Vec<&str> =
        all.as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(rules.len(), 4, "{all}");
    assert!(all.as_array().unwrap().iter().all(|it| it["operations_failed"] == 0.0), "{all}");
    assert!(all.as_array().unwrap().iter().all(|it| it["latency_seconds"] == 0.0), "{all}");
    let calls = stand.calls()["by_operation"]["cloudwatch:GetMetricData"].as_u64().unwrap();
    assert!(calls <= 7, "{calls} calls");
}

#[test]
fn who_may_not_read_them_sees_the_rest_and_the_operators_policy_lets_in() {
    let stand = built(ON);
    let run = |key: (String, String)| {
        let path = stand.path("metrics.yaml");
        std::fs::write(&path, ON).unwrap();
        let mut status = stand.command(&["status", "-o", "json", "-f", path.to_str().unwrap()]);
        status.env("AWS_ACCESS_KEY_ID", key.0).env("AWS_SECRET_ACCESS_KEY", key.1);
        finished(&mut status).exits(0).json()["metrics"][0].clone()
    };
    let operator = |manifest: &str| {
        stand.in_process_with(&["policy", "operator", "-o", "json"], manifest).exits(0).json()
    };
    let without = operator(&ON.replace("metrics: true", "metrics: false"));
    let denied = run(user(&stand, &without, "plan"));
    let why = denied["unread"].as_str().unwrap();
    assert!(why.contains("AccessDenied") && why.contains("cloudwatch:GetMetricData"), "{denied}");
    assert_eq!(denied["bytes_pending"], Value::Null);
    let stand = built(ON);
    let key = user(&stand, &operator(ON), "plan");
    let path = stand.path("metrics.yaml");
    std::fs::write(&path, ON).unwrap();
    let mut status = stand.command(&["status", "-o", "json", "-f", path.to_str().unwrap()]);
    status.env("AWS_ACCESS_KEY_ID", key.0).env("AWS_SECRET_ACCESS_KEY", key.1);
    let let_in = finished(&mut status).exits(0).json()["metrics"][0].clone();
    assert_eq!((&let_in["unread"], &let_in["operations_failed"]), (&Value::Null, &json!(0.0)));
}

#[test]
fn each_metric_comes_from_its_own_region_and_of_its_own_rule() {
    let stand = built(ON);
    let region = |name: &str| Region::new(name).unwrap();
    let connection = Connection {
        ca_bundle: None,
        endpoint_url: Some(stand.endpoint()),
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        ..Connection::default()
    };
    let series = |metric, statistic, rule: &str| Series {
        metric,
        statistic,
        dimensions: vec![
            ("SourceBucket", SOURCE.to_owned()),
            ("DestinationBucket", crate::common::DESTINATION.to_owned()),
            ("RuleId", rule.to_owned()),
        ],
    };
    let rule = "crrctl.demo.us-west-2";
    let asked = [
        series("ReplicationLatency", "Maximum", rule),
        series("OperationsFailedReplication", "Sum", rule),
        series("OperationsFailedReplication", "Maximum", rule),
        series("ReplicationLatency", "Maximum", "another"),
        series("BucketSizeBytes", "Maximum", rule),
    ];
    let home = region("us-east-1");
    let now = Timestamp::now();
    let between = (now - 1.hour(), now);
    let counts = |of: &str, between| {
        stand.wait(async {
            let aws = Aws::new(&home, connection.clone()).await;
            let found = aws.metric_data(&home, &region(of), between, &asked).await;
            found.map(|found| found.iter().map(Vec::len).collect::<Vec<_>>())
        })
    };
    assert_eq!(counts("us-west-2", between).unwrap(), [1, 0, 0, 0, 0]);
    assert_eq!(counts("us-east-1", between).unwrap(), [0, 1, 0, 0, 0]);
    assert_eq!(counts("eu-west-1", between).unwrap(), [0, 0, 0, 0, 0]);
    stand.disable_replica_key();
    stand.put_theirs("late");
    stand.settled(1);
    let failed = |between| {
        stand.wait(async {
            let aws = Aws::new(&home, connection.clone()).await;
            aws.metric_data(&home, &home, between, &asked[1..2]).await.unwrap()
        })
    };
    assert_eq!(failed((now - 1.hour(), now + 1.hour())), [[1.0]]);
    assert_eq!(failed((now - 3.hours(), now - 2.hours())), [[0.0]], "that was before");
    let wrong = counts("us-east-1", (now, now - 1.hour())).unwrap_err();
    assert!(wrong.is("ValidationError") && wrong.request_id.is_some(), "{wrong:?}");
}

#[test]
fn a_throttled_call_is_made_again() {
    let fault = "cloudwatch:GetMetricData:throttle:times=2".parse().unwrap();
    let stand = Stand::with(Options { faults: vec![fault], ..Options::default() });
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], ON).exits(0);
    let seen = metrics(&stand, ON)[0].clone();
    assert_eq!((&seen["unread"], &seen["operations_pending"]), (&Value::Null, &json!(0.0)));
}

#[test]
fn watch_tells_them_with_each_round_and_never_takes_a_failed_read_for_zero() {
    let stand = built(ON);
    let watched = |stand: &Stand, manifest: &str| {
        let mut rounds = stand.watched(manifest).into_iter();
        rounds.find(|event| event["event"] == "watch.round").unwrap()["metrics"].clone()
    };
    let read = watched(&stand, ON);
    assert_eq!(
        (&read[0]["rule"], &read[0]["unread"]),
        (&json!("crrctl.demo.us-west-2"), &Value::Null)
    );
    assert_eq!(read[0]["operations_failed"], 0.0, "{read}");
    stand.faults(&["cloudwatch:GetMetricData:error=AccessDenied"]);
    let unread = watched(&stand, ON);
    assert_eq!(unread[0]["operations_pending"], Value::Null, "{unread}");
    assert!(unread[0]["unread"].as_str().unwrap().contains("AccessDenied"), "{unread}");
    let off = ON.replace("metrics: true", "metrics: false");
    let stand = built(&off);
    stand.calls();
    assert_eq!(watched(&stand, &off), json!([]));
    assert_eq!(stand.calls()["by_operation"]["cloudwatch:GetMetricData"], Value::Null);
}
