//! `destroy` from any state: what lies in the buckets, what holds it, what others did behind its back, and what is told of it.

use crate::common::{DESTINATION, PAIR, SOURCE, Stand};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, Delete, MfaDelete, ObjectIdentifier, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode,
    VersioningConfiguration,
};
use crrctl_sandbox::{Lag, Options};
use serde_json::{Value, json};

fn built() -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand
}

fn left(object: &Value) -> Vec<(&str, &str)> {
    let lines = object["left"].as_array().unwrap().iter();
    lines.map(|it| (it["kind"].as_str().unwrap(), it["why"].as_str().unwrap())).collect()
}

/// Makes `count` versions in the source bucket of which one in a hundred is an object, with a replica, and the rest are delete
/// markers, which a bucket takes a thousand at a time.
fn fill(stand: &Stand, count: usize) {
    stand.s3("us-east-1", async |s3| {
        for start in (0..count - count / 100).step_by(1000) {
            let end = (start + 1000).min(count - count / 100);
            let object =
                |n| ObjectIdentifier::builder().key(format!("marker/{n}")).build().unwrap();
            let delete = Delete::builder().quiet(true);
            let delete = delete.set_objects(Some((start..end).map(object).collect()));
            let delete = s3.delete_objects().bucket(SOURCE).delete(delete.build().unwrap());
            delete.send().await.unwrap();
        }
        for n in 0..count / 100 {
            let put = s3.put_object().bucket(SOURCE).key(format!("object/{n}"));
            put.body(ByteStream::from_static(b"a")).send().await.unwrap();
        }
    });
}

/// "The XML 1.0 parser can't parse some characters" of keys (S3 API Reference, `ListObjectVersions`,
/// `encoding-type`). Whoever may put an object could else block every command.
#[test]
fn keys_that_xml_cannot_hold_block_nothing() {
    let stand = built();
    let keys = ["a\u{1b}]0;b", "\u{7}", "a\u{0}b", "\u{fffe}", "a\rb\n", "a+b c%41/", "plain"];
    stand.s3("us-east-1", async |s3| {
        for key in keys {
            let put = s3.put_object().bucket(SOURCE).key(key);
            put.body(ByteStream::from_static(b"a")).send().await.unwrap();
            let delete = s3.delete_object().bucket(SOURCE).key(key);
            delete.send().await.unwrap();
            // The upload begins, whether or not the answer with its key can be read.
            let _ = s3.create_multipart_upload().bucket(SOURCE).key(key).send().await;
        }
        let blank = ObjectIdentifier::builder().key(" ").build().unwrap();
        let delete = Delete::builder().objects(blank).build().unwrap();
        s3.delete_objects().bucket(SOURCE).delete(delete).send().await.unwrap();
    });
    for command in [&["status", "--sample", "100"][..], &["apply", "--yes"], &["backfill", "--yes"]]
    {
        let _ = stand.in_process(command).exits(0);
    }
    let refused = stand.in_process(&["destroy", "--yes"]).exits(10).json();
    assert_eq!(refused["error"]["code"], "foreign-objects");
    let _ = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn thousands_of_versions_go_a_thousand_a_call() {
    let stand = built();
    fill(&stand, 4_000);
    stand.s3("us-west-2", async |s3| {
        for n in 0..30 {
            let upload = s3.create_multipart_upload().bucket(DESTINATION).key(format!("part/{n}"));
            upload.send().await.unwrap();
        }
    });
    stand.calls();
    let output = stand.run(&[&["destroy", "--yes", "--purge-data"], &PAIR[..]].concat()).exits(0);
    let calls = stand.calls()["by_operation"].clone();
    assert!(calls["s3:DeleteObjects"].as_u64().unwrap() <= 6, "{calls}");
    assert_eq!(calls["s3:AbortMultipartUpload"], 30);
    let said = format!("4000 versions deleted from `{SOURCE}`");
    assert!(output.stderr.contains(&said), "{output}");
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// 100,000 versions: `cargo test --test integration hundred_thousand -- --ignored --nocapture` prints the time and the memory.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_versions_go_in_bounded_memory() {
    let stand = built();
    let mut peaks = Vec::new();
    for count in [2_000, 100_000] {
        let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
        fill(&stand, count);
        let started = std::time::Instant::now();
        let args = [&["destroy", "--yes", "--purge-data"], &PAIR[..]].concat();
        let mut child = stand.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(peak_kib(child.id()));
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(child.wait().unwrap().success());
        println!("{count} versions: {:?}, at most {peak} KiB", started.elapsed());
        assert_eq!(stand.leftovers(), [""; 0]);
        peaks.push(peak);
    }
    assert!(peaks[1] < peaks[0] + 20 * 1024, "memory grows with the bucket: {peaks:?} KiB");
}

/// Returns the most memory that a process has held so far.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

#[test]
fn what_lands_while_a_bucket_is_emptied_goes_too() {
    let stand = built();
    fill(&stand, 2_000);
    let writer = || {
        stand.s3("us-west-2", async |s3| {
            let mut landed = 0;
            loop {
                let put = s3.put_object().bucket(DESTINATION).key(format!("late/{landed}"));
                if put.body(ByteStream::from_static(b"a")).send().await.is_err() || landed == 300 {
                    return landed;
                }
                landed += 1;
            }
        })
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(writer);
        let _ = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0);
        assert!(writer.join().unwrap() > 0);
    });
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// Puts an object into the source bucket under each kind of protection; the retentions end in an hour.
fn lock(stand: &Stand) -> String {
    stand.s3("us-east-1", async |s3| {
        let on = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled);
        let lock = s3.put_object_lock_configuration().bucket(SOURCE);
        lock.object_lock_configuration(on.build()).send().await.unwrap();
        let until = jiff::Timestamp::now().as_second() + 3600;
        let until = aws_sdk_s3::primitives::DateTime::from_secs(until);
        for (key, mode) in
            [("governed", ObjectLockMode::Governance), ("complied", ObjectLockMode::Compliance)]
        {
            let put = s3.put_object().bucket(SOURCE).key(key).body(ByteStream::from_static(b"a"));
            let put = put.object_lock_mode(mode).object_lock_retain_until_date(until);
            put.send().await.unwrap();
        }
        let put = s3.put_object().bucket(SOURCE).key("held").body(ByteStream::from_static(b"a"));
        put.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On).send().await.unwrap();
        jiff::Timestamp::from_second(until.secs()).unwrap().to_string()
    })
}

