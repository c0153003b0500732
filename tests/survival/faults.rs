//! Every fault at every call. A run survives a transient fault. A permanent fault ends the run with
//! its exit code, and the error names the cause. No fault causes a panic, a duplicate resource or a
//! wrong claim.
//! Not for: the end of the process (see `crashes`).

use super::machines::{Ended, World, each, is_thorough, stride};
use crrctl_sandbox::{Lag, Options};
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

/// Transient faults, which AWS recovers from.
const PASSING: [&str; 4] = ["throttle", "error=InternalError", "reset", "lost-reply"];
/// Each run receives a fault at every third call, so that three runs cover all calls. The SDK's own
/// retry of a call receives none: six faults on one call are not transient.
const STRIDE: usize = 3;
/// More calls than any run makes.
const CALLS: usize = 90;

/// A command, the world that it starts from, and the condition that must hold when it reports
/// success.
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
                // `destroy` deletes a bucket without emptying it only if the bucket is empty.
                world.run(&["destroy", "--yes"]).exits(0, &when);
                assert_eq!(world.count("s3:DeleteObjects"), 0, "{when}: probes were left");
            }
            true
        });
        println!("{name}: {} faults at every call, all got over", PASSING.len());
    }
}

/// The SDK retries the request, and the upload that the retry completes no longer exists.
#[test]
fn a_completed_upload_whose_answer_is_lost_is_found() {
    let world = World::new(Lag::None);
    world.faults(["s3:CompleteMultipartUpload:lost-reply:times=1".to_owned()]);
    let applied = world.run(&["apply", "--yes"]).exits(0, "apply").object;
    assert!(world.was_struck());
    assert_eq!(applied["summary"]["completed"], 2);
}

