//! `crrctl apply`: creates or updates the pair, then proves that it replicates.
//! Not for: the work itself (see `ops::apply`).

use super::Global;
use super::check;
use super::objects::{ApplyObject, PlanObject, Resource};
use super::other_side;
use super::output::{self, Ended, Printer};
use super::pairs::{OutputMode, PairRunner};
use super::plan::PlanArgs;
use super::session::{self, Inputs, Several};
use crate::backfill::Sample;
use crate::events::{Event, Verb, millis};
use crate::failure::{self, Failure};
use crate::manifest::Topology;
use crate::ops::{self, Applied, Planned, Probing, Session};
use crate::plan::{self, Action, Kept, Plan, Why, Wish};
use crate::probe;
use crate::report::{self, tables};
use crate::units::format_duration;
use clap::builder::FalseyValueParser;
use std::time::Duration;

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
    pub(super) prune: bool,
    /// Bring the pair's keys back where they are pending deletion or disabled
    #[arg(long)]
    pub(super) revive_keys: bool,
    /// Let the pair stand for this long, such as `2h` or `1d`: after that `crrctl gc` may remove it
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

/// Returns the resources of the pair that exist after an apply.
pub(super) fn resources(applied: &Applied) -> Vec<Resource> {
    let mut resources = Vec::new();
    for action in &applied.plan.actions {
        // A change that was planned and not made is not an existing resource.
        let stands = action.arn.as_ref().filter(|_| !action.changes());
        let Some(arn) = applied.outcome.done.get(&action.id).or(stands) else { continue };
        resources.push(Resource {
            step: action.id.clone(),
            kind: action.kind(),
            region: action.region.clone(),
            arn: arn.clone(),
            action: action.verb(),
        });
    }
    resources
}

pub(super) async fn run(
    global: &Global,
    args: &ApplyArgs,
    printer: &Printer,
    object: &mut ApplyObject,
) -> Ended {
    if !args.yes && !output::can_ask() {
        return Err(output::wants_yes("apply"));
    }
    let input = match Inputs::read(global, global.sandbox)? {
        Inputs::One(input) => *input,
        Inputs::Many(several) => return all(global, args, printer, object, several).await,
    };
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    one(session, args, printer, object).await
}

/// Applies every pair of a manifest; asks for confirmation once.
async fn all(
    global: &Global,
    args: &ApplyArgs,
    printer: &Printer,
    object: &mut ApplyObject,
    several: Several,
) -> Ended {
    let runner = PairRunner::gather(global, printer, several).await?;
    if !args.yes {
        let plan = async |mut session: Session, part: &Printer, object: &mut PlanObject| {
            session.ephemeral = args.ephemeral;
            session.wish = args.wish();
            super::plan::one(session, &PlanArgs::default(), part, object).await
        };
        let question = format!("apply the changes of {}? [y/N]", runner.title());
        let answer = runner.ask(plan, &question).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            return Err(declined());
        }
    }
    let apply = async |session: Session, part: &Printer, object: &mut ApplyObject| {
        one(session, &ApplyArgs { yes: true, ..*args }, part, object).await
    };
    runner.each(OutputMode::Verdict, object, apply).await
}

fn declined() -> Failure {
    Failure::new(failure::Kind::Interrupted, "declined", "not applied: the answer was not yes")
}

