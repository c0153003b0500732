//! `crrctl backfill`: replicates existing and FAILED objects through S3 Batch Replication.
//! Not for: the batch job itself (see `crate::backfill`).

use super::Global;
use super::objects::BackfillObject;
use super::output::{self, Ended, Printer};
use super::session::{self, read_or_find};
use crate::backfill::{self, Job, Jobs, Wish};
use crate::check::{self, Finding, Settings, Verdict, catalogue};
use crate::engine;
use crate::events::Verb;
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, Topology};
use crate::observe::{self, Depth};
use crate::ops::{self, Session};
use crate::plan::{self, Removal, rules};
use crate::report::tables;
use crate::steps::{changed, changed_meanwhile, find};
use crate::units;
use crate::world::World;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub(super) struct BackfillArgs {
    /// Do not ask once the objects are counted
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Only objects with these replication statuses
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Status::None, Status::Failed])]
    status: Vec<Status>,
    /// Only objects written after this time, such as `2026-01-31` or `2026-01-31T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only objects written before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Only objects whose keys begin so
    #[arg(long)]
    prefix: Option<String>,
    /// Only objects larger than this, such as `64KiB`
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    larger_than: Option<u64>,
    /// Only objects smaller than this
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    smaller_than: Option<u64>,
    /// Only objects of these storage classes, such as `STANDARD_IA`
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    storage_class: Vec<String>,
    /// Of several jobs of the account, higher goes first
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(i32).range(0..))]
    priority: i32,
    /// Follow the job to its end, and say why objects were not replicated
    #[arg(long, action = ArgAction::SetTrue)]
    watch: bool,
    /// Cancel the job that is under way; what it has replicated stays
    #[arg(long, conflicts_with_all = ["watch", "resume"])]
    cancel: bool,
    /// Go on with the job that is under way, and follow it to its end
    #[arg(long)]
    resume: bool,
}

/// A replication status, as filters name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    /// Written before a rule covered it
    None,
    /// Tried, and not replicated
    Failed,
    /// Replicated already; again, such as after a destination was changed
    Completed,
    /// A replica itself
    Replica,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Failed => "FAILED",
            Self::Completed => "COMPLETED",
            Self::Replica => "REPLICA",
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
    let found = text.parse().ok().or_else(|| midnight(text.parse().ok()?));
    found.ok_or_else(|| "a time looks like `2026-01-31` or `2026-01-31T08:00:00Z`".to_owned())
}

impl BackfillArgs {
    fn wish(&self) -> Wish {
        Wish {
            statuses: self.status.iter().map(|it| it.as_str().to_owned()).collect(),
            since: self.since,
            until: self.until,
            prefix: self.prefix.clone(),
            larger_than: self.larger_than,
            smaller_than: self.smaller_than,
            storage_classes: self.storage_class.iter().map(|it| it.to_uppercase()).collect(),
            priority: self.priority,
            confirm: !self.yes,
        }
    }
}

pub(super) async fn run(
    global: &Global,
    args: &BackfillArgs,
    printer: &Printer,
    object: &mut BackfillObject,
) -> Ended {
    // A job that is under way was confirmed when it was made, or is asked about below.
    let asks = !args.yes && !args.cancel && !args.resume;
    if asks && !output::can_ask() {
        return Err(output::wants_yes("backfill"));
    }
    let input = read_or_find(global, global.sandbox).await?.one()?;
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    one(&session, global, args, printer, object).await.map_err(changed)
}

/// Backfills one pair.
async fn one(
    session: &Session,
    global: &Global,
    args: &BackfillArgs,
    printer: &Printer,
    object: &mut BackfillObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let (topology, mut world) = session.observe(Depth::Wanted).await?;
    let jobs = Jobs::new(&session.aws, &topology, &session.events, &session.stop);
    let under_way = jobs.under_way().await?;
    if args.cancel {
        return cancel(session, &jobs, under_way, printer, object).await;
    }
    let id = match under_way {
        Some(id) => {
            output::say(&format!("the batch job {id} is under way: going on with it"));
            id
        }
        None if args.resume => {
            let message = "no batch job of this pair is under way";
            return Err(Failure::new(Kind::Manifest, "no-job", message));
        }
        None => {
            covers(&topology, &world)?;
            let _ = ops::standing_keys(session, &topology, &world)?;
            if topology.backward().next().is_some() {
                output::say(&format!(
                    "only what lies in `{}` is looked at: S3 Batch Replication of the ways back is not built",
                    topology.source.bucket
                ));
            }
            let sample = backfill::sample(&session.aws, &topology).await?;
            if sample.has_none_of(&args.wish().statuses) {
                nothing(session, &topology, printer, object);
                return Ok(0);
            }
            proven(session, args).await?;
            prepare(session, global, &topology, &mut world, sample).await?;
            let told = world.batch.role.as_ref().and_then(|role| role.tags.get(Jobs::TOLD_TAG));
            jobs.create(&args.wish(), told.map(String::as_str)).await?
        }
    };
    let job = confirmed(session, &jobs, args, &id).await?;
    // A job that is over by now is reported like a job that was followed to its end.
    let job = if args.watch || args.resume { jobs.until_over(&id).await? } else { job };
    object.job.set(job.clone());
    end(session, &topology, &jobs, &job, printer, object).await
}

