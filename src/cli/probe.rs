//! `crrctl probe`: uploads fresh objects to an existing pair and compares their replicas.
//! Not for: the upload and the comparison (see `crate::probe`).

use super::Global;
use super::check;
use super::objects::ProbeObject;
use super::output::{Ended, Printer};
use super::pairs::{self, OutputMode};
use super::session::read_or_find;
use crate::events::millis;
use crate::failure::{Failure, Kind};
use crate::ops::{self, Probed, Session};
use crate::probe::{self, Patience, RouteSummary, Settings};
use crate::report::tables;
use crate::units::{self, format_duration};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct ProbeArgs {
    /// How many objects; each is checked at every destination
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// The size of each, such as `64KiB` or `1MB`; at most 5GB
    #[arg(long, default_value = "64KiB", value_parser = probe_size)]
    size: u64,
    /// How many are under way at once
    #[arg(long, default_value_t = 8, value_name = "N")]
    concurrency: usize,
    /// Leave the objects and their replicas in place
    #[arg(long)]
    keep: bool,
    /// Prove that delete markers replicate, or that they do not, as the manifest says
    #[arg(long)]
    delete_marker: bool,
    /// Exit with 7 if p95 of the latency is above this limit, such as `60s`
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    expect_p95: Option<Duration>,
}

/// The maximum number of bytes of object bodies under way at once.
const MOST_HELD: u64 = 1 << 30;

/// Parses the size of a probe. A single PUT takes at most 5 GB (S3 User Guide,
/// "Uploading objects").
fn probe_size(text: &str) -> Result<u64, String> {
    let size = units::size(text)?;
    if size > 5_000_000_000 {
        Err("a probe is sent in one PUT, which takes at most 5GB".to_owned())
    } else {
        Ok(size)
    }
}

pub(super) async fn run(
    global: &Global,
    args: &ProbeArgs,
    printer: &Printer,
    object: &mut ProbeObject,
) -> Ended {
    let held = args.size.saturating_mul(u64::try_from(args.concurrency).unwrap_or(u64::MAX));
    if held > MOST_HELD {
        let message = "`--size` times `--concurrency` is more than 1GiB, which the bodies under way would take of memory";
        return Err(Failure::new(Kind::Manifest, "usage", message).hint("lower one of the two"));
    }
    let one = async |session: Session, part: &Printer, object: &mut ProbeObject| {
        one(session, global, args, part, object).await
    };
    let inputs = read_or_find(global, global.sandbox).await?;
    pairs::one_or_each(global, printer, object, inputs, OutputMode::Verdict, one).await
}

/// Probes one pair.
async fn one(
    session: Session,
    global: &Global,
    args: &ProbeArgs,
    printer: &Printer,
    object: &mut ProbeObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let settings = Settings {
        count: args.count,
        size: args.size,
        multipart: false,
        concurrency: args.concurrency,
        keep: args.keep,
        patience: Patience::of(global.patience, None),
        at_most: global.timeout.unwrap_or(Duration::from_mins(20)),
    };
    let Probed { evidence, markers } =
        Box::pin(ops::probe(&session, &settings, args.delete_marker)).await?;
    let summary = probe::summary(&evidence.probes);
    let routes = probe::by_route(&evidence.probes);
    let failure = evidence.failure.or_else(|| too_slow(args, &routes));
    session.done(failure.is_none(), false);
    printer.text(&tables::evidence(&evidence.probes, &summary));
    printer.text(&tables::markers(&markers));
    object.probes.set(evidence.probes);
    object.summary.set(summary);
    object.routes.set(routes);
    if args.delete_marker {
        object.delete_markers.set(markers);
    }
    object.api_calls.set(session.aws.count().total());
    object.elapsed_ms.set(millis(session.started.elapsed()));
    let Some(failure) = failure else { return Ok(0) };
    let (checks, reasons) = (&mut object.checks, &mut object.failure_reasons);
    Err(check::diagnosed(&session, failure, checks, reasons).await)
}

/// Compares each rule and direction with `--expect-p95` separately: many fast ones must not hide a
/// slow one.
fn too_slow(args: &ProbeArgs, routes: &[RouteSummary]) -> Option<Failure> {
    let expected = args.expect_p95?;
    let slowest = routes.iter().max_by_key(|it| it.p95_ms)?;
    let p95 = Duration::from_millis(slowest.p95_ms?);
    (p95 > expected).then(|| {
        let message = format!(
            "p95 of {} → {} is {}, above the limit of {}",
            slowest.source,
            slowest.destination,
            format_duration(p95),
            format_duration(expected)
        );
        Failure::new(Kind::TooLate, "p95-exceeded", message)
            .in_region(&slowest.source)
            .hint("most objects replicate within 15 minutes; `time_control: true` has S3 promise that, and `--count` measures more")
    })
}
