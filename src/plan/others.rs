//! Foreign rules: rules in the source bucket's replication configuration that don't belong to the
//! pair. A configuration has one role for all rules. The foreign rules' role is kept, unless the
//! manifest sets `role.take_over`. A foreign rule never gets a role that can't serve it.
//! Not for: proving what a role can serve (see `served`).

mod served;

pub use served::{in_force, prove_shared_role, prove_take_over};

use super::rules;
use crate::failure::{self, Failure};
use crate::manifest::{BucketPlace, KeyWish, RuleSettings, RuleWish, Side, Topology};
use crate::names::{Arn, Region};
use crate::world::{Replication, Rule, World};

/// Returns the role that the pair's rules must use instead of the pair's own: the role that the
/// manifest gives in `role.arn`, or the live role of a configuration with foreign rules. A given
/// role is used regardless of the live configuration.
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

/// Returns a foreign rule that skips new objects encrypted with the pair's default encryption (S3
/// User Guide, "Replicating encrypted objects": a rule replicates SSE-KMS objects only if it says
/// so).
pub(super) fn unselecting<'a>(topology: &Topology, live: &'a Replication) -> Option<&'a Rule> {
    let is_kms = topology.source.has_key();
    rules::foreign(topology, live).find(|rule| is_kms && !rule.kms_objects)
}

/// Returns the foreign rules in the source bucket's configuration that the pair's role must serve:
/// all of them with `role.take_over`, otherwise those that the role serves already.
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

/// Converts a foreign rule to a rule that a role can be rendered for. The destination's Region
/// affects only the replica key.
pub(super) fn as_wish(topology: &Topology, rule: &Rule) -> Option<RuleWish> {
    let bucket = rule.bucket().ok()?;
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
    let destination = known.unwrap_or_else(|| Side {
        key: KeyWish::of_rule(rule.replica_key.as_deref()),
        ..topology.wanted.side(BucketPlace { region, bucket })
    });
    Some(RuleWish { id: rule.id.clone(), destination, settings })
}

/// Returns the Region of the key that a rule names, or `None` if the rule does not name it by a key
/// ARN.
fn region_of_key(key: &str) -> Option<Region> {
    let arn = Arn::new(key).ok().filter(|arn| arn.resource().starts_with("key/"))?;
    Region::new(arn.region()).ok()
}

/// Returns the destination bucket and the replica key of each foreign rule whose policies must be
/// read before the pair's role takes over.
pub fn places(topology: &Topology, world: &World) -> Vec<(Side, Option<String>)> {
    let wish =
        |rule: &&Rule| Some((as_wish(topology, rule)?.destination, rule.replica_key.clone()));
    served_by_ours(topology, world).iter().filter_map(wish).collect()
}

/// Refuses a change of a configuration that has rules of schema V1, unless the manifest lets them be
/// converted. S3 does not accept V2 rules beside V1 rules (S3 User Guide, "Replication configuration
/// file elements", on backward compatibility).
pub fn refuse_v1(topology: &Topology, live: &Replication) -> Result<(), Failure> {
    let old = live.rules.iter().find(|rule| rule.is_v1);
    let Some(rule) = old.filter(|_| !topology.wanted.converts_v1) else { return Ok(()) };
    let source = &topology.source;
    let message = format!(
        "the rule `{}` in the replication configuration of `{}` has no Filter (schema V1), and S3 takes no other rules beside it",
        rule.id, source.bucket
    );
    Err(Failure::new(failure::Kind::InTheWay, "rule-v1", message)
        .in_region(&source.region)
        .hint("`replication: {v1_rules: convert}` rewrites the whole configuration with filters and priorities, and delete markers go on replicating; the tool of its owner will want the older form back"))
}
