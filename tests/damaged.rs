//! Pairs of which parts are gone: a name or an object finds them all the same, `check` names the
//! cause, and `destroy` removes what is left.
//! Not for: damaged pairs with their manifest (see `confusion`).

use crate::common::{DESTINATION, SOURCE, Stand, s3_of};
use aws_sdk_s3::types as t;
use serde_json::Value;

const NAME: [&str; 2] = ["--name", "demo"];

fn built() -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("o");
    Stand::wait_until("S3 has decided", || {
        stand.s3("us-east-1", async |s3| {
            let head = s3.head_object().bucket(SOURCE).key("o").send().await.unwrap();
            head.replication_status() != Some(&t::ReplicationStatus::Pending)
        })
    });
    stand
}

fn empty(stand: &Stand, region: &str, bucket: &str) {
    stand.s3(region, async |s3| {
        let all = s3.list_object_versions().bucket(bucket).send().await.unwrap();
        let versions = all.versions().iter().map(|it| (it.key(), it.version_id()));
        let markers = all.delete_markers().iter().map(|it| (it.key(), it.version_id()));
        for (key, id) in versions.chain(markers) {
            let delete = s3.delete_object().bucket(bucket).key(key.unwrap());
            delete.version_id(id.unwrap()).send().await.unwrap();
        }
    });
}

fn delete_bucket(stand: &Stand, region: &str, bucket: &str) {
    empty(stand, region, bucket);
    stand.s3(region, async |s3| {
        s3.delete_bucket().bucket(bucket).send().await.unwrap();
    });
}

fn delete_rules(stand: &Stand) {
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
    });
}

fn delete_role(stand: &Stand) {
    let role = "crrctl-demo-us-east-1";
    stand.iam(async |iam| {
        let policy = iam.delete_role_policy().role_name(role).policy_name("replication");
        policy.send().await.unwrap();
        iam.delete_role().role_name(role).send().await.unwrap();
    });
}

/// Has another account make a bucket of the destination's name.
fn give_away(stand: &Stand) {
    delete_bucket(stand, "us-west-2", DESTINATION);
    let endpoint = stand.endpoint();
    stand.s3("us-west-2", async |_| {
        let place = t::BucketLocationConstraint::from("us-west-2");
        let made = t::CreateBucketConfiguration::builder().location_constraint(place).build();
        let theirs = s3_of("444455556666", endpoint, "us-west-2");
        let create = theirs.create_bucket().bucket(DESTINATION);
        create.create_bucket_configuration(made).send().await.unwrap();
    });
}

const LOST: &str = "the source has lost its tags";

fn failed(object: &Value) -> Vec<&str> {
    let checks = object["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|it| it["result"] == "fail");
    failed.map(|it| it["name"].as_str().unwrap()).collect()
}

/// A damage, and the checks that name it.
type Damage = (&'static str, fn(&Stand), &'static [&'static str]);

const DAMAGES: [Damage; 6] = [
    (
        "the destination is gone",
        |stand| delete_bucket(stand, "us-west-2", DESTINATION),
        &["bucket.exists"],
    ),
    (
        "the source is not encrypted under the key",
        |stand| {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket_encryption().bucket(SOURCE).send().await.unwrap();
            });
        },
        &["bucket.encryption"],
    ),
    ("the source has no rules", delete_rules, &["replication.rules"]),
    ("the source is gone", |stand| delete_bucket(stand, "us-east-1", SOURCE), &["bucket.exists"]),
    ("the role is gone", delete_role, &["role.exists"]),
    (
        LOST,
        |stand| {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket_tagging().bucket(SOURCE).send().await.unwrap();
            });
        },
        &["bucket.owner"],
    ),
];

#[test]
fn a_name_finds_a_damaged_pair_and_check_names_the_cause() {
    for (what, damage, causes) in DAMAGES {
        let stand = built();
        damage(&stand);
        let named = stand.embedded(&[&["check"], &NAME[..]].concat()).exits(2).json();
        let by_manifest = stand.in_process(&["check"]).exits(2).json();
        println!("{what}: {:?} {}", failed(&named), named["failure_reasons"]);
        assert!(failed(&named).iter().any(|it| causes.contains(it)), "{what}: {named}");
        assert_eq!(failed(&named), failed(&by_manifest), "{what}");
        let status = stand.embedded(&[&["status"], &NAME[..]].concat()).json();
        assert_eq!(status["pair"], "demo", "{what}");
        if what == LOST {
            // What bears no tags of the pair is never removed.
            continue;
        }
        let destroyed = stand.embedded(&[&["destroy", "-y", "--purge-data"], &NAME[..]].concat());
        let left: Vec<String> = stand.leftovers();
        assert_eq!((destroyed.code, left), (0, Vec::new()), "{what}: {destroyed}");
    }
}

#[test]
fn an_object_finds_its_damaged_pair() {
    for (what, damage, causes) in DAMAGES {
        if what == "the source is gone" {
            continue;
        }
        let stand = built();
        damage(&stand);
        let object = format!("s3://{SOURCE}/o");
        let told = stand.embedded(&["check", &object]).exits(2).json();
        assert!(failed(&told).iter().any(|it| causes.contains(it)), "{what}: {told}");
    }
}

#[test]
fn a_destination_of_another_account_is_not_known() {
    let stand = built();
    give_away(&stand);
    let object = format!("s3://{SOURCE}/o");
    for args in [&["check", "--name", "demo"][..], &["check", &object]] {
        let told = stand.embedded(args).exits(0).json();
        let owner = |it: &&Value| it["name"] == "bucket.owner" && it["region"] == "us-west-2";
        let found = told["checks"].as_array().unwrap().iter().find(owner).unwrap();
        assert_eq!(found["result"], "unknown", "{found}");
    }
}

