//! A destination in another account: the whole life under two accounts' credentials, with both accounts' policies in force.

use crate::common::{Stand, fed, kms_of, s3_of};
use aws_sdk_s3::config::Credentials;
use crrctl_sandbox::{DEFAULT_ACCOUNT, SECRET};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OTHER: &str = "444455556666";
const THIRD: &str = "777788889999";
const BUCKET: &str = "far-444455556666-us-west-2";

/// A pair whose destination has a profile of its own.
const FAR: &str = "
name: far
source: {region: us-east-1}
destinations: [{region: us-west-2, profile: archive}]
key: {kind: per-region}
";

fn both_ways() -> String {
    format!("{FAR}replication: {{two_way: true}}\n")
}

fn stand() -> Stand {
    let stand = Stand::new();
    stand.profile("archive", OTHER);
    stand.profile("third", THIRD);
    stand.profile("same", DEFAULT_ACCOUNT);
    stand
}

fn s3_of_other(stand: &Stand) -> aws_sdk_s3::Client {
    s3_of(OTHER, stand.endpoint(), "us-west-2")
}

fn kms_of_other(stand: &Stand) -> aws_sdk_kms::Client {
    kms_of(OTHER, stand.endpoint(), "us-west-2")
}

/// Returns the Regions that a probe went from and to.
fn way(probe: &Value) -> (String, String) {
    let region = |side: &str| probe[side]["region"].as_str().unwrap().to_owned();
    (region("source"), region("destination"))
}

fn bucket_policy(stand: &Stand) -> Value {
    let text = stand.wait(async {
        let get = s3_of_other(stand).get_bucket_policy().bucket(BUCKET).send().await.unwrap();
        get.policy().unwrap().to_owned()
    });
    serde_json::from_str(&text).unwrap()
}

