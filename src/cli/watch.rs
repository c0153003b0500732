//! `crrctl watch`: a canary that probes until a signal arrives. Its memory use does not grow.
//! Not for: the totals and metrics of the canary (see `report::Canary`).

mod listen;

use super::Global;
use super::objects::WatchObject;
use super::output::{Ended, Printer};
use super::session::{self, read_or_find};
use crate::aws::settle::pause;
use crate::failure::Kind;
use crate::ops;
use crate::report::{Canary, Totals};
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

pub(super) async fn run(
    global: &Global,
    args: &WatchArgs,
    printer: &Printer,
    object: &mut WatchObject,
) -> Ended {
    match watched(global, args, printer, object).await {
        // A signal is the normal end of `watch`, also before the first round.
        Err(failure) if failure.kind == Kind::Interrupted && global.stop.is_ending() => Ok(0),
        ended => ended,
    }
}

async fn watched(
    global: &Global,
    args: &WatchArgs,
    printer: &Printer,
    object: &mut WatchObject,
) -> Ended {
    let input = read_or_find(global, global.sandbox).await?.one()?;
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    object.pair.set(session.manifest.name().to_string());
    let watched = ops::watched(&session).await?;
    let canary = Arc::new(Mutex::new(Canary::new(&watched.topology)));
    if let Some(address) = args.listen {
        let at = listen::serve(address, Arc::clone(&canary), session.stop.clone()).await?;
        super::output::say(&format!("metrics at http://{at}/metrics"));
        if let Some(warning) = exposed(at) {
            super::output::say(&warning);
        }
    }
    // When the run is ending, the current round deletes its objects first.
    while !session.stop.is_ending() {
        let began = Instant::now();
        let Some(round) = ops::round(&session, &watched).await else { break };
        let line = {
            let mut canary = canary.lock().unwrap_or_else(PoisonError::into_inner);
            canary.take(&round.evidence.probes, round.evidence.failure.as_ref(), &round.metrics);
            canary.line()
        };
        session.events.say(&round.event());
        printer.text(&line);
        pause(&session.stop, args.every.saturating_sub(began.elapsed())).await;
    }
    session.done(true, false);
    let canary = canary.lock().unwrap_or_else(PoisonError::into_inner);
    let Totals { rounds, errors, probes } = canary.totals();
    object.rounds.set(rounds);
    object.errors.set(errors);
    object.probes.set(probes);
    // A deadline is reported as too late, as in other commands.
    if session.stop.is_too_late() { Err(session.stop.failure()) } else { Ok(0) }
}

/// Returns the warning about an address that others can reach.
fn exposed(at: SocketAddr) -> Option<String> {
    (!at.ip().is_loopback()).then(|| {
        format!("warning: {at} is not loopback: anybody who reaches it can read the names of buckets and accounts")
    })
}

#[cfg(test)]
mod tests {
    use super::exposed;

    #[test]
    fn an_address_that_others_reach_is_warned_of() {
        for at in ["0.0.0.0:9", "[::]:9", "192.0.2.1:9", "[2001:db8::1]:9"] {
            assert!(exposed(at.parse().unwrap()).unwrap().contains("not loopback"), "{at}");
        }
        for at in ["127.0.0.1:9", "127.8.8.8:9", "[::1]:9"] {
            assert_eq!(exposed(at.parse().unwrap()), None);
        }
    }
}
