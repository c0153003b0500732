//! Two concurrent runs: one is held at each of its calls in turn, and the other runs to its end in
//! the meantime.
//! Not for: a run whose process ends at a call (see `crashes`).

use super::machines::{World, each, stride};
use crrctl_sandbox::Lag;
use std::sync::Mutex;

const APPLY: [&str; 3] = ["apply", "--yes", "--no-probe"];
/// An apply treats resources that `destroy` deleted as propagation lag, and would wait for them
/// longer than a test should; the timeout ends that wait.
const PROVEN: [&str; 4] = ["apply", "--yes", "--timeout", "4s"];
const DESTROY: [&str; 2] = ["destroy", "--yes"];

/// Runs `work` at every call in the thorough mode, otherwise at every eighth.
fn at_every_call(work: impl Fn(usize) -> bool + Sync) -> usize {
    let stride = stride(8);
    each(8, |n| work(n * stride))
}

#[test]
fn two_applies_end_with_one_key_that_everything_names() {
    let tried = at_every_call(|n| {
        let world = World::new(Lag::None);
        let when = format!("two applies, one held at call {n}");
        let Some((first, second)) = world.held(&APPLY, n, || {
            let second = world.run(&APPLY);
            world.names_no_key_pending_deletion(&when);
            second
        }) else {
            return false;
        };
        second.exits(0, &format!("{when}: the second"));
        first.exits(0, &format!("{when}: the first"));
        world.has_converged(&when);
        let (made, gone) = (world.count("kms:CreateKey"), world.count("kms:ScheduleKeyDeletion"));
        assert!(made - gone == 1 || made - gone == 0, "{when}: {made} made, {gone} scheduled");
        true
    });
    println!("two applies: {tried} points, all ended with one key");
}

#[test]
fn apply_does_not_claim_a_pair_that_is_going() {
    let whole = World::whole();
    let claimed = Mutex::new(0);
    let tried = at_every_call(|n| {
        let world = whole.fork();
        let when = format!("apply held at call {n} while destroy runs");
        let Some((apply, destroy)) = world.held(&PROVEN, n, || world.run(&DESTROY)) else {
            return false;
        };
        destroy.exits(0, &when);
        // An apply that started earlier may write only what it found missing, such as the role's
        // policy. It then fails and reports that.
        if apply.code == 0 {
            // The whole pair was built again and is intact.
            world.has_converged(&when);
            *claimed.lock().unwrap() += 1;
        }
        world.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        world.is_empty(&when);
        true
    });
    println!(
        "apply beside destroy: {tried} points, {} built it again",
        claimed.into_inner().unwrap()
    );
}

#[test]
fn destroy_schedules_no_key_of_a_pair_that_is_built_again_meanwhile() {
    let whole = World::whole();
    let back = Mutex::new(0);
    let tried = at_every_call(|n| {
        let world = whole.fork();
        let when = format!("destroy held at call {n} while apply runs");
        let Some((destroy, apply)) = world.held(&DESTROY, n, || {
            let apply = world.run(&APPLY);
            if apply.code == 0 {
                world.is_whole_beside_a_removal(&when);
            }
            apply
        }) else {
            return false;
        };
        assert!(
            [0, 1, 10].contains(&apply.code),
            "{when}: {} {:#}",
            apply.code,
            apply.object["error"]
        );
        // A destroy whose rules are created again while it waits for their removal ends with exit
        // code 7.
        assert!(
            [0, 1, 7, 9, 10].contains(&destroy.code),
            "{when}: {} {:#}",
            destroy.code,
            destroy.object["error"]
        );
        // No lock covers the time between the last check of the buckets and the call that schedules
        // a key for deletion, so such a key is restored.
        let when = format!(
            "{when}: apply {} {:#}, destroy {} {:#}",
            apply.code, apply.object["error"], destroy.code, destroy.object["error"]
        );
        world.names_no_key_pending_deletion(&when);
        *back.lock().unwrap() += usize::from(world.count("kms:CancelKeyDeletion") > 0);
        world.run(&DESTROY).exits(0, &format!("destroy after {when}"));
        world.is_empty(&when);
        true
    });
    let back = back.into_inner().unwrap();
    println!("destroy beside apply: {tried} points, keys came back at {back}");
}
