//! Each exit code, and that the tables that tell them agree.

use crate::common::{DESTINATION, PAIR, SOURCE, Stand, alone, bare, finished};
use aws_sdk_s3::primitives::ByteStream;
use crrctl::failure::Kind;
use crrctl_sandbox::{Options, Quirk, QuirkSpec};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn the_readme_tells_every_code() {
    let readme = include_str!("../README.md");
    for (_, code, meaning) in Kind::TABLE {
        assert!(readme.contains(&format!("| {code} | {meaning} |")), "{code}: {meaning}");
    }
}

#[test]
fn code_4_without_credentials() {
    let output = alone(&[&["plan"], &PAIR[..]].concat()).exits(4);
    assert!(output.stderr.contains("--profile"), "{output}");
}

#[test]
fn code_4_with_wrong_credentials() {
    let stand = Stand::new();
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    let output =
        finished(command.env("AWS_SECRET_ACCESS_KEY", "wrong").stdin(Stdio::null())).exits(4);
    assert!(output.stderr.contains("request id"), "{output}");
    assert!(!output.stderr.contains("wrong"), "secrets are never printed: {output}");
}

#[test]
fn code_4_where_nothing_answers() {
    let home = tempfile::TempDir::new().unwrap();
    // Port 9 of loopback: nothing listens there.
    let args = [&["plan", "--endpoint-url", "http://127.0.0.1:9"], &PAIR[..]].concat();
    let mut command = bare(&home, &args);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").stdin(Stdio::null());
    let output = finished(&mut command).exits(4);
    assert!(output.stderr.contains("ConnectionFailed"), "{output}");
}

#[test]
fn code_6_where_replication_failed() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.disable_replica_key();
    let output = stand.pair(&["probe"]).exits(6);
    let object = output.json();
    assert_eq!(object["probes"][0]["status"], "FAILED");
    assert_eq!(object["probes"][0]["attempts"], 1, "FAILED is final for an object");
    assert_eq!(object["error"]["kind"], "replication-failed");
    assert_eq!(object["summary"]["failed"], 1);
}

#[test]
fn patience_is_a_time() {
    let spec = QuirkSpec::from(Quirk::LateRules).lasting(Duration::from_secs(8));
    let stand = Stand::with(Options { quirks: vec![spec], ..Options::default() });
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    // The first objects have no replication status yet.
    let probed = stand.pair(&["probe", "--patience", "30s"]).exits(0).json();
    assert!(probed["probes"][0]["attempts"].as_u64() > Some(1), "{probed}");
    stand.disable_replica_key();
    let output = stand.pair(&["probe", "--patience", "3s"]).exits(6);
    let error = output.json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("FAILED after 3 attempts in 3"), "{error}");
    let _ = stand.pair(&["probe", "--patience", "3"]).exits(3);
}

#[test]
fn code_6_where_no_rule_selects_the_probe() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let live = live.replication_configuration().unwrap().clone();
        let mut rule = live.rules()[0].clone();
        rule.status = aws_sdk_s3::types::ReplicationRuleStatus::Disabled;
        let off = aws_sdk_s3::types::ReplicationConfiguration::builder()
            .role(live.role())
            .rules(rule)
            .build()
            .unwrap();
        s3.put_bucket_replication()
            .bucket(SOURCE)
            .replication_configuration(off)
            .send()
            .await
            .unwrap();
    });
    // The deadline cuts the wait between fresh probes short.
    let output = stand.manifest(&["probe", "-o", "json", "--timeout", "1s"], manifest);
    assert!([6, 7].contains(&output.code), "{output}");
}

#[test]
fn code_7_where_the_p95_is_too_slow() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let output = stand.pair(&["probe", "--expect-p95", "0s"]);
    // A latency of 0 ms would be fast enough.
    assert!(output.code == 7 || output.json()["summary"]["p95_ms"] == 0, "{output}");
}

