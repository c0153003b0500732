//! Runs a plan: starts each action as soon as the actions that it needs are done, emits events, and
//! stops in order. Works for creation and for removal.
//! Not for: the AWS calls of an action (see [`Runner`]).

#[cfg(test)]
mod tests;

use crate::events::{Event, Events, Progress, StepId, millis};
use crate::failure::{Failure, Kind};
use crate::joined::Beside;
use crate::names::Arn;
use crate::plan::{Action, Plan};
use crate::stop::Stop;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs one action. The future is dropped before it completes only if the run must end at once.
pub trait Runner: Send + Sync + 'static {
    /// Runs `action` and returns the ARN of its resource.
    fn run(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> impl Future<Output = Result<Arn, Failure>> + Send;
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The ARN of the resource of each completed action.
    pub done: BTreeMap<StepId, Arn>,
    /// The first of the failures in the plan's order. Every failure was emitted as an event.
    pub failure: Option<Failure>,
    /// The actions that are not done, in the plan's order: those that had started, then the others.
    pub unfinished: Vec<StepId>,
}

/// How many actions run at once: of one plan, and of all plans that share a semaphore.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    at_once: usize,
    shared: Option<Arc<Semaphore>>,
}

impl From<usize> for ConcurrencyLimit {
    fn from(at_once: usize) -> Self {
        Self { at_once, shared: None }
    }
}

impl ConcurrencyLimit {
    /// Creates a limit for many plans: at most `at_once` actions of all of them run at once.
    pub fn shared(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { at_once, shared: Some(Arc::new(Semaphore::new(at_once))) }
    }
}

