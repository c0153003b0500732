//! `crrctl backfill`: what was there before the rule, or FAILED, through the sandbox's S3 Batch Replication.

use crate::common::{DESTINATION, PAIR, SOURCE, Stand, finished};
use aws_sdk_s3::primitives::ByteStream;
use crrctl_sandbox::Options;
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
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    without_rule(stand, async |s3| put(s3, "before", before, None).await);
}

/// Has others work while no rule is there.
fn without_rule(stand: &Stand, work: impl AsyncFnOnce(&aws_sdk_s3::Client)) {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
        work(&s3).await;
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
    let again = stand.in_process(&BACKFILL).exits(6).json();
    assert_ne!(again["job"]["id"], job["id"]);
    assert_eq!(again["job"]["total"], 5);
    let all = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0).json();
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
    let there_before = stand.leftovers();
    for nothing in [
        &["--prefix", "other/"][..],
        &["--until", "2020-01-01"],
        &["--since", "2099-01-01T00:00:00Z"],
        &["--larger-than", "1KiB"],
        &["--storage-class", "glacier"],
    ] {
        let answer = stand.in_process(&[&BACKFILL[..], nothing].concat()).exits(0).json();
        assert_eq!((&answer["job"], &answer["reasons"]), (&Value::Null, &json!([])), "{nothing:?}");
        assert_eq!(stand.leftovers(), there_before, "{nothing:?}");
    }
    let some = ["--prefix", "before/1", "--smaller-than", "1KiB", "--storage-class", "standard"];
    let answer = stand.in_process(&[&BACKFILL[..], &some].concat()).exits(0).json();
    assert_eq!(
        (&answer["job"]["status"], &answer["job"]["succeeded"]),
        (&json!("Complete"), &json!(1))
    );
    let there = BTreeSet::from(["after/0".to_owned(), "before/1".to_owned()]);
    assert_eq!(keys(&stand, "us-west-2", DESTINATION), there);
}

/// Nothing is made, and nothing billed, where no object has one of the statuses.
#[test]
fn where_there_is_nothing_to_do_nothing_is_made() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("new");
    stand.settled(1);
    let before = stand.leftovers();
    for status in ["failed", "none,failed", "replica"] {
        stand.calls();
        let args = [&BACKFILL[..], &["--status", status]].concat();
        let answer = stand.in_process(&args).exits(0).json();
        assert_eq!((&answer["job"], &answer["reasons"]), (&Value::Null, &json!([])), "{status}");
        assert_eq!(stand.calls()["writes"], 0);
    }
    assert_eq!(stand.leftovers(), before);
    let done = stand.in_process(&[&BACKFILL[..], &["--status", "completed"]].concat());
    assert_eq!(done.exits(0).json()["job"]["status"], "Complete");
}

/// Where only the job can tell that nothing matches, what was made for it is gone again, and the next job is another one.
#[test]
fn a_job_that_finds_nothing_leaves_nothing() {
    let stand = Stand::new();
    with_objects(&stand, 1_001);
    let before = stand.leftovers();
    let other = [&BACKFILL[..], &["--prefix", "other/"]].concat();
    let nothing = stand.in_process(&other).exits(0).json();
    assert_eq!(nothing["job"]["status"], "Failed", "the bucket is larger than the sample");
    assert_eq!(stand.leftovers(), before);
    without_rule(&stand, async |s3| put(s3, "other", 1, None).await);
    let one = stand.in_process(&other).exits(0).json();
    assert_eq!((&one["job"]["status"], &one["job"]["succeeded"]), (&json!("Complete"), &json!(1)));
    assert_ne!(one["job"]["id"], nothing["job"]["id"]);
}

/// What `check` knows is told before a job is billed for it.
#[test]
fn what_stands_in_the_way_is_told_before_the_job() {
    let stand = Stand::new();
    with_objects(&stand, 1);
    stand.disable_replica_key();
    let answer = stand.pair(&BACKFILL);
    assert!(answer.stderr.contains("the job would fail: key."), "{answer}");
    let answer = answer.exits(6).json();
    let hints = answer["error"]["hints"].to_string();
    assert!(hints.contains("crrctl check s3://"), "{hints}");
}

