//! Faults on demand, and the log of requests.

use super::{EAST, Stand, refused};
use crrctl_sandbox::Options;
use serde_json::Value;
use std::time::{Duration, Instant};

async fn with(faults: &[&str]) -> Stand {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Stand::with(Options { faults, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn services_answer_with_the_errors_that_were_asked_for() {
    let stand = with(&[
        "s3:ListBuckets:throttle:times=1",
        "kms:ListKeys:throttle:times=1",
        "iam:ListRoles:throttle:times=1",
        "s3:HeadBucket:error=SlowDown",
        "s3:CreateBucket:error=OperationAborted:after=1:times=1",
        "kms:CreateKey:error=KMSInternalException:times=1",
        "sts:*:error=ServiceUnavailable",
    ])
    .await;
    let (s3, kms) = (stand.s3(EAST), stand.kms(EAST));
    s3.create_bucket().bucket("first").send().await.unwrap();
    refused! {
        "SlowDown" 503 "reduce your request rate" s3.list_buckets();
        "ThrottlingException" 400 "Rate exceeded" kms.list_keys();
        "Throttling" 400 "Rate exceeded" stand.iam().list_roles();
        "OperationAborted" 409 "" s3.create_bucket().bucket("second");
        "KMSInternalException" 500 "" kms.create_key();
        "ServiceUnavailable" 503 "" stand.sts(super::ACCOUNT, crrctl_sandbox::SECRET, EAST).get_caller_identity();
    }
    s3.create_bucket().bucket("second").send().await.unwrap();
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), 2);
    kms.list_keys().send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_done_and_a_reset_is_not() {
    let stand = with(&[
        "kms:CreateKey:lost-reply:times=1",
        "kms:CreateKey:reset:after=1:times=1",
        "s3:CreateBucket:lost-reply:times=1",
        "s3:CreateBucket:reset:after=1:times=1",
    ])
    .await;
    let (s3, kms) = (stand.s3(EAST), stand.kms(EAST));
    for keys in [1, 1, 2] {
        let created = kms.create_key().send().await;
        assert_eq!(created.is_ok(), keys == 2);
        assert_eq!(kms.list_keys().send().await.unwrap().keys().len(), keys);
    }
    for (name, kept) in [("lost", 1), ("never", 1), ("fine", 2)] {
        let created = s3.create_bucket().bucket(name).send().await;
        assert_eq!(created.is_ok(), kept == 2);
        assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), kept, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_request_gets_no_answer_and_others_go_on() {
    let stand = with(&["s3:HeadBucket:hang", "kms:ListKeys:delay=200ms"]).await;
    let s3 = stand.s3(EAST);
    s3.create_bucket().bucket("slow").send().await.unwrap();
    let hanging =
        tokio::time::timeout(Duration::from_millis(200), s3.head_bucket().bucket("slow").send());
    assert!(hanging.await.is_err());
    let before = Instant::now();
    stand.kms(EAST).list_keys().send().await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(200));
    s3.list_buckets().send().await.unwrap();
    stand.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    let faults = vec!["kms:ListKeys:reset".parse().unwrap()];
    let stand = Stand::with(Options { faults, log: Some(log.clone()), ..Options::default() }).await;
    stand.bucket("noted", EAST, true).await;
    let _ = stand.s3(EAST).get_bucket_policy().bucket("noted").send().await;
    let _ = stand.kms(EAST).list_keys().send().await;
    let _ = stand.kms_as("AKIDEXAMPLE", "x", EAST).create_key().send().await;
    let _ = stand.iam().list_roles().send().await;
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            ["service", "operation", "outcome", "code"].map(|key| line[key].as_str().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            ["s3", "CreateBucket", "ok", "-"],
            ["s3", "PutBucketVersioning", "ok", "-"],
            ["s3", "GetBucketPolicy", "error", "NoSuchBucketPolicy"],
            ["kms", "ListKeys", "no answer", "-"],
            ["kms", "CreateKey", "error", "UnrecognizedClientException"],
            ["iam", "ListRoles", "ok", "-"],
        ]
    );
    assert_eq!(lines[0]["principal"], "arn:aws:iam::111122223333:root");
    assert_eq!((&lines[0]["account"], &lines[0]["region"]), (&"111122223333".into(), &EAST.into()));
    assert!(lines[4]["principal"].is_null());
}