/// Checks that a live rule of the pair exists, since a batch job replicates by the live rules.
fn covers(topology: &Topology, world: &World) -> Result<(), Failure> {
    let source = &topology.source;
    let live = world.buckets.get(&source.bucket).filter(|live| topology.wanted.owns(&live.tags));
    let live = live.and_then(|live| live.replication.as_ref());
    let is_live = live.is_some_and(|live| {
        live.rules.iter().any(|rule| rule.enabled && rules::is_ours(topology, &rule.id))
    });
    if is_live {
        return Ok(());
    }
    let message = format!("no live rule of this pair covers `{}`", source.bucket);
    Err(Failure::new(Kind::InTheWay, "not-applied", message)
        .in_region(&source.region)
        .hint("`crrctl apply` first"))
}

/// Says that no object has one of the statuses. Nothing was made for that.
fn nothing(session: &Session, topology: &Topology, printer: &Printer, object: &mut BackfillObject) {
    session.done(true, false);
    object.reasons.set(Vec::new());
    object.api_calls.set(session.aws.count().total());
    printer.text(&tables::verdict(&format!("{}: {NOTHING}", topology.wanted.name)));
}

const NOTHING: &str = "nothing to replicate: no object has one of these statuses";

/// Checks that S3 may replicate, since a job is billed whether it can or not. What is certainly in
/// the way is asked about; with `--yes` it is told.
async fn proven(session: &Session, args: &BackfillArgs) -> Result<(), Failure> {
    let settings = Settings { skip: vec!["objects.failed"], ..Settings::default() };
    let report = check::run(&session.aws, &session.manifest, &session.templates, &settings);
    let report = session.unless_ending(Box::pin(report)).await?;
    let causes = report.causes();
    let is_in_the_way =
        |finding: &&&Finding| finding.result == Verdict::Fail && !finding.reasons.is_empty();
    let Some(cause) = causes.iter().find(is_in_the_way) else { return Ok(()) };
    let remedy = cause.remedy.as_deref().unwrap_or_default();
    output::say(&format!("the job would fail: {}: {}; fix: {remedy}", cause.name, cause.detail));
    if args.yes {
        return Ok(());
    }
    let question = "a job is billed even if it replicates nothing; make it all the same? [y/N]";
    let answer = output::ask(question, &session.stop).await?;
    if matches!(answer.as_str(), "y" | "Y" | "yes") {
        return Ok(());
    }
    let message = "nothing was made: the answer was not yes";
    Err(Failure::new(Kind::Interrupted, "declined", message)
        .hint("fix what `crrctl check` names, then `crrctl backfill` again"))
}

/// Creates the resources that a batch job requires, and tells of the objects that it can't
/// replicate.
async fn prepare(
    session: &Session,
    global: &Global,
    topology: &Topology,
    world: &mut World,
    sample: backfill::Sample,
) -> Result<(), Failure> {
    world.batch = session.unless_ending(observe::batch(&session.aws, topology, false)).await?;
    let plan = plan::batch(topology, world, &session.templates)?;
    let steps = Arc::new(session.steps(topology, world, Removal::default()));
    let most = global.max_concurrency;
    let outcome = engine::run(&plan, steps, &session.events, &session.stop, most).await;
    if let Some(failure) = outcome.failure {
        let made = plan.actions.iter().filter(|action| action.verb() == Verb::Create).count();
        return Err(if made > 0 {
            failure.hint("`crrctl backfill` again goes on from here")
        } else {
            failure
        });
    }
    backfill::check_report_place(&session.aws, topology).await?;
    if sample.archived > 0 {
        output::say(&format!(
            "{} of {} objects looked at lie in GLACIER or DEEP_ARCHIVE, which S3 does not replicate: restore them, or choose others \
             with `--storage-class`",
            sample.archived, sample.looked_at
        ));
    }
    Ok(())
}