/// A job that waits to be confirmed: found again, gone on with, cancelled.
#[test]
fn a_job_under_way_is_found_again() {
    let stand = Stand::new();
    with_objects(&stand, 3);
    let none = stand.pair(&["backfill", "--yes", "--resume"]).exits(3).told("no-job").json();
    assert_eq!(none["error"]["code"], "no-job");
    let _ = stand.in_process(&["backfill", "--cancel"]).exits(0);
    // What a job stands on is made by the first one.
    let _ = stand.in_process(&[&BACKFILL[..], &["--prefix", "before/0"]].concat()).exits(0);
    let waiting = stand.suspended_job("first");
    let cancelled = stand.in_process(&["backfill", "--cancel"]).exits(0).json();
    assert_eq!(
        (&cancelled["job"]["id"], &cancelled["job"]["status"]),
        (&json!(waiting), &json!("Cancelled"))
    );
    let waiting = stand.suspended_job("second");
    let resumed = stand.in_process(&["backfill", "--yes", "--resume"]).exits(0).json();
    let expected = json!({"id": waiting, "status": "Complete", "total": 2, "succeeded": 2, "failed": 0, "failures": []});
    assert_eq!(resumed["job"], expected);
}

/// `destroy` ends the job first: until then it works as a role of the pair, and writes into a bucket of it.
#[test]
fn destroy_ends_the_job_first() {
    let stand = Stand::new();
    with_objects(&stand, 2);
    let _ = stand.in_process(&[&BACKFILL[..], &["--prefix", "before/0"]].concat()).exits(0);
    let waiting = stand.suspended_job("first");
    // Where that is refused, nothing goes.
    let before = stand.leftovers();
    let fault = |spec: &str| stand.sandbox().set_faults(vec![spec.parse().unwrap()]);
    fault("s3control:UpdateJobStatus:error=AccessDenied:times=1");
    let denied = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(5).json();
    assert_eq!(
        (&denied["removed"], &denied["error"]["aws_code"]),
        (&json!([]), &json!("AccessDenied"))
    );
    assert!(denied["left"].as_array().unwrap().len() > 10, "{denied}");
    assert_eq!(stand.leftovers(), before);
    // Objects of others stand in the way of all of it, of the job's end too.
    let foreign = stand.in_process(&["destroy", "--yes"]).exits(10).json();
    assert_eq!(foreign["error"]["code"], "foreign-objects");
    assert_eq!(stand.job_under_way(), Some(waiting));
    // A run that dies once the job is cancelled is gone on with.
    fault("s3control:DescribeJob:delay=5s:times=1");
    let mut killed = stand.command(&[&["destroy", "--yes", "--purge-data"], &PAIR[..]].concat());
    let mut killed =
        killed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    Stand::wait_until("the job is cancelled", || stand.job_under_way().is_none());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(stand.leftovers(), before);
    let gone = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0).json();
    assert_eq!(gone["left"], json!([]));
    let stays = stand.leftovers();
    assert!(stays.iter().all(|it| !it.contains("demo")), "{stays:?}");
}

/// What is said of the job, and where it is in the object.
#[test]
fn destroy_says_which_job_it_ended() {
    let stand = Stand::new();
    with_objects(&stand, 2);
    let _ = stand.in_process(&[&BACKFILL[..], &["--prefix", "before/0"]].concat()).exits(0);
    let waiting = stand.suspended_job("first");
    let destroy = ["destroy", "--yes", "--purge-data", "-o", "json"];
    let answer = finished(&mut stand.command(&[&destroy[..], &PAIR].concat())).exits(0);
    let note = format!("s3:batch-job/{waiting}: the batch job is under way: cancelling it");
    assert!(answer.stderr.contains(&note), "{answer}");
    let ended = answer.json();
    let job = (&ended["job"]["id"], &ended["job"]["status"]);
    assert_eq!((job, &ended["left"]), ((&json!(waiting), &json!("Cancelled")), &json!([])));
}

#[test]
fn what_a_job_needs_is_asked_for_first() {
    let stand = Stand::new();
    let nothing = stand.in_process(&BACKFILL).exits(10).json();
    assert_eq!(nothing["error"]["code"], "not-applied");
    let unasked = stand.in_process(&["backfill"]).exits(3).json();
    assert!(unasked["error"]["message"].as_str().unwrap().contains("--yes"));
    with_objects(&stand, 1);
    // The bucket's name is taken by something that is not ours.
    stand.s3("us-east-1", async |s3| {
        s3.create_bucket().bucket(REPORTS).send().await.unwrap();
        s3.put_object().bucket(REPORTS).key("theirs").send().await.unwrap();
    });
    let taken = stand.in_process(&BACKFILL).exits(10).json();
    assert_eq!(taken["error"]["code"], "bucket-not-ours");
    // Nothing of it is taken away with the pair.
    let _ = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(keys(&stand, "us-east-1", REPORTS), BTreeSet::from(["theirs".to_owned()]));
}

