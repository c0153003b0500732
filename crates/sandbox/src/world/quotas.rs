//! KMS's request quotas. Requests beyond a quota fail with `ThrottlingException`.
//! Not for: throttling that a test injects (see `gate::faults`).

use crate::world::Caller;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// Returns the quota of an operation in requests per second, for one account and Region (KMS
/// Developer Guide, "Request quotas"). The shared quotas of the cryptographic operations are not
/// modelled: they differ by Region and are in the thousands.
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

/// A request that exceeds a quota.
#[derive(Debug)]
pub(crate) struct OverQuota;

/// The remaining capacity of each quota. AWS does not document how it counts. Here, each quota is a
/// token bucket that holds the requests of one second and refills at a constant rate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quotas {
    /// The multiplier of the quotas; `None` if there are no quotas.
    factor: Option<u32>,
    left: BTreeMap<(String, String, String), (f64, Option<Instant>)>,
}

impl Quotas {
    pub(crate) fn new(factor: Option<u32>) -> Self {
        Self { factor, left: BTreeMap::new() }
    }

    /// Counts a request of `caller` against its quotas. `ReplicateKey` also counts as two
    /// `CreateKey` requests in the Region of the replica key.
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
