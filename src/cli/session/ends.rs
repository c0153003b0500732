//! What ends a run before its work is done: Ctrl-C, SIGTERM, `--timeout`, and the time limits for
//! calls that hang afterwards.
//! Not for: the effect of the end on running work (see `stop`).

use super::Global;
use crate::stop::{Reason, Stop};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a run may take to end after an end at once was requested.
const GRACE: Duration = Duration::from_secs(2);

/// How long calls in flight at the first signal have to finish, and probes to be deleted. Most
/// runners wait less: they send the second signal after about ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long calls in flight at the deadline have to finish.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Returns when the command must be abandoned: an end at once was requested and `GRACE` is over,
/// for example because a call hangs. With `cleans_up`, only the second signal counts, so the
/// clean-up may take longer.
pub(in crate::cli) async fn given_up(stop: &Stop, cleans_up: bool) {
    let stop = if cleans_up { stop.for_clean_up() } else { stop.clone() };
    stop.ended_at_once().await;
    tokio::time::sleep(GRACE).await;
}

/// Ends the run in order at the first signal, and drops calls that hang after `PATIENCE`. Ends the
/// run at once at the second signal.
pub(super) fn watch_signals(stop: &Stop) {
    let (stop, mut signals) = (stop.clone(), Signals::listen());
    tokio::spawn(async move {
        signals.next().await;
        stop.end(Reason::Interrupted);
        tokio::select! {
            _ = signals.next() => {}
            () = tokio::time::sleep(PATIENCE) => {
                stop.drop_calls();
                signals.next().await;
            }
        }
        stop.end_at_once();
    });
}

/// A signal that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum SignalReceived {
    /// SIGINT, which Ctrl-C sends.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Ctrl-C and SIGTERM.
pub(in crate::cli) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on. If listening fails, the signals keep their default effect: the process
    /// ends.
    pub(in crate::cli) fn listen() -> Self {
        let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(if let (Ok(interrupt), Ok(terminate)) = both {
            Some((interrupt, terminate))
        } else {
            None
        })
    }

    /// Waits for the next signal.
    pub(in crate::cli) async fn next(&mut self) -> SignalReceived {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => SignalReceived::Interrupt,
            _ = terminate.recv() => SignalReceived::Terminate,
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
