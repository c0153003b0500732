//! The confusion table. crrctl builds pairs of every shape. The tests break each pair in every way
//! that follows from its live documents, keys, buckets and rules, one at a time, and read the
//! outcome of an upload from the sandbox. `check` must name that cause first.
//! Not for: the outcomes themselves (see `sandbox::breaking`, whose expectations are written by
//! hand).

mod pair;
mod watched;
mod ways;

use crate::common::Stand;
use crate::sandbox::OTHER;
use pair::{Direction, Fate, Pair, Place};
use serde_json::Value;
use std::collections::BTreeSet;
use ways::Way;

const EAST: &str = "us-east-1";
const WEST: &str = "us-west-2";
const HOME: &str = crrctl_sandbox::DEFAULT_ACCOUNT;

/// The first finding of `check` that it does not also report for the intact pair.
struct Named {
    check: String,
    region: String,
    says: String,
    reasons: Vec<String>,
}

fn named(report: &Value, known: &[Value]) -> Option<Named> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap();
    // That objects are FAILED follows from a cause.
    let of = |result: &str, symptoms: bool| {
        let mut of_result = checks
            .iter()
            .filter(|it| it["result"] == result && (it["name"] == "objects.failed") == symptoms);
        of_result.find(|it| !known.contains(&it["detail"]))
    };
    let causes = of("fail", false).or_else(|| of("unknown", false));
    let first = causes.or_else(|| of("fail", true))?;
    Some(Named {
        check: text(&first["name"]),
        region: text(&first["region"]),
        says: format!("{} {}", text(&first["detail"]), text(&first["remedy"])),
        reasons: report["failure_reasons"].as_array().unwrap().iter().map(text).collect(),
    })
}

/// Returns why the cause of the object's own failure was not named; `None` if it was, or if the object
/// did not fail.
fn miss_by_object(pair: &Pair, way: &Way, fate: &Fate, known: &[Value]) -> Option<String> {
    let reason = fate.reason()?;
    let report = pair.check_object(&way.direction, fate, &[])?;
    let Some(named) = named(&report, known) else { return Some("nothing is named".to_owned()) };
    let is_named = way.checks.contains(&named.check.as_str()) && named.says.contains(&way.word);
    let is_two_way = pair.directions.len() > 1;
    let mut reasons = named.reasons.iter().take(if is_two_way { usize::MAX } else { 1 });
    let has_reason = reasons.any(|first| first == reason);
    let told = || {
        format!(
            "by object: {} ({:?}), not {:?}: {}",
            named.check, named.reasons, way.checks, named.says
        )
    };
    (!is_named || !has_reason).then(told)
}

/// Asks S3 itself about the object. Returns why its reason is not told beside the checks, or what is
/// left of the question.
fn miss_of_s3(pair: &Pair, way: &Way, fate: &Fate) -> Option<String> {
    let reason = fate.reason()?;
    let before = pair.everything();
    let ask = ["--ask-aws", "--with-batch", "--yes"];
    let report = pair.check_object(&way.direction, fate, &ask)?;
    let checks = report["checks"].as_array().unwrap();
    let said = checks.iter().find(|it| it["name"] == "aws.reason").cloned().unwrap_or_default();
    let says = said["detail"].as_str().unwrap_or_default();
    let is_told = report["batch"]["reason"] == reason
        && report["failure_reasons"][0] == reason
        && says.contains(&format!("S3 says {reason}"))
        && says.contains("The checks say the same");
    let left = pair.everything();
    let told = || format!("S3 said {}, not {reason}: {says}", report["batch"]["reason"]);
    let leaves = || format!("left of the question: {left:?}, before {before:?}");
    (!is_told).then(told).or_else(|| (left != before).then(leaves))
}

