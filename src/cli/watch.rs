//! `crrctl watch`: a canary that probes until a signal arrives. Its memory use does not grow.
//! Not for: the totals and metrics of the canary (see `report::Canary`).

mod listen;

use super::Global;
use super::output::{Ended, Printer};
use super::session::{self, read_or_find};
use crate::aws::settle::pause;
use crate::check;
use crate::events::{Event, millis};
use crate::failure::{Failure, Kind};
use crate::observe::Depth;
use crate::ops;
use crate::probe::{self, Patience, Settings};
use crate::report::Canary;
use crate::units;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct WatchArgs {
    /// How long after the beginning of a round the next one begins, such as `90s` or `5m`
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = every, env = "CRRCTL_EVERY")]
    every: Duration,
    /// Serve Prometheus metrics at `/metrics` here; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", env = "CRRCTL_LISTEN")]
    listen: Option<SocketAddr>,
}

fn every(text: &str) -> Result<Duration, String> {
    let every = units::duration(text)?;
    if every < Duration::from_secs(1) { Err("at least 1s".to_owned()) } else { Ok(every) }
}

/// How long an object may stay PENDING before a round counts it as late.
const AT_MOST: Duration = Duration::from_mins(15);

pub(super) async fn run(global: &Global, args: &WatchArgs, printer: &Printer) -> Ended {
    if global.junit.is_some() || global.html.is_some() {
        let message = "`--junit` and `--html` keep every probe, and `watch` has no end: take its events (`-o ndjson`) or metrics (`--listen`)";
        return Err(Failure::new(Kind::Manifest, "usage", message));
    }
    let input = read_or_find(global, global.sandbox).await?.one()?;
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    printer.put("pair", session.manifest.name());
    let (topology, world) = session.observe(Depth::Wanted).await?;
    let keys = ops::standing_keys(&session, &topology, &world)?;
    let canary = Arc::new(Mutex::new(Canary::new(&topology)));
    if let Some(address) = args.listen {
        let at = listen::serve(address, Arc::clone(&canary), session.stop.clone()).await?;
        super::output::say(&format!("metrics at http://{at}/metrics"));
    }
    // When the run is ending, the current round deletes its objects first.
    while !session.stop.is_ending() {
        let began = Instant::now();
        let settings = Settings {
            count: 1,
            size: 64 << 10,
            multipart: false,
            concurrency: 1,
            keep: false,
            patience: Patience::of(session.patience, false),
            at_most: AT_MOST,
        };
        let (aws, events, stop) =
            (Arc::clone(&session.aws), session.events.clone(), session.stop.clone());
        let evidence =
            probe::run(aws, topology.clone(), keys.clone(), settings, events, stop).await;
        if session.stop.is_ending() {
            break;
        }
        let failure = evidence.failure.as_ref();
        let look = async { Ok(check::metrics(&session.aws, &topology, &world).await) };
        let Ok(metrics) = session.unless_ending(Box::pin(look)).await else { break };
        let line = {
            let mut canary = canary.lock().unwrap_or_else(PoisonError::into_inner);
            canary.take(&evidence.probes, failure, &metrics);
            canary.line()
        };
        session.events.say(&Event::WatchRound {
            ok: failure.is_none(),
            failure: failure.cloned(),
            metrics,
            elapsed_ms: millis(began.elapsed()),
        });
        printer.text(&line);
        pause(&session.stop, args.every.saturating_sub(began.elapsed())).await;
    }
    session.done(true, false);
    let canary = canary.lock().unwrap_or_else(PoisonError::into_inner);
    printer.put_all(canary.totals());
    // A signal is the normal end of `watch`; a deadline is reported as too late, as in other
    // commands.
    if session.stop.is_too_late() { Err(session.stop.failure()) } else { Ok(0) }
}
