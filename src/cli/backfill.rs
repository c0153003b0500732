//! `crrctl backfill`: replicates existing and FAILED objects through S3 Batch Replication.
//! Not for: the batch job itself (see `crate::backfill`).

use super::Global;
use super::objects::BackfillObject;
use super::output::{self, Ended, Printer};
use super::session::{self, read_or_find};
use crate::backfill::{Job, Jobs, Sample, Wish};
use crate::check::catalogue;
use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::ops::{self, Backfill, JobEnd, Session};
use crate::report::tables;
use crate::steps::changed;
use crate::units;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub(super) struct BackfillArgs {
    /// Answer yes to every question: once the objects are counted, and where `check` knows that the job would fail
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
            list: None,
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
    one(&session, args, printer, object).await.map_err(changed)
}

/// Backfills one pair.
async fn one(
    session: &Session,
    args: &BackfillArgs,
    printer: &Printer,
    object: &mut BackfillObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let mut backfill = ops::backfill(session).await?;
    let under_way = backfill.jobs().under_way().await?;
    if args.cancel {
        return cancel(session, &backfill.jobs(), under_way, printer, object).await;
    }
    let id = match under_way {
        Some(id) => {
            output::say(&format!("the batch job {id} is under way: going on with it"));
            id
        }
        None if args.resume => {
            let message = "no batch job of this pair is under way";
            return Err(Failure::new(Kind::Manifest, "no-job", message)
                .hint("`crrctl backfill` without `--resume` makes one"));
        }
        None => {
            let sample = backfill.sample(&args.wish()).await?;
            if backfill.topology.backward().next().is_some() {
                output::say(&format!(
                    "only objects in `{}` are looked at: crrctl can't start a batch job for a reverse direction",
                    backfill.topology.source.bucket
                ));
            }
            if sample.has_none_of(&args.wish().statuses) {
                nothing(session, &backfill.topology, printer, object);
                return Ok(0);
            }
            agreed(session, &backfill, args).await?;
            archived(&sample);
            backfill.create(&args.wish()).await?
        }
    };
    let jobs = backfill.jobs();
    let job = confirmed(session, &jobs, args, &id).await?;
    // A job that is over by now is reported like a job that was followed to its end.
    let job = if args.watch || args.resume { jobs.until_over(&id).await? } else { job };
    object.job.set(job.clone());
    end(session, &mut backfill, &job, printer, object).await
}

/// Says that no object has one of the statuses. Nothing was made for that.
fn nothing(session: &Session, topology: &Topology, printer: &Printer, object: &mut BackfillObject) {
    session.done(true, false);
    object.reasons.set(Vec::new());
    object.api_calls.set(session.aws.count().total());
    printer.text(&tables::verdict(&format!("{}: {NOTHING}", topology.wanted.name)));
}

const NOTHING: &str = "nothing to replicate: no object matches the statuses and filters";

/// Tells what is certainly in the way of the job, and asks whether to create it anyway; with `--yes` it only tells.
async fn agreed(
    session: &Session,
    backfill: &Backfill<'_>,
    args: &BackfillArgs,
) -> Result<(), Failure> {
    let Some(cause) = backfill.obstacle().await? else { return Ok(()) };
    let remedy = cause.remedy.as_deref().unwrap_or_default();
    output::say(&format!("the job would fail: {}: {}; fix: {remedy}", cause.name, cause.detail));
    if args.yes {
        return Ok(());
    }
    let question = "a job is billed even if it replicates nothing; create it anyway? [y/N]";
    let answer = output::ask(question, &session.stop).await?;
    if matches!(answer.as_str(), "y" | "Y" | "yes") {
        return Ok(());
    }
    let message = "nothing was created: the answer was not yes";
    Err(Failure::new(Kind::Interrupted, "declined", message)
        .hint("fix what `crrctl check` names, then run `crrctl backfill` again"))
}

/// Tells of the objects that a job can't replicate.
fn archived(sample: &Sample) {
    if sample.archived > 0 {
        output::say(&format!(
            "{} of {} objects looked at lie in GLACIER or DEEP_ARCHIVE, which S3 does not replicate: restore them, or choose others \
             with `--storage-class`",
            sample.archived, sample.looked_at
        ));
    }
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

/// Reports the status of the job and, once the job is over, why objects were not replicated.
async fn end(
    session: &Session,
    backfill: &mut Backfill<'_>,
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
    let JobEnd { reasons, already, failure } = backfill.ended(job).await?;
    session.done(failure.is_none(), true);
    object.reasons.set(reasons.clone());
    object.api_calls.set(session.aws.count().total());
    printer.text(&tables::reasons(&reasons));
    // A job that found nothing leaves nothing that was made for it.
    let is_taken_down = job.found_nothing() && backfill.take_down().await?;
    if !is_taken_down {
        backfill.jobs().told(&job.id).await?;
    }
    let topology = &backfill.topology;
    let Some(failure) = failure else {
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
        mends.flat_map(|entry| entry.mends.iter().map(|fix| format!("{}: {fix}", entry.code)));
    let example = reasons.iter().find_map(|it| it.keys.first());
    let example = example.map(|key| {
        let bucket = &topology.source.bucket;
        format!("`crrctl check s3://{bucket}/{key}` says which statement stands in the way of that object")
    });
    Err(mends.chain(example).fold(failure, Failure::hint))
}