/// Returns why the cause was not named; `None` if it was.
fn miss(way: &Way, fate: &Fate, named: Option<&Named>, is_two_way: bool) -> Option<String> {
    let Some(named) = named else {
        // A defect that prevents no replication need not be named; one that prevents it must be.
        return fate.is_harmed().then(|| "nothing is named".to_owned());
    };
    if !way.checks.contains(&named.check.as_str()) {
        return Some(format!("{} is not {:?}: {}", named.check, way.checks, named.says));
    }
    if !named.says.contains(&way.word) {
        return Some(format!("no word of {:?}: {}", way.word, named.says));
    }
    if way.region.is_some_and(|region| region != named.region) {
        return Some(format!("{} is not {:?}: {}", named.region, way.region, named.says));
    }
    // The failure reason of the object comes first. Reasons that apply only to multipart uploads,
    // to delete markers or to the other direction are listed.
    let is_named = match fate.reason() {
        Some(reason) if !is_two_way => named.reasons.first().is_some_and(|first| first == reason),
        _ => fate.reasons().iter().any(|(_, it)| named.reasons.iter().any(|named| named == it)),
    };
    (!fate.reasons().is_empty() && !is_named)
        .then(|| format!("{:?}, and S3 gives {:?}", named.reasons, fate.reasons()))
}

fn confused(shape: &str, manifest: &str, directions: &[Direction]) {
    confused_in(Stand::new(), shape, manifest, directions);
}

/// Breaks a pair in every way and prints a line for each.
fn confused_in(stand: Stand, shape: &str, manifest: &str, directions: &[Direction]) {
    let pair = Pair::build(stand, manifest, directions);
    let whole = pair.check();
    let unknown = whole["checks"].as_array().unwrap().iter().filter(|it| it["result"] == "unknown");
    let known: Vec<Value> = unknown.map(|it| it["detail"].clone()).collect();
    assert!(named(&whole, &known).is_none(), "{shape}: whole, and yet {whole}");
    for direction in directions {
        let fate = pair.fate(direction);
        assert!(fate.is_whole(), "{shape}: {fate:?}");
    }
    // Each test starts at an offset of its own, so that the usual mode also tries every kind of
    // way.
    let stride = crate::survival::stride(12);
    let ways: Vec<Way> =
        ways::all(&pair).into_iter().skip(shape.len() % stride).step_by(stride).collect();
    let (mut misses, mut harmless) = (Vec::new(), 0);
    let (mut by_object, mut asked) = (0, BTreeSet::new());
    for way in &ways {
        pair.breaks(&way.how);
        let report = pair.check();
        let named = named(&report, &known);
        let fate = pair.fate(&way.direction);
        let miss = miss(way, &fate, named.as_ref(), directions.len() > 1);
        let sign = match (&miss, fate.is_harmed()) {
            (Some(_), _) => "!",
            (None, true) => " ",
            (None, false) => "=",
        };
        harmless += usize::from(!fate.is_harmed());
        let (check, region) = named.as_ref().map_or(("-", ""), |it| (&it.check, &it.region));
        println!("{sign} {shape:<18} {:<92} {:<34} {check} {region}", way.what, fate.told());
        let mut found = vec![miss];
        if fate.reason().is_some() {
            by_object += 1;
            found.push(miss_by_object(&pair, way, &fate, &known));
        }
        // S3 itself is asked once for each reason. It can't be asked about what goes back.
        let is_forward = way.direction.source == directions[0].source;
        if let Some(reason) = fate.reason().filter(|_| is_forward)
            && asked.insert(reason.to_owned())
        {
            found.push(miss_of_s3(&pair, way, &fate));
        }
        let all = found.into_iter().flatten();
        misses.extend(all.map(|why| format!("{shape}: {}: {why}", way.what)));
        pair.mends(&way.how);
    }
    let hits = ways.len().saturating_sub(misses.len());
    println!(
        "{shape}: {hits} of {} causes named first; {harmless} kept nothing from replicating; {by_object} by object, S3 asked for {asked:?}",
        ways.len()
    );
    assert!(misses.is_empty(), "{} misses\n{}", misses.len(), misses.join("\n"));
    assert!(ways.len() * stride >= 30, "{}", ways.len());
    // The repaired pair passes, so each way was tried alone.
    let mended = pair.check();
    assert!(named(&mended, &known).is_none(), "{shape}: mended, and yet {mended}");
}

