//! `check` names the cause first, for every way to break a pair that the sandbox knows, and for what can't be known it says so.

use crate::common::{DESTINATION, SOURCE, Stand as Binary, bare, finished};
use crate::sandbox::breakers::{self, Pair, root};
use crate::sandbox::{ACCOUNT, EAST, ROLE, Stand, WEST};
use crrctl::aws::{Aws, Connection, Credentials};
use crrctl::check::{self, Finding, Report, Settings, Verdict};
use crrctl::manifest::{self, Manifest, Origin};
use crrctl::policy::Templates;
use crrctl_sandbox::SECRET;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;

const MANIFEST: &str = "\
name: break
source: {region: us-east-1, bucket: break-src}
destinations: [{region: us-west-2, bucket: break-dst}]
role: {name: replication}
replication: {delete_markers: true}
";

/// A pair that crrctl built, and what `check` looks at it with.
struct Checked {
    pair: Pair,
    manifest: Manifest,
    aws: Aws,
}

impl Checked {
    async fn new() -> Self {
        let stand = Stand::start().await;
        let home = tempfile::TempDir::new().unwrap();
        let file = home.path().join("crrctl.yaml");
        std::fs::write(&file, MANIFEST).unwrap();
        let mut apply = bare(&home, &["apply", "--yes", "--no-probe", "-q"]);
        apply
            .env("AWS_ENDPOINT_URL", stand.sandbox.endpoint())
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdin(Stdio::null());
        let _ = finished(&mut apply).exits(0);
        let mut arns = Vec::new();
        for region in [EAST, WEST] {
            let key = stand.kms(region).describe_key().key_id("alias/crrctl/break");
            let key = key.send().await.unwrap().key_metadata().unwrap().clone();
            arns.push(key.arn().unwrap().to_owned());
        }
        let manifest = manifest::parse(MANIFEST, &Origin::Stdin, None).unwrap();
        let connection = Connection {
            ca_bundle: None,
            endpoint_url: Some(stand.sandbox.endpoint()),
            usual: Credentials::of_stand_in(ACCOUNT, SECRET),
            ..Connection::default()
        };
        let aws = Aws::new(manifest.source_region(), connection).await;
        let replica = arns.remove(1);
        let pair = Pair::of(stand, arns.remove(0), replica).await;
        Self { pair, manifest, aws }
    }

    async fn report(&self) -> Report {
        self.report_with(&Settings::default()).await
    }

    async fn report_with(&self, settings: &Settings) -> Report {
        check::run(&self.aws, &self.manifest, &Templates::default(), settings).await.unwrap()
    }
}

/// Returns the first thing that is named: what failed, else what is unknown.
fn first(report: &Report) -> Option<&Finding> {
    report.causes().into_iter().next()
}

#[tokio::test(flavor = "multi_thread")]
async fn for_everything_that_can_be_broken_the_cause_is_named_first() {
    let checked = Checked::new().await;
    let whole = checked.report().await;
    assert!(!whole.has_failed(), "{:#?}", whole.causes());
    assert_eq!(first(&whole).map(|it| it.name), Some("organisation"), "{:#?}", whole.causes());
    assert!(whole.failure_reasons.is_empty());
    let pair = &checked.pair;
    let breaks = [
        pair.actions(),
        pair.conditions(),
        Pair::key_statements(),
        pair.states().await,
        // The last of these can't be mended.
        Pair::trusts_broken(),
    ]
    .concat();
    let (mut misses, mut words) = (Vec::new(), BTreeMap::new());
    for it in &breaks {
        pair.breaks(&it.how).await;
        let report = checked.report().await;
        keep(&mut words, &report);
        let named = first(&report).filter(|finding| finding.result == Verdict::Fail);
        let says = named.map(|finding| {
            format!("{} {}", finding.detail, finding.remedy.as_deref().unwrap_or_default())
        });
        let reason = report.failure_reasons.first().copied();
        let expected = it.reason.or(it.marker);
        let hit = named.is_some_and(|finding| finding.name == it.check)
            && says.as_ref().is_some_and(|says| says.contains(&it.word))
            && reason == expected;
        let sign = if hit { " " } else { "!" };
        let name = named.map_or("nothing", |finding| finding.name);
        eprintln!("{sign} {:<88} {name:<18} {}", it.what, reason.unwrap_or("-"));
        if !hit {
            misses.push(format!("{it:#?}\nnamed {name}, {reason:?}: {says:?}"));
        }
        pair.mends(&it.how).await;
    }
    let hits = breaks.len() - misses.len();
    eprintln!("{hits} of {} causes named first", breaks.len());
    assert!(misses.is_empty(), "{}", misses.join("\n"));
    assert!(breaks.len() >= 50, "{}", breaks.len());
    pinned("told-checks-broken", &words);
}

