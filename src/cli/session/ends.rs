//! What ends a run before its work is done: Ctrl-C, SIGTERM, `--timeout`, and the patience with what hangs after them.
//! Not for: what an end means to those at work (see `stop`).

use super::Global;
use crate::stop::{Reason, Stop};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a run that was told to end at once has for it.
const GRACE: Duration = Duration::from_secs(2);

/// How long calls that are under way at the first signal have to end, and probes to be taken away. Most runners are less patient: they
/// send the second signal after some ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long calls that are under way at the deadline have to end.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Waits until a run was told to end at once and did not: be it a call that hangs, it is given up. One that cleans up may be late.
pub(in crate::cli) async fn given_up(stop: &Stop, cleans_up: bool) {
    let stop = if cleans_up { stop.for_clean_up() } else { stop.clone() };
    stop.ended_at_once().await;
    tokio::time::sleep(GRACE).await;
}

/// The first signal ends the run in order, though a call that hangs doesn't keep it for ever; the second ends it at once.
pub(super) fn watch_signals(stop: &Stop) {
    let (stop, mut signals) = (stop.clone(), Signals::listen());
    tokio::spawn(async move {
        signals.next().await;
        stop.end(Reason::Interrupted);
        tokio::select! {
            () = signals.next() => {}
            () = tokio::time::sleep(PATIENCE) => {
                stop.drop_calls();
                signals.next().await;
            }
        }
        stop.end_at_once();
    });
}

/// Ctrl-C and SIGTERM.
pub(in crate::cli) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on. Where that can't be, the signals keep their usual meaning: the process ends.
    pub(in crate::cli) fn listen() -> Self {
        let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(if let (Ok(interrupt), Ok(terminate)) = both {
            Some((interrupt, terminate))
        } else {
            None
        })
    }

    /// Waits for the next one.
    pub(in crate::cli) async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

pub(super) fn watch_clock(stop: &Stop, global: &Global) {
    let Some(timeout) = global.timeout else { return };
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        stop.end(Reason::Deadline);
        tokio::time::sleep(LAST_CALLS).await;
        stop.drop_calls();
    });
}
