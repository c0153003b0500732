//! Every rare behaviour of AWS that the sandbox knows: a pair is built, proven, taken away, and built
//! and taken away again at once, where its names are still remembered.
//! Not for: what each behaviour is (see `sandbox::quirks`).

use super::machines::{World, each, is_thorough};
use crate::common::{SOURCE, iam, s3};
use crrctl_sandbox::{Options, Quirk, QuirkSpec};
use std::time::Duration;

/// The longest time of a behaviour in the usual mode. The thorough mode has AWS's own times.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn a_pair_is_built_and_taken_away_twice_whatever_aws_does() {
    let _ = each(Quirk::ALL.len(), |n| {
        let Some(quirk) = Quirk::ALL.get(n).copied() else { return false };
        let usual = QuirkSpec::from(quirk);
        let spec = if is_thorough() { usual } else { usual.lasting(usual.lasts().min(LONGEST)) };
        let world = World::with(Options { quirks: vec![spec], ..Options::default() });
        for time in ["first", "second"] {
            let when = format!("{}, {time} time", quirk.name());
            world.run(&["apply", "--yes"]).exits(0, &when);
            world.is_whole(&when);
            world.run(&["destroy", "--yes"]).exits(0, &when);
            world.is_empty(&when);
        }
        true
    });
}

/// The rules take longer to be in force than the run that wrote them, and nothing changes any more:
/// the youth of the pair is why fresh probes go on.
#[test]
fn a_young_pair_is_probed_until_its_rules_are_in_force() {
    for probe in [&["probe"][..], &["apply", "--yes"]] {
        let late = QuirkSpec::from(Quirk::LateRules).lasting(Duration::from_secs(8));
        let world = World::with(Options { quirks: vec![late], ..Options::default() });
        world.run(&["apply", "--yes", "--no-probe"]).exits(0, "the pair");
        let probed = world.run(probe).exits(0, "the young pair").object;
        assert!(probed["probes"][0]["attempts"].as_u64() > Some(1), "{probed:#}");
    }
}

/// A pair that has stood for an hour is not waited for.
#[test]
fn an_old_pair_that_does_not_replicate_is_told_at_once() {
    let clock_behind = Duration::from_hours(1);
    let world = World::with(Options { clock_behind, ..Options::default() });
    world.run(&["apply", "--yes", "--no-probe"]).exits(0, "the pair");
    let s3 = s3(world.endpoint(), "us-east-1");
    world.by_hand(s3.delete_bucket_replication().bucket(SOURCE).send()).unwrap();
    let live = |world: &World| world.run(&["probe"]);
    assert_eq!(live(&world).exits(3, "no rules").object["error"]["code"], "pair-missing");
    world.run(&["apply", "--yes", "--no-probe"]).exits(0, "the rules");
    let iam = iam(world.endpoint());
    let role = "crrctl-demo-us-east-1";
    world
        .by_hand(iam.delete_role_policy().role_name(role).policy_name("replication").send())
        .unwrap();
    let failed = live(&world).exits(6, "no permissions").object;
    assert_eq!(failed["probes"][0]["attempts"], 1, "{failed:#}");
}