/// Applies one pair.
async fn one(
    mut session: Session,
    args: &ApplyArgs,
    printer: &Printer,
    object: &mut ApplyObject,
) -> Ended {
    session.ephemeral = args.ephemeral;
    session.wish = args.wish();
    object.pair.set(session.manifest.name().to_string());
    let planned = other_side::planned(&session, printer, &mut object.documents).await?;
    let probing = if args.no_probe { Probing::Off } else { Probing::On };
    if let Some(failure) = ops::refused(&planned, probing) {
        return Err(failure);
    }
    let Planned { topology, plan, .. } = &planned;
    object.warnings.set(plan.warnings.clone());
    for warning in &plan.warnings {
        printer.say(&format!("warning: {warning}"));
    }
    if !args.yes && plan.has_changes() {
        output::say(&session.aws.described(&topology.source.account));
        output::say(&tables::plan(plan, Some(&plan::cost(topology))));
        let answer = output::ask("apply these changes? [y/N]", &session.stop).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            return Err(declined());
        }
    }
    let applied = ops::apply(&session, planned, probing).await;
    session.done(applied.failure().is_none(), applied.changed());
    fill(object, &session, &applied);
    report(&session, &applied, printer);
    if let Some(failure) = applied.failure().cloned() {
        other_side::hand_over(&session, &applied.topology, printer, &mut object.documents)?;
        let (checks, reasons) = (&mut object.checks, &mut object.failure_reasons);
        let failure = check::diagnosed(&session, failure, checks, reasons).await;
        return Err(leaving(failure, &applied));
    }
    printer.text(&until(&applied));
    object.existing = offer_backfill(&session, &applied, printer).await.into();
    Ok(0)
}

/// Returns what the manifest no longer names and what stays all the same.
fn left(plan: &Plan) -> Vec<Kept> {
    let orphans = plan.actions.iter().filter(|action| action.verb() == Verb::Orphan);
    let kept = |action: &Action| {
        let (arn, why) = (action.arn.clone()?, report::reason(&action.work));
        Some(Kept { kind: action.kind(), arn, why, because: Why::Refused })
    };
    orphans.filter_map(kept).collect()
}

/// Adds the result to the JSON output object.
fn fill(object: &mut ApplyObject, session: &Session, applied: &Applied) {
    object.changed.set(applied.changed());
    object.resources.set(resources(applied));
    object.probes.set(applied.evidence.probes.clone());
    object.summary.set(probe::summary(&applied.evidence.probes));
    let calls = session.aws.count();
    object.api_calls.set(calls.total());
    object.api_writes.set(calls.writes);
    object.elapsed_ms.set(millis(session.started.elapsed()));
    object.activated_at.set(applied.activated_at);
    object.replaced.set(applied.replaced.clone());
    if session.wish.prune {
        object.left.set(left(&applied.plan));
    }
    object.expires.set(applied.topology.found.expires);
}

/// If others wrote objects before the rule became live, prints how many versions the rule does not
/// cover. Returns what was found.
async fn offer_backfill(session: &Session, applied: &Applied, printer: &Printer) -> Option<Sample> {
    let sample = match ops::uncovered(session, applied).await {
        Ok(sample) => sample?,
        // The pair is built and proven all the same: `apply` does not require permission to read
        // objects that others wrote.
        Err(why) => {
            printer.say(&format!(
                "what was written before the rule could not be looked at: {why}; `crrctl backfill` does it"
            ));
            return None;
        }
    };
    let missing = sample.uncovered + sample.failed;
    if missing > 0 {
        let more = if sample.more { ", and there are more" } else { "" };
        printer.say(&format!(
            "{missing} of the {} versions looked at were written before the rule, or FAILED, and are not replicated{more}: \
             `crrctl backfill` replicates them",
            sample.looked_at
        ));
    }
    Some(sample)
}

/// Returns a sentence about when the pair expires, or that it no longer expires; empty if it never
/// did.
fn until(applied: &Applied) -> String {
    match (applied.topology.found.expires, applied.expired_at) {
        (Some(expires), _) => {
            format!("it stands until {expires}; `crrctl gc --yes` removes it after that\n")
        }
        (None, Some(date)) => format!("it was to go after {date}, and stays from now on\n"),
        (None, None) => String::new(),
    }
}

/// Tells of the result in text and events.
pub(super) fn report(session: &Session, applied: &Applied, printer: &Printer) {
    let summary = probe::summary(&applied.evidence.probes);
    for replaced in &applied.replaced {
        let (step, document) = (&replaced.step, &replaced.document);
        session
            .events
            .say(&Event::StepNote { step: step.clone(), note: format!("replaced: {document}") });
    }
    printer.text(&tables::evidence(&applied.evidence.probes, &summary));
    if applied.failure().is_none() {
        let calls = session.aws.count();
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
    failure.hint("`crrctl apply` again goes on from here; `crrctl destroy` removes all of it")
}
