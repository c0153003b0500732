//! A destination in an account whose credentials are not at hand: its engineer makes what lies there from printed documents, and the
//! source's engineer makes and proves the rest, with both accounts' policies in force.

use crate::common::{Output, Stand, fed, kms_of, s3_of};
use crate::told::told;
use aws_sdk_s3::types as t;
use crrctl_sandbox::SECRET;
use serde_json::Value;

const OTHER: &str = "444455556666";
const SOURCE: &str = "over-111122223333-us-east-1";
const BUCKET: &str = "over-444455556666-us-west-2";

const OVER: &str = "
name: over
source: {region: us-east-1, account: \"111122223333\"}
destinations: [{region: us-west-2, account: \"444455556666\", delete_markers: true}]
key: {kind: per-region}
";

/// Makes the key of the other account by hand; returns its ARN.
fn make_key(stand: &Stand, documents: &Value) -> String {
    let kms = kms_of(OTHER, stand.endpoint(), "us-west-2");
    stand.wait(async {
        let create = kms.create_key().policy(documents["key.us-west-2"].to_string());
        let made = create.send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    })
}

/// Makes the bucket of the other account by hand, with or without its policy.
fn make_bucket(stand: &Stand, key: Option<&str>) {
    let s3 = s3_of(OTHER, stand.endpoint(), "us-west-2");
    stand.wait(async {
        let place = t::CreateBucketConfiguration::builder().location_constraint("us-west-2".into());
        let create = s3.create_bucket().bucket(BUCKET).create_bucket_configuration(place.build());
        create.send().await.unwrap();
        let on = t::VersioningConfiguration::builder().status(t::BucketVersioningStatus::Enabled);
        let put = s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(on.build());
        put.send().await.unwrap();
        let Some(key) = key else { return };
        let by = t::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(t::ServerSideEncryption::AwsKms)
            .kms_master_key_id(key)
            .build()
            .unwrap();
        let rule = t::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(by)
            .bucket_key_enabled(true);
        let all = t::ServerSideEncryptionConfiguration::builder().rules(rule.build());
        let put = s3.put_bucket_encryption().bucket(BUCKET);
        put.server_side_encryption_configuration(all.build().unwrap()).send().await.unwrap();
    });
}

fn let_in(stand: &Stand, documents: &Value) {
    let s3 = s3_of(OTHER, stand.endpoint(), "us-west-2");
    stand.wait(async {
        let put = s3.put_bucket_policy().bucket(BUCKET);
        put.policy(documents["destination-bucket.us-west-2"].to_string()).send().await.unwrap()
    });
}

/// Runs `check --side destination` as the other account's engineer, who has nothing else.
fn checked(stand: &Stand, manifest: &str) -> Output {
    let mut command = stand.command(&["check", "--side", "destination", "-o", "json", "-f", "-"]);
    command.env("AWS_ACCESS_KEY_ID", OTHER).env("AWS_SECRET_ACCESS_KEY", SECRET);
    fed(command, manifest)
}

fn apply(stand: &Stand, manifest: &str) -> Output {
    stand.manifest(&["apply", "--yes", "-o", "json"], manifest)
}

/// The source's half first, then the other account's by hand, then the rest: each step tells what the next one needs.
#[test]
fn two_engineers_who_share_no_credentials_get_a_proven_pair() {
    let stand = Stand::long_ago();
    let planned = stand.manifest(&["plan", "-o", "json"], OVER).exits(0).json();
    let first = apply(&stand, OVER).exits(7);
    told("other-side-missing", &first);
    let first = first.json();
    let documents = first["documents"].clone();
    assert_eq!(planned["documents"], documents);
    let names: Vec<&String> = documents.as_object().unwrap().keys().collect();
    assert_eq!(names, ["key.us-west-2", "destination-bucket.us-west-2"]);
    let kinds: Vec<&str> = first["resources"].as_array().unwrap().iter().map(kind).collect();
    assert_eq!(kinds.iter().filter(|it| **it == "iam:role").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&"s3:replication"), "{kinds:?}");
    // Nothing is made in the other account, and nothing twice.
    assert!(stand.leftovers().iter().all(|it| !it.contains(OTHER)), "{:?}", stand.leftovers());
    let status = stand.manifest(&["status"], OVER).exits(0);
    let waits = format!("waits    no rule leads to us-west-2 yet: account {OTHER} makes its half");
    assert!(status.stdout.contains(&waits), "{status}");
    let missing = stand.manifest(&["check", "-o", "json"], OVER).exits(2).json();
    let mut checks = missing["checks"].as_array().unwrap().iter();
    let bucket = checks.find(|it| it["name"] == "bucket.exists" && it["result"] == "fail").unwrap();
    let maker = bucket["remedy"].as_str().unwrap();
    assert!(maker.starts_with(&format!("the owner of account {OTHER} makes it")), "{maker}");
    let before = stand.leftovers();
    let again = apply(&stand, OVER).exits(7).json();
    assert_eq!((&again["changed"], &again["api_writes"]), (&false.into(), &0.into()));
    assert_eq!(stand.leftovers(), before);

    let key = make_key(&stand, &documents);
    let manifest =
        OVER.replace("delete_markers: true", &format!("delete_markers: true, key: \"{key}\""));
    // The key is there, and its bucket is not.
    let third = apply(&stand, &manifest).exits(7).json();
    assert_eq!(third["error"]["code"], "other-side-missing", "{third:#}");
    assert_eq!(third["documents"], documents);
    make_bucket(&stand, Some(&key));
    let broken = checked(&stand, &manifest).exits(2).json();
    let failed = |it: &&Value| it["result"] == "fail";
    let wrong: Vec<&Value> = broken["checks"].as_array().unwrap().iter().filter(failed).collect();
    assert!(wrong.iter().all(|it| it["name"] == "bucket.policy"), "{wrong:#?}");
    let_in(&stand, &documents);
    let _ = checked(&stand, &manifest).exits(0);

    let done = apply(&stand, &manifest).exits(0).json();
    assert_eq!(done["summary"]["failed"], 0);
    for probe in done["probes"].as_array().unwrap() {
        assert!(probe["checks"].as_object().unwrap().values().all(|it| it == true), "{probe}");
        assert_eq!(probe["kms_key_arn"], key.as_str());
    }
    let status = stand.manifest(&["status"], &manifest).exits(0);
    assert!(!status.stdout.contains("waits"), "{status}");
    let same = apply(&stand, &manifest).exits(0).json();
    assert_eq!(same["changed"], false);
    assert_eq!(same["documents"], Value::Null);
    // The probes are gone on both sides.
    let s3 = s3_of(OTHER, stand.endpoint(), "us-west-2");
    let left = stand.wait(s3.list_object_versions().bucket(BUCKET).send()).unwrap();
    assert_eq!((left.versions().len(), left.delete_markers().len()), (0, 0));
    let _ = stand.manifest(&["probe", "--delete-marker"], &manifest).exits(0);

    let gone = stand.manifest(&["destroy", "--yes", "-o", "json"], &manifest).exits(0).json();
    let left = gone["left"].as_array().unwrap();
    assert!(left.iter().any(|it| it["arn"] == format!("arn:aws:s3:::{BUCKET}")), "{left:?}");
    let stays: Vec<String> = stand.leftovers();
    assert!(stays.iter().all(|it| it.contains(BUCKET) || it.contains("us-west-2")), "{stays:?}");
}

fn kind(resource: &Value) -> &str {
    resource["kind"].as_str().unwrap()
}

/// Where the other side never comes, the source's half can stand for ever, and goes when it is told to.
#[test]
fn what_nobody_answers_is_taken_away_whole() {
    for manifest in [OVER.to_owned(), OVER.replace("per-region", "none")] {
        let stand = Stand::long_ago();
        let _ = apply(&stand, &manifest).exits(7);
        stand.s3("us-east-1", async |s3| {
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
            s3.put_object().bucket(SOURCE).key("k").body(body).send().await.unwrap();
        });
        let _ = apply(&stand, &manifest).exits(7);
        // What others put there meanwhile is theirs.
        let _ = stand.manifest(&["destroy", "--yes"], &manifest).exits(10);
        let _ = stand.manifest(&["destroy", "--yes", "--purge-data"], &manifest).exits(0);
        assert_eq!(stand.leftovers(), [""; 0]);
    }
}

/// A bucket that lets nobody in ends a probe, not an object of others, and the next run goes on.
#[test]
fn a_bucket_that_lets_nobody_in_is_found_by_a_probe() {
    let stand = Stand::long_ago();
    let manifest = OVER.replace("per-region", "none");
    let documents = apply(&stand, &manifest).exits(7).json()["documents"].clone();
    make_bucket(&stand, None);
    let impatient = ["apply", "--yes", "--patience", "5s", "-o", "json"];
    let failed = stand.manifest(&impatient, &manifest).exits(6).json();
    assert!(!failed["documents"].as_object().unwrap().is_empty(), "{failed:#}");
    let_in(&stand, &documents);
    let _ = apply(&stand, &manifest).exits(0);
}

/// What replicates back from an account is made there, and the source's own account is no other one.
#[test]
fn what_can_not_be_handed_over_is_said() {
    let stand = Stand::long_ago();
    let both = format!("{OVER}replication: {{two_way: true}}\n");
    let output = stand.manifest(&["plan", "-o", "json"], &both).exits(3);
    told("two-way-handed-over", &output);
    assert!(
        output.stderr.contains("replicates back by a role and rules of account 444455556666"),
        "{output}"
    );
    let own = "name: own\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, account: \"111122223333\"}]\n";
    let _ = stand.manifest(&["apply", "--yes"], own).exits(0);
    let _ = stand.manifest(&["plan", "--detailed-exitcode"], own).exits(0);
    let _ = stand.manifest(&["destroy", "--yes"], own).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}