/// Keeps the first words of each failed check.
fn keep(words: &mut BTreeMap<&'static str, String>, report: &Report) {
    for finding in report.causes().into_iter().filter(|it| it.result == Verdict::Fail) {
        words.entry(finding.name).or_insert_with(|| finding.cause());
    }
}

fn pinned(name: &str, words: &BTreeMap<&'static str, String>) {
    let text = words.values().map(String::as_str).collect::<Vec<_>>().join("\n");
    crate::messages::blotted().bind(|| insta::assert_snapshot!(name, text));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_drifted_is_named_first_too() {
    let checked = Checked::new().await;
    let (pair, stand) = (&checked.pair, &checked.pair.stand);
    let words = Mutex::new(BTreeMap::new());
    let expect = async |what: &str, name: &str, word: &str| {
        let report = checked.report().await;
        keep(&mut words.lock().unwrap(), &report);
        let named = first(&report).unwrap();
        assert_eq!((named.result, named.name), (Verdict::Fail, name), "{what}: {named:?}");
        assert!(named.detail.contains(word), "{what}: {named:?}");
    };
    let live = pair.rules.rules().to_vec();
    let mut off = live.clone();
    off[0].status = aws_sdk_s3::types::ReplicationRuleStatus::Disabled;
    pair.rules(off).await;
    expect("a rule that is off", "replication.rules", "Disabled").await;
    stand.s3(EAST).delete_bucket_replication().bucket(breakers::SOURCE).send().await.unwrap();
    expect("no rules", "replication.rules", "no replication configuration").await;
    pair.rules(live).await;

    let stale = json!({"Version": "2012-10-17", "Statement": [root(), {
        "Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}, "Action": "kms:Decrypt", "Resource": "*",
    }]});
    if stand
        .kms(WEST)
        .put_key_policy()
        .key_id(&pair.replica)
        .policy(stale.to_string())
        .send()
        .await
        .is_ok()
    {
        expect("a principal that is gone", "principals.stale", "AROAEXAMPLEEXAMPLE123").await;
        pair.key_policy(WEST, &json!({"Version": "2012-10-17", "Statement": [root()]}).to_string())
            .await;
    }
    stand.kms(EAST).disable_key_rotation().key_id(&pair.primary).send().await.unwrap();
    expect("no rotation", "key.rotation", "off").await;
    stand.kms(EAST).enable_key_rotation().key_id(&pair.primary).send().await.unwrap();
    stand.kms(WEST).delete_alias().alias_name("alias/crrctl/break").send().await.unwrap();
    expect("no alias", "key.exists", "alias/crrctl/break").await;
    let alias = stand.kms(WEST).create_alias().alias_name("alias/crrctl/break");
    alias.target_key_id(pair.replica.rsplit('/').next().unwrap()).send().await.unwrap();
    stand.s3(EAST).delete_bucket_encryption().bucket(breakers::SOURCE).send().await.unwrap();
    expect("other encryption", "bucket.encryption", "AES256").await;
    stand.encrypt(breakers::SOURCE, EAST, &pair.primary).await;
    let lock = aws_sdk_s3::types::ObjectLockConfiguration::builder()
        .object_lock_enabled(aws_sdk_s3::types::ObjectLockEnabled::Enabled)
        .build();
    let put = stand.s3(EAST).put_object_lock_configuration().bucket(breakers::SOURCE);
    put.object_lock_configuration(lock).send().await.unwrap();
    expect("a lock at the source alone", "bucket.lock", "Object Lock").await;
    let gone = stand.s3(WEST).delete_bucket().bucket(breakers::DESTINATION).send().await;
    gone.unwrap();
    expect("no destination", "bucket.exists", "does not exist").await;
    pinned("told-checks-drifted", &words.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_outside_s3_knows_is_unknown_and_never_passed() {
    let checked = Checked::new().await;
    let pair = &checked.pair;
    let deny = |operator: &str, key: &str, value: &str| -> Value {
        json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Fence", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*",
            "Resource": "arn:aws:s3:::break-dst/*", "Condition": {operator: {key: value}},
        }]})
    };
    for (operator, key, value) in [
        ("StringNotEquals", "aws:SourceVpce", "vpce-1a2b3c4d"),
        ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("StringNotEquals", "aws:PrincipalOrgID", "o-1234567890"),
        ("StringNotEqualsIfExists", "aws:SourceVpc", "vpc-1a2b3c4d"),
        ("StringNotLike", "aws:PrincipalTag/team", "storage*"),
    ] {
        let text = deny(operator, key, value).to_string();
        pair.bucket_policy(breakers::DESTINATION, WEST, Some(&text)).await;
        let report = checked.report().await;
        assert!(!report.has_failed(), "{key}: {:#?}", report.causes());
        let named = first(&report).unwrap();
        assert_eq!((named.name, named.result), ("bucket.policy", Verdict::Unknown), "{key}");
        assert!(named.detail.contains(key) && named.detail.contains("Fence"), "{}", named.detail);
        assert_eq!(report.failure_reasons[0], "DstPutObjectNotPermitted", "{key}");
    }
    // A Deny that spares the role by name is certain, whatever else it asks.
    let mut spared = deny("StringNotEquals", "aws:SourceVpce", "vpce-1a2b3c4d");
    spared["Statement"][0]["Condition"]["ArnNotEquals"] = json!({"aws:PrincipalArn": ROLE});
    pair.bucket_policy(breakers::DESTINATION, WEST, Some(&spared.to_string())).await;
    assert_eq!(first(&checked.report().await).unwrap().name, "organisation");
    // An Allow that only might apply is no pass either.
    let mut only = root();
    only["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}});
    let text = json!({"Version": "2012-10-17", "Statement": [breakers::owner(), only]});
    pair.key_policy(WEST, &text.to_string()).await;
    let report = checked.report().await;
    let named = first(&report).unwrap();
    assert_eq!((named.name, named.result), ("key.policy", Verdict::Unknown), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_clean_proof_and_a_failed_probe_the_organisation_is_the_first_suspect() {
    let checked = Checked::new().await;
    let report = checked.report_with(&Settings { failed: true, ..Settings::default() }).await;
    let named = first(&report).unwrap();
    assert_eq!(named.name, "organisation");
    assert!(named.detail.contains("first suspect"), "{named:?}");
    assert!(report.failure_reasons.contains(&"DstPutObjectNotPermitted"));
}

#[test]
fn a_role_without_its_policy_is_for_apply() {
    let stand = crate::common::Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.iam(async |iam| {
        let delete = iam.delete_role_policy().role_name("crrctl-demo-us-east-1");
        delete.policy_name("replication").send().await.unwrap()
    });
    let output = stand.in_process(&["check"]).exits(2).json();
    let mut checks = output["checks"].as_array().unwrap().iter();
    let policy = checks.find(|check| check["name"] == "role.policy").unwrap();
    assert_eq!(policy["remedy"], "`crrctl apply` puts the role's policy back", "{policy}");
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let _ = stand.in_process(&["check"]).exits(0);
}

#[test]
fn a_pair_that_is_not_there_fails_unless_the_question_is_whether_it_could_be_built() {
    let missing = crate::common::alone(&["check", "--sandbox", "-o", "json"]).exits(2).json();
    let failed = missing["checks"].as_array().unwrap().iter().filter(|it| it["result"] == "fail");
    let failed: Vec<&Value> = failed.map(|it| &it["name"]).collect();
    assert_eq!(failed, ["pair.exists"]);
    let args = ["check", "--before-apply", "--sandbox", "-o", "json"];
    let output = crate::common::alone(&args).exits(0).json();
    assert_eq!(output["schema"], "crrctl/check/v1");
    let checks = output["checks"].as_array().unwrap();
    let result = |name: &str| {
        let of_name = checks.iter().find(|check| check["name"] == name);
        of_name.unwrap_or_else(|| panic!("no {name}"))["result"].clone()
    };
    assert_eq!(result("pair.exists"), "skip");
    assert_eq!(result("bucket.exists"), "skip");
    assert_eq!(result("role.policy"), "pass", "what would be written is proven");
    assert_eq!(result("organisation"), "unknown");
    assert_eq!(output["failure_reasons"], json!([]));
}

#[test]
fn a_service_control_policy_that_forbids_replication_is_found_before_apply() {
    let stand = Binary::new();
    let text = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "NoCopies", "Effect": "Deny", "Action": "s3:ReplicateObject", "Resource": "*"},
    ]});
    std::fs::write(stand.path("scp.json"), text.to_string()).unwrap();
    let output = stand.pair(&["check", "--before-apply", "--scp", "scp.json"]).exits(2).json();
    let failed = |check: &&Value| check["result"] == "fail";
    let failed: Vec<&Value> = output["checks"].as_array().unwrap().iter().filter(failed).collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0]["name"], "organisation");
    assert!(failed[0]["detail"].as_str().unwrap().contains("NoCopies"), "{failed:?}");
}