#[test]
fn what_object_lock_holds_is_told_one_by_one_and_until_when() {
    let stand = built();
    // The rule would need a destination with Object Lock.
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
    });
    let until = lock(&stand);
    let destroy =
        |args: &[&str]| stand.pair(&[&["destroy", "--yes", "--purge-data"], args].concat());

    let object = destroy(&[]).exits(9).told("objects-held").json();
    let objects: Vec<(&str, &str)> =
        left(&object).into_iter().filter(|(kind, _)| *kind == "s3:object").collect();
    let told =
        |object: &[(&str, &str)], text: &str| object.iter().any(|(_, why)| why.contains(text));
    assert_eq!(objects.len(), 3, "{object}");
    assert!(told(&objects, &format!("COMPLIANCE retention until {until}: nobody can")), "{object}");
    assert!(told(&objects, &format!("GOVERNANCE retention until {until}")), "{object}");
    assert!(told(&objects, "a legal hold, until it is taken off"), "{object}");
    assert_eq!(object["error"]["code"], "objects-held");
    let kinds: Vec<&str> = left(&object).iter().map(|(kind, _)| *kind).collect();
    assert!(["s3:bucket", "kms:key", "kms:replica-key"].iter().all(|it| kinds.contains(it)));
    let of_keys: Vec<(&str, &str)> =
        left(&object).into_iter().filter(|(kind, _)| kind.starts_with("kms:")).collect();
    let why = format!("arn:aws:s3:::{SOURCE} stays, and its data needs the key");
    assert!(of_keys.len() == 4 && of_keys.iter().all(|(_, it)| *it == why), "{of_keys:?}");

    let object = destroy(&["--bypass-governance"]).exits(9).json();
    assert_eq!(
        left(&object).iter().filter(|(kind, _)| *kind == "s3:object").count(),
        2,
        "{object}"
    );
    stand.s3("us-east-1", async |s3| {
        let off = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off).build();
        let hold = s3.put_object_legal_hold().bucket(SOURCE).key("held").legal_hold(off);
        hold.send().await.unwrap();
    });
    let object = destroy(&[]).exits(9).json();
    assert_eq!(
        left(&object).iter().filter(|(kind, _)| *kind == "s3:object").count(),
        1,
        "{object}"
    );
    stand.control("POST", "clock", r#"{"advance": "2h"}"#);
    let _ = destroy(&[]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn each_primary_goes_after_its_own_replica() {
    let stand = built();
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    stand.control("POST", "clock", r#"{"advance": "24h"}"#);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let object = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    let keys = object["keys"].as_array().unwrap();
    let date = |key: &Value| -> jiff::Timestamp {
        key["deletes_not_before"].as_str().unwrap().parse().unwrap()
    };
    let id = |key: &Value| key["arn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let of = |state: &str| keys.iter().filter(|key| key["state"] == state).collect::<Vec<_>>();
    let (primaries, replicas) = (of("PendingReplicaDeletion"), of("PendingDeletion"));
    assert_eq!((primaries.len(), replicas.len()), (2, 2), "{object}");
    for primary in primaries {
        let replica = replicas.iter().find(|replica| id(replica) == id(primary)).unwrap();
        assert_eq!(date(primary).duration_since(date(replica)).as_hours(), 7 * 24, "{object}");
    }
}

#[test]
fn what_others_did_behind_its_back_is_no_obstacle() {
    // The destination is gone, the role's policy too, and the primary is pending already.
    let stand = built();
    stand.s3("us-west-2", async |s3| s3.delete_bucket().bucket(DESTINATION).send().await.unwrap());
    stand.iam(async |iam| {
        let delete = iam.delete_role_policy().role_name("crrctl-demo-us-east-1");
        delete.policy_name("replication").send().await.unwrap()
    });
    stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        let schedule = kms.schedule_key_deletion().pending_window_in_days(9);
        schedule.key_id(key.key_metadata().unwrap().key_id()).send().await.unwrap();
    });
    let object = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(stand.leftovers(), [""; 0]);
    let keys = object["keys"].as_array().unwrap();
    let days = |key: &Value| {
        let date: jiff::Timestamp = key["deletes_not_before"].as_str().unwrap().parse().unwrap();
        (date.duration_since(jiff::Timestamp::now()).as_hours() + 1) / 24
    };
    let mut all: Vec<i64> = keys.iter().map(days).collect();
    all.sort_unstable();
    assert_eq!(
        all,
        [7, 16],
        "the primary's own nine days begin when the replica is gone: {object}"
    );
    // A second one tells the same dates.
    let again = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!((&again["removed"], &again["keys"]), (&json!([]), &object["keys"]));
}

/// A source that stays keeps its writers: what they put while the rules go is replicated, or never meant to be.
#[test]
fn buckets_that_are_kept_lose_their_role_when_s3_has_forgotten_the_rules() {
    let options = Options { lag: Lag::Aws, hurry: 20, seed: Some(7), ..Options::default() };
    let stand = Stand::with(options);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("theirs");
    let late = stand.with_a_writer(|| {
        let _ = stand.in_process(&["destroy", "--yes", "--keep-buckets"]).exits(0);
    });
    assert!(!late.is_empty(), "S3 went by the rules when they were taken away");
    assert!(late.iter().all(|it| it["status"] == "COMPLETED"), "{late:#?}");
    let left = stand.leftovers();
    assert!(!left.iter().any(|it| it.contains(":role/")), "{left:?}");
    assert!([SOURCE, DESTINATION].iter().all(|name| left.iter().any(|it| it.ends_with(name))));
}

/// With the device, as the root user has it, MFA delete goes on or off.
pub(crate) fn mfa_delete(stand: &Stand, status: MfaDelete) {
    stand.s3("us-east-1", async |s3| {
        let versioning = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .mfa_delete(status)
            .build();
        let put = s3.put_bucket_versioning().bucket(SOURCE).versioning_configuration(versioning);
        put.mfa("arn:aws:iam::111122223333:mfa/root 123456").send().await.unwrap();
    });
}

#[test]
fn a_bucket_with_mfa_delete_is_not_begun_with() {
    let stand = built();
    stand.put_theirs("theirs");
    mfa_delete(&stand, MfaDelete::Enabled);
    let planned = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0).json();
    let warning = planned["warnings"][0].as_str().unwrap();
    assert!(warning.contains("MFA delete") && warning.contains(SOURCE), "{warning}");
    stand.calls();
    let refused =
        stand.pair(&["destroy", "--yes", "--purge-data"]).exits(10).told("mfa-delete").json();
    assert_eq!(refused["error"]["code"], "mfa-delete");
    assert!(refused["error"]["hints"].to_string().contains("MFADelete=Disabled"), "{refused}");
    assert_eq!(stand.calls()["writes"], 0);
    mfa_delete(&stand, MfaDelete::Disabled);
    let _ = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_role_with_policies_of_others_stays() {
    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
    let stand = built();
    let role = "crrctl-demo-us-east-1";
    let arn = stand.iam(async |iam| {
        let made = iam.create_policy().policy_name("theirs").policy_document(POLICY);
        let arn = made.send().await.unwrap().policy().unwrap().arn().unwrap().to_owned();
        iam.attach_role_policy().role_name(role).policy_arn(&arn).send().await.unwrap();
        let put = iam.put_role_policy().role_name(role).policy_name("inline-of-theirs");
        put.policy_document(POLICY).send().await.unwrap();
        arn
    });
    let object = stand.in_process(&["destroy", "--yes"]).exits(9).json();
    let why = "it has policies that are not ours: inline-of-theirs, theirs";
    assert_eq!(left(&object), [("iam:role", why)]);
    stand.iam(async |iam| {
        iam.detach_role_policy().role_name(role).policy_arn(&arn).send().await.unwrap();
        let delete = iam.delete_role_policy().role_name(role).policy_name("inline-of-theirs");
        delete.send().await.unwrap();
        iam.delete_policy().policy_arn(&arn).send().await.unwrap();
    });
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_key_with_a_grant_stays_unless_keys_are_purged() {
    let stand = built();
    stand.kms("us-west-2", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        let grant = kms.create_grant().key_id(key.key_metadata().unwrap().key_id());
        let grant = grant.grantee_principal("arn:aws:iam::111122223333:root");
        grant.operations(aws_sdk_kms::types::GrantOperation::Decrypt).send().await.unwrap();
    });
    let object = stand.in_process(&["destroy", "--yes"]).exits(9).json();
    let kinds: Vec<&str> = left(&object).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ["kms:key", "kms:replica-key", "kms:alias", "kms:alias"]);
    assert!(left(&object)[0].1.contains("a grant to arn:aws:iam::111122223333:root"), "{object}");
    let _ = stand.in_process(&["destroy", "--yes", "--purge-keys"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// Returns the Regions of the keys that `destroy` says were used later than the newest object, and
/// the last operation that it tells of each key.
fn used(destroyed: &Value) -> (Vec<&str>, Vec<&str>) {
    let warnings = destroyed["warnings"].as_array().unwrap().iter();
    let regions = warnings.map(|it| it.as_str().unwrap().split(':').nth(3).unwrap()).collect();
    let keys = destroyed["keys"].as_array().unwrap().iter();
    let last = keys.map(|it| it["last_use"]["operation"].as_str().unwrap_or("unknown"));
    (regions, last.collect())
}

/// Whoever reads an object of the pair uses its key. Each key of a multi-Region key is told by
/// itself, and nothing is said where no object tells when the pair itself used the key last.
#[test]
fn a_key_that_is_used_later_than_the_newest_object_is_told_before_it_goes() {
    let purge = ["destroy", "--yes", "--purge-data"];
    let stand = built();
    let destroyed = stand.in_process(&purge).exits(0).json();
    assert_eq!(used(&destroyed), (vec![], vec!["unknown", "unknown"]));

    let stand = built();
    fill(&stand, 100);
    let destroyed = stand.in_process(&purge).exits(0).json();
    assert_eq!(used(&destroyed).0, [""; 0], "{destroyed:#}");

    let stand = built();
    fill(&stand, 100);
    let read = || {
        stand.s3("us-west-2", async |s3| {
            s3.get_object().bucket(DESTINATION).key("object/0").send().await.is_ok()
        })
    };
    Stand::wait_until("the replica is there", read);
    stand.control("POST", "clock", r#"{"advance": "1h"}"#);
    assert!(read());
    let plan = stand.in_process(&["plan", "--destroy"]);
    assert_eq!(plan.code, 10, "objects of others: {plan}");
    let destroyed = stand.in_process(&purge).exits(0).json();
    let (regions, last) = used(&destroyed);
    assert_eq!(regions, ["us-west-2"], "{destroyed:#}");
    assert!(last.contains(&"Decrypt"), "{destroyed:#}");

    let stand = built();
    fill(&stand, 100);
    stand.faults(&["kms:GetKeyLastUsage:error=AccessDeniedException"]);
    let destroyed = stand.in_process(&purge).exits(0).json();
    assert_eq!(used(&destroyed), (vec![], vec!["unknown", "unknown"]));
}
