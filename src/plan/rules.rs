//! Computes the replication rules of a pair and compares them with the live rules.
//! Not for: writing rules (see `steps`).

use super::others;
use crate::manifest::{
    BucketPlace, KeyKind, KeyWish, PairKeys, RuleSettings, RuleWish, Side, Topology,
};
use crate::names::{Arn, BucketName, Region, RoleName};
use crate::world::{Bucket, Replication, Role, Rule, World};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the rules of the pair. Priorities are unique and stable: a priority in the manifest is
/// used, a live rule keeps its priority, and a new rule gets the next free priority.
pub fn wanted(topology: &Topology, keys: &PairKeys, live: Option<&Replication>) -> Vec<Rule> {
    let live: &[Rule] = live.map_or(&[], |replication| &replication.rules);
    let given: BTreeSet<i32> =
        topology.rules.iter().filter_map(|rule| rule.settings.priority).collect();
    let mut taken = given.clone();
    taken.extend(live.iter().map(|rule| rule.priority));
    let mut rules = Vec::new();
    for wish in &topology.rules {
        let known = live.iter().find(|rule| rule.id == wish.id);
        if let Some(old) = known.filter(|rule| rule.is_v1 && !topology.wanted.converts_v1) {
            let kept = rule(topology, keys, wish, old.priority);
            rules.push(spelled(Rule { is_v1: true, ..kept }, known));
            continue;
        }
        // The rules of a configuration of schema V1 have no priorities.
        let stable = known.filter(|rule| !rule.is_v1).map(|rule| rule.priority);
        let stable = stable.filter(|priority| !given.contains(priority));
        let priority = wish.settings.priority.or(stable).unwrap_or_else(|| next_free(&taken));
        taken.insert(priority);
        rules.push(spelled(rule(topology, keys, wish, priority), known));
    }
    rules
}

/// Keeps the alias by which a live rule names its replica key, if it is an alias of the wanted key.
/// S3 takes the ARN of a key or of an alias (S3 API Reference, `EncryptionConfiguration`). An alias
/// that can't be read passes where it is in the key's account and Region.
fn spelled(wanted: Rule, live: Option<&Rule>) -> Rule {
    let Some((live, alias)) = live.and_then(|live| Some((live, live.replica_alias.as_ref()?)))
    else {
        return wanted;
    };
    let place =
        |arn: &str| Arn::new(arn).ok().map(|arn| format!("{}/{}", arn.region(), arn.account()));
    let is_unread = live.replica_key.as_ref() == Some(alias);
    let is_near = || wanted.replica_key.as_deref().is_some_and(|key| place(key) == place(alias));
    if live.replica_key == wanted.replica_key || is_unread && is_near() {
        return Rule {
            replica_key: live.replica_key.clone(),
            replica_alias: Some(alias.clone()),
            ..wanted
        };
    }
    wanted
}

fn rule(topology: &Topology, keys: &PairKeys, wish: &RuleWish, priority: i32) -> Rule {
    let settings = &wish.settings;
    let replica_key = topology.wanted.key_arn(keys, &wish.destination).map(|arn| arn.to_string());
    Rule {
        id: wish.id.clone(),
        priority,
        enabled: true,
        is_v1: false,
        prefix: Some(settings.prefix.clone()),
        tags: settings.tags.clone(),
        delete_markers: settings.delete_markers,
        destination: wish.destination.bucket.arn(topology.wanted.partition()).to_string(),
        kms_objects: replica_key.is_some(),
        replica_key,
        replica_alias: None,
        storage_class: settings.storage_class.clone(),
        metrics: settings.metrics,
        time_control: settings.time_control,
        new_owner: new_owner(topology, wish),
        replica_modifications: settings.replica_modifications,
        others: Vec::new(),
    }
}

/// Returns the account that replicas are given to. Within one account, the replicas belong to that
/// account anyway.
fn new_owner(topology: &Topology, wish: &RuleWish) -> Option<String> {
    let is_given = wish.settings.owner_override && topology.is_foreign(&wish.destination);
    is_given.then(|| wish.destination.account.to_string())
}

/// Suffix of the id of a temporary rule, which exists only while a change of a live rule is proven.
const PROOF: &str = ".proof";

/// Returns whether `rule_id` is the id of a temporary rule, which the run deletes before it ends.
pub fn is_proof(rule_id: &str) -> bool {
    rule_id.ends_with(PROOF)
}

/// Returns the rules to write while the `wanted` rules are proven, for the rules that differ from
/// `live`. A new rule is narrowed to the probe prefix. A live rule is never narrowed; instead, a
/// temporary rule with a higher priority, narrowed to the probe prefix, is added.
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

/// Returns whether a rule of the pair is narrowed to the probe prefix: a run was interrupted before
/// the rule went live.
pub fn is_narrow(topology: &Topology, rule: &Rule) -> bool {
    rule.prefix.as_deref().is_some_and(|prefix| prefix.ends_with(&probes_place(topology)))
}