#[test]
fn code_2_where_a_check_failed_and_json_as_the_contract_says() {
    let stand = Binary::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let whole = stand.in_process(&["check"]).exits(0).json();
    stand.disable_replica_key();
    let broken = stand.in_process(&["check"]).exits(2).json();
    assert_eq!(broken["failure_reasons"], json!(["DstKmsKeyInvalidState"]));
    for check in
        whole["checks"].as_array().unwrap().iter().chain(broken["checks"].as_array().unwrap())
    {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["name", "result", "region", "detail", "remedy"]);
        let name = check["name"].as_str().unwrap();
        assert!(check::catalogue::entry(name).is_some(), "{name} is not explained");
        if check["result"] == "fail" {
            assert!(!check["remedy"].as_str().unwrap().is_empty(), "{check}");
        }
    }
    // Of the failing check alone, and of the other side.
    assert_eq!(
        stand.in_process(&["check", "--skip-check", "key.state"]).exits(0).json()["failure_reasons"],
        json!([])
    );
    let _ = stand.in_process(&["check", "--side", "source"]).exits(0);
    let _ = stand.in_process(&["check", "--side", "destination"]).exits(2);
    let text = stand.run(&[&["check"], &crate::common::PAIR[..]].concat()).exits(2).stdout;
    assert!(text.contains("first cause: key.state in us-west-2"), "{text}");
}

