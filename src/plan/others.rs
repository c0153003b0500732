//! Rules of others in the source's replication configuration, which has one role for all its rules: theirs stays, unless the
//! manifest says that the pair's takes over, and a rule of theirs is never left with a role that can't serve it.
//! Not for: the proof of what a role can serve (see `served`).

mod served;

pub use served::{prove_lent, prove_take_over};

use super::rules;
use crate::failure::{self, Failure};
use crate::manifest::{KeyWish, RuleSettings, RuleWish, Side, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::world::{Replication, Rule, World};

/// Returns the role that stays and that the pair's rules are to go by: that of a configuration in which others have rules.
/// One that the manifest gives is used as it is, whatever is live.
pub fn shared_role(topology: &Topology, live: Option<&Replication>) -> Option<Arn> {
    if let Some(given) = &topology.role_settings.given {
        return Some(given.clone());
    }
    let live = live?;
    let is_theirs = live.role != topology.role_arn().as_str();
    let lends = is_theirs
        && !topology.role_settings.take_over
        && rules::foreign(topology, live).next().is_some();
    lends.then(|| Arn::new(&*live.role).ok()).flatten()
}

/// Returns a rule of others that passes over what the pair's default encryption makes of new objects (S3 User Guide, "Replicating
/// encrypted objects": a rule replicates SSE-KMS objects only where it says so).
pub(super) fn unselecting<'a>(topology: &Topology, live: &'a Replication) -> Option<&'a Rule> {
    let is_kms = topology.key_wish(&topology.source) != KeyWish::Nothing;
    rules::foreign(topology, live).find(|rule| is_kms && !rule.kms_objects)
}

/// Returns the rules of others in the source's configuration that are to have the pair's role: all where it takes over, else
/// those that it serves already.
pub fn served_by_ours<'a>(topology: &Topology, world: &'a World) -> Vec<&'a Rule> {
    let source = world.buckets.get(&topology.source.bucket);
    let Some(live) = source.and_then(|bucket| bucket.replication.as_ref()) else {
        return Vec::new();
    };
    let policy = world.role.as_ref().and_then(|role| role.policy.as_ref());
    let policy = policy.map(ToString::to_string).unwrap_or_default();
    let has_ours = live.role == topology.role_arn().as_str();
    let is_served = |rule: &&Rule| has_ours && policy.contains(&format!("{}/", rule.destination));
    rules::foreign(topology, live)
        .filter(|rule| topology.role_settings.take_over || is_served(rule))
        .collect()
}

/// Returns a rule of others as one that a role is to serve. Its destination's Region matters for its key alone.
pub(super) fn as_wish(topology: &Topology, rule: &Rule) -> Option<RuleWish> {
    let bucket = BucketName::new(Arn::new(&*rule.destination).ok()?.resource()).ok()?;
    let of_key = rule.replica_key.as_deref().map(|key| region_of_key(key).ok_or(()));
    let region = match of_key {
        Some(region) => region.ok()?,
        None => topology.source.region.clone(),
    };
    let known = topology.sides().find(|side| side.bucket == bucket).cloned();
    let settings = RuleSettings {
        prefix: rule.prefix.clone()?,
        tags: rule.tags.clone(),
        delete_markers: rule.delete_markers,
        ..RuleSettings::default()
    };
    let destination = known.unwrap_or(Side { region, bucket });
    Some(RuleWish { id: rule.id.clone(), destination, settings })
}

/// Returns the Region of a key that a rule names; none of one that is not named by the ARN of a key.
fn region_of_key(key: &str) -> Option<Region> {
    let arn = Arn::new(key).ok().filter(|arn| arn.resource().starts_with("key/"))?;
    Region::new(arn.region()).ok()
}

/// Returns the place of every key and bucket of others that is to be looked at before the pair's role takes over.
pub fn places(topology: &Topology, world: &World) -> Vec<(Side, Option<String>)> {
    let wish =
        |rule: &&Rule| Some((as_wish(topology, rule)?.destination, rule.replica_key.clone()));
    served_by_ours(topology, world).iter().filter_map(wish).collect()
}

/// Refuses a configuration with rules of the old schema: beside them S3 takes none of ours, and writing theirs anew would change
/// what they mean (S3 User Guide, "Replication configuration file elements", on backward compatibility).
pub fn refuse_v1(topology: &Topology, live: &Replication) -> Result<(), Failure> {
    let Some(rule) = rules::foreign(topology, live).find(|rule| rule.prefix.is_none()) else {
        return Ok(());
    };
    let source = &topology.source;
    let message = format!(
        "the rule `{}` in the replication configuration of `{}` has no Filter (schema V1), and is not rewritten",
        rule.id, source.bucket
    );
    Err(Failure::new(failure::Kind::InTheWay, "rule-v1", message)
        .in_region(&source.region)
        .hint("whoever made it gives it a Filter, a Priority and DeleteMarkerReplication: delete markers no longer replicate by themselves then"))
}
