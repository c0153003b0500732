//! `crrctl check`: runs named checks of the live pair.
//! Not for: the checks themselves (see `crate::check`).

use super::Global;
use super::objects::CheckObject;
use super::output::{self, Ended, Printer};
use super::pairs::{self, OutputMode};
use super::policy::organisation;
use super::session::{Inputs, find_by_bucket, read_or_find};
use super::wait::{Uri, uri};
use crate::check::{CheckedSide, Finding, Object, Report, Settings, Verdict, catalogue};
use crate::events::millis;
use crate::failure::Failure;
use crate::ops::{self, Input, Session};
use crate::policy::Operation;
use crate::printed::Field;
use crate::report;
use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{ArgAction, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub(super) struct CheckArgs {
    /// One object of the source, to be checked beside the pair; without a manifest, its bucket tells the pair
    #[arg(value_name = "s3://BUCKET/KEY", value_parser = uri)]
    object: Option<Uri>,
    /// The version of that object; by default the current one
    #[arg(long, value_name = "ID", requires = "object", value_parser = NonEmptyStringValueParser::new())]
    version_id: Option<String>,
    /// A check to leave out, such as `bucket.mfa-delete`; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = name, env = "CRRCTL_SKIP_CHECK", value_delimiter = ',')]
    skip_check: Vec<&'static str>,
    /// Look at one side's Regions alone
    #[arg(long, value_enum, env = "CRRCTL_SIDE")]
    side: Option<SideArg>,
    /// Ask whether the pair could be built: that nothing of it exists is then no failure
    #[arg(long)]
    before_apply: bool,
    /// Ask CloudTrail, too, for the calls that AWS denied the replication role in the last day (read-only; needs
    /// `cloudtrail:LookupEvents`)
    #[arg(long)]
    ask_aws: bool,
    /// Ask S3, too, for its failure reason: a batch job of one object, which is billed ($0.25) and which replicates the
    /// object if nothing is in the way. Without an object, the newest that is FAILED
    #[arg(long, requires = "ask_aws")]
    with_batch: bool,
    /// With `--with-batch`, do not ask first
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    yes: bool,
    /// A service control policy of the organisation; give all that apply, `FullAWSAccess` included
    #[arg(long, value_name = "FILE")]
    scp: Vec<PathBuf>,
    /// A resource control policy of the organisation
    #[arg(long, value_name = "FILE")]
    rcp: Vec<PathBuf>,
}

impl CheckArgs {
    /// Returns whether the command deletes what it creates, even after the deadline or the first signal.
    pub(super) fn takes_away(&self) -> bool {
        self.with_batch
    }

    /// Returns what the command line does, as far as its permissions depend on it.
    pub(super) fn operation(&self) -> Operation {
        if self.with_batch { Operation::CheckWithBatch } else { Operation::Check }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SideArg {
    Source,
    Destination,
}

fn name(text: &str) -> Result<&'static str, String> {
    if let Some(name) = catalogue::check_names().find(|name| *name == text) {
        return Ok(name);
    }
    let near = catalogue::nearest(text, catalogue::check_names());
    Err(match near.first() {
        Some(near) => format!("there is no such check; did you mean `{near}`?"),
        None => "there is no such check; `crrctl explain` lists them".to_owned(),
    })
}

pub(super) async fn run(
    global: &Global,
    args: &CheckArgs,
    printer: &Printer,
    object: &mut CheckObject,
) -> Ended {
    let settings = Settings {
        skip: args.skip_check.clone(),
        side: args.side.map(|side| match side {
            SideArg::Source => CheckedSide::Source,
            SideArg::Destination => CheckedSide::Destination,
        }),
        organisation: organisation(&args.scp, &args.rcp)?,
        failed: false,
        before_apply: args.before_apply,
        ask_aws: args.ask_aws,
        object: args.object.as_ref().map(|it| Object {
            bucket: it.bucket.clone(),
            key: it.key.clone(),
            version_id: args.version_id.clone(),
        }),
    };
    let asks = args.with_batch.then_some(args.yes);
    if asks == Some(false) && !output::can_ask() {
        return Err(output::wants_yes("check --with-batch"));
    }
    let all = global.volume() >= report::Volume::Verbose;
    let one = async |session: Session, part: &Printer, object: &mut CheckObject| {
        one(session, &settings, (all, asks), part, object).await
    };
    let inputs = inputs(global, args).await?;
    let mode = if args.with_batch { OutputMode::Alone } else { OutputMode::Whole };
    pairs::one_or_each(global, printer, object, inputs, mode, one).await
}

/// Finds the pair: that of the manifest or the flags, or the one that the object's bucket is the
/// source of.
async fn inputs(global: &Global, args: &CheckArgs) -> Result<Inputs, Failure> {
    let Some(object) = &args.object else { return read_or_find(global, global.sandbox).await };
    if !global.names_a_pair() && !Path::new("crrctl.yaml").exists() && !global.sandbox {
        let found = find_by_bucket(global, &object.bucket).await?;
        return Ok(Inputs::One(Box::new(found)));
    }
    let has_bucket =
        |input: &Input| input.manifest.region_of_bucket(object.bucket.as_str()).is_some();
    Ok(match read_or_find(global, global.sandbox).await? {
        Inputs::Many(mut several) => {
            several.inputs.retain(has_bucket);
            Inputs::One(Box::new(Inputs::Many(several).only()?))
        }
        one @ Inputs::One(_) => one,
    })
}

/// Checks one pair. With `all`, the checks that passed are printed too. `asks` is set where S3 is asked as well, and
/// says whether the user agreed beforehand.
async fn one(
    session: Session,
    settings: &Settings,
    (all, asks): (bool, Option<bool>),
    printer: &Printer,
    object: &mut CheckObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let mut report = ops::check(&session, settings).await?;
    let asked = match asks.filter(|_| report.failure.is_none()) {
        Some(agreed) => Box::pin(ask(&session, settings, agreed, &mut report, object)).await,
        None => Ok(()),
    };
    session.done(!report.has_failed(), false);
    object.checks.set(report.findings.clone());
    object.failure_reasons.set(report.failure_reasons.clone());
    object.api_calls.set(session.aws.count().total());
    object.elapsed_ms.set(millis(session.started.elapsed()));
    printer.text(&report::checks(&report, all));
    asked?;
    match &report.failure {
        Some(failure) => Err(failure.clone()),
        None => Ok(if report.has_failed() { FAILED } else { 0 }),
    }
}

/// Asks S3 itself about one object, once the user agreed, and adds what it said to the report.
async fn ask(
    session: &Session,
    settings: &Settings,
    agreed: bool,
    report: &mut Report,
    object: &mut CheckObject,
) -> Result<(), Failure> {
    let question = match ops::question(session, settings.object.as_ref()).await? {
        Ok(question) => question,
        Err(why) => {
            ops::add_unasked(session, report, why, false);
            return Ok(());
        }
    };
    let of = question.object();
    let cost = "a batch job of this one object ($0.25 and the replication)";
    let told = format!(
        "asking S3 why {of} is not replicated takes {cost}; it replicates the object if it can"
    );
    output::say(&told);
    if !agreed {
        let answer = output::ask("create the job? [y/N]", &session.stop).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            ops::add_unasked(session, report, "the answer was not yes", true);
            return Ok(());
        }
    }
    let said = question.ask().await?;
    if let Some(left) = &said.left {
        output::say(&format!("left behind: {left}"));
    }
    let finding = ops::add_said(session, report, &said, settings.object.is_some());
    if finding.result == Verdict::Pass {
        output::say(&finding.detail);
    }
    object.batch.set(said);
    Ok(())
}

/// The exit code of a failed check (`contract`: "Exit codes").
const FAILED: u8 = 2;

/// Checks the live pair after an object FAILED, and adds the causes to `failure`, the likeliest
/// first. Fills the fields of the JSON output object with the results and S3's failure reasons.
pub(super) async fn diagnosed(
    session: &Session,
    failure: Failure,
    checks: &mut Field<Vec<Finding>>,
    reasons: &mut Field<Vec<&'static str>>,
) -> Failure {
    let (failure, report) = ops::diagnosed(session, failure).await;
    if let Some(report) = report {
        checks.set(report.findings);
        reasons.set(report.failure_reasons);
    }
    failure
}
