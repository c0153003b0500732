//! Findings of `check` about defects outside policies, keys and rules.
//! Not for: defects of policies, keys and rules (see `tests/check.rs`).

use super::{DEMO, blotted, built, manifest};
use crate::common::{DESTINATION, Output, PAIR, SOURCE, Stand, finished, new_topic};
use crate::teardown::mfa_delete;
use aws_sdk_s3::types as t;
use serde_json::{Value, json};
use std::fmt::Write;
use std::process::Stdio;

/// Returns a line for each check that failed or is unknown.
fn failed(output: &Output) -> String {
    let object = output.json();
    let mut text = String::new();
    for check in object["checks"].as_array().unwrap_or_else(|| panic!("{output}")) {
        // Unknown results are included, except that of `organisation`, whose policies most tests
        // don't give.
        if check["result"] == "fail"
            || (check["result"] == "unknown" && check["name"] != "organisation")
        {
            let place = check["region"].as_str().map_or(String::new(), |it| format!(" in {it}"));
            let word = |name: &str| check[name].as_str().unwrap_or_default();
            let name = word("name");
            let _ = writeln!(text, "{name}{place}: {}; {}", word("detail"), word("remedy"));
        }
    }
    assert!(!text.is_empty(), "nothing failed: {output}");
    text
}

fn shown(name: &str, output: &Output) {
    blotted().bind(|| insta::assert_snapshot!(format!("told-checks-{name}"), failed(output)));
}

#[test]
fn who_asks_and_where() {
    let stand = built();
    let mut command = stand.command(&[&["check", "-o", "json"], &PAIR[..]].concat());
    command.env("AWS_SECRET_ACCESS_KEY", "wrong").stdin(Stdio::null());
    shown("identity", &finished(&mut command));
    stand.faults(&["kms:DescribeKey:error=UnrecognizedClientException"]);
    shown("region", &stand.pair(&["check"]));
}

/// The alarm is deleted, another is changed by hand and fires.
#[test]
fn alarms() {
    let manifest_of = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1}]\n\
        replication: {alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";
    let stand = Stand::new();
    new_topic(stand.sandbox(), crate::alarms::TOPIC);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], manifest_of).exits(0);
    stand.wait(async {
        let region = crrctl::names::Region::new("us-east-1").unwrap();
        let aws = crate::alarms::aws(&stand).await;
        aws.delete_alarm(&region, "crrctl.demo.eu-west-1").await.unwrap();
        for alarm in aws.alarms(&region, "crrctl.demo.").await.unwrap() {
            let says = crrctl::world::AlarmSays {
                threshold: 100.0,
                actions_enabled: false,
                comparison: "LessThanThreshold".to_owned(),
                missing_data: "breaching".to_owned(),
                ..alarm.says
            };
            aws.put_alarm(&region, &alarm.name, &says, &alarm.tags).await.unwrap();
        }
    });
    shown("alarms", &stand.manifest(&["check", "-o", "json"], manifest_of));
}

#[test]
fn a_pair_of_which_nothing_exists() {
    shown("pair", &Stand::new().pair(&["check"]));
}

#[test]
fn buckets_and_roles_of_others() {
    let stand = Stand::new();
    stand.bucket_of_somebody_else();
    shown("owner", &stand.pair(&["check"]));
    let stand = built();
    stand.iam(async |iam| {
        let role = "crrctl-demo-us-east-1";
        let delete = iam.delete_role_policy().role_name(role).policy_name("replication");
        delete.send().await.unwrap();
        iam.delete_role().role_name(role).send().await.unwrap();
    });
    shown("role", &stand.pair(&["check"]));
}

/// AWS's own sentence beside the proof, which says the same.
#[test]
fn what_aws_logged() {
    let stand = built();
    stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        let key = key.key_metadata.unwrap().arn.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
            {"Sid": "NoRole", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
             "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/crrctl/*"}}}]});
        let put = kms.put_key_policy().key_id(key).policy(policy.to_string());
        put.send().await.unwrap();
    });
    stand.put_theirs("theirs");
    stand.settled(1);
    shown("aws", &stand.pair(&["check", "--ask-aws"]));
}

/// S3's own reason, which a batch job of one object has told, beside the checks.
#[test]
fn what_s3_says() {
    let stand = built();
    stand.disable_replica_key();
    stand.put_theirs("theirs");
    stand.settled(1);
    shown("s3", &stand.pair(&["check", "--ask-aws", "--with-batch", "--yes"]));
}

#[test]
fn what_holds_versions_and_what_failed() {
    let stand = built();
    stand.disable_replica_key();
    stand.put_theirs("theirs");
    stand.settled(1);
    shown("objects", &stand.pair(&["check"]));
    let stand = built();
    mfa_delete(&stand, t::MfaDelete::Enabled);
    stand.s3("us-east-1", async |s3| {
        let default = t::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(t::ServerSideEncryption::AwsKms)
            .kms_master_key_id("alias/crrctl/demo")
            .build()
            .unwrap();
        let rule = t::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(false)
            .build();
        let rules = t::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let put = s3.put_bucket_encryption().bucket(SOURCE);
        put.server_side_encryption_configuration(rules).send().await.unwrap();
    });
    shown("mfa", &stand.pair(&["check"]));
    let held = format!("{DEMO}buckets: {{object_lock: {{mode: compliance, days: 1}}}}\n");
    let stand = Stand::new();
    let _ = manifest(&stand, &["apply", "--yes", "--no-probe"], &held).exits(0);
    shown("holds", &manifest(&stand, &["check"], &held));
}

#[test]
fn organisations_and_key_material() {
    let stand = built();
    let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "NoCopies", "Effect": "Deny", "Action": "s3:ReplicateObject", "Resource": "*"}]}"#;
    std::fs::write(stand.path("scp.json"), text).unwrap();
    shown("organisation", &stand.pair(&["check", "--scp", "scp.json"]));
    stand.faults(&["kms:Decrypt:error=IncorrectKeyException"]);
    shown("material", &stand.pair(&["check"]));
    // Trouble of the service says nothing about the keys.
    stand.faults(&["kms:Decrypt:error=KMSInternalException"]);
    let checked = stand.in_process(&["check"]).exits(0).json();
    let checks = checked["checks"].as_array().unwrap();
    let material = checks.iter().find(|it| it["name"] == "kms.shared-material").unwrap();
    assert_eq!(material["result"], "unknown", "{material:#}");
}

#[test]
fn principals_that_were_deleted() {
    let stand = built();
    stand.iam(async |iam| {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let create = iam.create_role().role_name("reader").assume_role_policy_document(trust);
        create.send().await.unwrap();
    });
    stand.s3("us-west-2", async |s3| {
        let live = s3.get_bucket_policy().bucket(DESTINATION).send().await.unwrap();
        let mut policy: Value = serde_json::from_str(live.policy().unwrap()).unwrap();
        policy["Statement"].as_array_mut().unwrap().push(json!({
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"},
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{DESTINATION}/*"),
        }));
        let put = s3.put_bucket_policy().bucket(DESTINATION).policy(policy.to_string());
        put.send().await.unwrap();
    });
    stand.iam(async |iam| iam.delete_role().role_name("reader").send().await.unwrap());
    shown("stale", &stand.pair(&["check"]));
}
