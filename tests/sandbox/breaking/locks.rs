//! Replication between buckets with Object Lock.

use super::count;
use crate::sandbox::{EAST, Stand, WEST, rule};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockMode,
    ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule,
};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const ALLOWED: [&str; 7] = [
    "s3:GetReplicationConfiguration",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
];

async fn grant(stand: &Stand, allowed: &[&str], denied: Option<&str>) {
    let mut statements = vec![json!({"Effect": "Allow", "Action": allowed, "Resource": "*"})];
    if let Some(action) = denied {
        let on = "arn:aws:s3:::lock-dst/*";
        statements.push(json!({"Effect": "Deny", "Action": action, "Resource": on}));
    }
    let policy: Value = json!({"Version": "2012-10-17", "Statement": statements});
    let put = stand.iam().put_role_policy().role_name("replication").policy_name("replication");
    put.policy_document(policy.to_string()).send().await.unwrap();
}

fn tomorrow() -> DateTime {
    DateTime::from(SystemTime::now() + Duration::from_hours(24))
}

/// Uploads a locked object and returns its version id.
async fn upload(stand: &Stand) -> String {
    let put = stand.s3(EAST).put_object().bucket("lock-src").key("k");
    let put = put.object_lock_mode(ObjectLockMode::Governance);
    let put = put.object_lock_retain_until_date(tomorrow()).body(ByteStream::from_static(b"x"));
    let put = put.object_lock_legal_hold_status("ON".into()).send().await.unwrap();
    put.version_id().unwrap().to_owned()
}

async fn expect(stand: &Stand, what: &str, version: &str, reason: Option<&str>) {
    let status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
    let settled = stand.settled("lock-src", "k", version).await;
    let why = stand.reason(version).await;
    assert_eq!((settled.as_deref(), why.as_deref()), (Some(status), reason), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_go_with_the_object_or_it_fails() {
    let stand = Stand::start().await;
    stand.locked_bucket("lock-src", EAST).await;
    stand.locked_bucket("lock-dst", WEST).await;
    stand.role().await;
    stand.replicate("lock-src", [rule("one", 1, "lock-dst", None).build().unwrap()]).await;
    grant(&stand, &ALLOWED, None).await;
    let version = upload(&stand).await;
    expect(&stand, "all is allowed", &version, None).await;
    let (s3, west) = (stand.s3(EAST), stand.s3(WEST));
    let there = || west.head_object().bucket("lock-dst").key("k").version_id(&version).send();
    let replica = there().await.unwrap();
    assert_eq!(replica.object_lock_mode(), Some(&ObjectLockMode::Governance));
    assert_eq!(replica.object_lock_legal_hold_status().unwrap().as_str(), "ON");
    let gone = west.delete_object().bucket("lock-dst").key("k").version_id(&version).send().await;
    assert_eq!(crate::sandbox::refusal(gone).0, "AccessDenied");

    let mut broken = 0;
    for (missing, reason) in [
        ("s3:GetObjectRetention", "SrcGetRetentionNotPermitted"),
        ("s3:GetObjectLegalHold", "SrcGetLegalHoldNotPermitted"),
    ] {
        let rest: Vec<&str> = ALLOWED.into_iter().filter(|action| *action != missing).collect();
        grant(&stand, &rest, None).await;
        expect(&stand, missing, &upload(&stand).await, Some(reason)).await;
        broken += 1;
    }
    for (denied, reason) in [
        ("s3:PutObjectRetention", "DstPutRetentionNotPermitted"),
        ("s3:PutObjectLegalHold", "DstPutLegalHoldNotPermitted"),
    ] {
        grant(&stand, &ALLOWED, Some(denied)).await;
        expect(&stand, denied, &upload(&stand).await, Some(reason)).await;
        broken += 1;
    }
    // The limits on retention of a bucket policy count for replicas, by s3:ReplicateObject.
    grant(&stand, &ALLOWED, None).await;
    let limit = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject",
        "Resource": "arn:aws:s3:::lock-dst/*",
        "Condition": {"NumericLessThan": {"s3:object-lock-remaining-retention-days": "10"}},
    }]});
    west.put_bucket_policy().bucket("lock-dst").policy(limit.to_string()).send().await.unwrap();
    expect(&stand, "too short", &upload(&stand).await, Some("DstPutObjectNotPermitted")).await;
    west.delete_bucket_policy().bucket("lock-dst").send().await.unwrap();

    // A longer retention follows later.
    let later = DateTime::from(SystemTime::now() + Duration::from_hours(72));
    let longer = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance);
    let longer = longer.retain_until_date(later).build();
    let put = s3.put_object_retention().bucket("lock-src").key("k").version_id(&version);
    put.retention(longer).send().await.unwrap();
    expect(&stand, "a longer retention", &version, None).await;
    let until = there().await.unwrap().object_lock_retain_until_date().unwrap().secs();
    assert_eq!(until, later.secs());
    count("Object Lock", broken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_destinations_lock_counts() {
    let stand = Stand::start().await;
    stand.bucket("lock-src", EAST, true).await;
    stand.locked_bucket("lock-dst", WEST).await;
    stand.bucket("bare-dst", "eu-west-1", true).await;
    stand.role().await;
    let rules = [rule("one", 1, "lock-dst", None), rule("two", 2, "bare-dst", None)];
    stand.replicate("lock-src", rules.map(|rule| rule.build().unwrap())).await;
    let lock = |default: Option<DefaultRetention>| {
        let rule = default.map(|d| ObjectLockRule::builder().default_retention(d).build());
        let enabled = ObjectLockEnabled::Enabled;
        ObjectLockConfiguration::builder().object_lock_enabled(enabled).set_rule(rule).build()
    };
    let days = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(3);
    let west = stand.s3(WEST);
    let put = west.put_object_lock_configuration().bucket("lock-dst");
    put.object_lock_configuration(lock(Some(days.build()))).send().await.unwrap();
    // The destination's default fills in where the source has no retention.
    let version = stand.put("lock-src", "k").await;
    expect(&stand, "no lock at the source", &version, None).await;
    let head = west.head_object().bucket("lock-dst").key("k").send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    // Object Lock that comes later to the source: the destination without it fails.
    let put = stand.s3(EAST).put_object_lock_configuration().bucket("lock-src");
    put.object_lock_configuration(lock(None)).send().await.unwrap();
    let version = stand.put("lock-src", "k").await;
    assert_eq!(stand.settled("lock-src", "k", &version).await.as_deref(), Some("FAILED"));
    let (_, log) = stand.control("GET", "replication", "").await;
    let outcomes: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["version_id"] == *version)
        .map(|record| (record["destination"].as_str(), record["failure_reason"].as_str()))
        .collect();
    let missing = Some("DstBucketObjectLockConfigMissing");
    assert_eq!(outcomes, [(Some("bare-dst"), missing), (Some("lock-dst"), None)]);
    count("Object Lock at the destination", 1);
}