/// Every shape of a foreign destination, each through its whole life; what drifts in the other account is repaired there.
#[test]
fn every_shape_lives_under_two_accounts() {
    let shapes = [
        ("per-region", FAR.to_owned()),
        ("SSE-S3", FAR.replace("per-region", "none")),
        ("both ways", both_ways()),
        (
            "both ways, SSE-S3",
            both_ways().replace("per-region", "none") + "buckets: {tls_only: false}\n",
        ),
        (
            "both ways, many",
            "
name: far
source: {region: us-east-1}
destinations:
  - {region: us-west-2, profile: archive, prefix: logs/, delete_markers: true, owner_override: true}
  - {region: ap-south-1, profile: third, prefix: data/}
  - {region: eu-west-1}
key: {kind: per-region}
replication: {two_way: true}
"
            .to_owned(),
        ),
        (
            "owner override",
            FAR.replace(
                "profile: archive",
                "profile: archive, owner_override: true, account: \"444455556666\"",
            ),
        ),
        (
            "both",
            "
name: far
source: {region: us-east-1}
destinations:
  - {region: us-west-2, profile: archive, prefix: logs/, delete_markers: true, owner_override: true}
  - {region: us-west-2, profile: archive, prefix: data/, tags: {tier: gold}}
  - {region: eu-west-1}
key: {kind: per-region}
buckets: {tls_only: false, deny_other_keys: true}
"
            .to_owned(),
        ),
    ];
    for (name, manifest) in &shapes {
        let stand = stand();
        let planned = stand.manifest(&["plan", "-o", "json"], manifest).exits(0).json();
        let applied = stand.manifest(&["apply", "--yes", "-o", "json"], manifest).exits(0).json();
        let probes = applied["probes"].as_array().unwrap();
        for probe in probes {
            let checks = probe["checks"].as_object().unwrap();
            assert!(checks.values().all(|holds| holds == true), "{name}: {probe}");
            let key = probe["kms_key_arn"].as_str().unwrap_or_default();
            let wanted = match probe["destination"]["region"].as_str().unwrap() {
                "us-west-2" => OTHER,
                "ap-south-1" => THIRD,
                _ => DEFAULT_ACCOUNT,
            };
            assert!(key.is_empty() || key.contains(wanted), "{name}: {probe}");
        }
        let again = ["apply", "--yes", "-o", "json", "--no-probe"];
        let same = stand.manifest(&again, manifest).exits(0).json();
        assert_eq!((&same["changed"], &same["api_writes"]), (&false.into(), &0.into()), "{name}");
        stand.wait(async {
            s3_of_other(&stand).delete_bucket_policy().bucket(BUCKET).send().await.unwrap()
        });
        let repaired = stand.manifest(&again, manifest).exits(0).json();
        assert_eq!(repaired["changed"], true, "{name}");
        let _ = stand.manifest(&["plan", "--detailed-exitcode"], manifest).exits(0);
        let once_more = stand.manifest(&["probe", "-o", "json"], manifest).exits(0).json();
        let told = once_more["probes"].as_array().unwrap().iter();
        let ways: BTreeSet<(String, String)> = told.map(way).collect();
        let back = |(from, to): &(String, String)| (to.clone(), from.clone());
        let is_two_way = manifest.contains("two_way: true");
        assert_eq!(ways.iter().all(|it| ways.contains(&back(it))), is_two_way, "{name}: {ways:?}");
        let checked = stand.manifest(&["check", "-o", "json"], manifest).exits(0).json();
        let failed: Vec<&Value> = checked["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["result"] == "fail")
            .collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
        let _ = stand.manifest(&["destroy", "--yes"], manifest).exits(0);
        assert_eq!(stand.leftovers(), [""; 0], "{name}");
        println!(
            "{name:<16} {:>3} planned  {:>2} probes COMPLETED in {OTHER}  0 changes again  drift repaired  destroyed",
            planned["changes"].as_array().unwrap().len(),
            probes.len()
        );
    }
}

/// Within one account another profile changes nothing: a multi-Region key serves both sides.
#[test]
fn a_profile_of_the_same_account_is_no_other_account() {
    let stand = stand();
    let manifest = "name: near\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: same}]\n";
    let _ = stand.manifest(&["apply", "--yes"], manifest).exits(0);
    let plain = manifest.replace(", profile: same", "");
    let _ = stand.manifest(&["plan", "--detailed-exitcode"], &plain).exits(0);
    let _ = stand.manifest(&["destroy", "--yes"], manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// What can't work across accounts ends before anything is written, and says what can.
#[test]
fn what_accounts_make_impossible_is_refused_unwritten() {
    let stand = stand();
    let replaced = |from: &str, to: &str| FAR.replace(from, to);
    let refused: [(String, i32, &str, &str); 6] = [
        (
            replaced("key: {kind: per-region}\n", ""),
            3,
            "us-west-2 is in account 444455556666 and the source in 111122223333: a multi-Region key",
            "kind: per-region",
        ),
        (
            replaced("profile: archive", "profile: archive, key: alias/aws/s3"),
            3,
            "`alias/aws/s3` in us-west-2 can't be used by another account",
            "customer managed key",
        ),
        (
            replaced("profile: archive", "profile: archive, account: \"777788889999\""),
            4,
            "the credentials for us-west-2 are of account 444455556666, and the manifest says 777788889999",
            "correct `account`",
        ),
        (
            replaced("profile: archive", "profile: nobody"),
            4,
            "the credentials of the destination in us-west-2 (profile `nobody`) do not work",
            "--profile",
        ),
        (
            replaced("profile: archive", "assume_role: \"arn:aws:iam::444455556666:role/nobody\""),
            5,
            "the credentials of the destination in us-west-2 (role `arn:aws:iam::444455556666:role/nobody`) do not work",
            "sts:AssumeRole",
        ),
        (
            replaced("{region: us-east-1}", "{region: us-east-1, profile: nobody}"),
            4,
            "the credentials of the source (profile `nobody`) do not work",
            "--profile",
        ),
    ];
    for (manifest, code, message, way_out) in &refused {
        let output = stand.manifest(&["apply", "--yes"], manifest).exits(*code);
        assert!(output.stderr.contains(message), "{manifest}\nwants {message}\n{output}");
        assert!(output.stderr.contains(way_out), "{manifest}\nwants {way_out}\n{output}");
    }
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// A policy that names a role by its ARN is bound to that very role: once that is gone, the policy reads `AROA…` and is mended.
#[test]
fn principals_that_are_gone_are_drift() {
    let stand = stand();
    let _ = stand.manifest(&["apply", "--yes"], FAR).exits(0);
    let role = "arn:aws:iam::111122223333:role/crrctl/crrctl-far-us-east-1";
    let mut policy = bucket_policy(&stand);
    for statement in policy["Statement"].as_array_mut().unwrap() {
        if statement["Effect"] == "Allow" {
            statement["Principal"] = json!({"AWS": role});
            statement.as_object_mut().unwrap().remove("Condition");
        }
    }
    stand.wait(async {
        let put = s3_of_other(&stand).put_bucket_policy().bucket(BUCKET);
        put.policy(policy.to_string()).send().await.unwrap();
        let kms = kms_of_other(&stand);
        let key = kms.describe_key().key_id("alias/crrctl/far").send().await.unwrap();
        let key = key.key_metadata().unwrap().key_id().to_owned();
        let live = kms.get_key_policy().key_id(&key).policy_name("default").send().await.unwrap();
        let mut live: Value = serde_json::from_str(live.policy().unwrap()).unwrap();
        live["Statement"][1]["Principal"] = json!({"AWS": role});
        let put = kms.put_key_policy().key_id(&key).policy_name("default");
        put.policy(live.to_string()).send().await.unwrap();
    });
    stand.iam(async |iam| {
        let name = "crrctl-far-us-east-1";
        let policy = iam.delete_role_policy().role_name(name).policy_name("replication");
        policy.send().await.unwrap();
        iam.delete_role().role_name(name).send().await.unwrap();
    });
    assert!(bucket_policy(&stand).to_string().contains("\"AROA"));
    let checked = stand.manifest(&["check", "-o", "json"], FAR).json();
    let stale = checked["checks"].as_array().unwrap().iter();
    let stale = stale.filter(|it| it["name"] == "principals.stale" && it["result"] == "fail");
    assert_eq!(stale.count(), 2, "bucket and key: {checked}");
    let plan = stand.manifest(&["plan"], FAR).exits(0).stdout;
    assert_eq!(plan.matches("principals that were deleted").count(), 2, "{plan}");
    let _ = stand.manifest(&["apply", "--yes"], FAR).exits(0);
    assert!(!bucket_policy(&stand).to_string().contains("AROA"));
    let _ = stand.manifest(&["plan", "--detailed-exitcode"], FAR).exits(0);
    let _ = stand.manifest(&["destroy", "--yes"], FAR).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

pub(crate) fn iam_of(stand: &Stand, account: &str) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .http_client(crate::common::plain_http())
        .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
        .credentials_provider(Credentials::new(account, SECRET, None, None, "test"))
        .endpoint_url(stand.endpoint())
        .region(aws_sdk_iam::config::Region::new("us-east-1"))
        .build();
    aws_sdk_iam::Client::from_conf(config)
}

/// Each command with a user in the source's account and a role in the other, which have what `policy operator` says for
/// their account and nothing else.
#[test]
fn operator_policies_of_each_account_are_enough() {
    operators_get_by(FAR);
    operators_get_by(&both_ways());
}

fn operators_get_by(manifest: &str) {
    let stand = stand();
    let role = "arn:aws:iam::444455556666:role/operator";
    let credentials = format!("assume_role: \"{role}\", owner_override: true");
    let manifest = manifest.replace("profile: archive", &credentials);
    let values = ["policy", "operator", "-o", "json", "--account", DEFAULT_ACCOUNT];
    let operator = stand.manifest(&values, &manifest).exits(0).json();
    let assume = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
    ]});
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": DEFAULT_ACCOUNT}, "Action": "sts:AssumeRole"},
    ]});
    let (id, secret) = stand.wait(async {
        let iam = iam_of(&stand, DEFAULT_ACCOUNT);
        iam.create_user().user_name("ann").send().await.unwrap();
        let put = iam.put_user_policy().user_name("ann").policy_name("assume");
        put.policy_document(assume.to_string()).send().await.unwrap();
        let key = iam.create_access_key().user_name("ann").send().await.unwrap();
        let key = key.access_key().unwrap();
        let there = iam_of(&stand, OTHER).create_role().role_name("operator");
        there.assume_role_policy_document(trust.to_string()).send().await.unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    });
    let allow = |command: &str| {
        let parts = operator["commands"][command].as_array().unwrap();
        stand.wait(async {
            for part in parts {
                let part = part.as_str().unwrap();
                let is_other = part.ends_with(OTHER);
                let iam = iam_of(&stand, if is_other { OTHER } else { DEFAULT_ACCOUNT });
                let document = operator["documents"][part].to_string();
                let name = part.replace('.', "-");
                let make = iam.create_policy().policy_name(name).policy_document(document);
                let Ok(policy) = make.send().await else { continue };
                let arn = policy.policy().unwrap().arn().unwrap();
                if is_other {
                    let attach = iam.attach_role_policy().role_name("operator");
                    attach.policy_arn(arn).send().await.unwrap();
                } else {
                    let attach = iam.attach_user_policy().user_name("ann");
                    attach.policy_arn(arn).send().await.unwrap();
                }
            }
        });
    };
    let run = |args: &[&str]| {
        let mut command = stand.command(&[args, &["-f", "-"]].concat());
        command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        fed(command, &manifest)
    };
    allow("plan");
    let _ = run(&["plan"]).exits(0);
    // Who may only look, in either account, can't change anything.
    let denied = run(&["apply", "--yes"]).exits(5);
    assert!(denied.stderr.contains("add this statement to the policies of"), "{denied}");
    allow("apply");
    for args in [&["apply", "--yes"][..], &["apply", "--yes"], &["probe"]] {
        let _ = run(args).exits(0);
    }
    allow("destroy");
    let _ = run(&["destroy", "--yes"]).exits(0);
    let left: Vec<String> = stand.leftovers();
    let left: Vec<&String> = left.iter().filter(|it| it.contains("far")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The stand-in inside the process has an account for each side that names other credentials.
#[test]
fn a_manifest_of_two_accounts_is_rehearsed() {
    let output = crate::common::alone_with(&["rehearse"], FAR).exits(0);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains(BUCKET), "{output}");
}