/// Runs the actions of `plan` that change something, at most `at_once` of them at a time. After a
/// failure, and once `stop` is ending, no more actions start and the running actions finish. After a
/// denial, those actions go on that need nothing that is not done, so that all that is denied is
/// told at once.
pub async fn run<R: Runner>(
    plan: &Plan,
    runner: Arc<R>,
    events: &Events,
    stop: &Stop,
    at_once: impl Into<ConcurrencyLimit>,
) -> Outcome {
    let gate = at_once.into();
    let mut run = Run::new(plan, runner, events.clone());
    loop {
        if run.goes_on() && !stop.is_ending() {
            run.start_ready(&gate, stop);
        }
        let ended = tokio::select! {
            biased;
            ended = run.tasks.join_next() => ended,
            () = stop.ended_at_once() => None,
        };
        let Some(ended) = ended else { break };
        // No task was aborted, so the error is a panic, which is a bug that must not be hidden.
        match ended {
            Ok(ran) => run.finished(ran),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    run.conclude(plan, stop)
}

struct Run<R> {
    runner: Arc<R>,
    events: Events,
    waiting: Vec<Action>,
    settled: BTreeSet<StepId>,
    tasks: JoinSet<Ran>,
    /// The actions given to a task: running, or waiting for a turn at a shared semaphore.
    running: BTreeSet<StepId>,
    /// Cancelled when an action fails, so that actions waiting for a turn do not start.
    failed: CancellationToken,
    /// The failures of actions that ended before the run was ending.
    failures: BTreeMap<StepId, Failure>,
    outcome: Outcome,
}

/// An action whose task has ended.
struct Ran {
    action: Action,
    /// The start time and the result, or `None` if the turn came too late.
    result: Option<(Instant, Result<Arn, Failure>)>,
    /// Whether the run was already ending. A failure after that is not the cause of the end.
    is_late: bool,
}

/// Emits the start event of `action` and returns the start time.
fn begin(events: &Events, action: &Action) -> Instant {
    events.say(&Event::StepStart {
        step: action.id.clone(),
        kind: action.kind(),
        region: action.region.clone(),
        name: action.name.clone(),
        action: action.verb(),
        needs: action.needs.clone(),
    });
    Instant::now()
}

impl<R: Runner> Run<R> {
    fn new(plan: &Plan, runner: Arc<R>, events: Events) -> Self {
        let (waiting, idle): (Vec<Action>, Vec<Action>) =
            plan.actions.iter().cloned().partition(Action::changes);
        let planned: BTreeSet<StepId> = waiting.iter().map(|action| action.id.clone()).collect();
        // An action that is needed and not in this plan is already done.
        let settled = waiting
            .iter()
            .flat_map(|action| &action.needs)
            .filter(|need| !planned.contains(need))
            .chain(idle.iter().map(|action| &action.id))
            .cloned()
            .collect();
        let tasks = JoinSet::new();
        Self {
            runner,
            events,
            waiting,
            settled,
            tasks,
            running: BTreeSet::new(),
            failed: CancellationToken::new(),
            failures: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }

    /// Returns whether more actions may start.
    fn goes_on(&self) -> bool {
        self.failures.values().all(|failure| failure.kind == Kind::Denied)
    }

    fn start_ready(&mut self, gate: &ConcurrencyLimit, stop: &Stop) {
        while self.running.len() < gate.at_once.max(1) {
            let is_ready =
                |action: &Action| action.needs.iter().all(|need| self.settled.contains(need));
            let Some(index) = self.waiting.iter().position(is_ready) else { return };
            let action = self.waiting.remove(index);
            self.running.insert(action.id.clone());
            let (runner, events) = (Arc::clone(&self.runner), self.events.clone());
            let (shared, stop, failed) = (gate.shared.clone(), stop.clone(), self.failed.clone());
            // Without a shared semaphore, actions start in the plan's order.
            let begun = shared.is_none().then(|| begin(&events, &action));
            self.tasks.spawn(async move {
                // The semaphore is never closed.
                let turn = match shared {
                    Some(shared) => shared.acquire_owned().await.ok(),
                    None => None,
                };
                if turn.is_some() && (stop.is_ending() || failed.is_cancelled()) {
                    return Ran { action, result: None, is_late: true };
                }
                let started = begun.unwrap_or_else(|| begin(&events, &action));
                let result = runner.run(&action, &events.step(&action.id)).await;
                let is_late = stop.is_ending();
                // Cancelled before the turn passes to a waiting action.
                if result.as_ref().is_err_and(|failure| failure.kind != Kind::Denied) {
                    failed.cancel();
                }
                drop(turn);
                Ran { action, result: Some((started, result)), is_late }
            });
        }
    }

    fn finished(&mut self, Ran { action, result, is_late }: Ran) {
        let Action { id, region, work, .. } = action;
        self.running.remove(&id);
        let Some((started, result)) = result else {
            self.outcome.unfinished.push(id);
            return;
        };
        match result {
            Ok(arn) => {
                self.events.say(&Event::StepDone {
                    step: id.clone(),
                    action: work.verb(),
                    arn: Some(arn.clone()),
                    elapsed_ms: millis(started.elapsed()),
                });
                self.settled.insert(id.clone());
                self.outcome.done.insert(id, arn);
            }
            Err(failure) => {
                let failure = failure.at_step(id.as_str(), &region);
                self.events.say(&Event::StepFailed { step: id.clone(), failure: failure.clone() });
                self.outcome.unfinished.push(id.clone());
                if !is_late {
                    self.failures.insert(id, failure);
                }
            }
        }
    }

    fn conclude(mut self, plan: &Plan, stop: &Stop) -> Outcome {
        self.tasks.abort_all();
        let mut outcome = self.outcome;
        let started: BTreeSet<StepId> = outcome.unfinished.drain(..).chain(self.running).collect();
        let ids = || plan.actions.iter().map(|action| &action.id);
        let is_waiting = |id: &&StepId| self.waiting.iter().any(|action| action.id == **id);
        let (started, waiting) =
            (ids().filter(|id| started.contains(*id)), ids().filter(is_waiting));
        outcome.unfinished = started.chain(waiting).cloned().collect();
        outcome.failure = ids().filter_map(|id| self.failures.remove(id)).reduce(Failure::beside);
        let first = outcome.unfinished.first();
        let first = first.and_then(|id| plan.actions.iter().find(|action| action.id == *id));
        if let (true, Some(action)) = (stop.is_ending(), first) {
            let failure = || stop.failure().at_step(action.id.as_str(), &action.region);
            outcome.failure.get_or_insert_with(failure);
        } else if outcome.failure.is_none() && first.is_some() {
            let steps: Vec<&str> = outcome.unfinished.iter().map(StepId::as_str).collect();
            let message =
                format!("the plan has a circle: {} wait for one another", steps.join(", "));
            outcome.failure = Some(Failure::new(Kind::Unexpected, "plan-circle", message));
        }
        outcome
    }
}
