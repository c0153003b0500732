//! Spaces out calls that a service takes only few of, so that many at once are not throttled one and all.
//! Not for: what is throttled all the same, which the SDK retries.

use crate::names::Region;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// `CreateKey`, `CreateAlias` and `ReplicateKey` are taken five times a second in an account and Region
/// (KMS Developer Guide, "Request quotas").
const EVERY: Duration = Duration::from_millis(200);
/// As many may come at once.
const AT_ONCE: u32 = 5;

/// The turns that were given out, by operation and Region; one pace belongs to one account.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<BTreeMap<(&'static str, Region), Instant>>);

impl Pace {
    /// Takes the next turn; returns how long until it comes.
    pub(super) fn turn(&self, operation: &'static str, region: &Region) -> Duration {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let next = turns.entry((operation, region.clone())).or_insert(now);
        *next = (*next).max(now) + EVERY;
        next.duration_since(now).saturating_sub(EVERY * AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_at_once_then_five_a_second() {
        let (pace, region) = (Pace::default(), Region::new("us-east-1").unwrap());
        let turns = || (0..7).map(|_| pace.turn("kms:CreateKey", &region).as_millis());
        assert_eq!(turns().collect::<Vec<_>>(), [0, 0, 0, 0, 0, 200, 400]);
        assert_eq!(pace.turn("kms:CreateAlias", &region), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(turns().collect::<Vec<_>>(), [0, 0, 0, 0, 0, 200, 400]);
    }
}