/// What another tool takes over names the credentials and the new owner too.
#[test]
fn an_export_names_credentials_and_the_new_owner() {
    let stand = stand();
    let manifest =
        both_ways().replace("profile: archive", "profile: archive, owner_override: true");
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
    let text = stand.manifest(&["export", "terraform"], &manifest).exits(0).stdout;
    assert!(text.contains("profile = \"archive\""), "{text}");
    let flat: String = text.split_whitespace().collect();
    assert!(flat.contains("access_control_translation{owner=\"Destination\"}"), "{text}");
    assert!(flat.contains("account=\"444455556666\""), "{text}");
    let (_, role) = flat.split_once("name=\"crrctl-far-us-west-2\"").unwrap();
    let before = flat.split("name=\"crrctl-far-us-west-2\"").next().unwrap();
    assert!(before.ends_with("{provider=aws.us_west_2"), "{role}");
    let templates = stand.manifest(&["export", "cloudformation", "-o", "json"], &manifest);
    let templates = templates.exits(0).json()["files"].to_string();
    assert!(templates.contains("AccessControlTranslation"), "{templates}");
}

/// Whoever has the destination's credentials alone sees what that account must allow, and whether it does.
#[test]
fn the_other_account_is_checked_by_itself() {
    let stand = stand();
    let mut manifest =
        FAR.replace("{region: us-east-1}", "{region: us-east-1, account: \"111122223333\"}");
    let _ = stand.manifest(&["apply", "--yes"], &manifest).exits(0);
    let check = |manifest: &str| {
        let args = ["check", "--side", "destination", "-o", "json", "-f", "-"];
        let mut command = stand.command(&args);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        fed(command, manifest)
    };
    let found = |output: &Value, name: &str| {
        let checks = output["checks"].as_array().unwrap().iter();
        let mut here = checks.filter(|it| it["name"] == name && it["region"] == "us-west-2");
        here.next().unwrap_or_else(|| panic!("no {name} in {output}"))["result"].clone()
    };
    let whole = check(&manifest).exits(0).json();
    for name in ["bucket.exists", "bucket.policy", "key.policy"] {
        assert_eq!(found(&whole, name), "pass", "{name}: {whole}");
    }
    stand.wait(async {
        s3_of_other(&stand).delete_bucket_policy().bucket(BUCKET).send().await.unwrap()
    });
    let broken = check(&manifest).exits(2).json();
    assert_eq!(found(&broken, "bucket.policy"), "fail", "{broken}");
    // On the way back that account has a role and rules of its own.
    let _ = stand.manifest(&["apply", "--yes"], &manifest).exits(0);
    let both_ways = format!("{manifest}replication: {{two_way: true}}\n");
    let one_way = std::mem::replace(&mut manifest, both_ways);
    let _ = stand.manifest(&["apply", "--yes"], &manifest).exits(0);
    let whole = check(&manifest).exits(0).json();
    let failed = |it: &&Value| it["result"] == "fail";
    assert!(whole["checks"].as_array().unwrap().iter().all(|it| !failed(&it)), "{whole:#}");
    assert_eq!(found(&whole, "role.exists"), "pass", "{whole:#}");
    stand.wait(async {
        let gone = iam_of(&stand, OTHER).delete_role_policy().policy_name("replication");
        gone.role_name("crrctl-far-us-west-2").send().await.unwrap()
    });
    let broken = check(&manifest).exits(2).json();
    assert_eq!(found(&broken, "role.policy"), "fail", "{broken:#}");
    let manifest = one_way;
    // Without the other account's credentials a run ends and says what that account is to be given.
    let lost = manifest.replace("profile: archive", "profile: nobody");
    let output = stand.manifest(&["apply", "--yes"], &lost).exits(4);
    assert!(
        output.stderr.contains("crrctl policy render destination-bucket.us-west-2"),
        "{output}"
    );
    let values = ["policy", "render", "destination-bucket.us-west-2"];
    let known = manifest.replace("profile: archive", "profile: nobody, account: \"444455556666\"");
    let rendered = stand.manifest(&values, &known).exits(0).json();
    let statements = rendered["Statement"].as_array().unwrap();
    let sids: Vec<&str> = statements.iter().map(|it| it["Sid"].as_str().unwrap()).collect();
    assert_eq!(sids, ["CrrctlTlsOnly", "CrrctlReplicas", "CrrctlReplicaBucket"]);
}

