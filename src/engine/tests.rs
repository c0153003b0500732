//! Tests of the engine with fake runners: order, concurrency, failure, stopping.
//! Not for: real actions (see `steps`).

use super::*;
use crate::events::{Kind as Thing, Sink};
use crate::failure::{Denied, DeniedBecause};
use crate::names::Region;
use crate::plan::Work;
use crate::plan::work::{Adoption, BucketWork};
use crate::stop::Reason;
use std::sync::Mutex;

struct Silent;
impl Sink for Silent {
    fn take(&self, _: &Event) {}
}

fn silent() -> Events {
    Events::to(Arc::new(Silent))
}

fn step(name: &str, needs: &[&str], changes: bool) -> Action {
    let id = |name: &str| StepId::new(Thing::Bucket, name);
    let adopted = BucketWork::Adopt(Adoption::Existing);
    let work = if changes { adopted } else { BucketWork::Unchanged };
    Action {
        id: id(name),
        region: Region::new("us-east-1").unwrap(),
        name: name.to_owned(),
        arn: None,
        work: Work::Bucket(work),
        needs: needs.iter().map(|need| id(need)).collect(),
    }
}

fn plan(steps: &[(&str, &[&str])]) -> Plan {
    let actions = steps.iter().map(|(name, needs)| step(name, needs, true)).collect();
    Plan { actions, ..Plan::default() }
}

/// Records when steps begin and end. Each step takes one virtual second. A failing step takes the
/// given number of seconds.
#[derive(Default)]
struct Recorder {
    log: Mutex<Vec<String>>,
    fails: &'static [(&'static str, u64)],
    /// Whether they fail by a denial.
    denied: bool,
    stops: Option<(&'static str, Stop)>,
}

impl Runner for Recorder {
    async fn run(&self, action: &Action, _: &Progress) -> Result<Arn, Failure> {
        self.log.lock().unwrap().push(format!("+{}", action.name));
        if let Some((_, stop)) = self.stops.as_ref().filter(|(name, _)| *name == action.name) {
            stop.end(Reason::Interrupted);
        }
        let fails = self.fails.iter().find(|(name, _)| *name == action.name);
        let seconds = fails.map_or(1, |(_, seconds)| *seconds);
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        self.log.lock().unwrap().push(format!("-{}", action.name));
        if fails.is_some() {
            let kind = if self.denied { Kind::Denied } else { Kind::Unexpected };
            let denied = Denied {
                action: action.name.clone(),
                resource: None,
                principal: None,
                reason: DeniedBecause::Unstated,
                is_simulated: false,
            };
            return Err(Failure { denied: vec![denied], ..Failure::new(kind, "no", "no") });
        }
        Ok(Arn::new(format!("arn:aws:s3:::{}", action.name)).unwrap())
    }
}

async fn recorded(
    plan: &Plan,
    recorder: Recorder,
    at_once: impl Into<ConcurrencyLimit>,
) -> (Outcome, Vec<String>) {
    let stop = recorder.stops.as_ref().map(|(_, stop)| stop.clone()).unwrap_or_default();
    let runner = Arc::new(recorder);
    let outcome = run(plan, Arc::clone(&runner), &silent(), &stop, at_once).await;
    let log = runner.log.lock().unwrap().clone();
    (outcome, log)
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_comes_first_and_the_rest_overlaps() {
    let plan = plan(&[("c", &["a", "b"]), ("a", &[]), ("b", &[])]);
    let started = tokio::time::Instant::now();
    let (outcome, log) = recorded(&plan, Recorder::default(), 16).await;
    assert_eq!(started.elapsed().as_secs(), 2);
    assert_eq!(log[4..], ["+c", "-c"]);
    assert!(outcome.failure.is_none() && outcome.done.len() == 3);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_run_at_once() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &[])]);
    let (_, log) = recorded(&plan, Recorder::default(), 1).await;
    assert_eq!(log, ["+a", "-a", "+b", "-b", "+c", "-c"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_more_starts_and_what_runs_finishes() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &["a"]), ("d", &["b"])]);
    let (outcome, log) =
        recorded(&plan, Recorder { fails: &[("a", 1)], ..Recorder::default() }, 16).await;
    assert!(log.contains(&"-b".to_owned()) && !log.iter().any(|it| it == "+c" || it == "+d"));
    assert_eq!(outcome.failure.unwrap().step.as_deref(), Some("s3:bucket/a"));
    assert_eq!(outcome.unfinished.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_a_denial_what_needs_nothing_of_it_goes_on_and_all_denials_are_told() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &["a"]), ("d", &["b"]), ("e", &["d"])]);
    for gate in [ConcurrencyLimit::from(16), ConcurrencyLimit::shared(1)] {
        let fails = &[("a", 1), ("d", 1)];
        let recorder = Recorder { fails, denied: true, ..Recorder::default() };
        let (outcome, log) = recorded(&plan, recorder, gate).await;
        assert!(!log.iter().any(|it| it == "+c" || it == "+e"), "{log:?}");
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.step.as_deref(), Some("s3:bucket/a"));
        let denied: Vec<&str> = failure.denied.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(denied, ["a", "d"]);
        assert_eq!((outcome.done.len(), outcome.unfinished.len()), (1, 4));
    }
}

