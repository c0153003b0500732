//! Recordings of runs under each quirk of the sandbox: `compare` tells that quirk by its name, and no other.
//! Not for: what a quirk does (see `sandbox::quirks`).

use super::{compared, each};
use crate::common::Stand;
use crate::survival::stride;
use crrctl_sandbox::{Options, Quirk, QuirkSpec};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// How long a quirk lasts here. AWS's own times would only make the runs wait.
const LONGEST: Duration = Duration::from_secs(3);

/// Quirks that no recording of the usual pair's life shows, and why.
const UNSHOWN: &[(Quirk, &str)] = &[
    (Quirk::LateTarget, "the usual pair alerts nobody"),
    (Quirk::LatePrincipal, "no policy of the pair names a role or a user that the run makes"),
    (Quirk::StrictTags, "the role of the pair may replicate tags"),
    (Quirk::PartsNeedDecrypt, "the role of the pair may decrypt under the key of the destination"),
];

/// What shows under one or more of these names, and why.
const ALIKE: &[(Quirk, &[&str], &str)] = &[
    (Quirk::LateRole, &["late-policy"], "a FAILED object does not say what its role lacked"),
    (
        Quirk::SlowReplicaKey,
        &["creating-key", "slow-replica-key"],
        "a refusal does not say whether the key that is still being created is a replica",
    ),
    (
        Quirk::LateKeyPolicy,
        &["late-key-policy", "late-policy"],
        "a FAILED object does not say what its role lacked",
    ),
];

/// The life of the usual pair, and its beginning again while its names are still remembered.
const LIFE: &[&[&str]] = &[
    &["apply", "--yes"],
    &["check"],
    &["status"],
    &["probe"],
    &["destroy", "--yes"],
    &["apply", "--yes"],
];

/// A pair that is removed while it is new.
const SHORT: &[&[&str]] = &[&["apply", "--yes", "--no-probe"], &["destroy", "--yes"]];

/// Returns the life that shows a quirk, and how long the quirk lasts in it.
fn life(quirk: Quirk) -> (&'static [&'static [&'static str]], Duration) {
    match quirk {
        Quirk::RemovalNotFound => (SHORT, Duration::from_mins(1)),
        // Still in force after what the removal does once the buckets are gone.
        Quirk::NameInUse => (LIFE, Duration::from_secs(20)),
        _ => (LIFE, LONGEST),
    }
}

/// Returns which quirks the recordings of a life under `quirk` tell of, and the differences that are not known.
fn told_of(quirk: Quirk) -> (BTreeSet<String>, Vec<Value>) {
    let usual = QuirkSpec::from(quirk);
    let (life, lasts) = life(quirk);
    let spec = usual.lasting(usual.lasts().min(lasts));
    let stand = Stand::with(Options { quirks: vec![spec], ..Options::default() });
    let (mut quirks, mut unknown) = (BTreeSet::new(), Vec::new());
    let files: Vec<_> = (0..life.len()).map(|at| stand.path(&format!("{at}"))).collect();
    // Nothing is between the commands, so that what lasts a while is met by the next.
    for (args, file) in life.iter().zip(&files) {
        let ran = stand.in_process(&[args, &["--record", file.to_str().unwrap()][..]].concat());
        assert!([0, 6, 9].contains(&ran.code), "{}: {args:?}: {ran}", quirk.name());
    }
    for file in &files {
        let object = compared(file);
        let differences = object["differences"].as_array().unwrap();
        let known = differences.iter().map(|it| &it["known"]["quirk"]);
        let lags = object["lag"].as_array().unwrap().iter().map(|it| &it["quirk"]);
        quirks.extend(known.chain(lags).filter_map(Value::as_str).map(str::to_owned));
        unknown.extend(differences.iter().filter(|it| it["known"].is_null()).cloned());
    }
    (quirks, unknown)
}

/// By day every fourth quirk is tried: each is a whole life at the pace of AWS.
#[test]
fn each_quirk_shows_under_its_name_and_no_other_does() {
    let faults = Mutex::new(Vec::new());
    let quirks: Vec<Quirk> = Quirk::ALL.iter().copied().step_by(stride(4)).collect();
    each(&quirks, |quirk| {
        let (mut told, unknown) = told_of(*quirk);
        // Every replication takes a while, and is told with how long it took.
        if *quirk != Quirk::SlowReplication {
            told.remove(Quirk::SlowReplication.name());
        }
        let is_unshown = UNSHOWN.iter().any(|(it, _)| it == quirk);
        let alike = ALIKE.iter().find(|(it, ..)| it == quirk).map(|(_, names, _)| names.to_vec());
        let names = alike.unwrap_or_else(|| vec![quirk.name()]);
        let is_told = told.iter().all(|name| names.contains(&name.as_str()));
        if !is_told || told.is_empty() != is_unshown || !unknown.is_empty() {
            let fault = format!("{}: told {told:?}, unknown {unknown:#?}", quirk.name());
            faults.lock().unwrap().push(fault);
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
