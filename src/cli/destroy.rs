//! `crrctl destroy`: removes the pair in the order that AWS requires.
//! Not for: the work itself (see `ops::destroy`).

use super::Global;
use super::objects::DestroyObject;
use super::output::{self, Ended, Printer};
use super::pairs::{OutputMode, PairRunner};
use super::session::{self, Inputs, Several, read_or_find};
use crate::events::millis;
use crate::failure::{self, Failure};
use crate::ops::{self, Destroyed, PlannedRemoval, Session};
use crate::plan::Removal;
use crate::policy::Operation;
use crate::report::tables;
use crate::units::format_duration;
use clap::builder::FalseyValueParser;
use std::fmt::Write;

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

pub(super) async fn run(
    global: &Global,
    args: &DestroyArgs,
    printer: &Printer,
    object: &mut DestroyObject,
) -> Ended {
    if !args.yes && !output::can_ask() {
        return Err(output::wants_yes("destroy"));
    }
    let input = match read_or_find(global, global.sandbox).await? {
        Inputs::One(input) => *input,
        Inputs::Many(several) => return all(global, args, printer, object, several).await,
    };
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    one(session, args, printer, object).await
}

/// Destroys every pair of a manifest; asks for confirmation once.
async fn all(
    global: &Global,
    args: &DestroyArgs,
    printer: &Printer,
    object: &mut DestroyObject,
    several: Several,
) -> Ended {
    let runner = PairRunner::gather(global, printer, several).await?;
    if !args.yes {
        let plan = async |session: Session, part: &Printer, _: &mut DestroyObject| {
            part.text(&preview(&session, &planned(&session, args).await?).await?);
            Ok(0)
        };
        let question = format!("type `{}` to remove all of this:", runner.title());
        if runner.ask(plan, &question).await? != runner.title() {
            return Err(declined());
        }
    }
    let destroy = async |session: Session, part: &Printer, object: &mut DestroyObject| {
        one(session, &DestroyArgs { yes: true, ..*args }, part, object).await
    };
    runner.each(OutputMode::Verdict, object, destroy).await
}

fn declined() -> Failure {
    let message = "not destroyed: the answer was not the pair's name";
    Failure::new(failure::Kind::Interrupted, "declined", message)
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

async fn planned(session: &Session, args: &DestroyArgs) -> Result<PlannedRemoval, Failure> {
    ops::removal(session, args.wish(), args.window).await
}

/// Returns the text that is shown to the user before the confirmation.
async fn preview(session: &Session, planned: &PlannedRemoval) -> Result<String, Failure> {
    let caller = session.aws.described(&planned.topology.source.account);
    let (plan, kept) = (tables::plan(&planned.plan, None), tables::kept(&planned.kept));
    let mut text = format!("{caller}\n{plan}\n{kept}\n");
    if let Some(id) = ops::job_under_way(session, planned).await? {
        let _ = writeln!(text, "the batch job {id} is under way; it is cancelled first");
    }
    Ok(text)
}

/// Destroys one pair.
async fn one(
    session: Session,
    args: &DestroyArgs,
    printer: &Printer,
    object: &mut DestroyObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let planned = planned(&session, args).await?;
    object.warnings.set(planned.plan.warnings.clone());
    for warning in &planned.plan.warnings {
        printer.say(&format!("warning: {warning}"));
    }
    if !args.yes && planned.plan.has_changes() {
        output::say(preview(&session, &planned).await?.trim_end_matches('\n'));
        let name = &planned.topology.wanted.name;
        let question = format!("type `{name}` to remove all of this:");
        if output::ask(&question, &session.stop).await? != name.as_str() {
            return Err(declined());
        }
    }
    let destroyed = ops::destroy(&session, planned).await;
    session.done(destroyed.verdict().is_none(), destroyed.has_removed());
    fill(object, &session, &destroyed);
    report(&session, &destroyed, printer);
    destroyed.verdict().map_or(Ok(0), Err)
}

/// Adds the result to the JSON output object.
fn fill(object: &mut DestroyObject, session: &Session, destroyed: &Destroyed) {
    object.job = destroyed.job.as_deref().cloned().into();
    object.removed.set(destroyed.removed());
    object.left.set(destroyed.left.clone());
    object.keys.set(destroyed.keys.clone());
    object.api_calls.set(session.aws.count().total());
    object.elapsed_ms.set(millis(session.started.elapsed()));
}

/// Tells of the result in text.
pub(super) fn report(session: &Session, destroyed: &Destroyed, printer: &Printer) {
    let verdict = destroyed.verdict();
    if let Some(job) = &destroyed.job {
        printer.text(&format!("the batch job {} is {}\n", job.id, job.status));
    }
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
