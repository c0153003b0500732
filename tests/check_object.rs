//! `check s3://BUCKET/KEY`: why one object is FAILED, or not replicated at all.
//! Not for: the checks of a pair (see `check`).

use crate::common::{DESTINATION, SOURCE, Stand, fed};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types as t;
use serde_json::Value;

/// A pair whose rule selects `in/`.
const MANIFEST: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2, prefix: in/}]\n";

fn built() -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
    stand
}

/// Uploads an object under `kms_key`, or under the bucket's default encryption, and waits until S3
/// has decided about it.
fn put(stand: &Stand, key: &str, kms_key: Option<&str>) {
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_object().bucket(SOURCE).key(key).body(ByteStream::from_static(b"a"));
        let kms = kms_key.map(|_| t::ServerSideEncryption::AwsKms);
        let put = put.set_server_side_encryption(kms);
        put.set_ssekms_key_id(kms_key.map(str::to_owned)).send().await.unwrap();
    });
    Stand::wait_until("S3 has decided", || {
        stand.s3("us-east-1", async |s3| {
            let head = s3.head_object().bucket(SOURCE).key(key).send().await.unwrap();
            head.replication_status() != Some(&t::ReplicationStatus::Pending)
        })
    });
}

/// Returns the failed checks about the object, by name and detail.
fn failed(stand: &Stand, object: &str, code: i32) -> Vec<(String, String)> {
    let object = format!("s3://{SOURCE}/{object}");
    let checked = stand.in_process_with(&["check", &object], MANIFEST).exits(code).json();
    let checks = checked["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["result"] == "fail");
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    failed.map(|check| (text(check, "name"), text(check, "detail"))).collect()
}

#[test]
fn a_replicated_object_is_in_order() {
    let stand = built();
    put(&stand, "in/a", None);
    assert_eq!(failed(&stand, "in/a", 0), []);
}

#[test]
fn an_object_that_no_rule_selects_is_told_with_the_rule() {
    let stand = built();
    put(&stand, "out/a", None);
    let failed = failed(&stand, "out/a", 2);
    let (name, detail) = &failed[0];
    assert_eq!(name, "replication.rules");
    assert!(detail.contains("under the prefix of no rule"), "{failed:?}");
}

/// The pair's own key is in order; the object is under another one, which the role may not use.
#[test]
fn an_object_under_another_key_is_proven_for_that_key() {
    let stand = built();
    let theirs = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    put(&stand, "in/theirs", Some(&theirs));
    let failed = failed(&stand, "in/theirs", 2);
    let (name, detail) = &failed[0];
    assert!(["role.policy", "key.policy"].contains(&name.as_str()), "{failed:?}");
    assert!(detail.contains(&theirs) && detail.contains("kms:Decrypt"), "{failed:?}");
    assert_eq!(failed.last().unwrap().0, "objects.failed");
    put(&stand, "in/ours", None);
    let object = format!("s3://{SOURCE}/in/ours");
    let _ = stand.in_process_with(&["check", &object], MANIFEST).exits(0);
}

#[test]
fn an_object_of_before_the_rule_leads_to_backfill() {
    let stand = built();
    put(&stand, "in/late", None);
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
    });
    put(&stand, "in/early", None);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], MANIFEST);
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
    let failed = failed(&stand, "in/early", 2);
    assert!(failed[0].1.contains("no rule selected it when it was written"), "{failed:?}");
}

#[test]
fn what_is_no_object_of_a_source_is_told() {
    let stand = built();
    let missing = format!("s3://{SOURCE}/in/nothing");
    let missing = stand.in_process_with(&["check", &missing], MANIFEST).exits(3).json();
    assert_eq!(missing["error"]["code"], "object-missing");
    let elsewhere = format!("s3://{DESTINATION}/in/a");
    let _ = stand
        .manifest(&["check", &elsewhere, "-o", "json"], MANIFEST)
        .exits(3)
        .told("object-elsewhere");
}

/// An alarm names a bucket and a key, and no manifest is at hand.
#[test]
fn the_bucket_alone_tells_the_pair() {
    let stand = built();
    put(&stand, "in/a", None);
    let object = format!("s3://{SOURCE}/in/a");
    let checked = stand.run(&["check", &object, "-o", "json"]).exits(0).json();
    let checks = checked["checks"].as_array().unwrap();
    let status = checks.iter().filter(|it| it["name"] == "objects.failed");
    assert!(status.clone().any(|it| it["detail"].as_str().unwrap().contains("in/a")));
    assert!(checks.len() > 20, "{checked:#}");
}

/// Returns the ARN of the pair's key at the source.
fn pairs_key(stand: &Stand) -> String {
    stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        key.key_metadata.unwrap().arn.unwrap()
    })
}

