//! `apply`: runs the actions of a plan, proves the result with probes, and looks whether it still stands.
//! Not for: deciding what to change (see `plan`), or running the actions (see `engine`).

use super::activation::RuleProof;
use super::probe::proven;
use super::{Planned, Session, other_side};
use crate::backfill::{self, Sample, Wish};
use crate::engine::{self, Outcome};
use crate::events::{Kind, StepId, Verb};
use crate::failure::{self, Failure};
use crate::manifest::Topology;
use crate::names::Arn;
use crate::plan::expiry::{self, Expiry};
use crate::plan::{Action, Plan, Removal};
use crate::probe::{self, Evidence, Patience, Settings};
use crate::steps::{Prover, Replaced, Steps};
use crate::world::World;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Whether an apply ends with probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// It does.
    On,
    /// It ends when everything is built.
    Off,
}

/// The result of an apply.
#[derive(Debug)]
pub struct Applied {
    /// What is wanted, and what was found of it.
    pub topology: Topology,
    /// What existed before.
    pub world: World,
    /// What was to be done.
    pub plan: Plan,
    /// What was done.
    pub outcome: Outcome,
    /// What the probes show. Its failure is also that of a pair that does not stand at the end.
    pub evidence: Evidence,
    /// When the rules were confirmed to be live, if this run wrote them.
    pub activated_at: Option<Timestamp>,
    /// The documents of others that this run overwrote.
    pub replaced: Vec<Replaced>,
    /// The expiry date that the pair had before, if it was ephemeral.
    pub expired_at: Option<Timestamp>,
}

impl Applied {
    /// Returns whether anything was changed; probes don't count.
    pub fn changed(&self) -> bool {
        !self.outcome.done.is_empty()
    }

    /// Returns the keys that this run created. Until an alias names them, they are found only by
    /// lists and tags, which are not up to date at once.
    pub fn keys_made(&self) -> Vec<Arn> {
        let is_made = |it: &&Action| it.kind() == Kind::Key && it.verb() == Verb::Create;
        let made = self.plan.actions.iter().filter(is_made);
        made.filter_map(|it| self.outcome.done.get(&it.id).cloned()).collect()
    }

    /// Returns the first failure.
    pub fn failure(&self) -> Option<&Failure> {
        self.outcome.failure.as_ref().or(self.evidence.failure.as_ref())
    }
}

/// Returns why `planned` may not be applied, if so: a probe could not be deleted, or rules that cover objects of others
/// would become live without proof.
pub fn refused(planned: &Planned, probing: Probing) -> Option<Failure> {
    match probing {
        Probing::On => probe::refused(&planned.topology),
        Probing::Off => planned.plan.proven_first.then(|| unproven(&planned.topology)),
    }
}

/// Runs the actions of `planned`, probes, and reads again what must exist.
pub async fn apply(session: &Session, planned: Planned, probing: Probing) -> Applied {
    let Planned { topology, world, plan } = planned;
    let (changes, probes) = (plan.has_changes(), probing == Probing::On);
    let first = plan.proven_first.then(|| RuleProof::new(session));
    let prover = first.clone().map(|first| -> Box<dyn Prover> { Box::new(first) });
    let steps = session.steps(&topology, &world, Removal::default()).proving_first(prover);
    let steps = Arc::new(steps);
    let mut spares = late_spares(session, &steps, &topology);

    let (events, stop, gate) = (&session.events, &session.stop, session.gate.clone());
    let outcome = engine::run(&plan, Arc::clone(&steps), events, stop, gate).await;
    session.release_build_permit();
    steps.is_built();

    let mut evidence = Evidence::default();
    evidence.probes.extend(first.iter().flat_map(RuleProof::probes));
    let is_built = outcome.failure.is_none();
    evidence.failure = other_side::waiting(&topology).filter(|_| is_built);
    if probes && is_built && evidence.failure.is_none() {
        let now = changes.then_some(Duration::ZERO);
        let ago = now.or_else(|| world.changed_ago(Timestamp::now()));
        let (keys, settings) = (steps.keys(), settings(session, changes, ago));
        let last = proven(session, &steps, &topology, &keys, settings).await;
        evidence.probes.extend(last.probes);
        evidence.failure = last.failure;
    }

    if is_built && evidence.failure.is_none() {
        let look = still(session, &steps, &mut spares, changes, probes);
        let stands = session.unless_cut("looking whether the pair stands", look).await;
        evidence.failure = stands.and_then(|stands| stands).err();
    }
    if outcome.failure.is_some() || evidence.failure.is_some() {
        let freed = steps.free_of_going_keys();
        let _ = session.unless_cut("taking buckets off a key that goes", freed).await;
    }
    let (activated_at, replaced) = (steps.activated_at(), steps.replaced());
    let expired_at = Expiry::of(expiry::tags_of_ours(&topology, &world)).date();
    Applied { topology, world, plan, outcome, evidence, activated_at, replaced, expired_at }
}

