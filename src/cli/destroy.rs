//! `crrctl destroy`: removes the pair in the order that AWS requires.
//! Not for: deciding what is removed (see `plan::removal`).

use super::Global;
use super::output::{self, Ended, Printer};
use super::pairs::{OutputMode, PairRunner};
use super::session::{Inputs, Session, Several, read_or_find};
use crate::backfill::{Job, Jobs};
use crate::engine::{self, Outcome};
use crate::events::{Kind, StepId};
use crate::failure::{self, Failure};
use crate::manifest::Topology;
use crate::names::{Arn, Region};
use crate::observe::Depth;
use crate::plan::{self, Kept, Plan, Removal, Why};
use crate::policy::Operation;
use crate::report::tables;
use crate::steps::Scheduled;
use crate::units::format_duration;
use crate::world::{KeyState, World};
use clap::builder::FalseyValueParser;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub(super) struct DestroyArgs {
    /// Do not ask for the pair's name
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Delete all versions of all objects, those that are not ours too
    #[arg(long)]
    purge_data: bool,
    /// Schedule keys that others may use, too
    #[arg(long)]
    purge_keys: bool,
    /// Leave keys and aliases in place
    #[arg(long)]
    keep_keys: bool,
    /// Leave buckets in place, and with them their keys
    #[arg(long)]
    keep_buckets: bool,
    /// Delete versions under GOVERNANCE retention too; nothing deletes those under COMPLIANCE retention or a hold
    #[arg(long)]
    bypass_governance: bool,
    /// Days until the keys go, instead of the manifest's
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u8).range(7..=30))]
    window: Option<u8>,
}

impl DestroyArgs {
    /// Returns what these flags have done.
    pub(super) fn operation(&self) -> Operation {
        match (self.bypass_governance, self.purge_data) {
            (true, _) => Operation::DestroyBypassingGovernance,
            (false, true) => Operation::DestroyPurgingData,
            (false, false) => Operation::Destroy,
        }
    }
}

/// An item of `removed` in the JSON output object.
#[derive(Debug, Serialize)]
pub(super) struct Removed<'a> {
    step: &'a StepId,
    kind: Kind,
    region: &'a Region,
    pub(super) arn: &'a Arn,
}

/// An item of `keys` in the JSON output object: a key that is scheduled for deletion, and the
/// earliest date of its deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Going {
    arn: Arn,
    state: KeyState,
    deletes_not_before: Option<Timestamp>,
}

/// The result of a destroy.
pub(super) struct Destroyed {
    /// The batch job that was cancelled before the removal.
    job: Option<Box<Job>>,
    plan: Plan,
    outcome: Outcome,
    pub(super) left: Vec<Kept>,
    pub(super) keys: Vec<Going>,
}

pub(super) async fn run(global: &Global, args: &DestroyArgs, printer: &Printer) -> Ended {
    if !args.yes && !output::can_ask() {
        return Err(output::wants_yes("destroy"));
    }
    let input = match read_or_find(global, global.sandbox).await? {
        Inputs::One(input) => *input,
        Inputs::Many(several) => return all(global, args, printer, several).await,
    };
    let session = Session::with(global, printer, input, global.sandbox).await?;
    one(session, args, printer).await
}

/// Destroys every pair of a manifest; asks for confirmation once.
async fn all(global: &Global, args: &DestroyArgs, printer: &Printer, several: Several) -> Ended {
    let runner = PairRunner::gather(global, printer, several).await?;
    if !args.yes {
        let plan = async |session: Session, part: &Printer| {
            part.text(&planned(&session, args).await?.preview(&session).await?);
            Ok(0)
        };
        let question = format!("type `{}` to take all of this away:", runner.title());
        if runner.ask(plan, &question).await? != runner.title() {
            return Err(declined());
        }
    }
    let destroy = async |session: Session, part: &Printer| {
        one(session, &DestroyArgs { yes: true, ..*args }, part).await
    };
    runner.each(OutputMode::Verdict, destroy).await
}

