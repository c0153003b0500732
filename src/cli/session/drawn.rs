//! A pair's places, as reports draw them.

use crate::events::{DestinationOf, PairOf, PlaceOf};
use crate::manifest::{RuleWish, Topology};

/// Returns a pair's places.
pub(super) fn drawn(topology: &Topology) -> PairOf {
    let source = &topology.source;
    let destination = |rule: &RuleWish| DestinationOf {
        bucket: rule.destination.bucket.to_string(),
        region: rule.destination.region.clone(),
        rule: rule.id.clone(),
        prefix: rule.settings.prefix.clone(),
    };
    PairOf {
        source: PlaceOf { bucket: source.bucket.to_string(), region: source.region.clone() },
        destinations: topology.rules.iter().map(destination).collect(),
        alias: topology.key.alias.to_string(),
        role: topology.role.to_string(),
    }
}