#[test]
fn a_probe_of_a_pair_without_its_rules_or_its_role_says_so() {
    for damage in [delete_rules, delete_role] {
        let stand = built();
        damage(&stand);
        let told = stand.embedded(&[&["probe"], &NAME[..]].concat()).exits(3).json();
        assert_eq!(told["error"]["code"], "pair-missing");
    }
}

#[test]
fn a_version_that_is_none_is_told() {
    let stand = built();
    let marker = stand.s3("us-east-1", async |s3| {
        let deleted = s3.delete_object().bucket(SOURCE).key("o").send().await.unwrap();
        deleted.version_id().unwrap().to_owned()
    });
    let object = format!("s3://{SOURCE}/o");
    let unknown = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH";
    for command in ["check", "wait"] {
        for (id, says) in [
            ("WRONG", "does not exist"),
            (unknown, "does not exist"),
            (&marker, "is a delete marker"),
        ] {
            let told = stand.in_process(&[command, &object, "--version-id", id]).exits(3).json();
            assert_eq!(told["error"]["code"], "object-missing", "{command} {id}: {told}");
            let message = told["error"]["message"].as_str().unwrap();
            assert!(message.contains(says) && !message.contains("ExpiredToken"), "{message}");
        }
        let _ = stand.in_process(&[command, &object, "--version-id", ""]).exits(3);
    }
}

/// `--sandbox` calls nothing but the sandbox of the process, whatever the job's variables name.
#[test]
fn a_sandbox_of_the_process_is_all_that_is_called() {
    let stand = built();
    let object = format!("s3://{SOURCE}/o");
    let _ = stand.calls();
    for args in [
        &["wait", &object][..],
        &["check", &object],
        &["check"],
        &["status"],
        &["probe"],
        &["watch"],
        &["destroy", "--yes"],
        &["backfill", "--yes"],
        &["import", SOURCE],
        &["list"],
        &["gc"],
        &["policy", "render"],
        &["export", "terraform"],
    ] {
        for (name, source) in [("demo", ""), ("demo", "us-east-1")] {
            let mut command = stand.command(&[args, &["--sandbox", "--timeout", "5s"]].concat());
            command.env("CRRCTL_NAME", name).env("CRRCTL_SOURCE", source);
            let _ = crate::common::finished(command.stdin(std::process::Stdio::null()));
        }
        let _ = stand.run(&[args, &["--sandbox", "--timeout", "5s"], &NAME[..]].concat());
    }
    let calls = stand.calls();
    assert_eq!((&calls["reads"], &calls["writes"]), (&0.into(), &0.into()), "{calls}");
}

#[test]
fn a_line_that_names_no_command_is_told_in_every_format() {
    for args in [&["nonsense"][..], &["plan", "--nonsense"]] {
        let told = crate::common::alone(&[args, &["-o", "ndjson"]].concat()).exits(3);
        let line: Value = serde_json::from_str(told.stdout.trim()).unwrap();
        assert_eq!(
            (&line["event"], &line["failure"]["code"]),
            (&"error".into(), &"usage".into()),
            "{line}"
        );
        let told = crate::common::alone(&[args, &["-o", "json"]].concat()).exits(3).json();
        assert_eq!(told["error"]["code"], "usage");
    }
}

/// A variable of the whole job fails no command that has no use for it.
#[test]
fn variables_of_the_job_are_passed_over() {
    let stand = built();
    let object = format!("s3://{SOURCE}/o");
    for (variables, args) in [
        (&[("CRRCTL_NAME", "x")][..], &["list"][..]),
        (&[("CRRCTL_SOURCE", "us-east-1")], &["list"]),
        (&[("CRRCTL_NAME", "x")], &["gc"]),
        (&[("CRRCTL_NAME", "x")], &["wait", &object]),
        (&[("CRRCTL_DESTINATION", "us-west-2")], &["wait", &object]),
        (&[("CRRCTL_PAIR", "x")], &["rehearse"]),
        (&[("CRRCTL_QUIET", "true"), ("CRRCTL_VERBOSE", "1")], &["list"]),
        (&[("CRRCTL_QUIET", "0"), ("CRRCTL_VERBOSE", "1")], &["list"]),
    ] {
        let mut command = stand.command(args);
        command.envs(variables.iter().copied()).stdin(std::process::Stdio::null());
        let told = crate::common::finished(&mut command);
        assert_eq!(told.code, 0, "{variables:?} {args:?}: {told}");
    }
}

/// Every command ends in order while it only reads, before its run has begun.
#[test]
fn a_signal_ends_what_is_read_before_a_run() {
    let stand = built();
    let slow = stand.slow_by(std::time::Duration::from_mins(1));
    let object = format!("s3://{SOURCE}/o");
    let pair = crate::common::PAIR;
    let pair = |args: &[&'static str]| [args, &pair[..]].concat();
    let mut children = Vec::new();
    for (args, code) in [
        (vec!["check", object.as_str()], 130),
        ([&["check"], &NAME[..]].concat(), 130),
        (pair(&["policy", "render"]), 130),
        (pair(&["policy", "prove"]), 130),
        (pair(&["policy", "operator"]), 130),
        ([&["watch"], &NAME[..]].concat(), 0),
    ] {
        let mut command = stand.command(&[&args[..], &["-o", "json"]].concat());
        command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(std::process::Stdio::null());
        let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        children.push((child, args, code));
    }
    // A command listens to signals once it has begun to read.
    Stand::wait_until("all commands read", || {
        children.iter().all(|(child, ..)| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 14) != 0
        })
    });
    for (child, ..) in &children {
        crate::common::signal(child, "TERM");
    }
    for (child, args, code) in children {
        let ended = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {text}");
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["error"]["code"] == "interrupted", code == 130, "{args:?}");
    }
}
