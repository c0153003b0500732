//! `destroy`: removes a pair in the order that AWS requires, after the batch job that is under way.
//! Not for: deciding what is removed (see `plan::removal`).

use super::Session;
use crate::backfill::{Job, Jobs};
use crate::engine::{self, Outcome};
use crate::events::{Kind, StepId};
use crate::failure::{self, Failure};
use crate::manifest::Topology;
use crate::names::{Arn, Region};
use crate::observe::Depth;
use crate::plan::{self, Action, Kept, Plan, Removal, Why, Work};
use crate::steps::Scheduled;
use crate::world::{KeyState, LastUse, World};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a destroy would remove.
#[derive(Debug)]
pub struct PlannedRemoval {
    /// What is wanted, and what was found of it.
    pub topology: Topology,
    /// What exists.
    pub world: World,
    /// The removals.
    pub plan: Plan,
    /// What stays, and why.
    pub kept: Vec<Kept>,
    /// What was asked for.
    pub wish: Removal,
}

/// A resource that was removed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "removed"))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct Removed {
    pub step: StepId,
    pub kind: Kind,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
    #[cfg_attr(test, schemars(with = "String"))]
    pub arn: Arn,
}

/// A key that is scheduled for deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "key"))]
pub struct Going {
    /// The key.
    #[cfg_attr(test, schemars(with = "String"))]
    pub arn: Arn,
    /// Its state.
    #[cfg_attr(test, schemars(with = "String"))]
    pub state: KeyState,
    /// The earliest time at which KMS deletes it; `None` where a replica key must go first and has no date.
    pub deletes_not_before: Option<Timestamp>,
    /// The last cryptographic use that KMS told before the removal; `None` if it is unknown, which never means that
    /// the key is unused.
    pub last_use: Option<LastUse>,
}

/// The result of a destroy.
#[derive(Debug)]
pub struct Destroyed {
    /// The batch job that was cancelled before the removal.
    pub job: Option<Box<Job>>,
    /// What was to be removed.
    pub plan: Plan,
    /// What was removed.
    pub outcome: Outcome,
    /// What stays, and why.
    pub left: Vec<Kept>,
    /// The keys that are scheduled for deletion.
    pub keys: Vec<Going>,
}

/// Reads what exists and returns what a destroy would remove. `window` is the waiting period of the keys in days, if it
/// is not the manifest's.
///
/// # Errors
///
/// A read fails, something is in the way, or the run is to end.
pub async fn removal(
    session: &Session,
    wish: Removal,
    window: Option<u8>,
) -> Result<PlannedRemoval, Failure> {
    let (mut topology, world) = session.observe(Depth::Removal).await?;
    topology.found.deletion_window_days = window;
    let (plan, kept) = plan::removal(&topology, &world, wish)?;
    Ok(PlannedRemoval { topology, world, plan, kept, wish })
}

/// Finds a batch job of the pair that is not over. All batch jobs use the pair's batch role: if
/// that role does not exist, there was no job.
///
/// # Errors
///
/// The jobs can't be listed, or the run is to end.
pub async fn job_under_way(
    session: &Session,
    planned: &PlannedRemoval,
) -> Result<Option<String>, Failure> {
    let PlannedRemoval { topology, world, .. } = planned;
    if !world.batch.role.as_ref().is_some_and(|role| topology.wanted.owns(&role.tags)) {
        return Ok(None);
    }
    let jobs = Jobs::new(&session.aws, topology, &session.events, &session.stop);
    session.unless_ending(async { Ok(jobs.not_over().await?) }).await
}