fn declined() -> Failure {
    let message = "not destroyed: the answer was not the pair's name";
    Failure::new(failure::Kind::Interrupted, "declined", message)
}

/// What would be removed.
struct Planned {
    topology: Topology,
    world: World,
    plan: Plan,
    kept: Vec<Kept>,
}

impl DestroyArgs {
    fn wish(&self) -> Removal {
        Removal {
            purge_data: self.purge_data,
            purge_keys: self.purge_keys,
            keep_keys: self.keep_keys,
            keep_buckets: self.keep_buckets,
            bypass_governance: self.bypass_governance,
        }
    }
}

async fn planned(session: &Session, args: &DestroyArgs) -> Result<Planned, Failure> {
    let (mut topology, world) = session.observe(Depth::Removal).await?;
    topology.found.deletion_window_days = args.window;
    let (plan, kept) = plan::removal(&topology, &world, args.wish())?;
    Ok(Planned { topology, world, plan, kept })
}

impl Planned {
    /// Returns the text that is shown to the user before the confirmation.
    async fn preview(&self, session: &Session) -> Result<String, Failure> {
        let caller = session.aws.described(&self.topology.source.account);
        let (plan, kept) = (tables::plan(&self.plan, None), tables::kept(&self.kept));
        let mut text = format!("{caller}\n{plan}\n{kept}\n");
        if let Some(id) = job_under_way(session, &self.topology, &self.world).await? {
            let _ = writeln!(text, "the batch job {id} is under way; it is cancelled first");
        }
        Ok(text)
    }
}

/// Destroys one pair.
async fn one(session: Session, args: &DestroyArgs, printer: &Printer) -> Ended {
    printer.put("pair", session.manifest.name());
    let planned = planned(&session, args).await?;
    if !args.yes && planned.plan.has_changes() {
        output::say(planned.preview(&session).await?.trim_end_matches('\n'));
        let name = &planned.topology.wanted.name;
        let question = format!("type `{name}` to take all of this away:");
        if output::ask(&question, &session.stop).await? != name.as_str() {
            return Err(declined());
        }
    }
    let Planned { topology, world, plan, kept } = planned;
    let destroyed = destroy(&session, &topology, &world, plan, kept, args.wish()).await;
    session.done(destroyed.verdict().is_none(), destroyed.has_removed());
    report(&session, &destroyed, printer);
    destroyed.verdict().map_or(Ok(0), Err)
}

/// Runs the removal `plan`.
pub(super) async fn destroy(
    session: &Session,
    topology: &Topology,
    world: &World,
    plan: Plan,
    kept: Vec<Kept>,
    wish: Removal,
) -> Destroyed {
    let job = match end_job(session, topology, world).await {
        Ok(job) => job.map(Box::new),
        Err(failure) => return Destroyed::not_begun(plan, kept, failure),
    };
    let steps = Arc::new(session.steps(topology, world, wish));
    let outcome = engine::run(
        &plan,
        Arc::clone(&steps),
        &session.events,
        &session.stop,
        session.gate.clone(),
    )
    .await;
    let keys = going(topology, world, &steps.scheduled());
    let mut left = kept;
    left.extend(unfinished(&plan, &outcome));
    left.extend(steps.held());
    Destroyed { job, plan, outcome, left, keys }
}

/// Finds a batch job of the pair that is not over. All batch jobs use the pair's batch role: if
/// that role does not exist, there was no job.
async fn job_under_way(
    session: &Session,
    topology: &Topology,
    world: &World,
) -> Result<Option<String>, Failure> {
    if !world.batch.role.as_ref().is_some_and(|role| topology.wanted.owns(&role.tags)) {
        return Ok(None);
    }
    let jobs = Jobs::new(&session.aws, topology, &session.events, &session.stop);
    session.unless_ending(async { Ok(jobs.not_over().await?) }).await
}

