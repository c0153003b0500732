//! `crrctl apply`: creates or updates the pair, then proves that it replicates.
//! Not for: deciding what to change (see `plan`), or running the actions (see `engine`).

use super::Global;
use super::check;
use super::other_side;
use super::output::{self, Ended, Printer};
use super::pairs::{OutputMode, PairRunner};
use super::plan::PlanArgs;
use super::proof::Proof;
use super::session::{Inputs, Session, Several};
use crate::backfill;
use crate::engine::{self, Outcome};
use crate::events::{Event, Kind, StepId, Verb};
use crate::failure::{self, Failure};
use crate::manifest::{PairKeys, Topology};
use crate::names::{Arn, Region};
use crate::plan::expiry::{self, Expiry};
use crate::plan::{self, Action, Plan, Removal, Wish};
use crate::probe::{self, Evidence, Patience, Settings};
use crate::report::tables;
use crate::steps::{Prover, Replaced, Steps};
use crate::units::format_duration;
use crate::world::World;
use clap::builder::FalseyValueParser;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub(super) struct ApplyArgs {
    /// Do not ask before changing anything
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// End when everything stands, without proving it
    #[arg(long)]
    no_probe: bool,
    /// Remove what is this pair's and the manifest no longer names; objects that are not probes keep their bucket and its key
    #[arg(long)]
    prune: bool,
    /// Bring the pair's keys back where they are pending deletion or disabled
    #[arg(long)]
    pub(super) revive_keys: bool,
    /// Let the pair stand for this long, such as `2h` or `1d`: after that `crrctl gc` may take it away
    #[arg(long, value_name = "TTL", value_parser = ttl)]
    ephemeral: Option<Duration>,
}

/// Parses a TTL of at least 1s: a pair that expires before it exists is of no use.
pub(super) fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = crate::units::duration(text)?;
    if ttl < Duration::from_secs(1) { Err("it must be at least 1s".to_owned()) } else { Ok(ttl) }
}

impl ApplyArgs {
    fn wish(&self) -> Wish {
        Wish { prune: self.prune, revive_keys: self.revive_keys }
    }
}

/// An item of `resources` in the JSON output object.
#[derive(Debug, Serialize)]
struct Resource<'a> {
    step: &'a StepId,
    kind: Kind,
    region: &'a Region,
    arn: &'a Arn,
    action: Verb,
}

/// The result of an apply.
pub(super) struct Applied {
    pub(super) topology: Topology,
    pub(super) plan: Plan,
    pub(super) outcome: Outcome,
    pub(super) evidence: Evidence,
    pub(super) activated_at: Option<jiff::Timestamp>,
    replaced: Vec<Replaced>,
    /// The expiry date that the pair had before, if it was ephemeral.
    pub(super) expired_at: Option<jiff::Timestamp>,
}

impl Applied {
    /// Returns whether anything was changed; probes don't count.
    pub(super) fn changed(&self) -> bool {
        !self.outcome.done.is_empty()
    }

    /// Returns the keys that this run created. Until an alias names them, they are found only by
    /// lists and tags, which are not up to date at once.
    pub(super) fn keys_made(&self) -> Vec<Arn> {
        let is_made = |it: &&Action| it.kind() == Kind::Key && it.verb() == Verb::Create;
        let made = self.plan.actions.iter().filter(is_made);
        made.filter_map(|it| self.outcome.done.get(&it.id).cloned()).collect()
    }

    /// Returns the first failure.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.outcome.failure.as_ref().or(self.evidence.failure.as_ref())
    }

    fn resources(&self) -> Vec<Resource<'_>> {
        let mut resources = Vec::new();
        for action in &self.plan.actions {
            // A change that was planned and not made is not an existing resource.
            let stands = action.arn.as_ref().filter(|_| !action.changes());
            let Some(arn) = self.outcome.done.get(&action.id).or(stands) else { continue };
            let Action { id, region, .. } = action;
            let (kind, action) = (action.kind(), action.verb());
            resources.push(Resource { step: id, kind, region, arn, action });
        }
        resources
    }
}

pub(super) async fn run(global: &Global, args: &ApplyArgs, printer: &Printer) -> Ended {
    if !args.yes && !output::can_ask() {
        return Err(output::wants_yes("apply"));
    }
    let input = match Inputs::read(global, global.sandbox)? {
        Inputs::One(input) => *input,
        Inputs::Many(several) => return all(global, args, printer, several).await,
    };
    let session = Session::with(global, printer, input, global.sandbox).await?;
    one(session, args, printer).await
}

