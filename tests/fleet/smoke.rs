//! `smoke`: a pair of its own, always taken away, beside whatever else there is.

use crate::common::{PAIR, Stand, alone, signal};
use crrctl_sandbox::{Lag, Options};
use serde_json::json;
use std::process::Stdio;

#[test]
fn a_pair_of_its_own_is_proven_and_taken_away() {
    let stand = Stand::new();
    // The manifest's own names are all in use, and stay so.
    let manifest = "name: demo\nsource: {region: us-east-1, bucket: mine-source}\n\
        destinations: [{region: us-west-2, bucket: mine-target}]\nrole: {name: mine}\nkey: {alias: alias/mine}\n";
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], manifest).exits(0);
    let before = stand.leftovers();
    let smoked = stand.in_process_with(&["smoke", "-o", "json"], manifest).exits(0).json();
    assert_eq!(smoked["schema"], "crrctl/smoke/v1");
    let name = smoked["pair"].as_str().unwrap();
    assert!(name.starts_with("demo-") && name.len() == 11, "{name}");
    assert_eq!(smoked["summary"]["completed"], 2);
    assert_eq!((&smoked["left"], smoked["removed"].as_array().unwrap().len()), (&json!([]), 9));
    assert_eq!(smoked["keys"].as_array().unwrap().len(), 2);
    assert_eq!(stand.leftovers(), before);
    let plan = stand.manifest(&["plan", "--detailed-exitcode"], manifest);
    assert_eq!(plan.code, 0, "{plan}");
}

#[test]
fn ctrl_c_ends_the_work_and_takes_it_away_all_the_same() {
    let stand = Stand::new();
    for name in ["INT", "TERM"] {
        let slow = stand.slow_by(std::time::Duration::from_millis(150));
        let mut command = stand.command(&[&["smoke", "-o", "json"], &PAIR[..]].concat());
        command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        slow.wait_for_writes();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(slow.leftovers(), [""; 0]);
    }
}

/// Where tags take a while to show, as AWS's do, what was made last seems to be nobody's.
#[test]
fn what_was_just_made_goes_though_its_tags_do_not_show_yet() {
    let stand = Stand::with(Options { lag: Lag::Aws, seed: Some(1), ..Options::default() });
    let mut command = stand.command(&[&["smoke", "-o", "json"], &PAIR[..]].concat());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let writes = || stand.control("GET", "calls", "")["writes"].as_u64().unwrap();
    while writes() < 6 {
        assert_eq!(child.try_wait().unwrap(), None);
    }
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// The deadline ends the work; calls that are under way then have five seconds, and taking away has all the time it needs.
#[test]
fn a_deadline_cuts_no_clean_up() {
    // One of the first writes hangs, so that the deadline and what it leaves to calls under way are over by then.
    let stand = Stand::with(Options {
        latency: std::time::Duration::from_millis(100),
        faults: vec!["s3:CreateBucket:hang:times=1".parse().unwrap()],
        ..Options::default()
    });
    let output = stand.in_process(&["smoke", "--timeout", "4s"]).exits(7).json();
    assert_eq!(output["error"]["code"], "timeout", "{output}");
    assert!(!output["removed"].as_array().unwrap().is_empty(), "{output}");
    assert!(
        output["elapsed_ms"].as_u64().unwrap() > 9000,
        "it was done before it was cut: {output}"
    );
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn what_a_killed_run_left_is_gc_s() {
    let stand = Stand::new();
    let slow = stand.slow_by(std::time::Duration::from_millis(40));
    let mut command = stand.command(&[&["smoke", "--ttl", "1s"], &PAIR[..]].concat());
    command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    slow.wait_for_writes();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!slow.leftovers().is_empty());
    let started = std::time::Instant::now();
    while !slow.leftovers().is_empty() {
        assert!(started.elapsed().as_secs() < 30, "{:?}", slow.leftovers());
        let mut gc = stand.command(&["gc", "--yes", "--regions", "us-east-1,us-west-2"]);
        let _ = crate::common::finished(gc.env("AWS_ENDPOINT_URL", &slow.endpoint)).exits(0);
    }
}

#[test]
fn the_worst_of_both_halves_is_the_exit_code() {
    // Who may build and may not take away leaves something behind, and is told what.
    let stand = Stand::new();
    let (id, secret) = stand.iam(async |iam| {
        iam.create_user().user_name("builder").send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:DeleteRole", "Resource": "*"},
        ]});
        let put = iam.put_user_policy().user_name("builder").policy_name("most");
        put.policy_document(policy.to_string()).send().await.unwrap();
        let key = iam.create_access_key().user_name("builder").send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    });
    let mut command = stand.command(&[&["smoke", "-o", "json"], &PAIR[..]].concat());
    command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
    let output = crate::common::finished(&mut command).exits(5).json();
    assert_eq!(output["error"]["aws_code"], "AccessDenied");
    assert!(
        output["left"].as_array().unwrap().iter().any(|it| it["kind"] == "iam:role"),
        "{output}"
    );
}

#[test]
fn what_smoke_cannot_do_it_refuses() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef";
    let output = alone(&["smoke", "--sandbox", "--key", key]).exits(10);
    assert!(output.stderr.contains("there is no key"), "{output}");
    let _ = alone(&["smoke"]).exits(3);
    let _ = alone(&["smoke", "--sandbox"]).exits(0);
}

/// A key that exists is used in each Region, and nothing is made or scheduled in its place.
#[test]
fn a_key_that_exists_is_used_and_stays() {
    let stand = Stand::new();
    let id = super::key(&stand, "us-east-1", &["us-west-2"], &[("team".into(), "a".into())]);
    let before = stand.leftovers();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let smoked = stand.in_process(&["smoke", "--key", &arn]).exits(0).json();
    assert_eq!(smoked["summary"]["completed"], 2);
    let keys: Vec<&str> = smoked["probes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kms_key_arn"].as_str().unwrap())
        .collect();
    assert!(keys.iter().all(|key| key.ends_with(&id) && key.contains("us-west-2")), "{keys:?}");
    assert_eq!((&smoked["left"], &smoked["keys"]), (&json!([]), &json!([])));
    assert_eq!(stand.leftovers(), before);
    // A key of one Region serves no bucket of another.
    let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let refused = stand.in_process(&["smoke", "--key", arn]).exits(3).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("us-west-2"), "{refused}");
    let _ = stand.pair(&["smoke", "--key", "alias/theirs"]).exits(3);
}