/// Returns the failure for rules that cover objects of others and are not to be probed: such rules must be
/// proven before they become live.
fn unproven(topology: &Topology) -> Failure {
    let source = &topology.source;
    let message = format!(
        "the rules of `{}` would meet what others write there, and `--no-probe` leaves them unproven",
        source.bucket
    );
    Failure::new(failure::Kind::InTheWay, "activation-unproven", message)
        .in_region(&source.region)
        .hint("leave out `--no-probe`: they are proven on probes alone, then go live")
        .hint("to let them go live at once, and risk objects that end FAILED: `replication.activation: direct`")
}

/// Starts a task that schedules the deletion of spare keys that lists did not show before. It runs
/// beside everything else; if the run fails, the next run does this work.
fn late_spares(session: &Session, steps: &Arc<Steps>, topology: &Topology) -> JoinSet<Spares> {
    let progress = session.events.step(&StepId::new(Kind::Key, topology.source.region.as_str()));
    let steps = Arc::clone(steps);
    let mut beside = JoinSet::new();
    beside.spawn(async move { steps.schedule_late_spares(&progress).await });
    beside
}

/// The time of the last look for spare keys.
type Spares = Result<Instant, Failure>;

/// Re-reads the pair before reporting success: a concurrent `destroy` may have removed part of it.
async fn still(
    session: &Session,
    steps: &Steps,
    spares: &mut JoinSet<Spares>,
    changed: bool,
    probed: bool,
) -> Result<(), Failure> {
    let looked = match spares.join_next().await {
        Some(Ok(looked)) => looked?,
        // A panic in the task is a bug and must not be hidden.
        Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        None => Instant::now(),
    };
    if !changed && !probed {
        return Ok(());
    }
    let since = if probed { Instant::now() } else { looked };
    let progress = session.events.step(&StepId::new(Kind::Key, session.aws.home().as_str()));
    steps.still_stands(since, changed, &progress).await
}

/// Returns the settings of the probes at the end: one object for each rule, the last change being made `ago`, and, if the
/// run changed something, a two-part object too.
fn settings(session: &Session, changed: bool, ago: Option<Duration>) -> Settings {
    Settings {
        count: 1,
        size: 64 << 10,
        multipart: changed,
        concurrency: 2,
        keep: false,
        patience: Patience::of(session.patience, ago),
        at_most: Duration::from_mins(20),
    }
}

/// If others wrote objects before the rules became live, looks at some of them: a replication rule
/// applies to objects that are written after it. Returns `None` if there are none.
///
/// # Errors
///
/// The objects can't be read, or the run is to end.
pub async fn uncovered(session: &Session, applied: &Applied) -> Result<Option<Sample>, Failure> {
    let source = applied.world.buckets.get(&applied.topology.source.bucket);
    let objects = source.and_then(|it| it.objects.as_ref());
    if objects.is_none_or(|objects| objects.foreign.is_empty()) {
        return Ok(None);
    }
    let look =
        async { Ok(backfill::sample(&session.aws, &applied.topology, &Wish::default()).await?) };
    session.unless_ending(look).await.map(Some)
}
