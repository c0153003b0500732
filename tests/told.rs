//! The errors that crrctl prints: one situation per code, with its text pinned; every kind of
//! failure and every code's explanation, rendered; and a check that a test names every code in the
//! source.
//! Not for: the exit codes of commands (see `exit_codes`).

mod alerts;
mod between;
mod checks;
mod gate;
mod meanwhile;
mod rare;
mod warnings;

use crate::common::{DESTINATION, Output, PAIR, SOURCE, Stand, alone, alone_with};
use crate::messages::blotted;
use crrctl::check::catalogue;
use crrctl::failure::{Failure, Kind};
use crrctl::names::Region;
use crrctl::report;
use crrctl_sandbox::Options;
use std::fmt::Write;

const DEMO: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
const JSON: [&str; 2] = ["-o", "json"];

/// Asserts the error code, and pins the text on stderr under the code's name.
#[track_caller]
pub(crate) fn told(code: &str, output: &Output) {
    told_as(code, code, output);
}

#[track_caller]
pub(crate) fn told_as(name: &str, code: &str, output: &Output) {
    let object = output.json();
    assert_eq!(object["error"]["code"], code, "{output}");
    told_in_text(name, code, output);
}

/// Does the same for a command that prints no object.
#[track_caller]
fn told_in_text(name: &str, code: &str, output: &Output) {
    assert!(catalogue::entry(code).is_some(), "{code} is not explained");
    assert!(output.stderr.contains(&format!("more: crrctl explain {code}")), "{output}");
    // Two facts vary between runs: the step that a signal interrupts, and which of a pair's keys is
    // scheduled for deletion first.
    let is_chance = |line: &str| {
        ["interrupted", "bucket-stands"].contains(&code) && line.starts_with("  step:")
    };
    let lines = output.stderr.lines().skip_while(|line| !line.starts_with("error:"));
    let words: Vec<&str> = lines.filter(|line| !is_chance(line)).collect();
    let text = format!("{}\n[exit status: {}]", words.join("\n"), output.code);
    let mut settings = blotted();
    settings.add_filter(r"\d+ changes? of this run", "<n> changes of this run");
    if code == "bucket-stands" {
        settings.add_filter("arn:aws:kms:us-(east-1|west-2):", "arn:aws:kms:<region>:");
        settings.add_filter(r"left behind: \d resources", "left behind: <n> resources");
    }
    settings.bind(|| insta::assert_snapshot!(format!("told-{name}"), text));
}

fn built() -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand
}

fn manifest(stand: &Stand, args: &[&str], text: &str) -> Output {
    stand.manifest(&[args, &JSON].concat(), text)
}

#[test]
fn manifests_and_flags() {
    told(
        "usage",
        &alone(&[&["probe", "--size", "1GiB", "--concurrency", "2"], &PAIR[..], &JSON].concat()),
    );
    told_as("no-manifest", "usage", &alone(&["plan", "-o", "json"]));
    told_as(
        "name-invalid",
        "manifest-invalid",
        &alone(&[
            "plan",
            "--name",
            "Demo",
            "--source",
            "us-east-1",
            "--destination",
            "us-west-2",
            "-o",
            "json",
        ]),
    );
    told(
        "manifest-invalid",
        &alone_with(&["plan", "-o", "json"], "name: demo\nsource: {regoin: us-east-1}\n"),
    );
    told("unknown-code", &alone(&["explain", "DstPutObjectNotPermited", "-o", "json"]));
    let stand = Stand::new();
    std::fs::write(
        stand.path("scp.json"),
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}"#,
    )
    .unwrap();
    told("policy-invalid", &stand.pair(&["check", "--scp", "scp.json"]));
    std::fs::create_dir(stand.path("templates")).unwrap();
    std::fs::write(stand.path("templates/key.json.j2"), "{{ no_such_variable | tojson }}").unwrap();
    let path = stand.path("crrctl.yaml");
    std::fs::write(&path, format!("{DEMO}policy: {{templates: templates}}\n")).unwrap();
    told("template-invalid", &stand.run(&["plan", "-o", "json"]));
}

