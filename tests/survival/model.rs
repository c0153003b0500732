//! Sequences of runs, crashes, drift and deletions, compared with a model of the pair's state.
//! Not for: a crash at every call (see `crashes`).

use super::hands::BREAKS;
use super::machines::{World, each, is_thorough};
use crrctl_sandbox::Lag;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Mutex;

/// One element of a sequence.
#[derive(Debug, Clone)]
enum Happening {
    Apply,
    /// An apply whose process ends at a call; the call is performed or not.
    CrashedApply(usize, bool),
    /// An apply that is held at a call while another apply runs to its end.
    TwoApplies(usize),
    Destroy,
    CrashedDestroy(usize, bool),
    /// A change by hand.
    Break(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Apply),
        3 => (15..55_usize, any::<bool>()).prop_map(|(n, done)| Happening::CrashedApply(n, done)),
        1 => (0..50_usize).prop_map(Happening::TwoApplies),
        1 => Just(Happening::Destroy),
        2 => (20..56_usize, any::<bool>()).prop_map(|(n, done)| Happening::CrashedDestroy(n, done)),
        3 => (0..BREAKS.len()).prop_map(Happening::Break),
    ]
}

/// The state of the world that the model expects.
#[derive(Debug, Default)]
struct Model {
    /// The pair exists and is intact.
    whole: bool,
    /// A destroy was interrupted: keys may be pending deletion, and an apply may be refused until a
    /// destroy has ended.
    half_gone: bool,
}

impl Model {
    fn live(&mut self, world: &World, happening: &Happening, when: &str) {
        const APPLY: [&str; 3] = ["apply", "--yes", "--no-probe"];
        const DESTROY: [&str; 2] = ["destroy", "--yes"];
        match happening {
            Happening::Apply => self.applied(world, world.run(&APPLY).code, when),
            Happening::CrashedApply(n, done) => match crash(world, &APPLY, *n, *done) {
                Some(code) => self.applied(world, code, when),
                None => self.whole = false,
            },
            Happening::TwoApplies(n) => {
                let held = world.held(&APPLY, *n, || world.run(&APPLY).code);
                match held {
                    Some((first, second)) => {
                        self.applied(world, second, when);
                        self.applied(world, first.code, when);
                    }
                    None => self.applied(world, world.run(&APPLY).code, when),
                }
            }
            Happening::Destroy => self.destroyed(world, world.run(&DESTROY).code, when),
            Happening::CrashedDestroy(n, done) => match crash(world, &DESTROY, *n, *done) {
                Some(code) => self.destroyed(world, code, when),
                None => *self = Self { whole: false, half_gone: true },
            },
            Happening::Break(n) => {
                BREAKS[*n].1(world);
                self.whole = false;
            }
        }
        world.names_no_key_pending_deletion(when);
    }

    fn applied(&mut self, world: &World, code: u8, when: &str) {
        if self.half_gone && code == 10 {
            return;
        }
        assert_eq!(code, 0, "{when}: {self:?}");
        world.has_converged(when);
        *self = Self { whole: true, half_gone: false };
    }

    fn destroyed(&mut self, world: &World, code: u8, when: &str) {
        assert_eq!(code, 0, "{when}: {self:?}");
        world.is_empty(when);
        *self = Self::default();
    }
}

/// Returns the exit code if the run ended before its crash.
fn crash(world: &World, args: &[&str], n: usize, is_done: bool) -> Option<u8> {
    let done = is_done.then(|| format!("*:*:lost-reply:after={n}:times=1"));
    world.faults(done.into_iter().chain([format!("*:*:hang:after={}", n + usize::from(is_done))]));
    let ended = world.run_until_struck(args);
    world.unconnected();
    world.faults([]);
    ended.map(|ended| ended.code)
}

#[test]
fn any_sequence_of_happenings_ends_as_the_model_says() {
    let (sequences, each_time) = if is_thorough() { (1000, 50) } else { (100, 10) };
    let lived = Mutex::new(0);
    let _ = each(2, |n| {
        if n >= sequences / each_time {
            return false;
        }
        let config = Config {
            cases: u32::try_from(each_time).unwrap(),
            failure_persistence: None,
            max_shrink_iters: 40,
            ..Config::default()
        };
        let seed = [u8::try_from(n).unwrap(); 32];
        let mut runner =
            TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let all = proptest::collection::vec(happening(), 1..6);
        runner
            .run(&all, |happenings| {
                let (world, mut model) = (World::new(Lag::None), Model::default());
                for (at, happening) in happenings.iter().enumerate() {
                    model.live(
                        &world,
                        happening,
                        &format!("{at}: {happening:?} of {happenings:?}"),
                    );
                }
                model.live(&world, &Happening::Destroy, &format!("the end of {happenings:?}"));
                *lived.lock().unwrap() += 1;
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{error}"));
        true
    });
    println!("{} sequences, all as the model says", lived.into_inner().unwrap());
}