/// The key policy denies one folder; only the proof for the object's own key sees it.
#[test]
fn what_is_denied_for_the_key_of_the_object_alone_is_named() {
    let stand = built();
    let key = pairs_key(&stand);
    stand.kms("us-east-1", async |kms| {
        let policy = kms.get_key_policy().key_id(&key).send().await.unwrap().policy.unwrap();
        let mut policy: Value = serde_json::from_str(&policy).unwrap();
        let denied = serde_json::json!({"Sid": "NotThat", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": format!("arn:aws:s3:::{SOURCE}/in/secret/*")},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/crrctl/*"}}});
        policy["Statement"].as_array_mut().unwrap().push(denied);
        kms.put_key_policy().key_id(&key).policy(policy.to_string()).send().await.unwrap();
    });
    // A Bucket Key's context is the bucket: only an object without one has its own.
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_object().bucket(SOURCE).key("in/secret/a").bucket_key_enabled(false);
        let put = put.server_side_encryption(t::ServerSideEncryption::AwsKms).ssekms_key_id(&key);
        put.body(ByteStream::from_static(b"a")).send().await.unwrap();
    });
    Stand::wait_until("S3 has decided", || {
        stand.s3("us-east-1", async |s3| {
            let head = s3.head_object().bucket(SOURCE).key("in/secret/a").send().await.unwrap();
            head.replication_status() == Some(&t::ReplicationStatus::Failed)
        })
    });
    let told = failed(&stand, "in/secret/a", 2);
    assert_eq!(told[0].0, "key.policy", "{told:?}");
    assert!(told[0].1.contains("in/secret/a") && told[0].1.contains("NotThat"), "{told:?}");
    // The same where nobody named the object: of those that FAILED.
    let checked = stand.in_process_with(&["check"], MANIFEST).exits(2).json();
    let mut failed =
        checked["checks"].as_array().unwrap().iter().filter(|it| it["result"] == "fail");
    let first = failed.next().unwrap();
    assert!(first["detail"].as_str().unwrap().contains("NotThat"), "{checked:#}");
    assert_eq!(checked["failure_reasons"][0], "SrcGetObjectNotPermitted");
}

/// AWS's own sentence, beside the proof: where they agree, where they differ, and without the permission.
#[test]
fn what_aws_logged_is_told_beside_the_proof() {
    let stand = built();
    let asked = |code: i32| {
        let checked = stand.in_process_with(&["check", "--ask-aws"], MANIFEST).exits(code).json();
        let said = checked["checks"].as_array().unwrap().clone().into_iter();
        said.filter(|it| it["name"] == "aws.denied").collect::<Vec<_>>()
    };
    assert_eq!(asked(0)[0]["result"], "pass");
    let key = pairs_key(&stand);
    stand.kms("us-east-1", async |kms| {
        kms.put_key_policy()
            .key_id(&key)
            .policy(serde_json::json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
                {"Sid": "NoRole", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
                 "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/crrctl/*"}}}]}).to_string())
            .send().await.unwrap();
    });
    put(&stand, "in/a", None);
    let said = asked(2);
    assert_eq!(said[0]["result"], "fail", "{said:#?}");
    let detail = said[0]["detail"].as_str().unwrap();
    assert!(detail.contains("kms:Decrypt") && detail.contains("not authorized"), "{detail}");
    assert!(detail.contains("the proof says the same"), "{detail}");
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
    let checked =
        stand.in_process_with(&["check", "--ask-aws", "--skip-check", "objects.failed"], MANIFEST);
    let checked = checked.exits(0).json();
    let said = checked["checks"].as_array().unwrap().iter().find(|it| it["name"] == "aws.denied");
    assert_eq!(said.unwrap()["result"], "unknown", "{checked:#}");
    assert!(said.unwrap()["detail"].as_str().unwrap().contains("the proof differs"), "{checked:#}");
    assert_eq!(stand.calls()["by_operation"]["cloudtrail:LookupEvents"].as_u64().unwrap() % 3, 0);
}

/// A lookup that the caller may not make is told, and nothing else changes.
#[test]
fn a_caller_who_may_not_look_up_events_is_told_so() {
    let stand = built();
    let without = stand.in_process_with(&["check"], MANIFEST).exits(0).json();
    stand.faults(&["cloudtrail:LookupEvents:error=AccessDeniedException"]);
    let asked = stand.in_process_with(&["check", "--ask-aws"], MANIFEST).exits(0).json();
    let of_aws = |it: &&Value| it["name"] == "aws.denied";
    let checks = asked["checks"].as_array().unwrap();
    let said: Vec<&Value> = checks.iter().filter(of_aws).collect();
    assert!(!said.is_empty());
    for check in &said {
        assert_eq!(check["result"], "unknown", "{check}");
        assert!(check["detail"].as_str().unwrap().contains("cloudtrail:LookupEvents"), "{check}");
        assert!(check["remedy"].as_str().unwrap().contains("operator-check"), "{check}");
    }
    let rest: Vec<&Value> = checks.iter().filter(|it| !of_aws(it)).collect();
    assert_eq!(rest, without["checks"].as_array().unwrap().iter().collect::<Vec<_>>());
    assert_eq!(asked["failure_reasons"], without["failure_reasons"]);
}

/// The question costs money and may replicate the object: never unasked, and nothing is made where S3 can't answer.
#[test]
fn s3_is_asked_on_request_alone() {
    let stand = built();
    let ask = ["check", "--ask-aws", "--with-batch"];
    let before = stand.leftovers();
    let unasked = stand.in_process_with(&ask, MANIFEST).exits(3).json();
    assert!(unasked["error"]["message"].as_str().unwrap().contains("--yes"), "{unasked}");
    let said = |args: &[&str], code: i32| {
        let object = stand.in_process_with(args, MANIFEST).exits(code).json();
        let checks = object["checks"].as_array().unwrap().iter();
        let said = checks.filter(|it| it["name"] == "aws.reason").cloned().collect::<Vec<_>>();
        assert_eq!(said.len(), 1, "{object:#}");
        (said[0].clone(), object)
    };
    let yes = ["check", "--ask-aws", "--with-batch", "--yes"];
    stand.calls();
    let (nothing, _) = said(&yes, 0);
    assert_eq!(nothing["result"], "unknown");
    assert!(nothing["detail"].as_str().unwrap().contains("none of the 10 newest"), "{nothing}");
    let made = stand.calls()["by_operation"].clone();
    assert!(made["iam:CreateRole"].is_null() && made["s3control:CreateJob"].is_null(), "{made}");
    put(&stand, "in/a", None);
    let object = format!("s3://{SOURCE}/in/a");
    let (before_it, _) = said(&[&yes[..], &[&object]].concat(), 0);
    assert!(before_it["detail"].as_str().unwrap().contains("SrcReplicationNotPending"));
    // A cause that is gone: S3 replicates the object, and what was FAILED is so no more.
    stand.disable_replica_key();
    put(&stand, "in/b,\u{e9} c", None);
    let object = format!("s3://{SOURCE}/in/b,\u{e9} c");
    let (failed, all) = said(&yes, 2);
    assert!(failed["detail"].as_str().unwrap().contains("S3 says DstKmsKeyInvalidState"));
    assert_eq!(all["batch"]["key"], "in/b,\u{e9} c");
    let first = all["checks"].as_array().unwrap().iter().find(|it| it["result"] == "fail");
    assert_eq!(first.unwrap()["name"], "key.state", "{all:#}");
    stand.kms("us-west-2", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        let id = key.key_metadata().unwrap().key_id().to_owned();
        kms.enable_key().key_id(id).send().await.unwrap();
    });
    let (replicated, all) = said(&[&yes[..], &[&object]].concat(), 0);
    assert!(replicated["detail"].as_str().unwrap().contains("S3 replicated"), "{all:#}");
    assert_eq!(stand.leftovers(), before);
}

/// A policy that nobody gave `check` denies: S3's word is told, and that the checks differ.
#[test]
fn where_s3_and_the_checks_differ_that_is_told() {
    let stand = built();
    let denies = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateObject","Resource":"*"}]}"#;
    stand.sandbox().set_organization(&[], &[denies]).unwrap();
    put(&stand, "in/a", None);
    let ask = ["check", "--ask-aws", "--with-batch", "--yes"];
    let object = stand.in_process_with(&ask, MANIFEST).exits(2).json();
    let checks = object["checks"].as_array().unwrap();
    let said = checks.iter().find(|it| it["name"] == "aws.reason").unwrap();
    let detail = said["detail"].as_str().unwrap();
    assert!(detail.contains("S3 says DstPutObjectNotPermitted"), "{detail}");
    assert!(
        detail.contains("leave it open: organisation") || detail.contains("differ"),
        "{detail}"
    );
    assert_eq!(object["failure_reasons"][0], "DstPutObjectNotPermitted");
}

/// What follows from a cause stands below what may be one, in the list and in the summary of a
/// workflow: that the object is FAILED explains nothing.
#[test]
fn a_symptom_stands_below_what_nobody_knows() {
    let stand = built();
    let deny = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "VpceOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject",
        "Resource": format!("arn:aws:s3:::{DESTINATION}/*"),
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
    }]});
    stand.s3("us-west-2", async |s3| {
        let put = s3.put_bucket_policy().bucket(DESTINATION).policy(deny.to_string());
        put.send().await.unwrap();
    });
    put(&stand, "in/a", None);
    let summary = stand.path("summary.md");
    let page = stand.path("page.html");
    let check = ["check", "--github", "--html", page.to_str().unwrap(), "-f", "-"];
    let mut command = stand.command(&check);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    let checked = fed(command, MANIFEST).exits(2).stdout;
    let rows: Vec<&str> = checked
        .lines()
        .filter(|line| line.starts_with("FAIL") || line.starts_with("unknown"))
        .collect();
    assert!(rows[0].contains("bucket.policy") && rows[0].contains("for `in/a`"), "{checked}");
    assert!(rows.last().unwrap().contains("objects.failed"), "{checked}");
    for file in ["summary.md", "page.html"] {
        let text = std::fs::read_to_string(stand.path(file)).unwrap();
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(place("bucket.policy") < place("objects.failed"), "{text}");
    }
}
