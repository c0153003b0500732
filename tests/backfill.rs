//! `crrctl backfill`: what was there before the rule, or FAILED, through the sandbox's S3 Batch Replication.

use crate::common::{DESTINATION, PAIR, SOURCE, Stand, finished};
use aws_sdk_s3::primitives::ByteStream;
use crrctl::sandbox::Options;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;

const REPORTS: &str = "demo-reports-111122223333-us-east-1";
const BACKFILL: [&str; 3] = ["backfill", "--yes", "--watch"];

/// Puts small objects that nobody's probe is, many at once.
async fn put(s3: &aws_sdk_s3::Client, prefix: &str, count: usize, key: Option<&str>) {
    let puts = (0..count).map(|n| {
        let kms = key.map(|_| aws_sdk_s3::types::ServerSideEncryption::AwsKms);
        let put = s3.put_object().bucket(SOURCE).key(format!("{prefix}/{n}"));
        let put = put.set_server_side_encryption(kms).set_ssekms_key_id(key.map(str::to_owned));
        put.body(ByteStream::from_static(b"a")).send()
    });
    stream::iter(puts).buffer_unordered(32).for_each(async |done| drop(done.unwrap())).await;
}

/// Builds the pair, and has others write `before` objects while no rule is there.
fn with_objects(stand: &Stand, before: usize) {
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
        put(&s3, "before", before, None).await;
        let rules = live.replication_configuration.unwrap();
        let again = s3.put_bucket_replication().bucket(SOURCE).replication_configuration(rules);
        again.send().await.unwrap();
    });
}

/// Has others write objects that end FAILED, since the replica key is disabled for a while.
fn with_failures(stand: &Stand, failed: usize) {
    stand.disable_replica_key();
    stand.s3("us-east-1", async |s3| put(&s3, "failed", failed, None).await);
    stand.settled(failed);
    stand.kms("us-west-2", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        let id = key.key_metadata().unwrap().key_id().to_owned();
        kms.enable_key().key_id(id).send().await.unwrap();
    });
}

/// Has others write objects under a key that the replication role may not use.
fn with_strangers(stand: &Stand, prefix: &str, count: usize) {
    let key = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    stand.s3("us-east-1", async |s3| put(&s3, prefix, count, Some(&key)).await);
}

/// Returns the keys that lie in a bucket.
fn keys(stand: &Stand, region: &str, bucket: &str) -> BTreeSet<String> {
    stand.s3(region, async |s3| {
        let mut pages = s3.list_objects_v2().bucket(bucket).into_paginator().send();
        let mut keys = BTreeSet::new();
        while let Some(page) = pages.next().await {
            keys.extend(page.unwrap().contents().iter().map(|it| it.key().unwrap().to_owned()));
        }
        keys
    })
}

/// Returns the jobs whose reports were written.
fn reported(stand: &Stand) -> BTreeSet<String> {
    let job =
        |key: String| key.split('/').find_map(|part| part.strip_prefix("job-").map(str::to_owned));
    keys(stand, "us-east-1", REPORTS).into_iter().filter_map(job).collect()
}