fn narrowed(topology: &Topology, rule: &Rule) -> Rule {
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    Rule { prefix: Some(format!("{prefix}{}", probes_place(topology))), ..rule.clone() }
}

/// Returns the probe prefix below the prefix of a rule (see [`crate::manifest::Wanted::probe_prefix`]).
fn probes_place(topology: &Topology) -> String {
    format!("_crrctl/{}/", topology.wanted.name)
}

/// Returns the reverse directions that exist only as live rules of the pair: the manifest is no
/// longer two-way, or no longer has the destination. Another pair with this name has rules with the
/// same ids, so only rules from a bucket of this pair to this pair's source count.
pub fn reverse_directions_in_force(topology: &Topology, world: &World) -> Vec<Topology> {
    let is_wanted = |name: &BucketName| {
        name == &topology.wanted.home().bucket
            || topology.backward().any(|it| &it.source.bucket == name)
    };
    let told = |(name, bucket): (&BucketName, &Bucket)| {
        let may_lead_back = !is_wanted(name) && topology.wanted.owns(&bucket.tags);
        let live = bucket.replication.as_ref().filter(|_| may_lead_back)?;
        let home = topology.wanted.home().clone();
        let destination = home.bucket.arn(topology.wanted.partition());
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
        let place = BucketPlace { region: bucket.region.clone()?, bucket: name.clone() };
        let side = topology.wanted.side(place);
        let role = RoleName::new(live.role.rsplit('/').next().unwrap_or_default()).ok()?;
        let mut back = topology.back_from(&side, role);
        back.direction.rules = rules;
        Some(back)
    };
    world.buckets.iter().filter_map(told).collect()
}

/// Returns every direction that is in the manifest or live, the forward direction first.
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

/// Returns the settings of a live rule.
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
    // A configuration has at most 1,000 rules, so one of these numbers is free.
    (1..=2001).find(|priority| !taken.contains(priority)).unwrap_or(2001)
}

/// Returns the live rules of the pair to destinations that the manifest does not name, each with
/// its destination.
fn orphans<'a>(
    topology: &'a Topology,
    live: Option<&'a Replication>,
) -> impl Iterator<Item = (Side, &'a Rule)> {
    let side = |rule: &'a Rule| {
        let region = Region::new(region_of(topology, &rule.id)?).ok()?;
        let bucket = rule.bucket().ok()?;
        let is_named = topology.sides().any(|side| side.bucket == bucket);
        let mut side = topology.wanted.side(BucketPlace { region, bucket });
        if topology.wanted.key.kind != KeyKind::MultiRegion && rule.replica_key.is_some() {
            side.key = KeyWish::of_rule(rule.replica_key.as_deref());
        }
        (!is_named).then_some((side, rule))
    };
    live.into_iter().flat_map(|live| &live.rules).filter_map(side)
}

/// Returns the live replication configuration of the source bucket.
fn live<'a>(topology: &Topology, world: &'a World) -> Option<&'a Replication> {
    world.buckets.get(&topology.source.bucket)?.replication.as_ref()
}

/// Returns the destinations of live rules of the pair that the manifest does not name.
pub fn unnamed(topology: &Topology, world: &World) -> Vec<Side> {
    orphans(topology, live(topology, world)).map(|(side, _)| side).collect()
}

/// Returns `topology` with the destinations added that only live rules name. The role must continue
/// to serve them, because objects end FAILED under a rule that its role can't serve.
pub fn served(topology: &Topology, world: &World) -> Topology {
    let mut served = topology.clone();
    for (side, rule) in orphans(topology, live(topology, world)) {
        let wish = RuleWish { id: rule.id.clone(), destination: side, settings: settings_of(rule) };
        served.direction.serve(wish);
    }
    for rule in others::served_by_ours(topology, world) {
        if let Some(wish) = others::as_wish(topology, rule) {
            served.direction.serve(wish);
        }
    }
    served
}

/// Returns `topology` with all that stands of the pair and that the manifest does not name: the
/// destinations of live rules, buckets that only the keys record, and reverse directions.
pub fn standing(topology: &Topology, world: &World) -> Topology {
    let mut standing = topology.clone();
    for (side, rule) in orphans(topology, live(topology, world)) {
        let wish = RuleWish { id: rule.id.clone(), destination: side, settings: settings_of(rule) };
        standing.direction.serve(wish);
    }
    for (name, bucket) in &world.buckets {
        let Some(region) = bucket.region.clone() else { continue };
        let destination = topology.wanted.side(BucketPlace { region, bucket: name.clone() });
        if !standing.sides().any(|named| named.place == destination.place) {
            let (id, settings) = (String::new(), RuleSettings::default());
            standing.direction.serve(RuleWish { id, destination, settings });
        }
    }
    for back in reverse_directions_in_force(topology, world) {
        standing.also(back.direction);
    }
    standing
}

