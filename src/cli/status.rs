//! `crrctl status`: shows the pair on one screen. Only reads.
//! Not for: the text of the screen (see `report`).

use super::Global;
use super::objects::{BucketStatus, KeyStatus, RuleStatus, StatusObject};
use super::output::{Ended, Printer};
use super::pairs::{self, OutputMode};
use super::session::read_or_find;
use crate::manifest::Topology;
use crate::names::BucketName;
use crate::ops::{self, Session, Status};
use crate::plan::{Plan, rules};
use crate::report;
use crate::settings::Encryption;
use crate::world::{Bucket, World};

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// How many of the source's newest objects to look at; 0 for none
    #[arg(long, value_name = "N", default_value_t = 20, env = "CRRCTL_SAMPLE", value_parser = clap::value_parser!(u16).range(..=1000))]
    sample: u16,
}

pub(super) async fn run(
    global: &Global,
    args: &StatusArgs,
    printer: &Printer,
    object: &mut StatusObject,
) -> Ended {
    let one = async |session: Session, part: &Printer, object: &mut StatusObject| {
        one(session, args, part, object).await
    };
    let inputs = read_or_find(global, global.sandbox).await?;
    pairs::one_or_each(global, printer, object, inputs, OutputMode::Whole, one).await
}

/// Shows one pair.
async fn one(
    session: Session,
    args: &StatusArgs,
    printer: &Printer,
    object: &mut StatusObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let status = ops::status(&session, usize::from(args.sample)).await?;
    let (stands, absence) = (status.stands(), status.absence());
    let Status { topology, world, plan, metrics, sample } = status;
    fill(object, &topology, &world, plan.as_ref().ok());
    object.objects.set(sample.clone());
    object.metrics.set(metrics.clone());
    object.stands.set(stands);
    object.api_calls.set(session.aws.count().total());
    let shown = report::status(&topology, &world, plan.as_ref().ok(), sample.as_ref());
    if let Ok(plan) = &plan
        && plan.has_changes()
    {
        printer.headline(&report::tables::counts(plan).join(", "));
    }
    printer.text(&format!("{shown}{}", report::metrics(&metrics, stands)));
    session.done(plan.is_ok() && absence.is_none(), false);
    plan?;
    absence.map_or(Ok(0), Err)
}

/// Adds to the JSON output object what exists, and what differs from the manifest.
fn fill(object: &mut StatusObject, topology: &Topology, world: &World, plan: Option<&Plan>) {
    object.keys.set(keys(topology, world));
    object.buckets.set(world.buckets.iter().map(bucket).collect());
    object.role.set(world.role.as_ref().map(|role| role.arn.to_string()));
    let back = world.reverse_roles.values().map(|role| role.arn.to_string());
    object.back_roles.set(back.collect());
    object.rules.set(rules_of_all(topology, world));
    object.drift.set(plan.map(|plan| {
        let changes = report::changes(plan).into_iter();
        changes.filter(|change| change.action.changes()).collect()
    }));
}

fn keys(topology: &Topology, world: &World) -> Vec<KeyStatus> {
    let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
    let alias =
        |region| world.keys.aliases.get(region).map(|_| topology.wanted.key.alias.to_string());
    keys.map(|key| KeyStatus {
        region: key.region.clone(),
        arn: key.arn.clone(),
        state: key.state.clone(),
        alias: alias(&key.region),
        rotation_days: key.rotation_days,
        deletes_not_before: key.deletion_date,
    })
    .collect()
}

fn bucket((name, bucket): (&BucketName, &Bucket)) -> BucketStatus {
    let encryption = bucket.encryption();
    BucketStatus {
        bucket: name.clone(),
        region: bucket.region.clone(),
        versioning: bucket.versioning().map(str::to_owned),
        encryption: encryption.map(|it| it.algorithm.clone()),
        key: encryption.and_then(Encryption::key).map(str::to_owned),
        bucket_key: encryption.is_some_and(|it| it.bucket_key),
    }
}

/// Returns the rules of every bucket, those of the source first.
fn rules_of_all(topology: &Topology, world: &World) -> Vec<RuleStatus> {
    let directions = topology.directions();
    let replicating = |(name, bucket): (&BucketName, &Bucket)| -> Vec<RuleStatus> {
        let rules = bucket.replication.iter().flat_map(|it| &it.rules);
        rules
            .map(|rule| RuleStatus {
                id: rule.id.clone(),
                source: name.clone(),
                ours: directions.iter().any(|way| rules::is_ours(way, &rule.id)),
                enabled: rule.enabled,
                prefix: rule.prefix.clone(),
                delete_markers: rule.delete_markers,
                destination: rule.destination.clone(),
                key: rule.replica_key.clone(),
            })
            .collect()
    };
    let is_source = |(name, _): &(&BucketName, &Bucket)| **name == topology.source.bucket;
    let (source, others): (Vec<_>, Vec<_>) = world.buckets.iter().partition(is_source);
    source.into_iter().chain(others).flat_map(replicating).collect()
}