/// Backfill replicates the rest and says why any did not; killed in the middle and run again, it is one job with the same end.
#[test]
fn what_was_there_and_what_failed_is_replicated_by_one_job() {
    let (before, failed, strange) = (4_695, 300, 5);
    let fault = "s3control:DescribeJob:delay=5s:times=1".parse().unwrap();
    let stand = Stand::with(Options { faults: vec![fault], ..Options::default() });
    with_objects(&stand, before);
    with_failures(&stand, failed);
    with_strangers(&stand, "strange", strange);
    stand.settled(failed + strange);
    assert_eq!(keys(&stand, "us-west-2", DESTINATION).len(), 0);

    let mut killed = stand.command(&[&BACKFILL, &PAIR[..]].concat());
    let mut killed =
        killed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let made = || stand.control("GET", "calls", "")["by_operation"]["s3control:CreateJob"].is_u64();
    Stand::wait_until("the job is made", made);
    killed.kill().unwrap();
    killed.wait().unwrap();

    let answer = stand.pair(&BACKFILL).exits(6).told("backfill-failed").json();
    let job = &answer["job"];
    let done = json!([job["status"], job["total"], job["succeeded"], job["failed"]]);
    assert_eq!(done, json!(["Complete", 5_000, 4_995, 5]));
    let reasons = answer["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0]["code"], "SrcGetObjectNotPermitted");
    assert_eq!(reasons[0]["count"], 5);
    assert!(reasons[0]["keys"][0].as_str().unwrap().starts_with("strange/"));
    assert_eq!(answer["error"]["code"], "backfill-failed");
    assert!(answer["error"]["hints"][0].as_str().unwrap().contains("SrcGetObjectNotPermitted"));
    assert_eq!(keys(&stand, "us-west-2", DESTINATION).len(), before + failed);
    // One job, though it was asked for twice.
    assert_eq!(reported(&stand), BTreeSet::from([job["id"].as_str().unwrap().to_owned()]));

    // Its end was told, so this is another one, about what is left.
    let again = stand.pair(&BACKFILL).exits(6).json();
    assert_ne!(again["job"]["id"], job["id"]);
    assert_eq!(again["job"]["total"], 5);
    let all = stand.pair(&["destroy", "--yes", "--purge-data"]).exits(0).json();
    assert_eq!(all["left"], json!([]));
    let stays: Vec<String> = stand.leftovers();
    assert!(stays.iter().all(|it| !it.contains("demo")), "{stays:?}");
}

#[test]
fn only_what_is_asked_for_is_replicated() {
    let stand = Stand::new();
    with_objects(&stand, 3);
    stand.s3("us-east-1", async |s3| put(&s3, "after", 1, None).await);
    stand.settled(1);
    for nothing in [
        &["--status", "failed"][..],
        &["--prefix", "other/"],
        &["--until", "2020-01-01"],
        &["--since", "2099-01-01T00:00:00Z"],
        &["--larger-than", "1KiB"],
        &["--storage-class", "glacier"],
    ] {
        let answer = stand.pair(&[&BACKFILL[..], nothing].concat()).exits(0).json();
        assert_eq!(
            (&answer["job"]["status"], &answer["reasons"]),
            (&json!("Failed"), &json!([])),
            "{nothing:?}"
        );
    }
    let some = ["--prefix", "before/1", "--smaller-than", "1KiB", "--storage-class", "standard"];
    let answer = stand.pair(&[&BACKFILL[..], &some].concat()).exits(0).json();
    assert_eq!(
        (&answer["job"]["status"], &answer["job"]["succeeded"]),
        (&json!("Complete"), &json!(1))
    );
    let there = BTreeSet::from(["after/0".to_owned(), "before/1".to_owned()]);
    assert_eq!(keys(&stand, "us-west-2", DESTINATION), there);
}

/// A job that waits to be confirmed: found again, gone on with, cancelled.
#[test]
fn a_job_under_way_is_found_again() {
    let stand = Stand::new();
    with_objects(&stand, 2);
    let none = stand.pair(&["backfill", "--yes", "--resume"]).exits(3).told("no-job").json();
    assert_eq!(none["error"]["code"], "no-job");
    let _ = stand.pair(&["backfill", "--cancel"]).exits(0);
    // What a job stands on is made by the first one, which finds nothing.
    let _ = stand.pair(&[&BACKFILL[..], &["--prefix", "none"]].concat()).exits(0);
    let waiting = stand.suspended_job("first");
    let cancelled = stand.pair(&["backfill", "--cancel"]).exits(0).json();
    assert_eq!(
        (&cancelled["job"]["id"], &cancelled["job"]["status"]),
        (&json!(waiting), &json!("Cancelled"))
    );
    let waiting = stand.suspended_job("second");
    let resumed = stand.pair(&["backfill", "--yes", "--resume"]).exits(0).json();
    let expected = json!({"id": waiting, "status": "Complete", "total": 2, "succeeded": 2, "failed": 0, "failures": []});
    assert_eq!(resumed["job"], expected);
}

#[test]
fn what_a_job_needs_is_asked_for_first() {
    let stand = Stand::new();
    let nothing = stand.pair(&BACKFILL).exits(10).json();
    assert_eq!(nothing["error"]["code"], "not-applied");
    let unasked = stand.pair(&["backfill"]).exits(3).json();
    assert!(unasked["error"]["message"].as_str().unwrap().contains("--yes"));
    with_objects(&stand, 1);
    // The bucket's name is taken by something that is not ours.
    stand.s3("us-east-1", async |s3| {
        s3.create_bucket().bucket(REPORTS).send().await.unwrap();
        s3.put_object().bucket(REPORTS).key("theirs").send().await.unwrap();
    });
    let taken = stand.pair(&BACKFILL).exits(10).json();
    assert_eq!(taken["error"]["code"], "bucket-not-ours");
    // Nothing of it is taken away with the pair.
    let _ = stand.pair(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(keys(&stand, "us-east-1", REPORTS), BTreeSet::from(["theirs".to_owned()]));
}

/// A role that can't do its work is said to be the cause, not the objects.
#[test]
fn a_job_that_fails_as_a_whole_says_why() {
    let stand = Stand::new();
    with_objects(&stand, 1);
    let _ = stand.pair(&[&BACKFILL[..], &["--prefix", "none"]].concat()).exits(0);
    // Templates of one's own can take a right away; what stands is then put right by it.
    let template = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/policies/batch-replication-role.json.j2"
    ));
    let template = template.unwrap().replace(", \"s3:PutInventoryConfiguration\"", "");
    std::fs::create_dir(stand.path("templates")).unwrap();
    std::fs::write(stand.path("templates/batch-replication-role.json.j2"), template).unwrap();
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npolicy: {templates: templates}\n";
    std::fs::write(stand.path("crrctl.yaml"), manifest).unwrap();
    let denied =
        stand.run(&[&BACKFILL[..], &["-o", "json"]].concat()).exits(5).told("job-failed").json();
    assert_eq!(denied["error"]["code"], "job-failed");
    assert!(denied["error"]["message"].as_str().unwrap().contains("s3:PutInventoryConfiguration"));
}

