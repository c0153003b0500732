//! How often KMS lets itself be asked: what is beyond that is answered with `ThrottlingException`.
//! Not for: throttling that a test asks for (see `faults`).

use crate::world::Caller;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// How often a second each operation is taken in an account and Region (KMS Developer Guide, "Request quotas"). The cryptographic
/// operations share quotas that differ by Region and are in the thousands, which this does not model.
fn usual(operation: &str) -> Option<f64> {
    Some(match operation {
        "CancelKeyDeletion"
        | "CreateAlias"
        | "CreateKey"
        | "DisableKey"
        | "DisableKeyRotation"
        | "EnableKey"
        | "ReplicateKey"
        | "UntagResource"
        | "UpdateAlias"
        | "UpdateKeyDescription"
        | "UpdatePrimaryRegion" => 5.0,
        "TagResource" => 10.0,
        "DeleteAlias" | "EnableKeyRotation" | "PutKeyPolicy" | "ScheduleKeyDeletion" => 15.0,
        "RevokeGrant" => 30.0,
        "CreateGrant" => 50.0,
        "ListGrants" | "ListKeyPolicies" => 100.0,
        "ListAliases" | "ListKeys" => 500.0,
        "GetKeyPolicy" | "GetKeyRotationStatus" => 1000.0,
        "DescribeKey" | "ListResourceTags" => 2000.0,
        _ => return None,
    })
}

/// A request that comes too soon after the others.
#[derive(Debug)]
pub(crate) struct OverQuota;

/// What is left of each quota. AWS does not say how it counts: here what a second allows may come at once, and comes back evenly.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quotas {
    /// How many times as high as usual they are; nothing where there are none.
    factor: Option<u32>,
    left: BTreeMap<(String, String, String), (f64, Option<Instant>)>,
}

impl Quotas {
    pub(crate) fn new(factor: Option<u32>) -> Self {
        Self { factor, left: BTreeMap::new() }
    }

    /// Takes a request of `caller` off its quotas. A replica counts as two `CreateKey` in its own Region too.
    pub(crate) fn take(
        &mut self,
        caller: &Caller,
        operation: &str,
        body: &[u8],
    ) -> Result<(), OverQuota> {
        let Some(factor) = self.factor else { return Ok(()) };
        let mut wanted = vec![(operation, caller.region.to_string(), 1.0)];
        if operation == "ReplicateKey" {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let region = body["ReplicaRegion"].as_str().unwrap_or_default().to_owned();
            wanted.push(("CreateKey", region, 2.0));
        }
        let now = Instant::now();
        let mut taken = Vec::new();
        for (operation, region, count) in wanted {
            let Some(rate) = usual(operation).map(|rate| rate * f64::from(factor)) else {
                continue;
            };
            let queue = (caller.account.to_string(), operation.to_owned(), region);
            let (left, since) = self.left.get(&queue).copied().unwrap_or((rate, None));
            let back = since.map_or(0.0, |since| now.duration_since(since).as_secs_f64() * rate);
            let left = (left + back).min(rate) - count;
            if left < 0.0 {
                return Err(OverQuota);
            }
            taken.push((queue, (left, Some(now))));
        }
        self.left.extend(taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crrctl_iam::names::{AccountId, Region};

    #[test]
    fn a_second_has_so_many_and_a_replica_takes_two_more_elsewhere() {
        let account = AccountId::new("111122223333").unwrap();
        let caller = |region: &str| Caller::root(account.clone(), Region::new(region).unwrap());
        let (home, away) = (caller("us-east-1"), caller("us-west-2"));
        let body = br#"{"ReplicaRegion": "us-west-2"}"#;
        let mut quotas = Quotas::new(Some(1));
        let replicas = (0..5).filter(|_| quotas.take(&home, "ReplicateKey", body).is_ok()).count();
        assert_eq!(replicas, 2, "each takes two of the five keys a second there");
        assert!(quotas.take(&away, "CreateKey", b"{}").is_ok());
        assert!(quotas.take(&away, "CreateKey", b"{}").is_err());
        let keys = (0..9).filter(|_| quotas.take(&home, "CreateKey", b"{}").is_ok()).count();
        assert_eq!(keys, 5);
        let mut none = Quotas::default();
        assert!((0..100).all(|_| none.take(&home, "CreateKey", b"{}").is_ok()));
    }
}
