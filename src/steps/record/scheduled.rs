//! The keys that a run scheduled for deletion.
//! Not for: scheduling them (see `key`).

use crate::names::Arn;
use crate::world::{Key, KeyState};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A key that is scheduled for deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// `PendingDeletion` or, for a primary with replicas, `PendingReplicaDeletion`.
    pub state: KeyState,
    /// The deletion date. A primary key with replicas has no date until the last replica is
    /// deleted.
    pub deletion_date: Option<Timestamp>,
    /// The days of the key's own waiting period, for a primary key that waits for the deletion of
    /// its replicas.
    pub window_days: Option<i32>,
}

impl From<&Key> for Scheduled {
    fn from(key: &Key) -> Self {
        Self {
            state: key.state.clone(),
            deletion_date: key.deletion_date,
            window_days: key.pending_window_days,
        }
    }
}

/// The keys whose deletion was scheduled, by ARN.
#[derive(Debug, Default)]
pub(in crate::steps) struct ScheduledKeys(BTreeMap<Arn, Scheduled>);

impl ScheduledKeys {
    /// Records what KMS said last of a key.
    pub(in crate::steps) fn add(&mut self, key: &Arn, scheduled: Scheduled) {
        self.0.insert(key.clone(), scheduled);
    }

    /// Forgets a key that is brought back. Returns whether this run had scheduled it.
    pub(in crate::steps) fn take_back(&mut self, key: &Arn) -> bool {
        self.0.remove(key).is_some()
    }

    /// Returns the keys.
    pub(in crate::steps) fn all(&self) -> &BTreeMap<Arn, Scheduled> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_back_once_and_only_if_this_run_scheduled_it() {
        let arn = |region: &str| {
            let id = "mrk-0123456789abcdef0123456789abcdef";
            Arn::new(format!("arn:aws:kms:{region}:111122223333:key/{id}")).unwrap()
        };
        let (ours, other) = (arn("us-east-1"), arn("us-west-2"));
        let waits = Scheduled {
            state: KeyState::PendingReplicaDeletion,
            deletion_date: None,
            window_days: Some(7),
        };
        let date = "2030-01-02T03:04:05Z".parse().ok();
        let dated =
            Scheduled { state: KeyState::PendingDeletion, deletion_date: date, window_days: None };
        let mut keys = ScheduledKeys::default();
        keys.add(&ours, waits);
        keys.add(&ours, dated.clone());
        assert_eq!(keys.all().get(&ours), Some(&dated), "what KMS said last");
        assert!(!keys.take_back(&other));
        assert!(keys.take_back(&ours) && !keys.take_back(&ours));
        assert!(keys.all().is_empty());
    }
}