const fn at(account: &'static str, region: &'static str, bucket: &'static str) -> Place {
    Place { account, region, bucket }
}

fn one_way(name: &'static str) -> Direction {
    let bucket = |region| -> &'static str { format!("{name}-{HOME}-{region}").leak() };
    Direction {
        source: at(HOME, EAST, bucket(EAST)),
        destination: at(HOME, WEST, bucket(WEST)),
        role: format!("crrctl-{name}-{EAST}").leak(),
        markers: true,
        is_locked: false,
        has_parts: true,
    }
}

fn manifest(name: &str, more: &str) -> String {
    format!(
        "name: {name}\nsource: {{region: {EAST}}}\ndestinations: [{{region: {WEST}}}]\nreplication: {{delete_markers: true}}\n{more}"
    )
}

#[test]
fn one_multi_region_key() {
    confused("multi-Region", &manifest("multi", ""), &[one_way("multi")]);
}

#[test]
fn a_key_in_each_region() {
    confused("per Region", &manifest("each", "key: {kind: per-region}\n"), &[one_way("each")]);
}

#[test]
fn two_buckets_of_one_region() {
    let manifest = manifest("twins", "").replace(
        &format!("destinations: [{{region: {WEST}}}]"),
        &format!("destinations: [{{region: {WEST}}}, {{region: {WEST}, bucket: twins.2}}]"),
    );
    let direction = Direction { destination: at(HOME, WEST, "twins.2"), ..one_way("twins") };
    confused("one Region", &manifest, &[direction]);
}

#[test]
fn two_layers() {
    let manifest = manifest("dsse", "key: {algorithm: \"aws:kms:dsse\"}\n");
    confused("DSSE", &manifest, &[one_way("dsse")]);
}

#[test]
fn no_bucket_keys() {
    let manifest = manifest("bare", "buckets: {bucket_key: false}\npolicy: {profile: strict}\n");
    confused("strict", &manifest, &[Direction { has_parts: false, ..one_way("bare") }]);
}

#[test]
fn no_keys() {
    confused("SSE-S3", &manifest("plain", "key: {kind: none}\n"), &[one_way("plain")]);
}

#[test]
fn locked_buckets() {
    let lock = "buckets: {object_lock: {mode: governance, days: 1}}\n";
    let direction = Direction { is_locked: true, ..one_way("lock") };
    confused("Object Lock", &manifest("lock", lock), &[direction]);
}

#[test]
fn another_account() {
    let manifest = format!(
        "name: far\nsource: {{region: {EAST}}}\ndestinations:\n  - {{region: {WEST}, profile: archive, owner_override: true}}\nkey: {{kind: per-region}}\nreplication: {{delete_markers: true}}\n"
    );
    let bucket = "far-444455556666-us-west-2";
    let direction = Direction { destination: at(OTHER, WEST, bucket), ..one_way("far") };
    confused("another account", &manifest, &[direction]);
}

#[test]
fn both_ways() {
    let manifest = manifest("both", "").replace("markers: true", "markers: true, two_way: true");
    let there = one_way("both");
    let back = Direction {
        source: there.destination,
        destination: there.source,
        role: "crrctl-both-us-west-2",
        ..there
    };
    confused("two-way", &manifest, &[there, back]);
}

#[test]
fn keys_that_exist() {
    let stand = Stand::long_ago();
    let arn = |region: &str| {
        stand.kms(region, async |kms| {
            let key = kms.create_key().send().await.unwrap();
            key.key_metadata().unwrap().arn().unwrap().to_owned()
        })
    };
    let arns = [EAST, WEST].map(|region| format!("{region}: \"{}\"", arn(region)));
    let manifest =
        manifest("given", &format!("key: {{kind: existing, arns: {{{}}}}}\n", arns.join(", ")));
    confused_in(stand, "keys that exist", &manifest, &[one_way("given")]);
}
