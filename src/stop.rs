//! When a run is to end: the first signal or the deadline ends it in order, the second at once.
//! Not for: catching signals (see `cli`).

use crate::failure::{Failure, Kind};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Why a run is ended before its work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// `--timeout`.
    Deadline,
}

/// Shared by all that starts or waits: whoever holds one asks it before starting more.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    orderly: CancellationToken,
    at_once: CancellationToken,
    /// Told by whoever will wait for nothing any more, be it for cleaning up.
    forced: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

impl Stop {
    /// Asks for an orderly end: calls in flight finish, nothing more starts. The first reason stands.
    pub fn end(&self, reason: Reason) {
        self.reason.get_or_init(|| reason);
        self.orderly.cancel();
    }

    /// Asks for an end at once, of cleaning up too: calls in flight are dropped.
    pub fn end_at_once(&self) {
        self.end(Reason::Interrupted);
        self.at_once.cancel();
        self.forced.cancel();
    }

    /// Drops calls in flight, which have had their time; what is still to be cleaned up has all that it needs.
    pub fn drop_calls(&self) {
        self.at_once.cancel();
    }

    /// Returns what ends the cleaning up after this run: no deadline, and no signal but the one that ends all at once.
    #[must_use]
    pub fn for_clean_up(&self) -> Self {
        Self {
            orderly: self.forced.clone(),
            at_once: self.forced.clone(),
            forced: self.forced.clone(),
            reason: Arc::default(),
        }
    }

    /// Returns whether nothing more should be started.
    pub fn is_ending(&self) -> bool {
        self.orderly.is_cancelled()
    }

    /// Returns whether the run ends because its time is over.
    pub fn is_too_late(&self) -> bool {
        self.is_ending() && self.reason.get() == Some(&Reason::Deadline)
    }

    /// Waits until nothing more should be started.
    pub async fn ending(&self) {
        self.orderly.cancelled().await;
    }

    /// Waits until calls in flight should be dropped.
    pub async fn ended_at_once(&self) {
        self.at_once.cancelled().await;
    }

    /// Returns how the end shows to the user, and what was under way.
    pub fn failure_while(&self, doing: &str) -> Failure {
        let mut failure = self.failure();
        failure.message = format!("{}, while {doing}", failure.message);
        failure
    }

    /// Returns how the end shows to the user.
    pub fn failure(&self) -> Failure {
        match self.reason.get() {
            Some(Reason::Deadline) => {
                Failure::new(Kind::TooLate, "timeout", "the time given by `--timeout` is over")
            }
            _ => Failure::new(Kind::Interrupted, "interrupted", "interrupted"),
        }
    }
}
