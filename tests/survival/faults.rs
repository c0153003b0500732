//! Every fault at every call. What passes by itself is got over; what does not ends the run with its exit code and a name for what
//! went wrong. Never a panic, a duplicate or a wrong claim.

use super::machines::{Ended, World, each, is_thorough, stride};
use crrctl_sandbox::Lag;

/// What AWS gets over by itself.
const PASSING: [&str; 4] = ["throttle", "error=InternalError", "reset", "lost-reply"];
/// Every third call is struck at a time, so that three runs strike all of them. The SDK's own second try of one is never struck:
/// six blows on one call are no trouble that passes.
const STRIDE: usize = 3;
/// More calls than any run has.
const CALLS: usize = 90;

/// A command, the world it starts from, and what must hold when it says that it is done.
struct Run {
    name: &'static str,
    args: &'static [&'static str],
    world: World,
    done: fn(&World, &str),
}

fn runs() -> [Run; 3] {
    let whole = World::whole();
    let (probed, destroyed) = (whole.fork(), whole);
    let holds: fn(&World, &str) = |world, when| world.has_converged(when);
    [
        Run {
            name: "apply",
            args: if is_thorough() {
                &["apply", "--yes"]
            } else {
                &["apply", "--yes", "--no-probe"]
            },
            world: World::new(Lag::None),
            done: holds,
        },
        Run { name: "probe", args: &["probe"], world: probed, done: holds },
        Run {
            name: "destroy",
            args: &["destroy", "--yes"],
            world: destroyed,
            done: |world, when| world.is_empty(when),
        },
    ]
}

#[test]
fn what_passes_by_itself_is_got_over_at_any_call() {
    for Run { name, args, world, done } in runs() {
        let stride = if is_thorough() { CALLS } else { STRIDE };
        let cases: Vec<(&str, usize)> =
            PASSING.iter().flat_map(|kind| (0..stride).map(move |from| (*kind, from))).collect();
        let _ = each(36, |n| {
            let Some((kind, from)) = cases.get(n) else { return false };
            let world = world.fork();
            world.faults(
                (*from..CALLS)
                    .step_by(stride)
                    .map(|at| format!("*:*:{kind}:after={at}:times=1:attempt=1")),
            );
            let when = format!("{name} with {kind} at call {from} and every {stride}");
            world.run(args).exits(0, &when);
            world.faults([]);
            done(&world, &when);
            if name == "probe" {
                // Buckets go without being emptied first only if they hold nothing.
                world.run(&["destroy", "--yes"]).exits(0, &when);
                assert_eq!(world.count("s3:DeleteObjects"), 0, "{when}: probes were left");
            }
            true
        });
        println!("{name}: {} faults at every call, all got over", PASSING.len());
    }
}

/// The SDK tries again, and the upload that it completes is no more.
#[test]
fn a_completed_upload_whose_answer_is_lost_is_found() {
    let world = World::new(Lag::None);
    world.faults(["s3:CompleteMultipartUpload:lost-reply:times=1".to_owned()]);
    let applied = world.run(&["apply", "--yes"]).exits(0, "apply").object;
    assert!(world.was_struck());
    assert_eq!(applied["summary"]["completed"], 2);
}

impl Run {
    /// Strikes every `stride`th call once with `kind`, `at_once` runs at a time: a run ends with `code` and a name (`mark` stands in
    /// a message that has no step), unless it can do without the call. Returns how many calls were struck.
    fn told_at_every_call(
        &self,
        (kind, stride, at_once): (&str, usize, usize),
        run: impl Fn(&World) -> Ended + Sync,
        (code, mark): (u8, &str),
    ) -> usize {
        each(at_once, |n| {
            let (world, n) = (self.world.fork(), n * stride);
            world.faults([format!("*:*:{kind}:after={n}:times=1")]);
            let ended = run(&world);
            let when = format!("{} with {kind} at call {n}", self.name);
            let is_over = !world.was_struck();
            world.faults([]);
            world.names_no_key_pending_deletion(&when);
            if ended.code == 0 {
                // A call that a run can do without, such as the settings of a bucket that is not there.
                (self.done)(&world, &when);
                return !is_over;
            }
            let error = &ended.object["error"];
            let named =
                error["step"].is_string() || error["message"].as_str().unwrap().contains(mark);
            assert!(ended.code == code && named, "{when}: {} {error:#}", ended.code);
            true
        })
    }
}

#[test]
fn what_does_not_pass_ends_the_run_by_its_cause_at_any_call() {
    for run in runs() {
        for (kind, code, usual) in [("error=AccessDenied", 5, 4), ("error=ExpiredToken", 4, 9)] {
            let strikes = (kind, stride(usual), 2);
            let tried = run.told_at_every_call(strikes, |world| world.run(run.args), (code, ":"));
            println!("{}: {kind} at {tried} calls, each told by its cause", run.name);
        }
    }
}

#[test]
fn a_call_that_hangs_ends_with_the_time_that_was_given() {
    for run in runs() {
        let strikes = ("hang", stride(6), 8);
        let ends = |world: &World| world.run_out_of_time(run.args);
        let tried = run.told_at_every_call(strikes, ends, (7, "while"));
        println!("{}: a hang at {tried} calls, each ended in time", run.name);
    }
}

/// The clock itself: the deadline, then a while for the last calls, then the end.
#[test]
fn the_deadline_ends_a_run_whose_call_hangs() {
    let world = World::new(Lag::None);
    world.faults(["kms:CreateKey:hang".to_owned()]);
    let ended = world.run(&["apply", "--yes", "--timeout", "1s"]).exits(7, "CreateKey hangs");
    let error = &ended.object["error"];
    // A machine that is busy may not come that far in a second.
    let is_told = error["step"] == "kms:key/us-east-1"
        || error["message"].as_str().unwrap().contains("looking at what is there");
    assert!(is_told, "{error:#}");
}