impl Run {
    /// Injects `kind` once at every `stride`th call, with `at_once` runs at a time. A run that
    /// needs the call ends with `code` and names the step; a message without a step contains
    /// `mark`. Returns the number of calls that received a fault.
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
                // The run doesn't need this call, such as a read of the settings of a bucket that
                // does not exist.
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

/// The clock itself: the deadline, then a grace period for the last calls, then the end.
#[test]
fn the_deadline_ends_a_run_whose_call_hangs() {
    let world = World::new(Lag::None);
    world.faults(["kms:CreateKey:hang".to_owned()]);
    let ended = world.run(&["apply", "--yes", "--timeout", "1s"]).exits(7, "CreateKey hangs");
    let error = &ended.object["error"];
    // On a busy machine, the run may not reach that call within a second.
    let is_told = error["step"] == "kms:key/us-east-1"
        || error["message"].as_str().unwrap().contains("looking at what is there");
    assert!(is_told, "{error:#}");
}

/// A "not found" in answer to one read or removal is no proof: KMS and IAM answer so for a while for
/// things that were just created.
#[test]
fn destroy_never_says_done_while_a_key_an_alias_or_a_role_lives() {
    let whole = World::whole();
    for (service, code) in
        [("kms", "NotFoundException"), ("iam", "NoSuchEntity"), ("s3", "NoSuchBucket")]
    {
        let tried = each(8, |n| {
            let world = whole.fork();
            world.faults([format!("{service}:*:error={code}:after={n}:times=1")]);
            let ended = world.run(&["destroy", "--yes"]);
            let is_over = !world.was_struck();
            world.faults([]);
            let when = format!("{code} for call {n} of {service}");
            if ended.code == 0 {
                world.is_empty(&when);
            } else {
                let error = &ended.object["error"];
                assert!(
                    error["aws_code"] == code || [7, 9, 10].contains(&ended.code),
                    "{when}: {error:#}"
                );
                world.run(&["destroy", "--yes"]).exits(0, &format!("destroy after {when}"));
                world.is_empty(&format!("destroy after {when}"));
            }
            !is_over
        });
        println!("{service}: {code} at {tried} calls");
    }
}

/// Every removal, with the code that means an absence to its service, and with one of another
/// service, which means nothing.
#[test]
fn no_removal_is_believed_that_aws_does_not_find_as_often_as_it_may() {
    const REMOVALS: [(&str, &str); 5] = [
        ("kms:ScheduleKeyDeletion", "NotFoundException"),
        ("kms:DeleteAlias", "NotFoundException"),
        ("iam:DeleteRole", "NoSuchEntity"),
        ("iam:DeleteRolePolicy", "NoSuchEntity"),
        ("s3:DeleteBucket", "NoSuchBucket"),
    ];
    let whole = World::whole();
    let (own, others) = (Mutex::new(0), Mutex::new(0));
    let _ = each(8, |n| {
        let Some((removal, own_code)) = REMOVALS.get(n / 6) else { return false };
        // The last row is for ever: the run ends by its own time.
        let times = if n % 6 == 5 { String::new() } else { format!(":times={}", n % 6 + 1) };
        for code in ["NotFoundException", "NoSuchEntity", "NoSuchBucket"] {
            let world = whole.fork();
            world.faults([format!("{removal}:error={code}{times}")]);
            let ended = world.run(&["destroy", "--yes", "--timeout", "20s"]);
            let when = format!("{removal} answers {code}{times}");
            world.faults([]);
            if code != *own_code {
                assert_eq!(ended.code, 1, "{when}: {:#}", ended.object["error"]);
                assert_eq!(ended.object["error"]["aws_code"], code, "{when}");
                *others.lock().unwrap() += 1;
            } else if times.is_empty() {
                assert_eq!(ended.code, 7, "{when}: {:#}", ended.object["error"]);
                assert_ne!(ended.object["left"], serde_json::json!([]), "{when}");
            } else {
                assert_eq!(ended.code, 0, "{when}: {:#}", ended.object["error"]);
                world.is_empty(&when);
                *own.lock().unwrap() += 1;
            }
        }
        true
    });
    println!(
        "{} removals, {} codes of others",
        own.into_inner().unwrap(),
        others.into_inner().unwrap()
    );
}

/// Returns the ARNs in `left`, each once.
fn left(ended: &Ended) -> BTreeSet<String> {
    let left = ended.object["left"].as_array().unwrap();
    left.iter().map(|it| it["arn"].as_str().unwrap().to_owned()).collect()
}

/// What `left` names lives, never what is going, and what lives is named: whichever removal is refused,
/// while deleted buckets still answer, and keys, aliases and roles show late.
#[test]
fn what_is_left_lives_and_what_lives_is_left() {
    const ALL: &str = "several removals";
    const REMOVALS: [&str; 6] = [
        "kms:ScheduleKeyDeletion",
        "kms:DeleteAlias",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "s3:DeleteBucket",
        ALL,
    ];
    const SLOW: [&str; 6] = [
        "stale-head=5",
        "stale-alias=5",
        "late-entity=5",
        "late-key-lists=5",
        "delete-conflict=5",
        "removal-not-found=5",
    ];
    let worlds: [OnceLock<World>; SLOW.len()] = std::array::from_fn(|_| OnceLock::new());
    let cases = SLOW.len() * REMOVALS.len() * 2;
    let _ = each(8, |n| {
        // Neighbours have worlds of their own, which are then made at the same time.
        let (row, slow) = (n / SLOW.len(), n % SLOW.len());
        let (Some(removal), after) = (REMOVALS.get(row / 2), row % 2) else { return false };
        let whole = worlds[slow].get_or_init(|| {
            let quirks = vec![SLOW[slow].parse().unwrap()];
            let world = World::with(Options { quirks, ..Options::default() });
            world.run(&["apply", "--yes", "--no-probe"]).exits(0, SLOW[slow]);
            world
        });
        let (world, slow) = (whole.fork(), SLOW[slow]);
        let when = format!("{removal} refused after {after} under {slow}");
        let refused = if *removal == ALL {
            vec!["kms:DeleteAlias", "iam:DeleteRole", "s3:DeleteBucket"]
        } else {
            vec![*removal]
        };
        world.faults(refused.iter().map(|it| format!("{it}:error=AccessDenied:after={after}")));
        let ended = world.run(&["destroy", "--yes"]);
        world.faults([]);
        let lives: BTreeSet<String> = world.leftovers().into_iter().collect();
        assert_eq!(left(&ended), lives, "{when}: {:#}", ended.object);
        assert_eq!(ended.code == 0, lives.is_empty(), "{when}: {:#}", ended.object);
        let ended = world.run(&["destroy", "--yes"]).exits(0, &when);
        assert_eq!(left(&ended), BTreeSet::new(), "{when}");
        world.is_empty(&when);
        true
    });
    println!("{cases} removals that are refused, each with what is left");
}
