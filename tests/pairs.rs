//! Many pairs in one manifest: all are checked before any call, one that fails stops no other, and what the run leaves is what
//! single runs would leave.

use crate::common::{Output, Stand, alone_with, side_by_side, signal};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

/// Defaults, and so many pairs, each to a Region of its own or to the default's.
fn manifest(count: usize) -> String {
    let mut text = "name: all\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\ntags: {team: storage}\npairs:\n".to_owned();
    for n in 0..count {
        text.extend(["  - name: p".to_owned(), format!("{n:02}\n")]);
        if n % 5 == 4 {
            text.push_str("    destinations: [{region: eu-west-1}, {region: ap-south-1}]\n");
        }
        if n % 7 == 6 {
            text.push_str(
                "    source: {region: eu-central-1}\n    key: {kind: none}\n    tags: {own: yes}\n",
            );
        }
    }
    text
}

/// KMS of the stand-in takes as much as comes.
const QUICK: [&str; 2] = ["--quota-factor", "1000"];

fn run(stand: &Stand, args: &[&str], text: &str) -> Output {
    stand.manifest(&[args, &QUICK, &["-o", "json"]].concat(), text)
}

fn pairs(output: &Value) -> &Vec<Value> {
    output["pairs"].as_array().unwrap()
}

#[test]
fn a_graph_is_of_one_pair() {
    let stand = Stand::new();
    let text = manifest(2);
    let refused = stand.manifest(&["plan", "--graph", "dot"], &text).exits(3);
    assert!(refused.stderr.contains("`--pair`") && refused.stdout.is_empty(), "{refused}");
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
    let one = stand.manifest(&["plan", "--graph", "dot", "--pair", "p01"], &text).exits(0);
    assert!(one.stdout.starts_with("digraph plan {\n"), "{one}");
    let all = run(&stand, &["plan", "--graph", "dot"], &text).exits(0).json();
    assert!(pairs(&all).iter().all(|pair| pair["graph"].is_string()), "{all}");
}

#[test]
fn twenty_pairs_live_and_one_that_is_in_the_way_stops_no_other() {
    let stand = Stand::new();
    let text = manifest(20);
    let foreign = "p03-111122223333-us-east-1";
    stand.s3("us-east-1", async |s3| {
        s3.create_bucket().bucket(foreign).send().await.unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"theirs");
        s3.put_object().bucket(foreign).key("k").body(body).send().await.unwrap();
    });

    let applied = run(&stand, &["apply", "--yes"], &text).exits(10).json();
    assert_eq!((&applied["count"], &applied["failed"]), (&20.into(), &1.into()));
    assert!(
        applied["error"]["message"].as_str().unwrap().starts_with("1 of 20 pairs failed; p03: ")
    );
    for (n, pair) in pairs(&applied).iter().enumerate() {
        assert_eq!(pair["pair"], format!("p{n:02}"), "in the manifest's order");
        assert_eq!(pair["exit_code"], if n == 3 { 10 } else { 0 }, "{pair}");
        assert_eq!(pair.get("error").is_some(), n == 3);
        if n != 3 {
            let probes = pair["probes"].as_array().unwrap();
            assert!(
                !probes.is_empty() && probes.iter().all(|probe| probe["status"] == "COMPLETED")
            );
            let kinds = |kind: &str| {
                pair["resources"].as_array().unwrap().iter().filter(|it| it["kind"] == kind).count()
            };
            let replicas = match (n % 7 == 6, n % 5 == 4) {
                (true, _) => 0,
                (false, true) => 2,
                (false, false) => 1,
            };
            assert_eq!(kinds("kms:replica-key"), replicas, "{n}");
        }
    }

    // Each pair looks for its own keys among those of all.
    let looks = |made: &Value| made["by_operation"]["kms:ListResourceTags"].as_u64().unwrap();
    let made = looks(&stand.calls());
    assert!(made <= 4 * 20, "{made} times the tags of a key were read");
    let again = run(&stand, &["apply", "--yes", "--no-probe"], &text).exits(10).json();
    assert!(pairs(&again).iter().all(|pair| pair["exit_code"] == 10 || pair["changed"] == false));
    assert_eq!(stand.calls()["writes"], 0, "a second apply writes nothing");

    let destroyed = run(&stand, &["destroy", "--yes"], &text).json();
    assert!(pairs(&destroyed).iter().filter(|pair| pair["exit_code"] == 0).count() >= 19);
    let made = looks(&stand.calls());
    assert!(made <= 6 * 20, "{made} times the tags of a key were read");
    assert_eq!(stand.leftovers(), [format!("arn:aws:s3:::{foreign}")]);
}

