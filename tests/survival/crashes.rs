//! The process ends at every call: before the call is performed, and after the call is performed
//! but before its response. An end after the response is the same as an end before the next call.
//! States that two crashes have in common are repaired once, except in the thorough mode.
//! Not for: faults that the process survives (see `faults`).

use super::machines::{World, each, is_thorough, stride};
use crate::alerts::{CALLED, put_targets};
use crate::common::{PAIR, SOURCE, Stand, signal};
use crrctl_sandbox::{Lag, Options};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

const APPLY: [&str; 3] = ["apply", "--yes", "--no-probe"];
const DESTROY: [&str; 2] = ["destroy", "--yes"];

/// Runs `args` on a copy of `world`; the process ends at call `n`, which is performed or not.
/// Returns `None` if the run has fewer calls.
fn crashed(world: &World, args: &[&str], n: usize, is_done: bool) -> Option<World> {
    let world = world.fork();
    let done = is_done.then(|| format!("*:*:lost-reply:after={n}:times=1"));
    let from = if is_done { n + 1 } else { n };
    world.faults(done.into_iter().chain([format!("*:*:hang:after={from}")]));
    if let Some(ended) = world.run_until_struck(args) {
        ended.exits(0, "a run without a crash");
        return None;
    }
    // Requests in progress on other connections are performed or dropped.
    world.unconnected();
    world.faults([]);
    Some(world)
}

/// Crashes `args` at every call, and runs `mend` on the state that the crash leaves. A crash before
/// a call is the same as one after the preceding call, except that calls overlap, so only the
/// thorough mode tries both.
fn at_every_call(
    name: &str,
    world: &World,
    args: &[&str],
    stride: usize,
    mend: impl Fn(&World, &str) + Sync,
) {
    let (left, mended) = (Mutex::new(BTreeSet::new()), Mutex::new(0));
    let at_once = if is_thorough() { 8 } else { 2 };
    let calls = each(at_once, |n| {
        let (n, befores) =
            (n * stride, if is_thorough() || n == 0 { &[false, true][..] } else { &[true] });
        for &is_done in befores {
            let Some(world) = crashed(world, args, n, is_done) else { return false };
            let when = format!("{name}, {} call {n}", if is_done { "after" } else { "before" });
            if left.lock().unwrap().insert(world.signature()) || is_thorough() {
                mend(&world, &when);
                *mended.lock().unwrap() += 1;
            }
        }
        true
    });
    let (left, mended) = (left.into_inner().unwrap().len(), mended.into_inner().unwrap());
    assert!(calls * stride > 15 && left > 3, "{name}: {calls} calls, {left} states");
    println!(
        "{name}: crashed at {calls} calls, {left} different states, {mended} mended, all converged"
    );
}

/// A new apply on a new machine reaches the end state, and so does a new destroy.
fn apply_and_destroy_mend(world: &World, when: &str) {
    let other = world.fork();
    other.run(&DESTROY).exits(0, &format!("destroy after {when}"));
    other.is_empty(&format!("destroy after {when}"));
    apply_mends(world, when, &APPLY);
}

fn apply_mends(world: &World, when: &str, args: &[&str]) {
    world.run(args).exits(0, &format!("apply after {when}"));
    // An extra key is one that the lists of keys did not show yet after its creation. This run has
    // scheduled it for deletion or, if the lists show it later still, a destroy does.
    let (made, gone) = (world.count("kms:CreateKey"), world.count("kms:ScheduleKeyDeletion"));
    if made - gone == 2 {
        world.run(&DESTROY).exits(0, &format!("destroy of a late key after {when}"));
        world.is_empty(&format!("destroy of a late key after {when}"));
        return;
    }
    world.has_converged(when);
    assert_eq!(made - gone, 1, "{when}: {made} keys were made and {gone} scheduled");
}

#[test]
fn a_crash_of_apply_at_any_call_is_made_good() {
    let world = World::new(Lag::None);
    at_every_call("apply", &world, &APPLY, 1, apply_and_destroy_mend);
    if is_thorough() {
        at_every_call("apply with its proof", &world, &APPLY[..2], 1, apply_and_destroy_mend);
    }
}

#[test]
fn a_crash_of_destroy_at_any_call_is_made_good() {
    at_every_call("destroy", &World::whole(), &DESTROY, stride(2), |world, when| {
        let other = world.fork();
        let when_built = format!("apply after {when}");
        // A key of which one part is pending deletion is only brought back on request.
        if other.run(&APPLY).code != 0 {
            other.run(&[&APPLY[..], &["--revive-keys"]].concat()).exits(0, &when_built);
        }
        other.has_converged(&when_built);
        world.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        world.is_empty(when);
    });
}

/// The notification, the alarm and the tags that record them: nothing is made twice, and nothing is
/// left but the queue and the topic, which are others'.
#[test]
fn a_crash_with_alerts_and_alarms_at_any_call_is_made_good() {
    let seed = (!is_thorough()).then_some(1);
    let world = World::of(CALLED, Options { seed, ..Options::default() });
    put_targets(&world.sandbox);
    let theirs = world.leftovers();
    let removed = |world: &World, when: &str| {
        world.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        assert_eq!(world.leftovers(), theirs, "destroy after {when}");
    };
    at_every_call("apply with alerts and alarms", &world, &APPLY, stride(5), |world, when| {
        removed(&world.fork(), when);
        world.run(&APPLY).exits(0, &format!("apply after {when}"));
        world.run(&["plan", "--detailed-exitcode"]).exits(0, &format!("plan after {when}"));
        let checked = world.run(&["check"]).exits(0, &format!("check after {when}")).object;
        let checks = checked["checks"].as_array().unwrap();
        let unlike = |it: &&Value| {
            let name = it["name"].as_str().unwrap();
            (name.starts_with("alerts.") || name.starts_with("alarm.")) && it["result"] != "pass"
        };
        assert_eq!(checks.iter().find(unlike), None, "{when}");
    });
    world.run(&APPLY).exits(0, "the pair");
    at_every_call("destroy with alerts and alarms", &world, &DESTROY, stride(5), removed);
}

