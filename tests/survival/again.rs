//! A second apply of an intact pair reads its resources and writes nothing.
//! Not for: an apply that follows a crash (see `crashes`).

use super::machines::World;
use crrctl_sandbox::Options;
use serde_json::Value;
use std::time::Duration;

/// The latency of each response: long compared with the time that the machine needs for one wave of
/// calls, however busy it is.
const LATENCY: Duration = Duration::from_secs(2);

#[test]
fn a_second_apply_reads_in_two_waves_and_writes_nothing() {
    let world = World::whole();
    let log = tempfile::NamedTempFile::new().unwrap();
    let options =
        Options { latency: LATENCY, log: Some(log.path().to_owned()), ..Options::default() };
    let slow = world.fork_as(options);
    let again = slow.run(&["apply", "--yes", "--no-probe"]).exits(0, "again").object;
    let text = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let time = |line: &Value| line["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let mut times: Vec<jiff::Timestamp> = lines.iter().map(time).collect();
    times.sort();
    let apart = i128::try_from(LATENCY.as_nanos() / 2).unwrap();
    let gap = |pair: &[jiff::Timestamp]| pair[1].as_nanosecond() - pair[0].as_nanosecond() > apart;
    let waves = 1 + times.windows(2).filter(|pair| gap(pair)).count();
    let resources = again["resources"].as_array().unwrap().len();
    let identity = lines.iter().filter(|line| line["operation"] == "GetCallerIdentity").count();
    let reads = lines.len() - identity;
    println!(
        "{reads} reads of {resources} resources and {identity} of the account, in {waves} waves"
    );
    assert_eq!(waves, 2, "{text}");
    assert_eq!((again["api_writes"].as_u64(), again["changed"].as_bool()), (Some(0), Some(false)));
    assert_eq!(again["api_calls"], lines.len());
    assert_eq!(identity, 1, "{text}");
    assert!(reads <= resources, "{text}");
}
