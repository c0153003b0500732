//! Estimates the monthly cost of a pair, as far as it is known before objects are stored.
//! Not for: a bill. Prices are AWS's list prices in us-east-1, November 2026; other Regions differ
//! a little.

use crate::manifest::{KeyKind, PAID_FOR_DAYS, RuleWish, Topology};
use serde::Serialize;

/// Monthly price of a customer managed key (AWS KMS pricing). Each replica key is billed as a key.
const KEY_USD: f64 = 1.0;
/// Monthly price of an alarm with a period of a minute or more (Amazon CloudWatch pricing, "standard
/// resolution alarm").
const ALARM_USD: f64 = 0.10;

/// The fixed monthly cost, and a list of cost items that includes usage-based costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Cost {
    /// Fixed monthly cost in US dollars, without usage.
    pub monthly_usd: f64,
    /// The items of the fixed cost, and the usage-based costs.
    pub items: Vec<String>,
}

/// Returns the cost of many pairs: the sum, and how many pairs cost how much.
pub fn cost_of_many(each: &[f64]) -> Cost {
    let mut dearest: Vec<f64> = each.to_vec();
    dearest.sort_by(|a, b| b.total_cmp(a));
    let items = dearest.chunk_by(|a, b| a.total_cmp(b).is_eq()).filter_map(|equal| {
        let (count, one) = (equal.len(), *equal.first()?);
        let sum: f64 = equal.iter().sum();
        let plural = if count == 1 { "" } else { "s" };
        Some(format!("{count} pair{plural} at ${one:.2}: ${sum:.2}"))
    });
    Cost { monthly_usd: each.iter().sum(), items: items.collect() }
}

/// Returns the cost of `topology`.
pub fn cost(topology: &Topology) -> Cost {
    let keys = u32::try_from(topology.key_regions().len()).unwrap_or(u32::MAX);
    let alarms = u32::try_from(super::alarms::all_wanted(topology).len()).unwrap_or(u32::MAX);
    let keys_usd = f64::from(keys) * KEY_USD;
    let monthly_usd = keys_usd + f64::from(alarms) * ALARM_USD;
    let kinds = match (topology.wanted.key.kind, keys) {
        (KeyKind::MultiRegion, keys) if keys > 1 => format!(" (1 primary, {} replica)", keys - 1),
        _ => String::new(),
    };
    let plural = |count| if count == 1 { "" } else { "s" };
    let mut items = Vec::new();
    if keys > 0 {
        items.push(format!("{keys} KMS key{}{kinds}, $1.00 each: ${keys_usd:.2}", plural(keys)));
    }
    items
        .push("storage of each object and of every replica, at the price of its Region".to_owned());
    let far = topology.destinations.iter().filter(|side| side.region != topology.source.region);
    let far = u32::try_from(far.count()).unwrap_or(u32::MAX);
    if far > 0 {
        items.push(format!(
            "transfer between Regions, typically $0.02 a GB, {far} time{} for each object",
            plural(far)
        ));
    }
    items.push(match topology.wanted.key.kind {
        KeyKind::None => "a PUT request for each object and replica".to_owned(),
        KeyKind::MultiRegion | KeyKind::PerRegion | KeyKind::Existing => {
            "a PUT request for each object and replica; KMS requests, few with Bucket Keys"
                .to_owned()
        }
    });
    for (class, days) in PAID_FOR_DAYS {
        let is_it = |rule: &RuleWish| rule.settings.storage_class.as_deref() == Some(class);
        if topology.rules.iter().any(is_it) {
            items.push(format!(
                "each replica in {class} as 128 KB at least and for {days} days at least, those of probes too"
            ));
        }
    }
    if alarms > 0 {
        let price = f64::from(alarms) * ALARM_USD;
        items.push(format!("{alarms} CloudWatch alarm{}, $0.10 each: ${price:.2}", plural(alarms)));
    }
    if topology.rules.iter().any(|rule| rule.settings.time_control) {
        items.push("replication time control, typically $0.015 a GB replicated".to_owned());
    }
    if topology.rules.iter().any(|rule| rule.settings.metrics) {
        items.push("replication metrics, as CloudWatch custom metrics, for each rule".to_owned());
    }
    if keys > 0 && topology.wanted.key.rotation_days.is_some() {
        items.push("from the first two rotations on, $1.00 a month each, for every key".to_owned());
    }
    Cost { monthly_usd, items }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pairs_cost_their_sum() {
        let sum = cost_of_many(&[2.0, 0.0, 2.0, 3.0]);
        assert_eq!(format!("{:.2}", sum.monthly_usd), "7.00");
        assert_eq!(
            sum.items,
            ["1 pair at $3.00: $3.00", "2 pairs at $2.00: $4.00", "1 pair at $0.00: $0.00"]
        );
    }
}
