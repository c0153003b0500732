//! A pair on one screen.

use super::{BAD, FAINT, GOOD, NOTABLE, mark};
use crate::check::Sample;
use crate::manifest::Topology;
use crate::plan::Plan;
use crate::world::{KeyState, World};
use std::fmt::Write;

/// Returns the pair as it stands: keys, buckets, role, rules, what differs from the manifest, and how the newest objects fare.
pub fn status(
    topology: &Topology,
    world: &World,
    plan: Option<&Plan>,
    sample: Option<&Sample>,
) -> String {
    let regions: Vec<&str> =
        topology.destinations.iter().map(|side| side.region.as_str()).collect();
    let mut text = format!(
        "{GOOD}{}{GOOD:#}: {} {} {}\n",
        topology.name,
        topology.source.region,
        topology.arrow(),
        regions.join(", ")
    );
    let mut row = |what: &str, words: String| {
        let _ = writeln!(text, "{what:<8} {words}");
    };
    for key in world.keys.primary.iter().chain(world.keys.replicas.values()) {
        let style = if key.state == KeyState::Enabled { GOOD } else { BAD };
        let alias = world.keys.aliases.get(&key.region);
        let alias = alias.map_or("no alias", |_| topology.key.alias.as_str());
        let state = &key.state;
        row(
            "key",
            format!(
                "{:<14} {style}{state}{style:#}  {}  {FAINT}{alias}{FAINT:#}",
                key.region, key.id
            ),
        );
    }
    for (name, bucket) in &world.buckets {
        let region = bucket.region.as_ref().map_or("-", |region| region.as_str());
        let versioning = bucket.versioning.as_deref().unwrap_or("off");
        let algorithm = bucket.encryption.as_ref().map_or("AES256", |it| it.algorithm.as_str());
        row(
            "bucket",
            format!("{region:<14} {name}  {FAINT}versioning {versioning}, {algorithm}{FAINT:#}"),
        );
    }
    for role in world.role.iter().chain(world.back_roles.values()) {
        row("role", role.arn.to_string());
    }
    let source = world.buckets.get(&topology.source.bucket);
    let others = world.buckets.iter().filter(|(name, _)| **name != topology.source.bucket);
    let back = others.filter_map(|(_, bucket)| bucket.replication.as_ref());
    for rule in source
        .and_then(|it| it.replication.as_ref())
        .into_iter()
        .chain(back)
        .flat_map(|it| &it.rules)
    {
        let (state, style) = if rule.enabled { ("Enabled", GOOD) } else { ("Disabled", BAD) };
        let prefix = rule.prefix.as_deref().unwrap_or("?");
        let markers = if rule.delete_markers { ", delete markers too" } else { "" };
        row(
            "rule",
            format!(
                "{}  {style}{state}{style:#}  {FAINT}prefix `{prefix}`{markers}{FAINT:#}",
                rule.id
            ),
        );
    }
    match plan {
        None => row("drift", format!("{BAD}in the way: see the error{BAD:#}")),
        Some(plan) if !plan.has_changes() => row("drift", format!("{GOOD}none{GOOD:#}")),
        Some(plan) => {
            for action in plan.actions.iter().filter(|action| action.verb.changes()) {
                let (sign, style) = mark(action.verb);
                row(
                    "drift",
                    format!(
                        "{style}{sign} {}{style:#} {}: {}",
                        action.verb, action.id, action.reason
                    ),
                );
            }
        }
    }
    if let Some(sample) = sample {
        let style = if sample.failed > 0 {
            BAD
        } else if sample.pending > 0 {
            NOTABLE
        } else {
            GOOD
        };
        let words = match sample.looked_at {
            0 => format!("{FAINT}none under the rule's prefix{FAINT:#}"),
            newest => format!(
                "{style}of the newest {newest}: {} COMPLETED, {} PENDING, {} FAILED{style:#}, {} without a status",
                sample.completed, sample.pending, sample.failed, sample.none
            ),
        };
        row("objects", words);
        row("probes", format!("{} kept in the source", sample.kept_probes));
    }
    text
}