/// Across accounts S3 replicates into no Requester Pays bucket: that is known before anything is written.
#[test]
fn a_destination_whose_requesters_pay_is_refused_unwritten() {
    use aws_sdk_s3::types::{Payer, RequestPaymentConfiguration};
    let stand = stand();
    let _ = stand.manifest(&["apply", "--yes"], FAR).exits(0);
    let pays = |payer: Payer| {
        let all = RequestPaymentConfiguration::builder().payer(payer).build().unwrap();
        let s3 = s3_of_other(&stand);
        let put = s3.put_bucket_request_payment().bucket(BUCKET);
        stand.wait(put.request_payment_configuration(all).send()).unwrap();
        let get = stand.wait(s3.get_bucket_request_payment().bucket(BUCKET).send()).unwrap();
        get.payer.unwrap()
    };
    assert_eq!(pays(Payer::Requester), Payer::Requester);
    // Who would have to pay says so, or is refused.
    let list = |payer| {
        let s3 = s3_of(DEFAULT_ACCOUNT, stand.endpoint(), "us-west-2");
        let list = s3.list_objects_v2().bucket(BUCKET).set_request_payer(payer);
        let error = stand.wait(list.send()).unwrap_err().into_service_error();
        aws_sdk_s3::error::ProvideErrorMetadata::code(&error).unwrap().to_owned()
    };
    assert_eq!(list(None), "AccessDenied");
    stand.calls();
    let refused = stand
        .manifest(&["apply", "--yes", "-o", "json"], FAR)
        .exits(10)
        .told("requester-pays")
        .json();
    assert_eq!(refused["error"]["code"], "requester-pays", "{refused:#}");
    assert!(refused["error"]["hints"][0].as_str().unwrap().contains("Payer=BucketOwner"));
    assert_eq!(stand.calls()["writes"], 0);
    assert_eq!(pays(Payer::BucketOwner), Payer::BucketOwner);
    let _ = stand.manifest(&["apply", "--yes"], FAR).exits(0);
}