#[test]
fn an_unknown_check_is_told_with_what_was_meant() {
    let output = crate::common::alone(&["check", "--sandbox", "--skip-check", "key.sate"]).exits(3);
    assert!(output.stderr.contains("`key.state`"), "{output}");
}

#[test]
fn a_probe_that_failed_is_diagnosed_by_itself() {
    let stand = Binary::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.disable_replica_key();
    let output = stand.in_process(&["probe"]).exits(6).json();
    assert_eq!(output["failure_reasons"][0], "DstKmsKeyInvalidState");
    let error = &output["error"];
    assert_eq!(error["failure_reasons"][0], "DstKmsKeyInvalidState");
    let cause = error["causes"][0].as_str().unwrap();
    assert!(cause.starts_with("key.state in us-west-2") && cause.contains("enable-key"), "{cause}");
    let text = stand.run(&[&["probe", "-q"], &crate::common::PAIR[..]].concat()).exits(6).stderr;
    assert!(text.contains("cause: key.state in us-west-2"), "{text}");
}

#[test]
fn a_bucket_that_is_somebody_elses_is_named() {
    let stand = Binary::new();
    stand.bucket_of_somebody_else();
    let output = stand.in_process(&["check"]).exits(2).json();
    let failed =
        output["checks"].as_array().unwrap().iter().find(|it| it["result"] == "fail").unwrap();
    assert!(
        [SOURCE, DESTINATION].iter().any(|name| failed["detail"].as_str().unwrap().contains(name))
    );
    assert!(
        ["bucket.owner", "bucket.exists"].contains(&failed["name"].as_str().unwrap()),
        "{failed}"
    );
}
