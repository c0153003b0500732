//! `crrctl status`: shows the pair on one screen. Only reads.
//! Not for: the text of the screen (see `report`).

use super::Global;
use super::output::{Ended, Printer};
use super::pairs::{self, OutputMode};
use super::session::read_or_find;
use crate::check::Sample;
use crate::manifest::Topology;
use crate::names::BucketName;
use crate::ops::{self, Session, Status};
use crate::plan::{Plan, rules};
use crate::report;
use crate::settings::Encryption;
use crate::world::{Bucket, World};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// How many of the source's newest objects to look at; 0 for none
    #[arg(long, value_name = "N", default_value_t = 20, env = "CRRCTL_SAMPLE", value_parser = clap::value_parser!(u16).range(..=1000))]
    sample: u16,
}

pub(super) async fn run(global: &Global, args: &StatusArgs, printer: &Printer) -> Ended {
    let one = async |session: Session, part: &Printer| one(session, args, part).await;
    let inputs = read_or_find(global, global.sandbox).await?;
    pairs::one_or_each(global, printer, inputs, OutputMode::Whole, one).await
}

/// Shows one pair.
async fn one(session: Session, args: &StatusArgs, printer: &Printer) -> Ended {
    printer.put("pair", session.manifest.name());
    let status = ops::status(&session, usize::from(args.sample)).await?;
    let stands = status.stands();
    let Status { topology, world, plan, metrics, sample } = status;
    put(printer, &topology, &world, plan.as_ref().ok(), sample.as_ref());
    printer.put("metrics", &metrics);
    printer.put("stands", stands);
    printer.put("api_calls", session.aws.count().total());
    let shown = report::status(&topology, &world, plan.as_ref().ok(), sample.as_ref());
    printer.text(&format!("{shown}{}", report::metrics(&metrics, stands)));
    session.done(plan.is_ok(), false);
    plan.map(|_| 0)
}

fn put(
    printer: &Printer,
    topology: &Topology,
    world: &World,
    plan: Option<&Plan>,
    sample: Option<&Sample>,
) {
    let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
    let keys: Vec<Value> = keys
        .map(|key| {
            json!({
                "region": key.region,
                "arn": key.arn,
                "state": key.state,
                "alias": world.keys.aliases.get(&key.region).map(|_| topology.wanted.key.alias.as_str()),
                "rotation_days": key.rotation_days,
                "deletes_not_before": key.deletion_date,
            })
        })
        .collect();
    let buckets: Vec<Value> = world
        .buckets
        .iter()
        .map(|(name, bucket)| {
            json!({
                "bucket": name,
                "region": bucket.region,
                "versioning": bucket.versioning(),
                "encryption": bucket.encryption().map(|it| &it.algorithm),
                "key": bucket.encryption().and_then(Encryption::key),
                "bucket_key": bucket.encryption().is_some_and(|it| it.bucket_key),
            })
        })
        .collect();
    let directions = topology.directions();
    let replicating = |(name, bucket): (&'_ BucketName, &'_ Bucket)| -> Vec<Value> {
        let rules = bucket.replication.iter().flat_map(|it| &it.rules);
        rules
            .map(|rule| {
                json!({
                    "id": rule.id,
                    "source": name,
                    "ours": directions.iter().any(|way| rules::is_ours(way, &rule.id)),
                    "enabled": rule.enabled,
                    "prefix": rule.prefix,
                    "delete_markers": rule.delete_markers,
                    "destination": rule.destination,
                    "key": rule.replica_key,
                })
            })
            .collect()
    };
    let is_source = |(name, _): &(&BucketName, &Bucket)| **name == topology.source.bucket;
    let (source, others): (Vec<_>, Vec<_>) = world.buckets.iter().partition(is_source);
    let rules: Vec<Value> = source.into_iter().chain(others).flat_map(replicating).collect();
    printer.put("keys", keys);
    printer.put("buckets", buckets);
    printer.put("role", world.role.as_ref().map(|role| &role.arn));
    let back: Vec<_> = world.reverse_roles.values().map(|role| &role.arn).collect();
    printer.put("back_roles", back);
    printer.put("rules", rules);
    let drift = plan.map(|plan| {
        let changes = report::changes(plan).into_iter();
        changes.filter(|change| change.action.changes()).collect::<Vec<_>>()
    });
    if let Some(plan) = plan.filter(|plan| plan.has_changes()) {
        printer.headline(&report::tables::counts(plan).join(", "));
    }
    printer.put("drift", drift);
    printer.put("objects", sample);
}
