//! The replication rules a pair wants, and what its live rules say.
//! Not for: writing them (see `steps`).

use crate::manifest::{Side, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::world::{Replication, Rule, World};
use std::collections::BTreeSet;

/// Returns the rules of the pair, one a destination. Priorities are unique and stable: a live rule keeps its own, a new one
/// gets the next that is free.
pub fn wanted(topology: &Topology, key: &KeyId, live: Option<&Replication>) -> Vec<Rule> {
    let live: &[Rule] = live.map_or(&[], |replication| &replication.rules);
    let mut taken: BTreeSet<i32> = live.iter().map(|rule| rule.priority).collect();
    topology
        .destinations
        .iter()
        .map(|side| {
            let id = topology.rule_id(side);
            let stable = live.iter().find(|rule| rule.id == id).map(|rule| rule.priority);
            let priority = stable.unwrap_or_else(|| next_free(&taken));
            taken.insert(priority);
            Rule {
                id,
                priority,
                enabled: true,
                prefix: Some(topology.replication.prefix.clone()),
                delete_markers: topology.replication.delete_markers,
                destination: side.bucket.arn(topology.partition()).to_string(),
                replica_key: Some(topology.key_arn(key, &side.region).to_string()),
                kms_objects: true,
                others: Vec::new(),
            }
        })
        .collect()
}

/// Ends the id of a rule that stands only while a change of a live rule is proven.
const PROOF: &str = ".proof";

/// Returns whether `rule_id` is that of a temporary rule, which a run takes away again before it ends.
pub fn is_proof(rule_id: &str) -> bool {
    rule_id.ends_with(PROOF)
}

/// Returns what stands in the configuration while the `wanted` rules are proven, as far as it differs from what is `live`: a
/// rule that is not live yet covers the place of the probes alone, and beside a live one, which is never narrowed, stands a
/// temporary rule of higher priority that does.
pub fn proving(topology: &Topology, wanted: &[Rule], live: Option<&Replication>) -> Vec<Rule> {
    let live: &[Rule] = live.map_or(&[], |replication| &replication.rules);
    let highest = live.iter().chain(wanted).map(|rule| rule.priority).max().unwrap_or_default();
    let mut above = highest..;
    let stands_in = |rule: &Rule| {
        let found = live.iter().find(|live| live.id == rule.id);
        if found == Some(rule) {
            return None;
        }
        let narrow = narrowed(topology, rule);
        if found.is_none_or(|found| is_narrow(topology, found)) {
            return Some(narrow);
        }
        let priority = above.next().unwrap_or(i32::MAX).saturating_add(1);
        Some(Rule { id: format!("{}{PROOF}", rule.id), priority, ..narrow })
    };
    wanted.iter().filter_map(stands_in).collect()
}

/// Returns whether a rule of ours covers the place of probes alone: a run was cut off before it went live.
pub fn is_narrow(topology: &Topology, rule: &Rule) -> bool {
    rule.prefix.as_deref().is_some_and(|prefix| prefix.ends_with(&probes_place(topology)))
}

fn narrowed(topology: &Topology, rule: &Rule) -> Rule {
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    Rule { prefix: Some(format!("{prefix}{}", probes_place(topology))), ..rule.clone() }
}

/// Returns where probes lie below the prefix of their rule (see [`Topology::probe_prefix`]).
fn probes_place(topology: &Topology) -> String {
    format!("_crrctl/{}/", topology.name)
}

fn next_free(taken: &BTreeSet<i32>) -> i32 {
    // A configuration has at most 1,000 rules, so one of these is free.
    (1..=1001).find(|priority| !taken.contains(priority)).unwrap_or(1001)
}

/// Returns the destinations of our live rules that the manifest does not name.
pub fn unnamed(topology: &Topology, world: &World) -> Vec<Side> {
    let source = world.buckets.get(&topology.source.bucket);
    let live = source.and_then(|source| source.replication.as_ref());
    let side = |rule: &Rule| {
        let region = Region::new(region_of(topology, &rule.id)?).ok()?;
        let bucket = BucketName::new(Arn::new(&rule.destination).ok()?.resource()).ok()?;
        let is_named = topology.sides().any(|side| side.bucket == bucket);
        (!is_named).then_some(Side { region, bucket })
    };
    live.iter().flat_map(|live| &live.rules).filter_map(side).collect()
}

/// Returns `topology` with the destinations that only our live rules name: the role must go on serving them, since objects
/// would end FAILED under a rule that its role can't serve.
pub fn served(topology: &Topology, world: &World) -> Topology {
    let mut served = topology.clone();
    served.destinations.extend(unnamed(topology, world));
    served
}

/// Returns the rules of `live` that are not this pair's.
pub fn foreign<'a>(topology: &Topology, live: &'a Replication) -> impl Iterator<Item = &'a Rule> {
    let prefix = topology.rule_prefix();
    live.rules.iter().filter(move |rule| !rule.id.starts_with(&prefix))
}

/// Returns the Region that the id of one of our rules names.
pub fn region_of<'a>(topology: &Topology, rule_id: &'a str) -> Option<&'a str> {
    rule_id.strip_prefix(&topology.rule_prefix())
}