#[test]
fn the_example_is_planned() {
    let text = include_str!("../examples/fleet.yaml");
    let planned = alone_with(&["plan", "--sandbox", "-o", "json"], text).exits(0).json();
    assert_eq!(pairs(&planned).len(), 3);
}

#[test]
fn every_command_about_pairs_takes_many() {
    let stand = Stand::new();
    let text = manifest(3);
    let planned = run(&stand, &["plan", "--detailed-exitcode"], &text).exits(2).json();
    assert!(pairs(&planned).iter().all(|pair| pair["exit_code"] == 2));
    assert!(planned.get("error").is_none());
    let sum = serde_json::json!({"monthly_usd": 6.0, "items": ["3 pairs at $2.00: $6.00"]});
    assert_eq!(planned["cost"], sum);
    let shown = stand.manifest(&["plan"], &text).exits(0).stdout;
    let told = "all pairs: about $6.00 a month, unused:\n  3 pairs at $2.00: $6.00\n";
    assert_eq!(shown.matches(told).count(), 1, "{shown}");
    let removal = stand.manifest(&["plan", "--destroy"], &text).exits(0).stdout;
    assert!(!removal.contains("all pairs"), "{removal}");
    let _ = run(&stand, &["apply", "--yes", "--no-probe"], &text).exits(0);
    assert_eq!(run(&stand, &["plan", "--detailed-exitcode"], &text).exits(0).json()["failed"], 0);
    let probed = run(&stand, &["probe"], &text).exits(0).json();
    assert!(pairs(&probed).iter().all(|pair| pair["summary"]["completed"] == 1));
    let checked = run(&stand, &["check"], &text).exits(0).json();
    assert!(pairs(&checked).iter().all(|pair| pair["checks"].as_array().unwrap().len() > 10));
    let shown = run(&stand, &["status"], &text).exits(0).json();
    assert!(pairs(&shown).iter().all(|pair| pair["stands"] == true));

    // Text: what it is about stands before each, and one line for each where that is enough.
    let shown = stand.manifest(&["status"], &text).exits(0).stdout;
    assert!((0..3).all(|n| shown.contains(&format!("p{n:02}:\n"))), "{shown}");
    let probed = stand.manifest(&["probe"], &text).exits(0);
    assert!(probed.stdout.contains("all: 3 of 3 pairs done"), "{probed}");

    // One pair of many is as if it stood there alone.
    let one = run(&stand, &["probe", "--pair", "p01"], &text).exits(0).json();
    assert_eq!((&one["pair"], one.get("pairs")), (&"p01".into(), None));
    let two = run(&stand, &["plan", "--pair", "p02,p00"], &text).exits(0).json();
    let names: Vec<&Value> = pairs(&two).iter().map(|pair| &pair["pair"]).collect();
    assert_eq!(names, ["p00", "p02"]);
    let _ = run(&stand, &["policy", "render", "--pair", "p01"], &text).exits(0);
    let export = run(&stand, &["export", "terraform"], &text).exits(3).json();
    assert!(export["error"]["hints"][0].as_str().unwrap().contains("--pair"));
    let unknown = run(&stand, &["plan", "--pair", "p0l"], &text).exits(3).json();
    assert!(unknown["error"]["hints"][0].as_str().unwrap().starts_with("did you mean `p0"));

    let gone = run(&stand, &["destroy", "--yes", "--pair", "p00", "--pair", "p02"], &text);
    assert_eq!(pairs(&gone.exits(0).json()).len(), 2);
    assert!(stand.leftovers().iter().all(|arn| arn.contains("p01") || arn.contains(":kms:")));
    let _ = run(&stand, &["destroy", "--yes"], &text).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_signal_in_the_middle_ends_all_and_the_next_run_goes_on() {
    let stand = Stand::with(crrctl_sandbox::Options {
        latency: Duration::from_millis(20),
        ..crrctl_sandbox::Options::default()
    });
    let text = manifest(20);
    std::fs::write(stand.path("crrctl.yaml"), &text).unwrap();
    let args = ["apply", "--yes", "--no-probe", "--max-concurrency", "4", "-o", "ndjson"];
    let mut command = stand.command(&[&args[..], &QUICK].concat());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ends = Vec::new();
    for line in lines {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "pair.done" {
            if ends.is_empty() {
                signal(&child, "INT");
            }
            ends.push((event["pair"].as_str().unwrap().to_owned(), event["exit_code"].clone()));
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(ends.len(), 20, "each pair is told, whether it began or not");
    assert!(ends.iter().any(|(_, code)| *code == 0) && ends.iter().any(|(_, code)| *code == 130));
    let before = stand.leftovers().len();
    let began =
        stand.control("GET", "calls", "")["by_operation"]["kms:CreateKey"].as_u64().unwrap();
    assert!(before > 0 && began < 18, "{began} keys were made before the signal");

    let _ = run(&stand, &["apply", "--yes", "--no-probe"], &text).exits(0);
    stand.calls();
    let third = run(&stand, &["apply", "--yes", "--no-probe"], &text).exits(0).json();
    assert!(pairs(&third).iter().all(|pair| pair["changed"] == false));
    assert_eq!(stand.calls()["writes"], 0);
    let _ = run(&stand, &["destroy", "--yes"], &text).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// At AWS's quotas a key is made every fifth of a second, and a signal lets none of those go that wait for their turn.
#[test]
fn a_signal_lets_no_call_go_before_its_turn() {
    let stand = Stand::new();
    std::fs::write(stand.path("crrctl.yaml"), manifest(60)).unwrap();
    let mut command = stand.command(&["apply", "--yes", "--no-probe", "-o", "ndjson"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut first_key, mut is_told, mut ends) = (None, false, Vec::new());
    for line in lines {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["step"].as_str().is_some_and(|step| step.starts_with("kms:key/")) {
            first_key.get_or_insert_with(std::time::Instant::now);
            if event["event"] == "step.done" && !is_told {
                signal(&child, "INT");
                is_told = true;
            }
        }
        if event["event"] == "pair.done" {
            ends.push(event["exit_code"].as_i64().unwrap());
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // What the pace allowed by then, however slow all was.
    let allowed = 6 + first_key.unwrap().elapsed().as_millis() / 200;
    assert!(ends.len() == 60 && ends.iter().all(|code| [0, 130].contains(code)), "{ends:?}");
    let began = stand.calls()["by_operation"]["kms:CreateKey"].as_u64().unwrap();
    assert!(u128::from(began) <= allowed, "{began} keys were made where {allowed} may be");
}

/// A failed check is no failure of the run, and the pair is not as it should be.
#[test]
fn a_failed_check_of_one_is_told_of_all() {
    let stand = Stand::new();
    let text = manifest(3);
    let _ = run(&stand, &["apply", "--yes", "--no-probe"], &text).exits(0);
    stand.s3("us-east-1", async |s3| {
        let delete = s3.delete_bucket_replication().bucket("p01-111122223333-us-east-1");
        delete.send().await.unwrap()
    });
    let output = stand.manifest(&["check"], &text).exits(2);
    assert!(output.stdout.contains("2 of 3 pairs in order"), "{output}");
    let events = stand.manifest(&["check", "-o", "ndjson"], &text).exits(2).stdout;
    let of = |name: &str| -> Vec<bool> {
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|it| it["event"] == name).map(|it| it["ok"].as_bool().unwrap()).collect()
    };
    assert_eq!(of("pair.done").iter().filter(|ok| !**ok).count(), 1, "{events}");
    assert_eq!(of("run.done"), [false], "{events}");
}

#[test]
fn what_is_wrong_with_one_is_told_with_its_place_before_any_call() {
    let head = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
    for (text, wanted) in [
        (format!("{head}pairs: []\n"), "<stdin>:3:8: `pairs`: at least one pair"),
        (format!("{head}pairs:\n  - key: {{}}\n"), "<stdin>:4:5: `pairs[0].name`"),
        ("pairs:\n  - name: a\n".to_owned(), "<stdin>:2:5: `pairs[0].source.region`"),
        (format!("{head}pairs:\n  - name: a\n  - nmae: b\n"), "<stdin>:5:5: `nmae`"),
        (format!("{head}pairs:\n  - name: A\n"), "<stdin>:4:11: `pairs[0].name`"),
        (
            format!("{head}key: {{kind: non}}\npairs:\n  - name: a\n"),
            "<stdin>:3:13: `pairs[0].key.kind`",
        ),
        (
            format!("{head}pairs:\n  - name: a\n  - name: b\n  - name: a\n"),
            "<stdin>:6:5: `pairs[2].name`: `a` is the name of `pairs[0]` (`a`) too",
        ),
        (
            format!(
                "{head}pairs:\n  - name: a\n  - {{name: b, source: {{bucket: \"a-{{account}}-us-west-2\"}}}}\n"
            ),
            "`pairs[1].source.bucket`: `a-{account}-us-west-2` is a bucket of `pairs[0]`",
        ),
        (
            format!(
                "{head}pairs:\n  - name: a\n  - {{name: b, source: {{bucket: a-111122223333-us-west-2}}}}\n"
            ),
            "`pairs[1].source.bucket`: `a-111122223333-us-west-2` is a bucket of `pairs[0]`",
        ),
        (
            format!("{head}role: {{name: one}}\npairs:\n  - name: a\n  - name: b\n"),
            "`pairs[1].role.name`: `one` is the role of `pairs[0]`",
        ),
        (
            format!("{head}key: {{alias: alias/k}}\npairs:\n  - name: a\n  - name: b\n"),
            "`pairs[1].key.alias`: `alias/k` is the alias in us-east-1 of `pairs[0]`",
        ),
    ] {
        let output = alone_with(&["apply", "--yes", "--sandbox"], &text).exits(3);
        assert!(output.stderr.contains(wanted), "{text}\nwants: {wanted}\n{output}");
    }
    // Who has one pair hears what they heard before.
    let output = alone_with(&["plan", "--sandbox"], "name: pairs\n").exits(3);
    assert!(output.stderr.contains("`source`: this key is missing"), "{output}");
    // The last of many is wrong, and nothing was called.
    let stand = Stand::new();
    let text = manifest(5).replace("name: p04", "name: p-04-");
    let _ = run(&stand, &["apply", "--yes"], &text).exits(3);
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
}

#[test]
fn defaults_and_entries_are_merged_key_by_key() {
    let stand = Stand::new();
    let text = "\
source: {region: us-east-1}
destinations: [{region: us-west-2}]
buckets: {object_lock: true, lifecycle: {noncurrent_days: 3}}
replication: {prefix: in/, delete_markers: true}
tags: {team: storage, tier: one}
pairs:
  - name: a
  - name: b
    buckets: {object_lock: false, lifecycle: {incomplete_upload_days: 2}}
    replication: {prefix: out/}
    tags: {tier: two}
";
    let _ = run(&stand, &["apply", "--yes"], text).exits(0);
    let status = run(&stand, &["status"], text).exits(0).json();
    let rule = |n: usize| &status["pairs"][n]["rules"][0];
    assert_eq!((&rule(0)["prefix"], &rule(1)["prefix"]), (&"in/".into(), &"out/".into()));
    assert_eq!(
        (&rule(0)["delete_markers"], &rule(1)["delete_markers"]),
        (&true.into(), &true.into())
    );
    stand.s3("us-east-1", async |s3| {
        let lock =
            async |bucket: &str| s3.get_object_lock_configuration().bucket(bucket).send().await;
        assert!(lock("a-111122223333-us-east-1").await.is_ok());
        assert!(lock("b-111122223333-us-east-1").await.is_err());
        let bucket = "b-111122223333-us-east-1";
        let tags = s3.get_bucket_tagging().bucket(bucket).send().await.unwrap();
        let tag = |key: &str| tags.tag_set().iter().find(|it| it.key() == key).unwrap().value();
        assert_eq!((tag("team"), tag("tier")), ("storage", "two"));
        let rules = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
        let text = format!("{rules:?}");
        assert!(
            text.contains("noncurrent_days: Some(3)")
                && text.contains("days_after_initiation: Some(2)"),
            "{text}"
        );
    });
}

/// The pace is what keeps KMS from throttling: a run that goes by other quotas than are in force is throttled, and ends well all the same.
#[test]
fn kms_is_asked_no_more_often_than_its_quotas_allow() {
    let throttled = |factor: &str, pairs: usize| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let stand = Stand::with(crrctl_sandbox::Options {
            quotas: Some(1),
            log: Some(log.path().to_owned()),
            ..crrctl_sandbox::Options::default()
        });
        let args = ["apply", "--yes", "--no-probe", "--quota-factor", factor, "-o", "json"];
        let names: Vec<String> = (0..pairs).map(|n| format!("{{name: p{n}}}")).collect();
        let text = format!(
            "source: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\npairs: [{}]\n",
            names.join(", ")
        );
        let applied = stand.in_process_with(&args, &text).exits(0).json();
        let log = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(
            log.matches("ReplicateKey").count(),
            pairs + retries(&log, "ReplicateKey"),
            "{factor}"
        );
        (log.matches("ThrottlingException").count(), applied["elapsed_ms"].as_u64().unwrap())
    };
    assert_eq!(throttled("1", 6).0, 0);
    // On a slow machine they may not come too fast without the pace either.
    println!("without the pace {} calls are throttled", throttled("1000", 24).0);
}

/// Other programs use the same quotas: how often a call is throttled is nothing that ends a run.
#[test]
fn a_throttled_call_is_made_again_until_it_is_taken() {
    let applied = |faults: &[&str]| {
        let stand = Stand::new();
        stand.faults(faults);
        let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
        stand.leftovers().iter().filter(|arn| arn.contains(":key/")).count()
    };
    // More often than the SDK tries by itself.
    let write = || assert_eq!(applied(&["kms:ReplicateKey:throttle:times=8"]), 2);
    let read = || assert_eq!(applied(&["iam:GetRole:throttle:times=8"]), 2);
    // One that may have been done is not made again blindly, however often it was throttled before.
    let lost = ["kms:CreateKey:throttle:times=3", "kms:CreateKey:lost-reply:after=3:times=1"];
    let lost = || assert_eq!(applied(&lost), 2, "the key and its replica");
    side_by_side(&[&write, &read, &lost]);
}

/// Returns how many requests of an operation were throttled.
fn retries(log: &str, operation: &str) -> usize {
    log.lines().filter(|it| it.contains(operation) && it.contains("ThrottlingException")).count()
}

/// One key for many pairs: one that exists, which no pair makes and none takes away.
#[test]
fn many_pairs_share_a_key_that_exists() {
    let stand = Stand::new();
    let owner = "name: keys\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
    let _ = run(&stand, &["apply", "--yes", "--no-probe"], owner).exits(0);
    let text = "\
source: {region: us-east-1}
destinations: [{region: us-west-2}]
key: {kind: existing, arns: {us-east-1: alias/crrctl/keys, us-west-2: alias/crrctl/keys}}
pairs: [{name: a}, {name: b}, {name: c}]
";
    let applied = run(&stand, &["apply", "--yes"], text).exits(0).json();
    let keys: std::collections::BTreeSet<&str> = pairs(&applied)
        .iter()
        .flat_map(|pair| pair["probes"].as_array().unwrap())
        .map(|probe| probe["kms_key_arn"].as_str().unwrap())
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let made = stand.calls();
    assert_eq!(made["by_operation"]["kms:CreateKey"], 1);
    let _ = run(&stand, &["plan", "--detailed-exitcode"], text).exits(0);
    // The pair that made it may go at any time: the others marked the key, in each Region.
    let object = run(&stand, &["destroy", "--yes"], owner).exits(9).json();
    let why = object["left"][0]["why"].as_str().unwrap();
    assert!(why.contains("pairs that share it") && why.contains("--purge-keys"), "{object:#}");
    let _ = run(&stand, &["probe"], text).exits(0);
    let _ = run(&stand, &["destroy", "--yes"], text).exits(0);
    assert_eq!(stand.calls()["by_operation"].get("kms:ScheduleKeyDeletion"), None);
    let _ = run(&stand, &["destroy", "--yes", "--purge-keys"], owner).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// What waited for what is told to who watches closely.
#[test]
fn the_critical_path_is_told() {
    let slow = Stand::with(crrctl_sandbox::Options {
        latency: Duration::from_millis(40),
        ..crrctl_sandbox::Options::default()
    });
    let args = [&["apply", "--yes", "--no-probe", "-v"][..], &crate::common::PAIR].concat();
    let told = slow.run(&args).exits(0).stderr;
    let path = told.split("critical path: ").nth(1).unwrap_or_else(|| panic!("{told}"));
    assert!(path.contains("round trips of") && path.contains("looking at what is there"), "{path}");
    let steps: Vec<&str> = path.lines().skip(1).collect();
    // Which steps they are is up to the machine; that each waited for the one before it is not.
    assert!(steps[0].contains("looking at") && steps.len() >= 3, "{path}");
    let usual = [&["apply", "--yes", "--no-probe"][..], &crate::common::PAIR].concat();
    assert!(!slow.run(&usual).exits(0).stderr.contains("critical path"));
}