#[test]
fn buckets_in_the_way() {
    use aws_sdk_s3::types as t;
    let stand = Stand::new();
    stand.bucket_of_somebody_else();
    told("bucket-not-ours", &stand.pair(&["apply", "--yes"]));
    let stand = Stand::new();
    stand.s3("eu-west-1", async |s3| {
        let place = t::BucketLocationConstraint::from("eu-west-1");
        let place = t::CreateBucketConfiguration::builder().location_constraint(place).build();
        s3.create_bucket()
            .bucket(DESTINATION)
            .create_bucket_configuration(place)
            .send()
            .await
            .unwrap();
    });
    told("bucket-elsewhere", &stand.pair(&["apply", "--yes"]));
    let stand = built();
    stand.put_theirs("theirs");
    stand.settled(1);
    told("foreign-objects", &stand.pair(&["destroy", "--yes"]));
    let locked = format!("{DEMO}buckets: {{object_lock: true}}\n");
    let stand = Stand::new();
    let _ = manifest(&stand, &["apply", "--yes", "--no-probe"], &locked).exits(0);
    told("object-lock-on", &manifest(&stand, &["plan"], DEMO));
    let stand = Stand::new();
    stand.s3("us-east-1", async |s3| s3.create_bucket().bucket(SOURCE).send().await.unwrap());
    let adopted = locked.replace("us-east-1}", "us-east-1, adopt: true}");
    told("object-lock-missing", &manifest(&stand, &["plan"], &adopted));
    let compliance = format!("{DEMO}buckets: {{object_lock: {{mode: compliance, days: 1}}}}\n");
    told("probe-held", &manifest(&Stand::new(), &["apply", "--yes"], &compliance));
}

#[test]
fn keys_in_the_way() {
    let stand = Stand::long_ago();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let name = |region: &str, is_multi_region: bool| {
        stand.kms(region, async |kms| {
            let key = kms.create_key().multi_region(is_multi_region).send().await.unwrap();
            let theirs = key.key_metadata().unwrap().key_id().to_owned();
            let point = kms.update_alias().alias_name("alias/crrctl/demo");
            point.target_key_id(&theirs).send().await.unwrap();
        });
    };
    name("us-west-2", false);
    told("alias-not-ours", &stand.pair(&["plan"]));
    name("us-east-1", false);
    told("key-not-primary", &stand.pair(&["plan"]));
    name("us-east-1", true);
    told("key-not-ours", &stand.pair(&["plan"]));
    let stand = built();
    stand.disable_replica_key();
    told("key-unusable", &stand.pair(&["apply", "--yes"]));
    let existing = |arn: &str| {
        format!(
            "{DEMO}key: {{kind: existing, arns: {{us-east-1: \"{arn}\", us-west-2: \"{arn}\"}}}}\n"
        )
    };
    told("key-missing", &manifest(&stand, &["plan"], &existing("alias/nobodys")));
    let stand = Stand::new();
    stand.profile("archive", "444455556666");
    let far = DEMO.replace("us-west-2}", "us-west-2, profile: archive}");
    told("key-across-accounts", &manifest(&stand, &["plan"], &far));
    let wrong = far.replace("archive}", "archive, account: \"555566667777\"}");
    told("wrong-account", &manifest(&stand, &["plan"], &format!("{wrong}key: {{kind: none}}\n")));
}

#[test]
fn probes_and_waits() {
    let stand = Stand::new();
    told("pair-missing", &stand.pair(&["probe"]));
    let stand = built();
    // The delay makes a probe slower than 0 ms on any machine.
    stand.faults(&["s3:HeadObject:delay=20ms"]);
    told("p95-exceeded", &stand.pair(&["probe", "--expect-p95", "0ms"]));
    stand.faults(&[]);
    told("object-missing", &stand.run(&["wait", &format!("s3://{SOURCE}/nothing"), "-o", "json"]));
    // So S3 answers for an object under a key of its owner's.
    stand.faults(&["s3:HeadObject:error=InvalidRequest", "s3:GetObject:error=InvalidRequest"]);
    let sealed = stand.run(&["wait", &format!("s3://{SOURCE}/sealed"), "-o", "json"]);
    stand.faults(&[]);
    told("object-unreadable", &sealed);
    stand.disable_replica_key();
    told("replication-failed", &stand.pair(&["probe"]));
    let stand = built();
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let mut live = live.replication_configuration().unwrap().clone();
        live.rules[0].status = aws_sdk_s3::types::ReplicationRuleStatus::Disabled;
        let put = s3.put_bucket_replication().bucket(SOURCE).replication_configuration(live);
        put.send().await.unwrap();
    });
    stand.put_theirs("plain");
    told(
        "no-replication-status",
        &stand.run(&["wait", &format!("s3://{SOURCE}/plain"), "-o", "json"]),
    );
    told("not-eligible", &stand.pair(&["probe"]));
}

