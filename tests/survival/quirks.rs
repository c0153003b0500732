//! Every rare behaviour of AWS that the sandbox knows: a pair is built, proven, taken away, and built
//! and taken away again at once, where its names are still remembered.
//! Not for: what each behaviour is (see `sandbox::quirks`).

use super::machines::{World, each, is_thorough};
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
