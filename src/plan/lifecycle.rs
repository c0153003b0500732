//! The lifecycle rule that a pair has in each bucket, and warnings about lifecycle rules of a
//! bucket.
//! Not for: writing the rule (see `steps`).

use crate::manifest::{ARCHIVES, Topology};
use crate::settings::Expiry;
use crate::units::counted;
use crate::world::World;

fn id(topology: &Topology) -> String {
    format!("{}lifecycle", topology.wanted.rule_prefix())
}

/// Returns whether a lifecycle rule belongs to this pair.
pub fn is_ours(topology: &Topology, id: &str) -> bool {
    id == self::id(topology)
}

/// Returns the lifecycle rule that the manifest configures, if any.
pub fn wanted(topology: &Topology) -> Option<Expiry> {
    let lifecycle = &topology.wanted.buckets.lifecycle;
    lifecycle.is_wanted().then(|| Expiry {
        id: id(topology),
        enabled: true,
        noncurrent_days: lifecycle.noncurrent_days,
        incomplete_upload_days: lifecycle.incomplete_upload_days,
        archive: None,
        has_more: false,
    })
}

/// Returns warnings about lifecycle rules. Replicating delete markers into a bucket whose
/// noncurrent versions expire is dangerous: a delete marker makes every version noncurrent (S3 User
/// Guide, "Examples of S3 Lifecycle configurations", removing non-current versions).
pub fn warnings(topology: &Topology, world: &World) -> Vec<String> {
    let mut warnings = archives(topology, world);
    for side in &topology.destinations {
        if topology.marker_prefixes(side).is_empty() {
            continue;
        }
        let live = world.buckets.get(&side.bucket);
        let theirs = live.iter().flat_map(|bucket| &bucket.lifecycle);
        let theirs = theirs.filter(|rule| rule.enabled && !is_ours(topology, &rule.id));
        let days = theirs.filter_map(|rule| rule.noncurrent_days);
        let days = days.chain(topology.wanted.buckets.lifecycle.noncurrent_days).min();
        if let Some(days) = days {
            warnings.push(format!(
                "delete markers replicate to `{}`, where versions that are not the newest expire after {}: one delete at the \
                 source ends with the object gone on both sides",
                side.bucket,
                counted(days, "day")
            ));
        }
    }
    warnings
}

/// Returns warnings about transitions to archive classes. S3 does not transition an object before
/// it is replicated, and does not replicate archived objects (S3 User Guide, "Getting replication
/// status information"; "What does Amazon S3 replicate?").
fn archives(topology: &Topology, world: &World) -> Vec<String> {
    let mut warnings = Vec::new();
    for side in topology.sides() {
        let live = world.buckets.get(&side.bucket);
        let rules = live.iter().flat_map(|bucket| &bucket.lifecycle).filter(|rule| rule.enabled);
        for (rule, class) in rules.filter_map(|rule| Some((rule, rule.archive.as_deref()?))) {
            let (bucket, id) = (&side.bucket, &rule.id);
            if topology.replicates_from(side) {
                warnings.push(format!(
                    "the lifecycle rule `{id}` of `{bucket}` moves objects to {class}: from there nothing is replicated, neither by `backfill` \
                     nor after a change of tags, before it is restored"
                ));
            }
            if topology.replicates_to(side) {
                let days =
                    ARCHIVES.iter().find(|(it, _)| *it == class).map_or(0, |(_, days)| *days);
                warnings.push(format!(
                    "the lifecycle rule `{id}` of `{bucket}` moves replicas to {class}: they must be restored before they can be read, and each \
                     is paid for {days} days at least"
                ));
            }
        }
    }
    warnings
}