/// Ends the batch job that is under way, then runs the removals of `planned`.
pub async fn destroy(session: &Session, planned: PlannedRemoval) -> Destroyed {
    let job = match end_job(session, &planned).await {
        Ok(job) => job.map(Box::new),
        Err(failure) => return Destroyed::not_begun(planned, failure),
    };
    let PlannedRemoval { topology, world, plan, kept, wish } = planned;
    let steps = Arc::new(session.steps(&topology, &world, wish));
    let (events, stop, gate) = (&session.events, &session.stop, session.gate.clone());
    let mut outcome = engine::run(&plan, Arc::clone(&steps), events, stop, gate).await;
    outcome.failure = outcome.failure.map(|it| beyond_the_manifest(&topology, &world, &plan, it));
    let keys = going(&topology, &world, &steps.scheduled());
    let mut left = kept;
    left.extend(unfinished(&plan, &outcome));
    left.extend(steps.held());
    Destroyed { job, plan, outcome, left, keys }
}

/// Cancels the batch job that is under way and waits for its end. Until then, the job uses a role
/// of the pair and writes to one of the pair's buckets.
async fn end_job(session: &Session, planned: &PlannedRemoval) -> Result<Option<Job>, Failure> {
    let Some(id) = job_under_way(session, planned).await? else { return Ok(None) };
    let progress = session.events.step(&StepId::job(&id));
    progress.note("the batch job is under way: cancelling it; what it has replicated stays");
    let jobs = Jobs::new(&session.aws, &planned.topology, &session.events, &session.stop);
    jobs.cancel(&id).await?;
    Ok(Some(jobs.until_over(&id).await?))
}

/// Adds to a denial what the operator's documents lack because the manifest no longer names what is
/// taken back: they follow the manifest, a removal follows the bucket's tags and rules.
fn beyond_the_manifest(
    topology: &Topology,
    world: &World,
    plan: &Plan,
    failure: Failure,
) -> Failure {
    let is_it = |action: &&Action| failure.step.as_deref() == Some(action.id.as_str());
    let action = plan.actions.iter().find(is_it).filter(|_| failure.kind == failure::Kind::Denied);
    let Some(action) = action else { return failure };
    let wanted = &topology.wanted;
    let adopted = world.buckets.iter().find(|(name, bucket)| {
        name.as_str() == action.name && wanted.is_adopted(name, &bucket.tags)
    });
    let Some((name, _)) = adopted else { return failure };
    let setting = if !wanted.adopts(name) {
        format!("`adopt: true` of `{name}`, which its tag `{}` records", Topology::ADOPTED_TAG)
    } else if matches!(action.work, Work::Lifecycle(_)) && !wanted.buckets.lifecycle.is_wanted() {
        "`buckets.lifecycle`".to_owned()
    } else {
        return failure;
    };
    failure.hint(format!(
        "the manifest no longer has {setting}: put it back, and `crrctl policy operator` prints what this removal needs"
    ))
}

impl Destroyed {
    /// Returns the result of a removal that did not begin because an earlier step failed.
    fn not_begun(planned: PlannedRemoval, failure: Failure) -> Self {
        let PlannedRemoval { plan, kept, .. } = planned;
        let changes = plan.actions.iter().filter(|action| action.changes());
        let unfinished = changes.map(|action| action.id.clone()).collect();
        let outcome = Outcome { done: BTreeMap::new(), failure: Some(failure), unfinished };
        let mut left = kept;
        left.extend(self::unfinished(&plan, &outcome));
        Self { job: None, plan, outcome, left, keys: Vec::new() }
    }

    /// Returns whether anything was removed.
    pub fn has_removed(&self) -> bool {
        !self.outcome.done.is_empty()
    }

    /// Returns the resources that were removed, in the plan's order.
    pub fn removed(&self) -> Vec<Removed> {
        let done = |action: &&Action| self.outcome.done.contains_key(&action.id);
        let removed = self.plan.actions.iter().filter(done).filter_map(|action| {
            let (step, region) = (action.id.clone(), action.region.clone());
            Some(Removed { step, kind: action.kind(), region, arn: action.arn.clone()? })
        });
        removed.collect()
    }