/// Cancels the batch job that is under way and waits for its end. Until then, the job uses a role
/// of the pair and writes to one of the pair's buckets.
async fn end_job(
    session: &Session,
    topology: &Topology,
    world: &World,
) -> Result<Option<Job>, Failure> {
    let Some(id) = job_under_way(session, topology, world).await? else { return Ok(None) };
    let jobs = Jobs::new(&session.aws, topology, &session.events, &session.stop);
    output::say(&format!(
        "the batch job {id} is under way: cancelling it; what it has replicated stays"
    ));
    jobs.cancel(&id).await?;
    Ok(Some(jobs.until_over(&id).await?))
}

impl Destroyed {
    /// Returns the result of a removal that did not begin because an earlier step failed.
    fn not_begun(plan: Plan, kept: Vec<Kept>, failure: Failure) -> Self {
        let changes = plan.actions.iter().filter(|action| action.changes());
        let unfinished = changes.map(|action| action.id.clone()).collect();
        let outcome = Outcome { done: BTreeMap::new(), failure: Some(failure), unfinished };
        let mut left = kept;
        left.extend(self::unfinished(&plan, &outcome));
        Self { job: None, plan, outcome, left, keys: Vec::new() }
    }

    /// Returns whether anything was removed.
    pub(super) fn has_removed(&self) -> bool {
        !self.outcome.done.is_empty()
    }

    pub(super) fn removed(&self) -> Vec<Removed<'_>> {
        let done = |action: &&crate::plan::Action| self.outcome.done.contains_key(&action.id);
        let removed = self.plan.actions.iter().filter(done).filter_map(|action| {
            let arn = action.arn.as_ref()?;
            Some(Removed { step: &action.id, kind: action.kind(), region: &action.region, arn })
        });
        removed.collect()
    }

    /// Returns the failure of the removal, if any: an error, or a resource that stays although no
    /// flag asked to keep it.
    pub(super) fn verdict(&self) -> Option<Failure> {
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
    let is_left = |action: &&crate::plan::Action| outcome.unfinished.contains(&action.id);
    let failed = |action: &crate::plan::Action| {
        let failure = outcome.failure.as_ref();
        failure.filter(|failure| failure.step.as_deref() == Some(action.id.as_str()))
    };
    let is_ending = |failure: &Failure| {
        matches!(failure.kind, failure::Kind::Interrupted | failure::Kind::TooLate)
    };
    let is_stuck = |it: &&crate::plan::Action| {
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
            Going { arn, state: key.state, deletes_not_before: date }
        })
        .collect()
}

pub(super) fn report(session: &Session, destroyed: &Destroyed, printer: &Printer) {
    let verdict = destroyed.verdict();
    if let Some(job) = &destroyed.job {
        printer.put("job", job);
        printer.text(&format!("the batch job {} is {}\n", job.id, job.status));
    }
    printer.put("removed", destroyed.removed());
    printer.put("left", &destroyed.left);
    printer.put("keys", &destroyed.keys);
    printer.put("api_calls", session.aws.count().total());
    printer.put("elapsed_ms", crate::events::millis(session.started.elapsed()));
    printer.text(&tables::kept(&destroyed.left));
    for key in &destroyed.keys {
        let when = match key.deletes_not_before {
            Some(date) => format!("goes no earlier than {date}"),
            None => "has no date before its last replica is gone".to_owned(),
        };
        printer.text(&format!("key {} is {}, {when}\n", key.arn, key.state));
    }
    if verdict.is_none() {
        let removed = destroyed.outcome.done.len();
        let took = format_duration(session.started.elapsed());
        let pair = session.manifest.name();
        printer.text(&tables::verdict(&match removed {
            0 => format!("{pair}: nothing to remove"),
            removed => format!("{pair}: {removed} resources removed in {took}"),
        }));
    }
}
