//! The stop signal of a run: the first signal or the deadline requests an orderly end, the second
//! signal an immediate end.
//! Not for: catching signals (see `cli`).

use crate::failure::{Failure, Kind};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Reason why a run ends before its work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The deadline that `--timeout` sets.
    Deadline,
}

/// The shared stop signal. Code that starts calls or waits must check it before it starts more.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    orderly: CancellationToken,
    at_once: CancellationToken,
    /// Cancelled on a request for an immediate end. Ends cleanup too.
    forced: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

impl Stop {
    /// Requests an orderly end: calls in flight finish, and no new call starts. The first reason is
    /// kept.
    pub fn end(&self, reason: Reason) {
        self.reason.get_or_init(|| reason);
        self.orderly.cancel();
    }

    /// Requests an immediate end, including of cleanup: calls in flight are dropped.
    pub fn end_at_once(&self) {
        self.end(Reason::Interrupted);
        self.at_once.cancel();
        self.forced.cancel();
    }

    /// Drops calls in flight after their grace period. Cleanup continues.
    pub fn drop_calls(&self) {
        self.at_once.cancel();
    }

    /// Returns the stop signal for the cleanup after this run. The deadline and the first signal
    /// don't affect it; only a request for an immediate end does.
    #[must_use]
    pub fn for_clean_up(&self) -> Self {
        Self {
            orderly: self.forced.clone(),
            at_once: self.forced.clone(),
            forced: self.forced.clone(),
            reason: Arc::default(),
        }
    }

    /// Returns whether no new call may start.
    pub fn is_ending(&self) -> bool {
        self.orderly.is_cancelled()
    }

    /// Returns whether the run is ending because of the deadline.
    pub fn is_too_late(&self) -> bool {
        self.is_ending() && self.reason.get() == Some(&Reason::Deadline)
    }

    /// Waits until no new call may start.
    pub async fn ending(&self) {
        self.orderly.cancelled().await;
    }

    /// Waits until calls in flight must be dropped.
    pub async fn ended_at_once(&self) {
        self.at_once.cancelled().await;
    }

    /// Returns the failure that the user sees, including the operation that was interrupted.
    pub fn failure_while(&self, doing: &str) -> Failure {
        let mut failure = self.failure();
        failure.message = format!("{}, while {doing}", failure.message);
        failure
    }

    /// Returns the failure that the user sees.
    pub fn failure(&self) -> Failure {
        match self.reason.get() {
            Some(Reason::Deadline) => Failure::new(
                Kind::TooLate,
                "timeout",
                "the time given by `--timeout` is over",
            )
            .hint("give more time with `--timeout`; the same command goes on from what stands"),
            _ => Failure::new(Kind::Interrupted, "interrupted", "interrupted"),
        }
    }
}
