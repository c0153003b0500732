//! What the actions of a run leave for one another and for its report: what was seen to stand, what
//! was deleted, scheduled and overwritten.
//! Not for: keys, which actions wait for (see `key_book`), or what existed before (see `beginning`).

mod deleted;
mod replaced;
mod scheduled;
mod seen;

pub use replaced::Replaced;
pub use scheduled::Scheduled;

use crate::plan::Kept;
use deleted::Deleted;
use replaced::Overwritten;
use scheduled::ScheduledKeys;
use seen::Seen;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The record of one run, which its actions write at the same time.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Noted>);

/// What is recorded.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) seen: Seen,
    pub(super) deleted: Deleted,
    pub(super) scheduled: ScheduledKeys,
    /// The object versions that S3 did not delete, and what holds each.
    pub(super) held: Vec<Kept>,
    pub(super) overwritten: Overwritten,
    /// When rules were first confirmed to be live.
    pub(super) activated_at: Option<jiff::Timestamp>,
}

impl Record {
    /// Returns the record, for as long as one statement takes: no call is made meanwhile.
    pub(super) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