/// What a question to S3 takes (a role, a bucket, a list, a job, its report) is found by `destroy` and by
/// `gc`, wherever the question ended.
#[test]
fn a_crash_of_a_question_to_s3_at_any_call_leaves_nothing() {
    let world = World::new(Lag::None);
    world.run(&[&APPLY[..], &["--ephemeral", "1s"]].concat()).exits(0, "the pair");
    let kept = world.run(&["probe", "--keep"]).exits(0, "a probe that stays").object;
    let key = kept["probes"][0]["source"]["key"].as_str().unwrap();
    let object = format!("s3://{SOURCE}/{key}");
    Stand::wait_until("the pair has expired", || {
        world.run_alone(&["list"]).object["pairs"][0]["state"] == "expired"
    });
    let ask = ["check", &object, "--ask-aws", "--with-batch", "--yes"];
    let before = world.leftovers();
    at_every_call("check --with-batch", &world, &ask, stride(3), |world, when| {
        let again = world.fork();
        if again.leftovers() != before {
            again.run(&ask).exits(0, &format!("the question again after {when}"));
            assert_eq!(again.leftovers(), before, "the question again after {when}");
        }
        let other = world.fork();
        other.run_alone(&["gc", "--yes"]).exits(0, &format!("gc after {when}"));
        other.is_empty(&format!("gc after {when}"));
        world.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        world.is_empty(&format!("destroy after {when}"));
    });
}

/// A question to S3 that Ctrl-C ends takes away what it made, as its end does.
#[test]
fn a_question_to_s3_that_is_interrupted_leaves_nothing() {
    let world = World::new(Lag::None);
    world.run(&APPLY).exits(0, "the pair");
    let kept = world.run(&["probe", "--keep"]).exits(0, "a probe that stays").object;
    let key = kept["probes"][0]["source"]["key"].as_str().unwrap();
    let object = format!("s3://{SOURCE}/{key}");
    let ask = ["check", &object, "--ask-aws", "--with-batch", "--yes"];
    let before = world.leftovers();
    let interrupted = Mutex::new(0);
    let calls = each(2, |n| {
        let (world, n) = (world.fork(), n * stride(3));
        world.faults([format!("*:*:delay=50ms:after={n}:times=1")]);
        let Some(ended) = world.run_interrupted(&ask) else { return false };
        let when = format!("Ctrl-C at call {n}");
        assert_eq!(world.leftovers(), before, "{when}: {}", ended.object);
        if ended.code == 130 {
            *interrupted.lock().unwrap() += 1;
            assert!(ended.object["error"]["left_behind"].is_null(), "{when}: {}", ended.object);
        }
        true
    });
    let interrupted = interrupted.into_inner().unwrap();
    assert!(calls * stride(3) > 40 && interrupted > 7, "{calls} calls, {interrupted} interrupted");
}

/// Under lag: lists don't show a new key yet, S3 can't assume a new role yet, and replica keys are
/// still being created.
#[test]
fn a_crash_of_apply_is_made_good_where_things_take_their_time() {
    let world = World::new(Lag::Aws);
    let proof = if is_thorough() { 2 } else { 3 };
    at_every_call("apply under lag", &world, &APPLY[..proof], stride(6), |world, when| {
        if is_thorough() {
            let other = world.fork();
            other.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        }
        apply_mends(world, when, &APPLY[..proof]);
    });
}

/// A replica key can't be scheduled for deletion before its creation ends.
#[test]
fn destroy_waits_for_a_replica_key_that_is_still_being_made() {
    let world = World::new(Lag::Aws);
    world.faults(["kms:ReplicateKey:lost-reply:times=1".to_owned()]);
    assert!(world.run_until_struck(&APPLY).is_none());
    world.faults([]);
    world.run(&DESTROY).exits(0, "the replica key is Creating");
    world.is_empty("destroy");
    // On a busy machine, the creation may end before destroy reaches the key.
    println!("{} tries to schedule two keys", world.count("kms:ScheduleKeyDeletion"));
}

/// The real binary, and a signal that no process can catch.
#[test]
fn a_killed_process_is_made_good() {
    let stand = Stand::new();
    let slow = stand.slow_by(Duration::from_millis(20));
    let run = |args: &[&str]| {
        let mut command = stand.command(&[args, &PAIR[..], &["-q"]].concat());
        command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    for (args, after) in [
        (&APPLY[..2], 150),
        (&APPLY[..2], 300),
        (&APPLY[..2], 450),
        (&DESTROY[..], 150),
        (&DESTROY[..], 300),
    ] {
        let mut child = run(args).spawn().unwrap();
        // The point of the signal is left to chance: the tests above try every point.
        std::thread::sleep(Duration::from_millis(after));
        signal(&child, "KILL");
        let _ = child.wait();
    }
    assert!(run(&DESTROY).status().unwrap().success());
    assert!(run(&APPLY[..2]).status().unwrap().success());
    assert!(run(&["plan", "--detailed-exitcode"]).status().unwrap().success());
}