#[test]
fn the_run_itself() {
    let wrong = Stand::new();
    let mut command = wrong.command(&[&["plan"], &PAIR[..], &JSON].concat());
    command.env("AWS_SECRET_ACCESS_KEY", "wrong");
    told("SignatureDoesNotMatch", &crate::common::finished(&mut command));
    told_as("yes-missing", "usage", &alone(&[&["apply"], &PAIR[..], &JSON].concat()));
    let fault = "kms:CreateKey:error=AccessDeniedException".parse().unwrap();
    let stand = Stand::with(Options { faults: vec![fault], ..Options::default() });
    told("AccessDeniedException", &stand.pair(&["apply", "--yes"]));
    let unwritable = alone(&["man", "--dir", "/dev/null/no", "-o", "json"]);
    told("unwritable", &unwritable);
    told("recording-unreadable", &alone(&["compare", "/dev/null", "-o", "json"]).exits(3));
    // Nothing is asked before the file of a report is open.
    let output = alone(&["plan", "--junit", "/dev/null/no.xml", "-o", "json"]).exits(3);
    told("file-unwritable", &output);
}

/// Every kind of failure with all of its fields, as text and as JSON.
#[test]
fn every_kind_of_failure() {
    let mut text = String::new();
    for (kind, exit, meaning) in Kind::TABLE {
        let mut failure = Failure::new(kind, "some-code", format!("it is {meaning}"))
            .in_region(&Region::new("us-east-1").unwrap())
            .at_step("s3:bucket/orders", &Region::new("us-east-1").unwrap())
            .leaving("3 changes")
            .hint("do this")
            .hint("or that");
        failure.aws_code = Some("AccessDenied".to_owned());
        failure.request_id = Some("4442587FB7D0A2F9".to_owned());
        failure.causes = vec!["key.state in us-west-2: it is Disabled".to_owned()];
        failure.failure_reasons = vec!["DstKmsKeyInvalidState".to_owned()];
        let said = anstream::adapter::strip_str(&report::explained(&failure)).to_string();
        let object = serde_json::to_string_pretty(&failure).unwrap();
        let _ = writeln!(text, "## {} (exit code {exit})\n{said}\n{object}\n", kind.as_str());
    }
    blotted().bind(|| insta::assert_snapshot!("told-every-kind", text));
}

#[test]
fn every_explanation() {
    let mut text = String::new();
    for entry in catalogue::all() {
        let said = anstream::adapter::strip_str(&report::explanation(entry)).to_string();
        let _ = writeln!(text, "{said}");
    }
    blotted().bind(|| insta::assert_snapshot!("told-explanations", text));
    // AWS's list of failure reasons (S3 User Guide, "Receiving replication failure events with
    // Amazon S3 Event Notifications").
    for code in [
        "AssumeRoleNotPermitted",
        "DstBucketInvalidRegion",
        "DstBucketNotFound",
        "DstBucketObjectLockConfigMissing",
        "DstBucketUnversioned",
        "DstDelObjNotPermitted",
        "DstKmsKeyInvalidState",
        "DstKmsKeyNotFound",
        "DstMultipartCompleteNotPermitted",
        "DstMultipartInitNotPermitted",
        "DstMultipartPartUploadNotPermitted",
        "DstMultipartUploadNotPermitted",
        "DstObjectHardDeleted",
        "DstPutAclNotPermitted",
        "DstPutLegalHoldNotPermitted",
        "DstPutObjectNotPermitted",
        "DstPutRetentionNotPermitted",
        "DstPutTaggingNotPermitted",
        "DstVersionNotFound",
        "InitiateReplicationNotPermitted",
        "SrcBucketInvalidRegion",
        "SrcBucketNotFound",
        "SrcBucketReplicationConfigMissing",
        "SrcGetAclNotPermitted",
        "SrcGetLegalHoldNotPermitted",
        "SrcGetObjectNotPermitted",
        "SrcGetRetentionNotPermitted",
        "SrcGetTaggingNotPermitted",
        "SrcHeadObjectNotPermitted",
        "SrcKeyNotFound",
        "SrcKmsKeyInvalidState",
        "SrcObjectNotEligible",
        "SrcObjectNotFound",
        "SrcReplicationNotPending",
        "SrcVersionNotFound",
    ] {
        assert!(catalogue::entry(code).is_some(), "{code}");
    }
}