/// Either action may fail first. The reported failure is always the first in the plan's order.
#[tokio::test(start_paused = true)]
async fn of_several_failures_the_first_in_the_plan_is_told() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
    for fails in [&[("b", 2), ("c", 1)], &[("b", 1), ("c", 2)]] {
        let (outcome, _) = recorded(&plan, Recorder { fails, ..Recorder::default() }, 16).await;
        assert_eq!(outcome.failure.unwrap().step.as_deref(), Some("s3:bucket/b"), "{fails:?}");
        assert_eq!(outcome.unfinished, ["b", "c"].map(|name| StepId::new(Thing::Bucket, name)));
    }
}

/// A failure after the run starts to end is not the cause of the end.
#[tokio::test(start_paused = true)]
async fn a_failure_after_a_signal_is_an_interrupted_run() {
    let plan = plan(&[("a", &[]), ("b", &[])]);
    let stops = Some(("a", Stop::default()));
    let recorder = Recorder { stops, fails: &[("b", 1)], ..Recorder::default() };
    let (outcome, _) = recorded(&plan, recorder, 16).await;
    assert_eq!(outcome.failure.unwrap().kind, crate::failure::Kind::Interrupted);
    // A failure before that is the cause.
    let stops = Some(("c", Stop::default()));
    let plan = self::plan(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]);
    let recorder = Recorder { stops, fails: &[("b", 1)], ..Recorder::default() };
    let (outcome, _) = recorded(&plan, recorder, 1).await;
    assert_eq!(outcome.failure.unwrap().kind, crate::failure::Kind::Unexpected);
}

#[tokio::test(start_paused = true)]
async fn who_waits_at_a_shared_gate_does_not_start_after_a_failure() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &[])]);
    let gate = ConcurrencyLimit::shared(1);
    let fails = || Recorder { fails: &[("a", 1)], ..Recorder::default() };
    let (outcome, log) = recorded(&plan, fails(), gate.clone()).await;
    assert_eq!(log, ["+a", "-a"]);
    assert_eq!(outcome.failure.unwrap().step.as_deref(), Some("s3:bucket/a"));
    assert_eq!(outcome.unfinished.len(), 3);
    // Another plan with the same limit is not affected.
    let (outcome, log) = recorded(&plan, Recorder::default(), gate).await;
    assert_eq!((outcome.done.len(), log.len()), (3, 6));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_finishes_what_runs_and_starts_no_more() {
    let stop = Stop::default();
    let plan = plan(&[("a", &[]), ("b", &["a"])]);
    let (outcome, log) =
        recorded(&plan, Recorder { stops: Some(("a", stop)), ..Recorder::default() }, 16).await;
    assert_eq!(log, ["+a", "-a"]);
    assert_eq!(outcome.failure.unwrap().kind, crate::failure::Kind::Interrupted);
    assert_eq!(outcome.unfinished, [StepId::new(Thing::Bucket, "b")]);
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_drops_what_runs() {
    let stop = Stop::default();
    let ender = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        ender.end_at_once();
    });
    let outcome =
        run(&plan(&[("a", &[])]), Arc::new(Recorder::default()), &silent(), &stop, 16).await;
    assert_eq!(outcome.unfinished.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn steps_with_nothing_to_do_are_not_run_and_hold_nobody_up() {
    let plan = Plan {
        actions: vec![step("a", &[], false), step("b", &["a", "elsewhere"], true)],
        ..Plan::default()
    };
    let (outcome, log) = recorded(&plan, Recorder::default(), 16).await;
    assert_eq!(log, ["+b", "-b"]);
    assert!(outcome.failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_circle_is_an_error_and_not_a_silence() {
    let (outcome, _) =
        recorded(&plan(&[("a", &["b"]), ("b", &["a"])]), Recorder::default(), 16).await;
    assert_eq!(outcome.failure.unwrap().code, "plan-circle");
}

proptest::proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    /// Whatever the shape of the plan, each step runs once, after all steps that it needs.
    #[test]
    fn every_step_runs_once_after_its_needs(edges in proptest::collection::vec((0usize..12, 0usize..12), 0..40)) {
        let names: Vec<String> = (0..12).map(|n| format!("s{n:02}")).collect();
        let mut actions: Vec<Action> = names.iter().map(|name| step(name, &[], true)).collect();
        for (one, other) in edges {
            let (first, second) = (one.min(other), one.max(other));
            if first != second {
                actions[second].needs.push(StepId::new(Thing::Bucket, &names[first]));
            }
        }
        let plan = Plan { actions, ..Plan::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (outcome, log) = runtime.block_on(recorded(&plan, Recorder::default(), 3));
        proptest::prop_assert_eq!(outcome.done.len(), 12);
        for action in &plan.actions {
            let began = log.iter().position(|it| *it == format!("+{}", action.name)).unwrap();
            for need in &action.needs {
                let name = need.as_str().trim_start_matches("s3:bucket/");
                let ended = log.iter().position(|it| *it == format!("-{name}")).unwrap();
                proptest::prop_assert!(ended < began);
            }
        }
    }
}
