//! The replication rules a pair wants, and what its live rules say.
//! Not for: writing them (see `steps`).

use super::others;
use crate::manifest::{PairKeys, RuleSettings, RuleWish, Side, Topology};
use crate::names::{Arn, BucketName, Region, RoleName};
use crate::world::{Bucket, Replication, Role, Rule, World};
use std::collections::BTreeSet;

/// Returns the rules of the pair. Priorities are unique and stable: one that the manifest gives stands, a live rule keeps its
/// own, and a new one gets the next that is free.
pub fn wanted(topology: &Topology, keys: &PairKeys, live: Option<&Replication>) -> Vec<Rule> {
    let live: &[Rule] = live.map_or(&[], |replication| &replication.rules);
    let given: BTreeSet<i32> =
        topology.rules.iter().filter_map(|rule| rule.settings.priority).collect();
    let mut taken = given.clone();
    taken.extend(live.iter().map(|rule| rule.priority));
    let mut rules = Vec::new();
    for wish in &topology.rules {
        let stable = live.iter().find(|rule| rule.id == wish.id).map(|rule| rule.priority);
        let stable = stable.filter(|priority| !given.contains(priority));
        let priority = wish.settings.priority.or(stable).unwrap_or_else(|| next_free(&taken));
        taken.insert(priority);
        rules.push(rule(topology, keys, wish, priority));
    }
    rules
}

fn rule(topology: &Topology, keys: &PairKeys, wish: &RuleWish, priority: i32) -> Rule {
    let settings = &wish.settings;
    let replica_key = topology.key_arn(keys, &wish.destination).map(|arn| arn.to_string());
    Rule {
        id: wish.id.clone(),
        priority,
        enabled: true,
        prefix: Some(settings.prefix.clone()),
        tags: settings.tags.clone(),
        delete_markers: settings.delete_markers,
        destination: wish.destination.bucket.arn(topology.partition()).to_string(),
        kms_objects: replica_key.is_some(),
        replica_key,
        storage_class: settings.storage_class.clone(),
        metrics: settings.metrics,
        time_control: settings.time_control,
        new_owner: new_owner(topology, wish),
        replica_modifications: settings.replica_modifications,
        others: Vec::new(),
    }
}

/// Within one account replicas belong to it anyway.
fn new_owner(topology: &Topology, wish: &RuleWish) -> Option<String> {
    let is_given = wish.settings.owner_override && topology.is_foreign(&wish.destination);
    is_given.then(|| topology.account_of(&wish.destination.region).to_string())
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
        if found.is_some_and(|found| says(found, rule)) {
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

/// Returns the directions back to the source that only live rules of ours tell of: the manifest is not two-way any more, or has
/// dropped the destination. Another pair of this name has rules with the same ids: ours lead from a bucket of ours to the source.
pub fn reverse_directions_in_force(topology: &Topology, world: &World) -> Vec<Topology> {
    let is_wanted = |name: &BucketName| {
        name == &topology.home.bucket || topology.backward().any(|it| &it.source.bucket == name)
    };
    let told = |(name, bucket): (&BucketName, &Bucket)| {
        let may_lead_back = !is_wanted(name) && topology.owns(&bucket.tags);
        let live = bucket.replication.as_ref().filter(|_| may_lead_back)?;
        let home = topology.home.clone();
        let destination = home.bucket.arn(topology.partition());
        let is_ours = |rule: &&Rule| {
            region_of(topology, &rule.id).is_some() && rule.destination == destination.as_str()
        };
        let ours = live.rules.iter().filter(is_ours);
        let wish = |rule: &Rule| RuleWish {
            id: rule.id.clone(),
            destination: home.clone(),
            settings: settings_of(rule),
        };
        let rules: Vec<RuleWish> = ours.map(wish).collect();
        if rules.is_empty() {
            return None;
        }
        let side = Side { region: bucket.region.clone()?, bucket: name.clone() };
        let role = RoleName::new(live.role.rsplit('/').next().unwrap_or_default()).ok()?;
        let mut back = topology.back_from(&side, role);
        back.rules = rules;
        Some(back)
    };
    world.buckets.iter().filter_map(told).collect()
}

/// Returns every direction that is wanted or live, the forward one first.
pub fn directions(topology: &Topology, world: &World) -> Vec<Topology> {
    topology.directions().into_iter().chain(reverse_directions_in_force(topology, world)).collect()
}

/// Returns the live replication role of one direction of a pair.
pub fn role_of<'a>(direction: &Topology, world: &'a World) -> Option<&'a Role> {
    if direction.is_back() {
        world.reverse_roles.get(&direction.source.bucket)
    } else {
        world.role.as_ref()
    }
}