#[test]
fn code_7_where_the_run_takes_too_long() {
    let stand = Stand::new();
    let output = stand.pair(&["apply", "--yes", "--timeout", "0s"]).exits(7).told("timeout");
    assert_eq!(output.json()["error"]["code"], "timeout");
}

#[test]
fn code_10_where_a_bucket_is_not_ours() {
    let stand = Stand::new();
    stand.bucket_of_somebody_else();
    let output = stand.pair(&["apply", "--yes"]).exits(10);
    assert_eq!(output.json()["error"]["code"], "bucket-not-ours");
    assert_eq!(stand.leftovers(), [format!("arn:aws:s3:::{SOURCE}")], "nothing was made");
}

#[test]
fn code_10_where_an_alarm_is_not_ours() {
    let stand = Stand::new();
    stand.wait(async {
        let region = crrctl::names::Region::new("us-east-1").unwrap();
        let aws = crate::alarms::aws(&stand).await;
        let says = crate::alarms::says();
        let tags = std::collections::BTreeMap::new();
        aws.put_alarm(&region, "crrctl.demo.us-west-2", &says, &tags).await.unwrap();
    });
    let apply = ["apply", "--yes", "-o", "json"];
    let output = stand.manifest(&apply, crate::alarms::ON).exits(10).told("alarm-not-ours");
    assert_eq!(output.json()["error"]["code"], "alarm-not-ours");
    assert_eq!(stand.leftovers().len(), 1, "nothing was made");
}

#[test]
fn code_10_where_a_role_or_an_alias_is_not_ours() {
    let stand = Stand::new();
    stand.iam(async |iam| {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let create = iam.create_role().role_name("crrctl-demo-us-east-1").assume_role_policy_document(trust);
        create.send().await.unwrap();
    });
    let output = stand.pair(&["apply", "--yes"]).exits(10).told("role-not-ours");
    assert_eq!(output.json()["error"]["code"], "role-not-ours");

    let stand = Stand::long_ago();
    stand.kms("us-east-1", async |kms| {
        let key = kms.create_key().multi_region(true).send().await.unwrap();
        let id = key.key_metadata().unwrap().key_id().to_owned();
        kms.create_alias().alias_name("alias/crrctl/demo").target_key_id(id).send().await.unwrap();
    });
    let output = stand.pair(&["apply", "--yes"]).exits(10);
    assert_eq!(output.json()["error"]["code"], "key-not-ours");
    assert_eq!(stand.leftovers().len(), 2, "nothing was made");
}

#[test]
fn code_10_where_foreign_objects_lie_in_a_bucket_and_purge_data_takes_them() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        // Under the probes' own prefix, but without their metadata.
        let put = s3
            .put_object()
            .bucket(SOURCE)
            .key("_crrctl/demo/run/0-1")
            .body(ByteStream::from_static(b"a"));
        put.send().await.unwrap();
        let create = s3.create_multipart_upload().bucket(SOURCE).key("unfinished");
        create.send().await.unwrap();
    });
    stand.calls();
    let output = stand.pair(&["destroy", "--yes"]).exits(10);
    assert!(output.json()["error"]["message"].as_str().unwrap().contains("_crrctl/demo/run/0-1"));
    assert_eq!(stand.calls()["writes"], 0, "it refuses as a whole");
    let _ = stand.pair(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn code_10_where_others_write_and_the_rule_would_stay_unproven() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    let output =
        stand.pair(&["apply", "--yes", "--no-probe"]).exits(10).told("activation-unproven");
    assert_eq!(output.json()["error"]["code"], "activation-unproven");
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        replication: {activation: direct}\n";
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], manifest).exits(0);
}