/// Confirms a job that waits for confirmation. Without `--yes`, the user is asked first and is
/// shown how many objects the job covers.
async fn confirmed(
    session: &Session,
    jobs: &Jobs<'_>,
    args: &BackfillArgs,
    id: &str,
) -> Result<Job, Failure> {
    let job = if args.yes { jobs.look(id).await? } else { jobs.until_counted(id).await? };
    if !job.is_suspended() {
        return Ok(job);
    }
    if !args.yes && !output::can_ask() {
        return Err(output::wants_yes("backfill"));
    }
    if !args.yes {
        let total = job.total.map_or_else(|| "its".to_owned(), |total| total.to_string());
        let answer =
            output::ask(&format!("replicate {total} objects? [y/N]"), &session.stop).await?;
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            jobs.cancel(id).await?;
            let message = "cancelled: the answer was not yes";
            return Err(Failure::new(Kind::Interrupted, "declined", message));
        }
    }
    jobs.confirm(id).await?;
    jobs.look(id).await
}

async fn cancel(
    session: &Session,
    jobs: &Jobs<'_>,
    id: Option<String>,
    printer: &Printer,
    object: &mut BackfillObject,
) -> Ended {
    let Some(id) = id else {
        printer.text("no batch job of this pair is under way\n");
        session.done(true, false);
        return Ok(0);
    };
    jobs.cancel(&id).await?;
    let job = jobs.until_over(&id).await?;
    session.done(true, true);
    printer.text(&format!("the batch job {id} is {}; what it has replicated stays\n", job.status));
    object.job.set(job);
    Ok(0)
}

/// A job fails too where another run took the pair away meanwhile.
async fn why(session: &Session, topology: &Topology, failure: Failure) -> Result<Failure, Failure> {
    let BucketPlace { bucket, region } = &topology.source.place;
    let tags = find::bucket_tags(&session.aws, bucket, region).await?;
    Ok(if topology.wanted.owns(&tags) { failure } else { changed_meanwhile(&failure.message) })
}

/// Reports the status of the job and, once the job is over, why objects were not replicated.
async fn end(
    session: &Session,
    topology: &Topology,
    jobs: &Jobs<'_>,
    job: &Job,
    printer: &Printer,
    object: &mut BackfillObject,
) -> Ended {
    if !job.is_over() {
        session.done(true, true);
        printer.text(&format!(
            "the batch job {} is {}: `crrctl backfill --resume` follows it to its end\n",
            job.id, job.status
        ));
        return Ok(0);
    }
    let reasons = if job.failed > 0 {
        backfill::reasons(&session.aws, topology, &job.id).await?
    } else {
        Vec::new()
    };
    // What S3 had replicated before is no failure (S3 User Guide, `SrcReplicationNotPending`).
    let already = reasons.iter().filter(|it| it.code == "SrcReplicationNotPending");
    let already: u64 = already.map(|it| it.count).sum();
    let is_done = job.status == "Complete" && job.failed == already;
    let verdict = match backfill::verdict(job) {
        _ if is_done => None,
        Some(failure) if failure.code == "job-failed" => {
            Some(why(session, topology, failure).await?)
        }
        verdict => verdict,
    };
    session.done(verdict.is_none(), true);
    object.reasons.set(reasons.clone());
    object.api_calls.set(session.aws.count().total());
    printer.text(&tables::reasons(&reasons));
    jobs.told(&job.id).await?;
    let Some(failure) = verdict else {
        let done = if job.found_nothing() {
            NOTHING.to_owned()
        } else {
            match already {
                0 => format!("{} objects replicated", job.succeeded),
                _ => format!("{} objects replicated, {already} were before", job.succeeded),
            }
        };
        printer.text(&tables::verdict(&format!("{}: {done}", topology.wanted.name)));
        return Ok(0);
    };
    let mends = reasons.iter().filter_map(|it| catalogue::entry(&it.code));
    let mends =
        mends.flat_map(|entry| entry.mends.iter().map(|mend| format!("{}: {mend}", entry.code)));
    let example = reasons.iter().find_map(|it| it.keys.first());
    let example = example.map(|key| {
        let bucket = &topology.source.bucket;
        format!("`crrctl check s3://{bucket}/{key}` says which statement stands in the way of that object")
    });
    Err(mends.chain(example).fold(failure, Failure::hint))
}