/// A replica in another account is waited for with that account's credentials, where a manifest names them.
#[test]
fn wait_uses_the_credentials_of_the_objects_side() {
    let stand = stand();
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], FAR).exits(0);
    let source = "far-111122223333-us-east-1";
    stand.s3("us-east-1", async |s3| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(source).key("k").body(body).send().await.unwrap();
    });
    let uri = |bucket: &str| format!("s3://{bucket}/k");
    let wait = |bucket: &str| stand.manifest(&["wait", &uri(bucket), "-o", "json"], FAR);
    assert_eq!(wait(source).exits(0).json()["status"], "COMPLETED");
    assert_eq!(wait(BUCKET).exits(0).json()["status"], "REPLICA");
    // Without a manifest nobody says whose the bucket is.
    let _ = stand.run(&["wait", &uri(BUCKET)]).exits(5);
    // The credentials of a side that is not waited for are not asked for.
    let gone = FAR.replace("profile: archive", "profile: nobody");
    let output = stand.manifest(&["wait", &uri(source), "-o", "json"], &gone).exits(0);
    assert_eq!(output.json()["status"], "COMPLETED");
}

/// Where the other account's credentials are not at hand, what it must allow is printed, word for word as it would be written.
#[test]
fn without_the_other_accounts_credentials_its_documents_are_printed() {
    let stand = stand();
    let known = FAR.replace("profile: archive", &format!("profile: archive, account: \"{OTHER}\""));
    let rendered = stand.manifest(&["policy", "render", "-o", "json"], &known).exits(0).json();
    let gone = known.replace("profile: archive", "profile: nobody");
    stand.calls();
    for command in [&["plan", "-o", "json"][..], &["apply", "--yes", "-o", "json"]] {
        let output = stand.manifest(command, &gone).exits(4).told("away-credentials").json();
        assert_eq!(output["error"]["code"], "away-credentials", "{output:#}");
        let documents = output["documents"].as_object().unwrap();
        let names: Vec<&String> = documents.keys().collect();
        assert_eq!(names, ["key.us-west-2", "destination-bucket.us-west-2"]);
        for (name, document) in documents {
            assert_eq!(document, &rendered["documents"][name], "{name}");
        }
    }
    assert_eq!(stand.calls()["writes"], 0);
    let text = stand.manifest(&["plan"], &gone).exits(4);
    assert!(text.stdout.starts_with("# key.us-west-2\n{"), "{text}");
}
