//! Runs any plan: starts each action as soon as what it needs is done, says what happens, and stops in order.
//! Knows no AWS: what an action does is the [`Runner`]'s. Works for building and for removing alike.

#[cfg(test)]
mod tests;

use crate::events::{Event, Events, Progress, StepId, millis};
use crate::failure::Failure;
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

/// Does what an action says. Dropped in mid-flight only when the user stops a run for the second time.
pub trait Runner: Send + Sync + 'static {
    /// Does `action`; returns the ARN of its resource.
    fn run(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> impl Future<Output = Result<Arn, Failure>> + Send;
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The ARN of each action's resource, for actions that are done.
    pub done: BTreeMap<StepId, Arn>,
    /// Of the failures seen, the first in the plan's order; every one was said as an event.
    pub failure: Option<Failure>,
    /// Actions that are not done, in the plan's order: those that had started, then those that had not.
    pub unfinished: Vec<StepId>,
}

/// How many actions run at once: those of one plan, and those of all plans that share a gate.
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
    /// Makes one for many plans, of which `at_once` actions run at once in all.
    pub fn shared(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { at_once, shared: Some(Arc::new(Semaphore::new(at_once))) }
    }
}

/// Runs the actions of `plan` that change something, at most `at_once` of them at a time. After the first failure, and once
/// `stop` is ending, nothing more starts and what is in flight finishes.
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
        if run.failures.is_empty() && !stop.is_ending() {
            run.start_ready(&gate, stop);
        }
        let ended = tokio::select! {
            biased;
            ended = run.tasks.join_next() => ended,
            () = stop.ended_at_once() => None,
        };
        let Some(ended) = ended else { break };
        // A task is never aborted, and a panic in one is a bug that must show.
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
    /// Those that were given to a task: at work, or waiting for their turn at a shared gate.
    running: BTreeSet<StepId>,
    /// Told when an action failed, for those that wait for their turn.
    failed: CancellationToken,
    /// What actions failed with before the run was to end.
    failures: BTreeMap<StepId, Failure>,
    outcome: Outcome,
}

/// An action whose task has ended.
struct Ran {
    action: Action,
    /// When it began and what it came to; nothing where its turn came too late.
    result: Option<(Instant, Result<Arn, Failure>)>,
    /// Whether the run was to end by then: a failure after that does not say why it ended.
    is_late: bool,
}

/// Says that `action` begins, and returns when.
fn begin(events: &Events, action: &Action) -> Instant {
    events.say(&Event::StepStart {
        step: action.id.clone(),
        kind: action.kind,
        region: action.region.clone(),
        name: action.name.clone(),
        action: action.verb,
        needs: action.needs.clone(),
    });
    Instant::now()
}

impl<R: Runner> Run<R> {
    fn new(plan: &Plan, runner: Arc<R>, events: Events) -> Self {
        let (waiting, idle): (Vec<Action>, Vec<Action>) =
            plan.actions.iter().cloned().partition(|action| action.verb.changes());
        let planned: BTreeSet<StepId> = waiting.iter().map(|action| action.id.clone()).collect();
        // What an action needs and this plan does not do is there already.
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

    fn start_ready(&mut self, gate: &ConcurrencyLimit, stop: &Stop) {
        while self.running.len() < gate.at_once.max(1) {
            let is_ready =
                |action: &Action| action.needs.iter().all(|need| self.settled.contains(need));
            let Some(index) = self.waiting.iter().position(is_ready) else { return };
            let action = self.waiting.remove(index);
            self.running.insert(action.id.clone());
            let (runner, events) = (Arc::clone(&self.runner), self.events.clone());
            let (shared, stop, failed) = (gate.shared.clone(), stop.clone(), self.failed.clone());
            // What waits for no turn begins in the plan's order.
            let begun = shared.is_none().then(|| begin(&events, &action));
            self.tasks.spawn(async move {
                // The gate is never closed.
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
                // Told before the turn goes on to one that waits for it.
                if result.is_err() {
                    failed.cancel();
                }
                drop(turn);
                Ran { action, result: Some((started, result)), is_late }
            });
        }
    }

    fn finished(&mut self, Ran { action, result, is_late }: Ran) {
        let id = action.id;
        self.running.remove(&id);
        let Some((started, result)) = result else {
            self.outcome.unfinished.push(id);
            return;
        };
        match result {
            Ok(arn) => {
                self.events.say(&Event::StepDone {
                    step: id.clone(),
                    action: action.verb,
                    arn: Some(arn.clone()),
                    elapsed_ms: millis(started.elapsed()),
                });
                self.settled.insert(id.clone());
                self.outcome.done.insert(id, arn);
            }
            Err(failure) => {
                let failure = failure.at_step(id.as_str(), &action.region);
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
        outcome.failure = ids().find_map(|id| self.failures.remove(id));
        let first = outcome.unfinished.first();
        let first = first.and_then(|id| plan.actions.iter().find(|action| action.id == *id));
        if let (true, Some(action)) = (stop.is_ending(), first) {
            let failure = || stop.failure().at_step(action.id.as_str(), &action.region);
            outcome.failure.get_or_insert_with(failure);
        } else if outcome.failure.is_none() && first.is_some() {
            let steps: Vec<&str> = outcome.unfinished.iter().map(StepId::as_str).collect();
            let message =
                format!("the plan has a circle: {} wait for one another", steps.join(", "));
            outcome.failure =
                Some(Failure::new(crate::failure::Kind::Unexpected, "plan-circle", message));
        }
        outcome
    }
}
