//! A pair on one screen, as human-readable text.
//! Not for: reading the pair (see `observe`).

use super::layout;
use super::style::{BAD, FAINT, GOOD, NOTABLE, mark};
use super::words::reason;
use crate::check::{RuleMetrics, Sample};
use crate::manifest::{Side, Topology};
use crate::names::{BucketName, Region};
use crate::plan::Plan;
use crate::settings::Encryption;
use crate::units::{bytes, format_duration};
use crate::world::{Bucket, KeyState, World};
use anstyle::Style;
use std::fmt::Write;
use std::time::Duration;

/// Returns the state of the pair: keys, buckets, role, rules, differences from the manifest, and
/// the replication status of the newest objects.
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
        topology.wanted.name,
        topology.source.region,
        topology.arrow(),
        regions.join(", ")
    );
    for key in world.keys.primary.iter().chain(world.keys.replicas.values()) {
        let style = if key.state == KeyState::Enabled { GOOD } else { BAD };
        let alias = world.keys.aliases.get(&key.region);
        let alias = alias.map_or("no alias", |_| topology.wanted.key.alias.as_str());
        let state = &key.state;
        let place = format!("{:<8} {:<13}", "key", key.region);
        let cells = [place, format!("{style}{state}{style:#}"), key.id.to_string()];
        text.push_str(&layout::row(cells, alias, FAINT));
    }
    for (name, bucket) in &world.buckets {
        let region = bucket.region.as_ref().map_or("-", |region| region.as_str());
        let versioning = bucket.versioning().unwrap_or("off");
        let algorithm = bucket.encryption().map_or(Encryption::SSE_S3, |it| it.algorithm.as_str());
        let cells = [format!("{:<8} {region:<13}", "bucket"), name.to_string()];
        text.push_str(&layout::row(cells, format!("versioning {versioning}, {algorithm}"), FAINT));
    }
    let mut row = |what: &str, words: String| {
        text.push_str(&layout::row([format!("{what:<7}")], words, Style::new()));
    };
    for role in world.role.iter().chain(world.reverse_roles.values()) {
        row("role", role.arn.to_string());
    }
    for words in rules(topology, world) {
        row("rule", words);
    }
    for side in topology.handed_over().filter(|side| !is_served(world, side)) {
        let (account, region) = (&side.account, &side.region);
        let words = format!(
            "no rule leads to {region} yet: account {account} makes its half, then `crrctl apply` sets it"
        );
        row("waits", format!("{NOTABLE}{words}{NOTABLE:#}"));
    }
    match plan {
        None => row("drift", format!("{BAD}in the way: see the error{BAD:#}")),
        Some(plan) if !plan.has_changes() => row("drift", format!("{GOOD}none{GOOD:#}")),
        Some(plan) => {
            for action in plan.actions.iter().filter(|action| action.changes()) {
                let (sign, style) = mark(action.verb());
                row(
                    "drift",
                    format!(
                        "{style}{sign} {}{style:#} {}: {}",
                        action.verb(),
                        action.id,
                        reason(&action.work)
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

/// Returns the CloudWatch metrics of each rule, or how to enable them.
pub fn metrics(metrics: &[RuleMetrics], stands: bool) -> String {
    let mut text = String::new();
    let mut row = |words: String| {
        let _ = writeln!(text, "{:<8} {words}", "metrics");
    };
    if metrics.is_empty() && stands {
        row(format!(
            "{FAINT}off: with `replication.metrics: true` S3 tells CloudWatch what is pending, late and FAILED{FAINT:#}"
        ));
    }
    for it in metrics {
        row(format!("{} → {}  {}", it.source_region, it.destination_region, measured(it)));
    }
    text
}

pub(super) fn measured(it: &RuleMetrics) -> String {
    if let Some(why) = &it.unread {
        return format!("{NOTABLE}unknown{NOTABLE:#}: {why}");
    }
    let count = |value: f64| format!("{value:.0}");
    let seconds = |value: f64| match value {
        0.0 => "0 s".to_owned(),
        value => format_duration(Duration::from_secs_f64(value.clamp(0.0, 1e9))),
    };
    let parts = [
        it.operations_pending.map(|it| format!("{} pending", count(it))),
        it.bytes_pending.map(bytes),
        it.latency_seconds.map(|it| format!("{} behind", seconds(it))),
        it.operations_failed.map(|it| format!("{} failed in the last hour", count(it))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let style = match (it.operations_failed, it.operations_pending) {
        (Some(failed), _) if failed > 0.0 => BAD,
        (_, Some(pending)) if pending > 0.0 => NOTABLE,
        _ => GOOD,
    };
    match parts.len() {
        0 => format!("{FAINT}nothing yet: S3's values come within fifteen minutes{FAINT:#}"),
        _ => format!("{style}{}{style:#}", parts.join(", ")),
    }
}

/// Returns whether a live rule replicates to `side`.
fn is_served(world: &World, side: &Side) -> bool {
    let rules =
        world.buckets.values().flat_map(|bucket| &bucket.replication).flat_map(|it| &it.rules);
    let mut buckets = rules.filter_map(|rule| rule.destination.rsplit(':').next());
    buckets.any(|bucket| bucket == side.bucket.as_str())
}

/// Returns one line for each live rule, the rules of the source bucket first.
fn rules(topology: &Topology, world: &World) -> Vec<String> {
    let is_source = |(name, _): &(&BucketName, &Bucket)| **name == topology.source.bucket;
    let (source, others): (Vec<_>, Vec<_>) = world.buckets.iter().partition(is_source);
    let sources = source.into_iter().chain(others);
    let mut words = Vec::new();
    let rules = sources.flat_map(|(_, bucket)| {
        let rules = bucket.replication.iter().flat_map(|it| &it.rules);
        rules.map(move |rule| (bucket.region.as_ref(), rule))
    });
    for (from, rule) in rules {
        let leads = |(name, _): &(&BucketName, &Bucket)| {
            rule.destination.rsplit(':').next() == Some(name.as_str())
        };
        let to = world.buckets.iter().find(leads).and_then(|(_, bucket)| bucket.region.as_ref());
        let known = |region: Option<&Region>| region.map_or("?", Region::as_str).to_owned();
        let route = format!("{} → {}", known(from), known(to));
        let (state, style) = if rule.enabled { ("Enabled", GOOD) } else { ("Disabled", BAD) };
        let prefix = match rule.prefix.as_deref() {
            Some("") => "all objects".to_owned(),
            Some(prefix) => format!("prefix `{prefix}`"),
            None => "of the old kind, without a filter".to_owned(),
        };
        let markers = if rule.delete_markers { ", delete markers too" } else { "" };
        words.push(format!(
            "{route}  {}  {style}{state}{style:#}  {FAINT}{prefix}{markers}{FAINT:#}",
            rule.id
        ));
    }
    words
}