/// A role that can't do its work is said to be the cause, not the objects.
#[test]
fn a_job_that_fails_as_a_whole_says_why() {
    let stand = Stand::new();
    with_objects(&stand, 2);
    let _ = stand.pair(&[&BACKFILL[..], &["--prefix", "before/0"]].concat()).exits(0);
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

/// What a job could not replicate is looked at first: what is archived, and where its report would be held.
#[test]
fn what_a_job_could_not_do_is_said_first() {
    let stand = Stand::new();
    with_objects(&stand, 2);
    without_rule(&stand, async |s3| {
        let class = aws_sdk_s3::types::StorageClass::Glacier;
        let put = s3.put_object().bucket(SOURCE).key("before/archived").storage_class(class);
        put.body(ByteStream::from_static(b"a")).send().await.unwrap();
    });
    let run = [&BACKFILL[..], &PAIR, &["-o", "json"]].concat();
    let answer = finished(&mut stand.command(&run));
    assert!(answer.stderr.contains("1 of 3 objects looked at lie in GLACIER"), "{answer}");
    assert!(!keys(&stand, "us-west-2", DESTINATION).contains("before/archived"));
    stand.s3("us-east-1", async |s3| {
        use aws_sdk_s3::types::{
            BucketVersioningStatus, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled,
            ObjectLockRetentionMode, ObjectLockRule, VersioningConfiguration,
        };
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = s3.put_bucket_versioning().bucket(REPORTS).versioning_configuration(on);
        put.send().await.unwrap();
        let held =
            DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
        let rule = ObjectLockRule::builder().default_retention(held).build();
        let lock =
            ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled);
        let put = s3.put_object_lock_configuration().bucket(REPORTS);
        put.object_lock_configuration(lock.rule(rule).build()).send().await.unwrap();
    });
    let made = |stand: &Stand| stand.calls()["by_operation"]["s3control:CreateJob"].clone();
    made(&stand);
    let locked = stand.in_process(&BACKFILL).exits(10).json();
    assert_eq!(locked["error"]["code"], "reports-locked");
    assert_eq!(made(&stand), Value::Null);
}

/// A replica version that somebody deleted can't come back under its version id: that is told, with what to do instead.
#[test]
fn a_deleted_replica_is_told() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| put(&s3, "gone", 1, None).await);
    stand.settled(1);
    stand.s3("us-west-2", async |s3| {
        let head = s3.head_object().bucket(DESTINATION).key("gone/0").send().await.unwrap();
        let version = head.version_id().unwrap().to_owned();
        let delete = s3.delete_object().bucket(DESTINATION).key("gone/0").version_id(version);
        delete.send().await.unwrap();
    });
    let again =
        stand.in_process(&[&BACKFILL[..], &["--status", "completed"]].concat()).exits(6).json();
    let reason = &again["reasons"][0];
    assert_eq!(
        (&reason["code"], &reason["count"], &reason["keys"]),
        (&json!("DstObjectHardDeleted"), &json!(1), &json!(["gone/0"]))
    );
    assert!(again["error"]["hints"][0].as_str().unwrap().contains("DstObjectHardDeleted"));
}

/// The job as it goes on, from `DescribeJob`: how many there are, and how many are done.
#[test]
fn a_job_that_is_followed_is_told_as_it_goes_on() {
    let stand = Stand::new();
    with_objects(&stand, 3);
    let run = stand.run(&[&BACKFILL[..], &PAIR, &["-o", "ndjson"]].concat()).exits(0).stdout;
    let events = run.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<Value> = events.filter(|it| it["event"] == "backfill.status").collect();
    let last = told.last().unwrap_or_else(|| panic!("{run}"));
    let figures = (&last["status"], &last["total"], &last["succeeded"], &last["failed"]);
    assert_eq!(figures, (&json!("Complete"), &json!(3), &json!(3), &json!(0)));
    let lines = stand.run(&[&BACKFILL[..], &PAIR].concat()).exits(0);
    assert!(lines.stdout.contains("nothing to replicate"), "{lines}");
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
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    let mut apply = stand.command(&[&["apply", "--yes"], &PAIR[..], &["-o", "json"]].concat());
    let answer = finished(&mut apply).exits(0);
    assert!(answer.stderr.contains("1 of the 1 versions looked at"), "{answer}");
    assert!(answer.stderr.contains("`crrctl backfill`"), "{answer}");
    assert_eq!(answer.json()["existing"]["uncovered"], 1);
    let _ = stand.in_process(&BACKFILL).exits(0);
    assert_eq!(keys(&stand, "us-west-2", DESTINATION), BTreeSet::from(["theirs".to_owned()]));
    // The bucket of the reports is no destination.
    let listed = stand.run(&["list", "-o", "json"]).exits(0).json();
    let destination = json!([{"region": "us-west-2", "bucket": DESTINATION}]);
    assert_eq!(listed["pairs"][0]["destinations"], destination);
}