/// Returns what a live rule says.
fn settings_of(rule: &Rule) -> RuleSettings {
    RuleSettings {
        prefix: rule.prefix.clone().unwrap_or_default(),
        tags: rule.tags.clone(),
        delete_markers: rule.delete_markers,
        replica_modifications: rule.replica_modifications,
        owner_override: rule.new_owner.is_some(),
        ..RuleSettings::default()
    }
}

fn next_free(taken: &BTreeSet<i32>) -> i32 {
    // A configuration has at most 1,000 rules, so one of these is free.
    (1..=2001).find(|priority| !taken.contains(priority)).unwrap_or(2001)
}

/// Returns our live rules to destinations that the manifest does not name, each with its destination.
fn orphans<'a>(
    topology: &'a Topology,
    live: Option<&'a Replication>,
) -> impl Iterator<Item = (Side, &'a Rule)> {
    let side = |rule: &'a Rule| {
        let region = Region::new(region_of(topology, &rule.id)?).ok()?;
        let bucket = BucketName::new(Arn::new(&*rule.destination).ok()?.resource()).ok()?;
        let is_named = topology.sides().any(|side| side.bucket == bucket);
        (!is_named).then_some((Side { region, bucket }, rule))
    };
    live.into_iter().flat_map(|live| &live.rules).filter_map(side)
}

/// Returns the replication configuration of the source that is live.
fn live<'a>(topology: &Topology, world: &'a World) -> Option<&'a Replication> {
    world.buckets.get(&topology.source.bucket)?.replication.as_ref()
}

/// Returns the destinations of our live rules that the manifest does not name.
pub fn unnamed(topology: &Topology, world: &World) -> Vec<Side> {
    orphans(topology, live(topology, world)).map(|(side, _)| side).collect()
}

/// Returns `topology` with the destinations that only our live rules name: the role must go on serving them, since objects
/// would end FAILED under a rule that its role can't serve.
pub fn served(topology: &Topology, world: &World) -> Topology {
    let mut served = topology.clone();
    for (side, rule) in orphans(topology, live(topology, world)) {
        let wish = RuleWish { id: rule.id.clone(), destination: side, settings: settings_of(rule) };
        served.serve(wish, rule.replica_key.as_deref());
    }
    for rule in others::served_by_ours(topology, world) {
        if let Some(wish) = others::as_wish(topology, rule) {
            served.serve_others(wish, rule.replica_key.as_deref());
        }
    }
    served
}

/// Returns whether a live rule of the pair's is to go: a temporary one, or one that is wanted no more although its destination is.
pub fn goes(topology: &Topology, rule: &Rule) -> bool {
    is_ours(topology, &rule.id) && is_proof(&rule.id) || is_outdated(topology, rule)
}

fn is_outdated(topology: &Topology, rule: &Rule) -> bool {
    let leads_to = |side: &Side| side.bucket.arn(topology.partition()).as_str() == rule.destination;
    region_of(topology, &rule.id).is_some()
        && topology.destinations.iter().any(leads_to)
        && !topology.rules.iter().any(|wish| wish.id == rule.id)
}

/// Returns the rules of `live` that are not this pair's.
pub fn foreign<'a>(topology: &Topology, live: &'a Replication) -> impl Iterator<Item = &'a Rule> {
    live.rules.iter().filter(move |rule| !is_ours(topology, &rule.id))
}

/// Returns the rules of `live` that no removal takes away: those of others, and those that the manifest names by an id that
/// somebody else gave them.
pub fn staying<'a>(topology: &Topology, live: &'a Replication) -> impl Iterator<Item = &'a Rule> {
    let prefix = topology.rule_prefix();
    live.rules.iter().filter(move |rule| !rule.id.starts_with(&prefix))
}

/// Returns whether the pair goes by the rule `id`: crrctl made it, or the manifest names it; a temporary one goes with its own.
pub fn is_ours(topology: &Topology, id: &str) -> bool {
    let lasting = id.strip_suffix(PROOF).unwrap_or(id);
    region_of(topology, id).is_some() || topology.rules.iter().any(|wish| wish.id == lasting)
}

/// Returns whether a live rule says what is `wanted`. One that names the destination's account without giving it the replicas
/// says nothing more by that (S3 API Reference, `Destination`, on Account).
pub fn says(live: &Rule, wanted: &Rule) -> bool {
    let others = live.others.iter().filter(|it| *it != ACCOUNT).cloned().collect();
    live == wanted || *wanted == Rule { others, ..live.clone() }
}

/// What a rule has that names an account and does not make it the owner of replicas (see [`Rule::others`]).
const ACCOUNT: &str = "account";

/// Returns the Region that the id of one of our rules names.
pub fn region_of<'a>(topology: &Topology, rule_id: &'a str) -> Option<&'a str> {
    rule_id.strip_prefix(&topology.rule_prefix())?.split('.').next()
}
