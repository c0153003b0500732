//! Converts a pair to the plain data that reports draw.
//! Not for: drawing (see `report`).

use crate::events::{CallOf, DestinationOf, PairOf, PlaceOf, RuleOf, SideOf, TargetOf, WayOf};
use crate::manifest::{KeyWish, RuleWish, Side, Topology};
use crate::policy::proof::{Expectation, Row};

/// Returns the buckets, the key alias, the role and the directions of a pair.
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
        alias: topology.wanted.key.alias.to_string(),
        role: topology.role.to_string(),
        ways: topology.directions().iter().map(way).collect(),
    }
}

fn way(direction: &Topology) -> WayOf {
    let rule = |rule: &RuleWish| RuleOf {
        id: rule.id.clone(),
        prefix: rule.settings.prefix.clone(),
        tags: rule.settings.tags.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        delete_markers: rule.settings.delete_markers,
    };
    let target = |to: &Side| {
        let SideOf { bucket, region, account, key } = side(direction, to);
        let rules = direction.rules_to(to).map(rule).collect();
        TargetOf { bucket, region, account, key, rules }
    };
    WayOf {
        source: side(direction, &direction.source),
        role: direction.assumed_role().to_string(),
        destinations: direction.destinations.iter().map(target).collect(),
    }
}

fn side(direction: &Topology, side: &Side) -> SideOf {
    let key = match &side.key {
        KeyWish::Ours => Some(direction.wanted.key.alias.to_string()),
        KeyWish::Existing(given) => Some(given.as_str().to_owned()),
        KeyWish::Nothing => None,
    };
    SideOf {
        bucket: side.bucket.to_string(),
        region: side.region.clone(),
        account: side.account.to_string(),
        key,
    }
}

/// Returns the replication calls of a proof that must be allowed, each once, with the statement
/// that decided.
pub fn calls<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<CallOf> {
    let is_asked = |row: &&Row| row.expected == Expectation::Allow && row.section == "replication";
    let mut calls: Vec<CallOf> = Vec::new();
    for row in rows.filter(is_asked) {
        let call = CallOf {
            caller: row.caller.clone(),
            action: row.action.clone(),
            resource: row.resource.clone(),
            context: row.context.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            allowed: row.holds(),
            document: row.document.clone(),
            statement: row.statement.clone(),
        };
        // A cross-account call is evaluated against the policies of each account separately, so it
        // can occur more than once.
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}
