//! How long after S3 is done with an object crrctl says so, and what that costs in calls.

use super::Stand;
use crrctl_sandbox::{Lag, Options, Sandbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Objects of a run: each takes another time to replicate.
const OBJECTS: usize = 60;

/// How late COMPLETED may be seen where replication takes at most [`SHORT`], in milliseconds.
const MOST_LATE_MS: f64 = 150.0;
const SHORT: SignedDuration = SignedDuration::from_secs(2);
/// How late where it takes longer, as a share of what it takes.
const MOST_LATE_SHARE: f64 = 0.05;

/// How far the sandbox's clock is moved ahead, so that rules and role have spread.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Measures short replications, then long ones; false where one was seen too late.
pub(crate) fn run() -> bool {
    // What takes 2 to 60 s on AWS takes 67 ms to 2 s at thirty times the pace.
    measured(30) & measured(1)
}

fn measured(hurry: u32) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = Options { lag: Lag::Aws, hurry, seed: Some(7), ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let stand = Stand::new(sandbox.address());
    stand.apply();
    stand.control("POST", "clock", r#"{"advance": "1h"}"#);
    let heads = || stand.control("GET", "calls", "")["by_operation"]["s3:HeadObject"].as_u64();
    let before = heads().unwrap_or_default();
    let reported = probe(&stand);
    let heads = heads().unwrap_or_default() - before;
    let (mut most_late, mut most_share, mut longest) = (0.0_f64, 0.0_f64, 0.0_f64);
    let records = stand.control("GET", "replication", "");
    for record in records.as_array().unwrap() {
        let Some(at) = reported.get(record["key"].as_str().unwrap()) else { continue };
        let begun = time(&record["begun_at"]);
        let ended = time(&record["ended_at"]);
        let took = ended.duration_since(begun);
        let late = at.duration_since(ended - AHEAD).as_secs_f64();
        longest = longest.max(took.as_secs_f64());
        if took <= SHORT {
            most_late = most_late.max(late * 1000.0);
        } else {
            most_share = most_share.max(late / took.as_secs_f64());
        }
    }
    println!(
        "detection: {} objects replicated in up to {longest:.1} s; seen at most {most_late:.0} ms late where it took up to 2 s, {:.1} % beyond; {:.1} HeadObject calls each",
        reported.len(),
        most_share * 100.0,
        // The replica of each is looked at once more, to compare it.
        heads as f64 / OBJECTS as f64,
    );
    reported.len() == OBJECTS && most_late <= MOST_LATE_MS && most_share <= MOST_LATE_SHARE
}

/// Probes, and returns when each object was said to be COMPLETED.
fn probe(stand: &Stand) -> HashMap<String, Timestamp> {
    let count = OBJECTS.to_string();
    let args = ["probe", "--count", &count, "--concurrency", &count, "-o", "ndjson", "--keep"];
    let mut child = stand.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut reported = HashMap::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let now = Timestamp::now();
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "probe.status" && event["status"] == "COMPLETED" {
            reported.insert(event["key"].as_str().unwrap().to_owned(), now);
        }
    }
    assert!(child.wait().unwrap().success(), "the probe failed");
    reported
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}
