//! `crrctl rehearse`: runs the whole lifecycle of the manifest in the sandbox: plan, apply, probe,
//! apply again, destroy. Fails if anything is left.
//! Not for: calls to AWS.

use super::Global;
use super::furnish::furnish;
use super::objects::{Ends, Part, Phase, RehearseObject};
use super::output::{Ended, Printer};
use super::session::{self, Inputs, Several};
use crate::events::millis;
use crate::failure::{Failure, Kind};
use crate::observe;
use crate::ops::{self, Probing, Session};
use crate::plan::Removal;
use crate::probe;
use crate::report::{self, tables};
use crate::units::format_duration;
use crrctl_sandbox::Sandbox;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct RehearseArgs {}

/// Prints each phase when it ends, and adds it to the JSON output object.
struct Phases<'a> {
    printer: &'a Printer,
    object: &'a mut RehearseObject,
    done: Vec<Phase>,
    since: Instant,
}

impl Phases<'_> {
    fn end(&mut self, name: &'static str, detail: String) {
        let elapsed = std::mem::replace(&mut self.since, Instant::now()).elapsed();
        self.printer.text(&format!("{name:<14} {detail} ({})\n", format_duration(elapsed)));
        self.done.push(Phase { name, detail, elapsed_ms: millis(elapsed) });
        self.object.phases.set(self.done.clone());
    }
}

pub(super) async fn run(
    global: &Global,
    _: &RehearseArgs,
    printer: &Printer,
    object: &mut RehearseObject,
) -> Ended {
    match Inputs::read(global, true)? {
        Inputs::One(input) => {
            let (session, sandbox) = session::open(global, printer, *input, true).await?;
            one(&session, sandbox.as_ref(), printer, object).await
        }
        Inputs::Many(several) => each(global, printer, object, several).await,
    }
}

/// Rehearses one pair.
async fn one(
    session: &Session,
    sandbox: Option<&Sandbox>,
    printer: &Printer,
    object: &mut RehearseObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let mut phases = Phases { printer, object, done: Vec::new(), since: Instant::now() };
    let ended = live(session, sandbox, printer, &mut phases).await;
    session.done(ended.is_ok(), true);
    ended?;
    object.elapsed_ms.set(millis(session.started.elapsed()));
    printer.text(&tables::verdict(&format!(
        "{}: rehearsed, nothing is left",
        session.manifest.name()
    )));
    Ok(0)
}

/// Rehearses several pairs, one after another, each in a sandbox of its own: what one leaves is not
/// taken for another's. Ends with the first failure.
async fn each(
    global: &Global,
    printer: &Printer,
    object: &mut RehearseObject,
    several: Several,
) -> Ended {
    let (started, count) = (Instant::now(), several.inputs.len());
    let mut pairs = Vec::new();
    let mut failure = None;
    for input in several.inputs {
        let (home, name) = (input.manifest.source_region(), input.manifest.name());
        printer.text(&format!("{name}\n"));
        let manifest = Some(&input.manifest);
        let begun = session::begin(global, printer, home, name.as_str(), manifest, true);
        let (context, sandbox) = begun.await?;
        let mut of_pair = RehearseObject::default();
        let session = Session::alone(context, input);
        let ended = one(&session, sandbox.as_ref(), printer, &mut of_pair).await;
        of_pair.exit_code.set(ended.as_ref().map_or_else(|it| it.kind.exit_code(), |code| *code));
        failure = ended.err();
        of_pair.end(failure.clone());
        pairs.push(Part(of_pair));
        if failure.is_some() {
            break;
        }
    }
    object.elapsed_ms.set(millis(started.elapsed()));
    object.count.set(pairs.len());
    object.failed.set(usize::from(failure.is_some()));
    let left = pairs.iter().filter_map(|Part(pair)| pair.left.get()).flatten();
    object.left.set(left.cloned().collect());
    object.pairs.set(pairs);
    if let Some(failure) = failure {
        return Err(failure);
    }
    printer.text(&tables::verdict(&format!("{count} pairs rehearsed, nothing is left")));
    Ok(0)
}

async fn live(
    session: &Session,
    sandbox: Option<&Sandbox>,
    printer: &Printer,
    phases: &mut Phases<'_>,
) -> Result<(), Failure> {
    let (found, _) = observe::first_wave(&session.aws, &session.manifest).await?;
    let (mut adopted, mut furnished) = (Vec::new(), Vec::new());
    if let Some(sandbox) = sandbox {
        adopted = furnish(session, sandbox, &found).await?;
        furnished = sandbox.leftovers();
    }
    let planned = ops::plan(session).await?;
    phases.end("plan", format!("{} actions", planned.plan.actions.len()));

    let applied = ops::apply(session, planned, Probing::On).await;
    let summary = probe::summary(&applied.evidence.probes);
    phases.object.probes.set(applied.evidence.probes.clone());
    printer.text(&tables::evidence(&applied.evidence.probes, &summary));
    if let Some(failure) = applied.failure() {
        return Err(failure.clone());
    }
    let longest = format_duration(Duration::from_millis(summary.max_ms.unwrap_or_default()));
    let (done, probes) = (applied.outcome.done.len(), summary.completed);
    phases.end(
        "apply",
        format!("{done} changes, {probes} probes COMPLETED, the slowest after {longest}"),
    );

    let again = ops::plan(session).await?.plan;
    if again.has_changes() {
        phases.object.changes.set(report::changes(&again));
        let message =
            format!("a second apply would change something:\n{}", tables::plan(&again, None));
        return Err(Failure::new(Kind::Unexpected, "not-converged", message));
    }
    phases.end("apply again", "no changes".to_owned());

    let wish = Removal { purge_keys: true, ..Removal::default() };
    let planned = ops::removal(session, wish, None).await?;
    let work = ops::destroy(session, planned);
    // If the source bucket stays, the removal waits until S3 no longer applies its rules.
    let destroyed = match sandbox {
        Some(sandbox) if !adopted.is_empty() => sandbox.in_fast_time(work).await,
        _ => work.await,
    };
    if let Some(failure) = destroyed.verdict() {
        return Err(failure);
    }
    phases.end("destroy", "done".to_owned());

    let mut left = sandbox.map(Sandbox::leftovers).unwrap_or_default();
    left.retain(|arn| !furnished.contains(arn));
    if !adopted.is_empty() {
        // Adopted buckets stay, and the keys of their data stay with them.
        let stays = |arn: &String| {
            arn.contains(":kms:") || adopted.iter().any(|bucket| arn.ends_with(bucket.as_str()))
        };
        left.retain(|arn| !stays(arn));
        phases.end("stays", format!("{} adopted buckets, and the keys", adopted.len()));
    }
    phases.object.left.set(left.clone());
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::LeftBehind,
        "left-behind",
        format!("left in the sandbox: {}", left.join(", ")),
    ))
}
