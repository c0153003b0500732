//! Two runs at the same time under AWS's lag: the second begins at a call of the first, and then
//! both go on.
//! Not for: a run that is held while the other one runs to its end (see `races`).

use super::machines::{Ended, World, each, is_thorough};
use crate::common::{SOURCE, s3};
use crrctl_sandbox::{Lag, Options};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

const BUILD: [&str; 3] = ["apply", "--yes", "--no-probe"];
const PROVE: [&str; 2] = ["apply", "--yes"];
const DESTROY: [&str; 2] = ["destroy", "--yes"];
const PURGE: [&str; 3] = ["destroy", "--yes", "--purge-data"];
const BACKFILL: [&str; 3] = ["backfill", "--yes", "--watch"];

/// A kind of meeting: the first run, the second, and whether the pair exists before.
struct Kind {
    first: &'static [&'static str],
    second: &'static [&'static str],
    from_whole: bool,
}

const KINDS: [Kind; 14] = [
    Kind { first: &BUILD, second: &BUILD, from_whole: false },
    Kind { first: &PROVE, second: &PROVE, from_whole: false },
    Kind { first: &PROVE, second: &PROVE, from_whole: true },
    Kind { first: &BUILD, second: &DESTROY, from_whole: false },
    Kind { first: &PROVE, second: &DESTROY, from_whole: false },
    Kind { first: &PROVE, second: &DESTROY, from_whole: true },
    Kind { first: &DESTROY, second: &BUILD, from_whole: true },
    Kind { first: &DESTROY, second: &PROVE, from_whole: true },
    Kind { first: &DESTROY, second: &DESTROY, from_whole: true },
    Kind { first: &BUILD, second: &["check"], from_whole: false },
    Kind { first: &DESTROY, second: &["check"], from_whole: true },
    Kind { first: &["probe"], second: &DESTROY, from_whole: true },
    Kind { first: &BACKFILL, second: &PURGE, from_whole: true },
    Kind { first: &BACKFILL, second: &BACKFILL, from_whole: true },
];

/// How long a run may take. The lag is twenty times shorter than on AWS, and the limits of waits
/// are not.
const BUDGET: Duration = Duration::from_secs(90);

/// The exit codes with which a run may end beside another one. Each is told in
/// `docs/troubleshooting.md`, "Two runs at the same time".
fn codes(args: &[&str]) -> &'static [u8] {
    match args[0] {
        "apply" | "probe" => &[0, 10],
        "destroy" => &[0, 9, 10],
        "check" => &[0, 2, 10],
        "backfill" => &[0, 3, 10, 130],
        other => panic!("{other}"),
    }
}

/// Returns the world that a race begins with. `seed` draws its lag.
fn world(kind: &Kind, seed: u64) -> World {
    let world =
        World::with(Options { lag: Lag::Aws, hurry: 20, seed: Some(seed), ..Options::default() });
    if kind.from_whole {
        world.run(&BUILD).exits(0, "the pair");
        if kind.first == BACKFILL {
            let s3 = s3(world.endpoint(), "us-east-1");
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
            world.by_hand(s3.put_object().bucket(SOURCE).key("old").body(body).send()).unwrap();
        }
    }
    world
}

/// The call of the first run at which the second one begins.
fn call(race: usize) -> usize {
    // Coprime with the number of kinds, so that each kind begins at many calls.
    (race / KINDS.len() * 11 + race * 3) % 67
}

fn told(ended: Option<&Ended>) -> String {
    ended.map_or_else(
        || "did not end".to_owned(),
        |ended| {
            format!(
                "{} {} {}",
                ended.code, ended.object["error"]["code"], ended.object["error"]["message"]
            )
        },
    )
}

#[test]
fn two_runs_end_in_time_with_a_code_that_is_explained_and_no_bucket_under_a_key_that_goes() {
    let races = if is_thorough() { 300 } else { 60 };
    let wrong = Mutex::new(Vec::new());
    let ends = Mutex::new(BTreeMap::<String, usize>::new());
    let _ = each(16, |race| {
        if race >= races {
            return false;
        }
        let (kind, n) = (&KINDS[race % KINDS.len()], call(race));
        let world = world(kind, race as u64);
        let [first, second] = world.meet((kind.first, n), kind.second, BUDGET);
        let when = format!(
            "race {race}: {:?} met by {:?} at call {n}:\n  {}\n  {}",
            kind.first,
            kind.second,
            told(first.as_ref()),
            told(second.as_ref())
        );
        let mut faults = Vec::new();
        for (args, ended) in [(kind.first, &first), (kind.second, &second)] {
            let Some(ended) = ended else {
                faults.push("a run hangs".to_owned());
                continue;
            };
            if !codes(args).contains(&ended.code) {
                faults.push(format!("{} ends with {}", args[0], ended.code));
            }
            if ended.code != 0
                && args[0] != "check"
                && ended.object["error"]["hints"].as_array().is_none_or(Vec::is_empty)
            {
                faults.push(format!("{} says nothing of what to do", args[0]));
            }
            let end = format!("{} {} {}", args[0], ended.code, ended.object["error"]["code"]);
            *ends.lock().unwrap().entry(end).or_default() += 1;
        }
        let dying = world.keys_that_go_of_buckets();
        if !dying.is_empty() {
            faults.push(format!("a bucket is under a key that goes: {dying:?}"));
        }
        let last = world.run(&PURGE);
        if last.code != 0 {
            faults.push(format!("destroy afterwards: {}", told(Some(&last))));
        } else if !world.leftovers().is_empty() {
            faults.push(format!("destroy leaves {:?}", world.leftovers()));
        }
        if !faults.is_empty() {
            wrong.lock().unwrap().push(format!("{}\n  => {}", when, faults.join("; ")));
        }
        true
    });
    for (end, times) in ends.into_inner().unwrap() {
        println!("{times:4} {end}");
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {races}:\n{}", wrong.len(), wrong.join("\n"));
}