/// Returns whether a live rule of the pair must be deleted: a temporary rule, or a rule that the
/// manifest no longer has although it still has the destination.
pub fn goes(topology: &Topology, rule: &Rule) -> bool {
    is_ours(topology, &rule.id) && is_proof(&rule.id) || is_outdated(topology, rule)
}

fn is_outdated(topology: &Topology, rule: &Rule) -> bool {
    let leads_to =
        |side: &Side| side.bucket.arn(topology.wanted.partition()).as_str() == rule.destination;
    region_of(topology, &rule.id).is_some()
        && topology.destinations.iter().any(leads_to)
        && !topology.rules.iter().any(|wish| wish.id == rule.id)
}

/// Returns the foreign rules in `live`.
pub fn foreign<'a>(topology: &Topology, live: &'a Replication) -> impl Iterator<Item = &'a Rule> {
    live.rules.iter().filter(move |rule| !is_ours(topology, &rule.id))
}

/// Returns the rules in `live` that no removal deletes: foreign rules, and existing rules that the
/// manifest names by `rule_id`.
pub fn staying<'a>(topology: &Topology, live: &'a Replication) -> impl Iterator<Item = &'a Rule> {
    let prefix = topology.wanted.rule_prefix();
    live.rules.iter().filter(move |rule| !rule.id.starts_with(&prefix))
}

/// Returns whether the rule `id` belongs to the pair: crrctl created it, or the manifest names it.
/// A temporary rule belongs to the pair if the rule it stands in for does.
pub fn is_ours(topology: &Topology, id: &str) -> bool {
    let lasting = id.strip_suffix(PROOF).unwrap_or(id);
    region_of(topology, id).is_some() || topology.rules.iter().any(|wish| wish.id == lasting)
}

/// Returns whether a live rule matches `wanted`. An Account in the destination without an owner
/// override has no further effect and is ignored (S3 API Reference, `Destination`, on Account).
pub fn says(live: &Rule, wanted: &Rule) -> bool {
    let others = live.others.iter().filter(|it| *it != ACCOUNT).cloned().collect();
    // An alias that both name is the same key, whether it was resolved or not.
    let is_alias = live.replica_alias.is_some() && live.replica_alias == wanted.replica_alias;
    let replica_key = if is_alias { &wanted.replica_key } else { &live.replica_key }.clone();
    let named = Rule { replica_key, ..live.clone() };
    named == *wanted || *wanted == Rule { others, ..named }
}

/// Entry of [`Rule::others`] for a rule that names an account without making it the owner of the
/// replicas.
pub const ACCOUNT: &str = "account";

/// Returns the Region in the id of a rule that crrctl created for the pair: `crrctl.<pair>.<region>`
/// or `crrctl.<pair>.<bucket>_<region>`, each with a number from the second rule on.
pub fn region_of<'a>(topology: &Topology, rule_id: &'a str) -> Option<&'a str> {
    let rest = rule_id.strip_prefix(&topology.wanted.rule_prefix())?;
    rest.rsplit_once('_').map_or(rest, |(_bucket, region)| region).split('.').next()
}

/// Lets the rules to each destination keep the id under which they are live, so that no id changes
/// its destination when the manifest drops another one or changes their order. Other ids are those
/// of the manifest, but where a Region has several destinations no id of a dropped one is used.
pub fn keep_ids(topology: &mut Topology, live: Option<&Replication>) {
    let live: &[Rule] = live.map_or(&[], |live| &live.rules);
    let destinations = topology.destinations.clone();
    let keeps = |side: &Side| live_stem(topology, live, side);
    let mut stems: BTreeMap<Side, String> =
        destinations.iter().filter_map(|side| Some((side.clone(), keeps(side)?))).collect();
    let given = topology.rules.iter().filter_map(|rule| rule.settings.id.clone());
    let mut taken: BTreeSet<String> = stems.values().cloned().chain(given).collect();
    for side in &destinations {
        let usual = topology.wanted.usual_stem(&side.region);
        let is_alone = topology.wanted.told_apart(side).is_none();
        let is_free =
            !taken.contains(&usual) && (is_alone || !live.iter().any(|it| it.id == usual));
        stems.entry(side.clone()).or_insert_with(|| {
            let stem = if is_free { usual } else { topology.wanted.stem_of(side) };
            taken.insert(stem.clone());
            stem
        });
    }
    topology.rename_rules(|side| stems.get(side).cloned().unwrap_or_default());
}

/// Returns the id, without its number, that live rules of the pair to `side` have.
fn live_stem(topology: &Topology, live: &[Rule], side: &Side) -> Option<String> {
    let (usual, own) = (topology.wanted.usual_stem(&side.region), topology.wanted.stem_of(side));
    let arn = side.bucket.arn(topology.wanted.partition());
    let ids = || live.iter().filter(|rule| rule.destination == arn.as_str()).map(|it| &it.id);
    let has = |stem: &String| {
        let is_of = |id: &String| {
            id.strip_prefix(stem).is_some_and(|it| it.is_empty() || it.starts_with('.'))
        };
        ids().any(is_of)
    };
    [own, usual].into_iter().find(has)
}