/// Applies every pair of a manifest; asks for confirmation once.
async fn all(global: &Global, args: &ApplyArgs, printer: &Printer, several: Several) -> Ended {
    let runner = PairRunner::gather(global, printer, several).await?;
    if !args.yes {
        let plan = async |mut session: Session, part: &Printer| {
            session.ephemeral = args.ephemeral;
            session.wish = args.wish();
            super::plan::one(session, &PlanArgs::default(), part).await
        };
        let question = format!("apply the changes of {}? [y/N]", runner.title());
        let answer = runner.ask(plan, &question).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            return Err(declined());
        }
    }
    let apply = async |session: Session, part: &Printer| {
        one(session, &ApplyArgs { yes: true, ..*args }, part).await
    };
    runner.each(OutputMode::Verdict, apply).await
}

fn declined() -> Failure {
    Failure::new(failure::Kind::Interrupted, "declined", "not applied: the answer was not yes")
}

/// Applies one pair.
async fn one(mut session: Session, args: &ApplyArgs, printer: &Printer) -> Ended {
    session.ephemeral = args.ephemeral;
    session.wish = args.wish();
    printer.put("pair", session.manifest.name());
    let (topology, world, plan) = other_side::planned(&session, printer).await?;
    if let Some(failure) = probe::refused(&topology).filter(|_| !args.no_probe) {
        return Err(failure);
    }
    if args.no_probe && plan.proven_first {
        return Err(unproven(&topology));
    }
    printer.put("warnings", &plan.warnings);
    for warning in &plan.warnings {
        printer.say(&format!("warning: {warning}"));
    }
    if !args.yes && plan.has_changes() {
        output::say(&session.aws.described(&topology.source.account));
        output::say(&tables::plan(&plan, Some(&plan::cost(&topology))));
        let answer = output::ask("apply these changes? [y/N]", &session.stop).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            return Err(declined());
        }
    }
    let applied = apply(&session, topology, &world, plan, !args.no_probe).await;
    session.done(applied.failure().is_none(), applied.changed());
    report(&session, &applied, printer);
    if applied.failure().is_none() {
        printer.text(&until(&applied));
    }
    if let Some(failure) = applied.failure().cloned() {
        other_side::hand_over(&session, &applied.topology, printer)?;
        let failure = check::diagnosed(&session, failure, printer).await;
        return Err(leaving(failure, &applied));
    }
    offer_backfill(&session, &applied.topology, &world, printer).await;
    Ok(0)
}

/// If others wrote objects before the rule became live, prints how many versions the rule does not
/// cover: a replication rule applies to objects that are written after it.
async fn offer_backfill(session: &Session, topology: &Topology, world: &World, printer: &Printer) {
    let objects = world.buckets.get(&topology.source.bucket).and_then(|it| it.objects.as_ref());
    if objects.is_none_or(|objects| objects.foreign.is_empty()) {
        return;
    }
    let looked =
        session.unless_ending(async { Ok(backfill::sample(&session.aws, topology).await?) }).await;
    let sample = match looked {
        Ok(sample) => sample,
        // The pair is built and proven all the same: `apply` does not require permission to read
        // objects that others wrote.
        Err(why) => {
            printer.say(&format!(
                "what was written before the rule could not be looked at: {why}; `crrctl backfill` does it"
            ));
            return;
        }
    };
    printer.put("existing", sample);
    let missing = sample.uncovered + sample.failed;
    if missing > 0 {
        let more = if sample.more { ", and there are more" } else { "" };
        printer.say(&format!(
            "{missing} of the {} versions looked at were written before the rule, or FAILED, and are not replicated{more}: \
             `crrctl backfill` replicates them",
            sample.looked_at
        ));
    }
}

/// Runs the actions of `plan`, then probes.
pub(super) async fn apply(
    session: &Session,
    topology: Topology,
    world: &World,
    plan: Plan,
    probe: bool,
) -> Applied {
    let changes = plan.has_changes();
    let proof = plan.proven_first.then(|| Proof::new(session));
    let prover = proof.clone().map(|proof| -> Box<dyn Prover> { Box::new(proof) });
    let steps = session.steps(&topology, world, Removal::default());
    let steps = Arc::new(steps.proving_first(prover));
    let mut spares = late_spares(session, &steps, &topology);
    let outcome = engine::run(
        &plan,
        Arc::clone(&steps),
        &session.events,
        &session.stop,
        session.gate.clone(),
    )
    .await;
    session.leave_seat();
    steps.is_built();
    let (activated_at, replaced) = (steps.activated_at(), steps.replaced());
    let mut evidence = Evidence::default();
    evidence.probes.extend(proof.iter().flat_map(Proof::probes));
    evidence.failure = other_side::waiting(&topology).filter(|_| outcome.failure.is_none());
    if probe && outcome.failure.is_none() && evidence.failure.is_none() {
        let proof = prove(session, &topology, steps.keys(), changes);
        let last = session.unless_cut("probing", proof).await;
        let last = last.unwrap_or_else(|why| Evidence::cut_off(why, &topology));
        evidence.probes.extend(last.probes);
        evidence.failure = last.failure;
    }
    if outcome.failure.is_none() && evidence.failure.is_none() {
        let look = still(session, &steps, &mut spares, changes, probe);
        let stands = session.unless_cut("looking whether the pair stands", look).await;
        evidence.failure = stands.and_then(|stands| stands).err();
    }
    let expired_at = Expiry::of(expiry::tags_of_ours(&topology, world)).date();
    Applied { topology, plan, outcome, evidence, activated_at, replaced, expired_at }
}