/// Where the rule leaves room, reports lie beside the data, and go with it.
#[test]
fn reports_lie_outside_every_rule() {
    let stand = Stand::new();
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nreplication: {prefix: data/}\n";
    std::fs::write(stand.path("crrctl.yaml"), manifest).unwrap();
    let run = |args: &[&str]| stand.run(&[args, &["-o", "json"]].concat());
    let _ = run(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| put(&s3, "other", 1, None).await);
    with_strangers(&stand, "data/strange", 1);
    stand.settled(1);
    let answer = run(&BACKFILL).exits(6).json();
    assert_eq!(answer["reasons"][0]["code"], "SrcGetObjectNotPermitted");
    let id = answer["job"]["id"].as_str().unwrap();
    let there = keys(&stand, "us-east-1", SOURCE);
    assert!(there.contains(&format!("_crrctl-batch/demo/job-{id}/manifest.json")), "{there:?}");
    assert!(keys(&stand, "us-west-2", DESTINATION).is_empty());
    stand.s3("us-east-1", async |s3| {
        for key in ["other/0", "data/strange/0"] {
            let head = s3.head_object().bucket(SOURCE).key(key).send().await.unwrap();
            let version = head.version_id().unwrap().to_owned();
            s3.delete_object().bucket(SOURCE).key(key).version_id(version).send().await.unwrap();
        }
    });
    // Nothing is left but reports, which are ours.
    let gone: Value = run(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(gone["left"], json!([]));
}

/// `apply` says what its rule does not cover, and what mends that.
#[test]
fn apply_offers_the_backfill() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    let mut apply = stand.command(&[&["apply", "--yes"], &PAIR[..], &["-o", "json"]].concat());
    let answer = finished(&mut apply).exits(0);
    assert!(answer.stderr.contains("1 of the 1 versions looked at"), "{answer}");
    assert!(answer.stderr.contains("`crrctl backfill`"), "{answer}");
    assert_eq!(answer.json()["existing"]["uncovered"], 1);
    let _ = stand.pair(&BACKFILL).exits(0);
    assert_eq!(keys(&stand, "us-west-2", DESTINATION), BTreeSet::from(["theirs".to_owned()]));
}
