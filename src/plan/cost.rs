//! What a pair costs a month, as far as it can be known before anything is stored.
//! Not for: a bill. Prices are AWS's list prices in us-east-1, November 2026; other Regions differ a little.

use crate::manifest::Topology;
use serde::Serialize;

/// AWS KMS pricing: a customer managed key, each replica counts as one.
const KEY_USD: f64 = 1.0;

/// The monthly cost that does not depend on use, and what depends on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// US dollars a month for what stands there unused.
    pub monthly_usd: f64,
    /// What makes up the sum, and what use adds to it.
    pub items: Vec<String>,
}

/// Returns what `topology` costs.
pub fn cost(topology: &Topology) -> Cost {
    let replicas = u32::try_from(topology.destinations.len()).unwrap_or(u32::MAX);
    let keys = replicas.saturating_add(1);
    let monthly_usd = f64::from(keys) * KEY_USD;
    let mut items = vec![
        format!("{keys} KMS keys (1 primary, {replicas} replica), $1.00 each: ${monthly_usd:.2}"),
        "storage of each object and of every replica, at the price of its Region".to_owned(),
        format!(
            "transfer between Regions, typically $0.02 a GB, {replicas} time{} for each object",
            if replicas == 1 { "" } else { "s" }
        ),
        "a PUT request for each object and replica; KMS requests, few with Bucket Keys".to_owned(),
    ];
    if topology.key.rotation_days.is_some() {
        items.push("from the first two rotations on, $1.00 a month each, for every key".to_owned());
    }
    Cost { monthly_usd, items }
}