/// Returns the failure for `--no-probe` with rules that cover objects of others: such rules must be
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

/// Probes each rule with one object and, if the run changed something, with a two-part object too.
async fn prove(session: &Session, topology: &Topology, keys: PairKeys, changed: bool) -> Evidence {
    let settings = Settings {
        count: 1,
        size: 64 << 10,
        multipart: changed,
        concurrency: 2,
        keep: false,
        patience: Patience::of(session.patience, changed),
        at_most: Duration::from_mins(20),
    };
    let (aws, events, stop) =
        (Arc::clone(&session.aws), session.events.clone(), session.stop.clone());
    probe::run(aws, topology.clone(), keys, settings, events, stop).await
}

/// Returns a sentence about when the pair expires, or that it no longer expires; empty if it never
/// did.
fn until(applied: &Applied) -> String {
    match (applied.topology.found.expires, applied.expired_at) {
        (Some(expires), _) => {
            format!("it stands until {expires}; `crrctl gc --yes` takes it away after that\n")
        }
        (None, Some(date)) => format!("it was to go after {date}, and stays from now on\n"),
        (None, None) => String::new(),
    }
}

pub(super) fn report(session: &Session, applied: &Applied, printer: &Printer) {
    let summary = probe::summary(&applied.evidence.probes);
    let (ok, changed) = (applied.failure().is_none(), applied.changed());
    for replaced in &applied.replaced {
        let (step, document) = (&replaced.step, &replaced.document);
        session
            .events
            .say(&Event::StepNote { step: step.clone(), note: format!("replaced: {document}") });
    }
    printer.put("changed", changed);
    printer.put("resources", applied.resources());
    printer.put("probes", &applied.evidence.probes);
    printer.put("summary", summary);
    let calls = session.aws.count();
    printer.put("api_calls", calls.total());
    printer.put("api_writes", calls.writes);
    printer.put("elapsed_ms", crate::events::millis(session.started.elapsed()));
    printer.put("activated_at", applied.activated_at);
    printer.put("replaced", &applied.replaced);
    printer.put("expires", applied.topology.found.expires);
    printer.text(&tables::evidence(&applied.evidence.probes, &summary));
    if ok {
        let regions: Vec<&str> =
            applied.topology.destinations.iter().map(|side| side.region.as_str()).collect();
        let done = applied.outcome.done.len();
        let work = match done {
            0 => "nothing to change".to_owned(),
            1 => "1 change made".to_owned(),
            done => format!("{done} changes made"),
        };
        let proof = match summary.count {
            0 => "not probed".to_owned(),
            count => format!("{} of {count} probes COMPLETED", summary.completed),
        };
        // Calls are counted for all pairs together, so a single pair has no count.
        let calls =
            if printer.is_part() { String::new() } else { format!(" in {} calls", calls.total()) };
        if done > 0 {
            printer.text(&tables::standing(&applied.topology));
        }
        printer.text(&tables::verdict(&format!(
            "{}: {} {} {}: {work}, {proof}, {}{calls}",
            applied.topology.wanted.name,
            applied.topology.source.region,
            applied.topology.arrow(),
            regions.join(", "),
            format_duration(session.started.elapsed())
        )));
    }
}

/// Adds to a failure what the run leaves behind and how to continue.
fn leaving(failure: Failure, applied: &Applied) -> Failure {
    let made = applied.outcome.done.len();
    let changes = if made == 1 { "change" } else { "changes" };
    let pair = &applied.topology.wanted.name;
    let failure = if made > 0 {
        failure.leaving(format!(
            "{made} {changes} of this run, tagged `{}={pair}`",
            Topology::PAIR_TAG
        ))
    } else {
        failure
    };
    failure.hint("`crrctl apply` again goes on from here; `crrctl destroy` takes it all away")
}
