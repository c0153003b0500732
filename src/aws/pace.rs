//! Spaces out calls of KMS operations with low request quotas, so that concurrent calls of one pair
//! or of many pairs are not throttled.
//! Not for: retrying calls that are throttled nevertheless (see `throttle`).

use super::QuotaFactor;
use crate::names::{AccountId, Region};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The KMS request quota per second of each operation that changes something, in an account and
/// Region (KMS Developer Guide, "Request quotas"). Quotas of reads are 100 and more, which a run
/// does not approach.
const QUOTAS: [(&str, u32); 13] = [
    ("kms:CancelKeyDeletion", 5),
    ("kms:CreateAlias", 5),
    ("kms:CreateKey", 5),
    ("kms:DeleteAlias", 15),
    ("kms:DisableKeyRotation", 5),
    ("kms:EnableKey", 5),
    ("kms:EnableKeyRotation", 15),
    ("kms:PutKeyPolicy", 15),
    ("kms:ReplicateKey", 5),
    ("kms:ScheduleKeyDeletion", 15),
    ("kms:TagResource", 10),
    ("kms:UntagResource", 5),
    ("kms:UpdateAlias", 5),
];
/// The number of calls that may be sent at once. The quotas per second are five and more, so two
/// calls that arrive closer together than they were sent do no harm.
const AT_ONCE: u32 = 3;
/// Turns are this many per cent rarer than the quotas allow, so that a difference between clocks
/// does no harm.
const SPARED: u32 = 4;

/// A queue: one operation in one Region of an account.
type Queue = (Option<AccountId>, &'static str, Region);

/// The turns assigned so far.
#[derive(Debug)]
pub(super) struct Pace {
    factor: QuotaFactor,
    next: Mutex<BTreeMap<Queue, Instant>>,
}

impl Pace {
    pub(super) fn new(factor: QuotaFactor) -> Self {
        Self { factor, next: Mutex::default() }
    }

    /// Takes the next turn in each queue of `account` and returns the time until all of them have
    /// come.
    pub(super) fn turns(
        &self,
        account: Option<&AccountId>,
        turns: &[(&'static str, &Region)],
    ) -> Duration {
        let QuotaFactor::Times(factor) = self.factor else { return Duration::ZERO };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let wait = |(operation, region): &(&'static str, &Region)| {
            let known = QUOTAS.iter().find(|(name, _)| name == operation);
            let every = every(known.map_or(AT_ONCE, |(_, rate)| *rate), factor);
            let queue = (account.cloned(), *operation, (*region).clone());
            let turn = next.entry(queue).or_insert(now);
            *turn = (*turn).max(now) + every;
            turn.duration_since(now).saturating_sub(every * AT_ONCE)
        };
        turns.iter().map(wait).max().unwrap_or_default()
    }

    /// Blocks new calls of `operation`, such as `CreateKey`, for a second, because KMS has just
    /// throttled one. A quota counts per second.
    pub(super) fn throttled(&self, account: Option<&AccountId>, operation: &str, region: &Region) {
        let is_it = |name: &str| name.strip_prefix("kms:") == Some(operation);
        let QuotaFactor::Times(factor) = self.factor else { return };
        let Some(&(name, rate)) = QUOTAS.iter().find(|(name, _)| is_it(name)) else { return };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Adds the burst (`AT_ONCE`) that `turns` subtracts, so that the next call waits for the
        // full second.
        let from = Instant::now() + Duration::from_secs(1) + every(rate, factor) * (AT_ONCE - 1);
        let turn = next.entry((account.cloned(), name, region.clone())).or_insert(from);
        *turn = (*turn).max(from);
    }
}

/// Returns the time between two turns if KMS accepts `rate` calls per second, times `factor`.
fn every(rate: u32, factor: u32) -> Duration {
    Duration::from_secs(1) * (100 + SPARED) / (100 * rate.saturating_mul(factor.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(pace: &Pace, turns: &[(&'static str, &Region)]) -> u128 {
        pace.turns(None, turns).as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn three_at_once_then_a_little_rarer_than_the_quota() {
        let (pace, region) = (Pace::new(QuotaFactor::default()), Region::new("us-east-1").unwrap());
        let create = [("kms:CreateKey", &region)];
        let turns = || (0..5).map(|_| millis(&pace, &create)).collect::<Vec<_>>();
        assert_eq!(turns(), [0, 0, 0, 208, 416]);
        assert_eq!(millis(&pace, &[("kms:CreateAlias", &region)]), 0, "each has its own quota");
        let account = AccountId::new("111122223333").unwrap();
        assert!(pace.turns(Some(&account), &create).is_zero(), "and each account");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(turns(), [0, 0, 0, 208, 416]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_throttled_call_nobody_calls_for_a_second() {
        for factor in [1, 1000] {
            let (pace, region) =
                (Pace::new(QuotaFactor::Times(factor)), Region::new("us-east-1").unwrap());
            let create = [("kms:CreateKey", &region)];
            assert_eq!(millis(&pace, &create), 0);
            pace.throttled(None, "CreateKey", &region);
            assert_eq!(millis(&pace, &create), 1000, "{factor}");
            assert_eq!(millis(&pace, &[("kms:CreateAlias", &region)]), 0, "each has its own quota");
            tokio::time::advance(Duration::from_secs(3)).await;
            assert_eq!(millis(&pace, &create), 0);
        }
    }

    /// With a factor above the quotas in force, calls come too fast: 24 calls in a second of which
    /// KMS accepts five.
    #[tokio::test(start_paused = true)]
    async fn higher_quotas_than_are_in_force_let_too_many_calls_come() {
        let (pace, region) =
            (Pace::new(QuotaFactor::Times(1000)), Region::new("us-east-1").unwrap());
        let last = (0..24).map(|_| millis(&pace, &[("kms:ReplicateKey", &region)])).max();
        assert!(last.is_some_and(|last| last < 1000), "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_takes_two_turns_of_its_own_region() {
        let pace = Pace::new(QuotaFactor::Times(2));
        let (home, region) = (Region::new("us-east-1").unwrap(), Region::new("us-west-2").unwrap());
        let replicate =
            [("kms:ReplicateKey", &home), ("kms:CreateKey", &region), ("kms:CreateKey", &region)];
        let waits: Vec<u128> = (0..4).map(|_| millis(&pace, &replicate)).collect();
        assert_eq!(waits, [0, 104, 312, 520]);
        let none = Pace::new(QuotaFactor::Unlimited);
        assert!((0..100).all(|_| millis(&none, &replicate) == 0));
    }
}