    /// Returns the failure of the removal, if any: an error, or a resource that stays although no
    /// flag asked to keep it.
    pub fn verdict(&self) -> Option<Failure> {
        let hint = "`crrctl destroy` again goes on from here";
        if let Some(failure) = self.outcome.failure.clone() {
            let left = self.left.len();
            return Some(
                failure.leaving(format!("{left} resources, listed under `left`")).hint(hint),
            );
        }
        let refused: Vec<&Kept> =
            self.left.iter().filter(|kept| kept.because == Why::Refused).collect();
        let first = refused.first()?;
        let message =
            format!("{} resources are left behind; {}: {}", refused.len(), first.arn, first.why);
        Some(
            Failure::new(failure::Kind::LeftBehind, "left-behind", message)
                .leaving(format!("{} resources", refused.len())),
        )
    }
}

/// Returns the resources that the run did not remove.
fn unfinished(plan: &Plan, outcome: &Outcome) -> Vec<Kept> {
    let is_left = |action: &&Action| outcome.unfinished.contains(&action.id);
    let failed = |action: &Action| {
        let failure = outcome.failure.as_ref();
        failure.filter(|failure| failure.step.as_deref() == Some(action.id.as_str()))
    };
    let is_ending = |failure: &Failure| {
        matches!(failure.kind, failure::Kind::Interrupted | failure::Kind::TooLate)
    };
    let is_stuck = |it: &&Action| {
        it.kind() == Kind::Bucket && failed(it).is_some_and(|failure| !is_ending(failure))
    };
    let stuck = plan.actions.iter().filter(is_stuck).find_map(|bucket| bucket.arn.as_ref());
    let left = plan.actions.iter().filter(is_left).filter_map(|action| {
        let is_of_keys = matches!(action.kind(), Kind::Key | Kind::ReplicaKey | Kind::Alias);
        let why = match (failed(action), stuck.filter(|_| is_of_keys)) {
            (Some(failure), _) => failure.message.clone(),
            (None, Some(bucket)) => format!("{bucket} stays, and its data needs the key"),
            _ => "the run ended before its turn".to_owned(),
        };
        Some(Kept { kind: action.kind(), arn: action.arn.clone()?, why, because: Why::Refused })
    });
    left.collect()
}

/// Returns the keys that are pending deletion, with the earliest deletion date of each. The waiting
/// period of a primary key begins only when its last replica key is deleted (KMS Developer Guide,
/// "Deleting multi-Region keys").
fn going(topology: &Topology, world: &World, scheduled: &BTreeMap<Arn, Scheduled>) -> Vec<Going> {
    let known = world
        .keys
        .primary
        .iter()
        .chain(world.keys.replicas.values())
        .chain(&world.keys.pending)
        .filter(|key| key.is_pending_deletion())
        .map(|key| (key.arn.clone(), Scheduled::from(key)));
    let mut all: BTreeMap<Arn, Scheduled> = known.collect();
    all.extend(scheduled.clone());
    // Earlier keys of the pair may be pending deletion too; a replica key has the key id of its
    // primary key.
    let mut last_replicas: BTreeMap<String, Timestamp> = BTreeMap::new();
    for (arn, key) in &all {
        if let (KeyState::PendingDeletion, Some(date)) = (&key.state, key.deletion_date) {
            let last = last_replicas.entry(arn.resource().to_owned()).or_insert(date);
            *last = date.max(*last);
        }
    }
    all.into_iter()
        .map(|(arn, key)| {
            let last_replica = last_replicas.get(arn.resource());
            // `Timestamp` has no calendar days; each day of the waiting period has 24 hours.
            let days = key.window_days.unwrap_or(topology.deletion_window_days().into());
            let after_replicas = || last_replica?.checked_add((days * 24).hours()).ok();
            let date = match key.state {
                KeyState::PendingReplicaDeletion => after_replicas(),
                _ => key.deletion_date,
            };
            let last_use = world.keys.last_uses.get(&arn).cloned();
            Going { arn, state: key.state, deletes_not_before: date, last_use }
        })
        .collect()
}