#[test]
fn code_9_where_a_key_that_others_may_use_stays() {
    let stand = Stand::new();
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {usable_by_accounts: ['444455556666']}\n";
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], manifest).exits(0);
    let output = stand.manifest(&["destroy", "--yes", "-o", "json"], manifest).exits(9);
    let left = output.json()["left"].as_array().unwrap().len();
    assert_eq!(left, 4, "two keys and two aliases");
    let _ = stand.manifest(&["destroy", "--yes", "--purge-keys"], manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn what_a_flag_keeps_is_listed_and_is_no_failure() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let kept = stand.pair(&["destroy", "--yes", "--keep-buckets"]).exits(0).json();
    let kinds: Vec<&str> =
        kept["left"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["s3:bucket", "s3:bucket", "kms:key", "kms:replica-key", "kms:alias", "kms:alias"],
        "a bucket that stays keeps its key"
    );
    let kept = stand.pair(&["destroy", "--yes", "--keep-keys"]).exits(0).json();
    assert_eq!(kept["left"].as_array().unwrap().len(), 4);
    let _ = stand.pair(&["destroy", "--yes"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn code_130_on_a_signal_with_what_exists_and_an_apply_goes_on() {
    let stand = Stand::new();
    let slow = stand.slow();
    let mut command = stand.command(&[&["apply", "--yes", "-o", "json"], &PAIR[..]].concat());
    command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    slow.wait_for_writes();
    crate::common::signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let mut output = crate::common::output_of(&output).exits(130);
    // Which step it was, and so its Region, is a matter of time.
    output.stderr = output.stderr.replace("region: us-east-1", "region: us-west-2");
    let object = output.told("interrupted").json();
    assert_eq!(object["error"]["kind"], "interrupted");
    assert!(
        object["error"]["left_behind"].as_str().unwrap().contains("crrctl:pair=demo"),
        "{object}"
    );
    let mut again = stand.command(&[&["apply", "--yes", "--no-probe"], &PAIR[..]].concat());
    let _ = finished(again.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null())).exits(0);
}

#[test]
fn a_destination_that_is_left_keeps_its_name() {
    // The manifest drops a destination: its bucket and replica stay and are named; destroy takes them along.
    let stand = Stand::new();
    let both = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1}]\n";
    let one = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: eu-west-1}]\n";
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], both).exits(0);
    let plan = stand.manifest(&["plan", "-o", "json"], one).exits(0).json();
    let orphans = plan["changes"].as_array().unwrap().iter().filter(|it| it["action"] == "orphan");
    let orphans: Vec<_> =
        orphans.map(|it| (it["kind"].as_str().unwrap(), it["name"].as_str().unwrap())).collect();
    let expected = [
        ("s3:replication", "crrctl.demo.us-west-2"),
        ("s3:bucket", DESTINATION),
        ("kms:alias", "alias/crrctl/demo"),
        ("kms:replica-key", "alias/crrctl/demo"),
    ];
    assert_eq!(orphans, expected);
    let _ = stand.manifest(&["destroy", "--yes"], one).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn code_10_where_somebody_else_has_an_upload_under_way() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        s3.create_multipart_upload().bucket(SOURCE).key("backup.tar").send().await.unwrap();
    });
    let output = stand.pair(&["destroy", "--yes"]).exits(10);
    assert!(
        output.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("backup.tar (an unfinished upload)")
    );
    let _ = stand.pair(&["destroy", "--yes", "--purge-data"]).exits(0);
}

#[test]
fn code_6_names_the_key_where_encryption_drifted() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_encryption().bucket(SOURCE).send().await.unwrap()
    });
    let output = stand.pair(&["probe"]).exits(6).told("source-drifted");
    let error = output.json()["error"].clone();
    assert_eq!(error["code"], "source-drifted");
    assert!(
        error["message"].as_str().unwrap().contains("no KMS key, not under arn:aws:kms:us-east-1"),
        "{error}"
    );
}

#[test]
fn a_second_signal_ends_a_run_whose_call_hangs() {
    use std::io::BufRead;
    let stand = Stand::new();
    let slow = stand.slow_by(std::time::Duration::from_mins(1));
    let mut command = stand.command(&[&["probe", "-o", "ndjson"], &PAIR[..]].concat());
    command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("run.start"));
    let started = std::time::Instant::now();
    crate::common::signal(&child, "INT");
    crate::common::signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed().as_secs() < 30);
}
