//! What CloudTrail's event history knows: the calls of the replication role to KMS, and of S3 to
//! STS, that were denied.
//! Not for: the request log of the server (see `wire::journal`), or the event history's API (see
//! `cloudtrail`).

use crrctl_iam::names::{AccountId, Region};
use std::cell::RefCell;
use std::time::SystemTime;

/// The most events that are kept.
const KEPT: usize = 1000;

/// A denied call.
#[derive(Debug, Clone)]
pub(crate) struct TrailEvent {
    pub(crate) at: SystemTime,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    /// The service and the call, such as `kms` and `Decrypt`.
    pub(crate) call: (String, String),
    pub(crate) message: String,
    /// ARN of the role.
    pub(crate) role: String,
    /// ARN of the key.
    pub(crate) key: Option<String>,
    /// The value of S3's encryption context.
    pub(crate) context: Option<String>,
}

/// The events, the newest last. They are added while the state is only read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail(RefCell<Vec<TrailEvent>>);

impl Trail {
    /// Adds an event.
    pub(crate) fn add(&self, event: TrailEvent) {
        let mut all = self.0.borrow_mut();
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(event);
    }

    /// Returns the events of an account and Region, the newest first.
    pub(crate) fn events(&self, account: &AccountId, region: &Region) -> Vec<TrailEvent> {
        let all = self.0.borrow();
        let is_theirs = |it: &&TrailEvent| it.account == *account && it.region == *region;
        all.iter().rev().filter(is_theirs).cloned().collect()
    }
}
