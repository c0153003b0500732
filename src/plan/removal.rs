//! Builds the plan of `destroy`: the resources to delete, in the order that AWS requires, and the
//! resources to keep, each with the reason.
//! Not for: emptying buckets or counting objects (see `steps` and `observe`).

mod adopted;
mod keys;
mod ways;

pub(super) use adopted::given_back;
pub(super) use keys::other_users;
use keys::{kept_keys, keys_stay};
pub(super) use ways::is_live;

use super::alarms;
use super::build::alarms as planned;
use super::work::{BucketWork, Holds, Owned, WhyRemoved};
use super::{Action, Plan, Work, known_keys};
use crate::events::{Kind, StepId};
use crate::failure::{self, Failure};
use crate::manifest::{Side, Topology};
use crate::names::{Arn, BucketName};
use crate::world::{Bucket, Objects, World};
use serde::Serialize;

/// The flags of a removal.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub struct Removal {
    /// Delete foreign objects (not probes of this pair) too.
    pub purge_data: bool,
    /// Schedule the deletion of keys that others may use too.
    pub purge_keys: bool,
    /// Keep keys and aliases.
    pub keep_keys: bool,
    /// Keep buckets, and therefore their keys.
    pub keep_buckets: bool,
    /// Delete versions under GOVERNANCE retention too.
    pub bypass_governance: bool,
}

/// A resource that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "left"))]
pub struct Kept {
    /// The resource's kind.
    pub kind: Kind,
    /// ARN of the resource.
    #[cfg_attr(test, schemars(with = "String"))]
    pub arn: Arn,
    /// Reason for keeping it.
    pub why: String,
    /// Whether the user asked for it. A resource kept on request does not make `destroy` fail.
    #[serde(skip)]
    pub because: Why,
}

/// The reason category for keeping a resource: the user's request, or crrctl's refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The user asked for it, by a flag or in the manifest.
    Asked,
    /// crrctl refuses to delete the resource, because that would do harm.
    Refused,
}

/// Returns the resources to delete and the resources to keep. If a bucket to delete has foreign
/// objects, fails with exit code 10 before any change.
pub fn removal(
    topology: &Topology,
    world: &World,
    wish: Removal,
) -> Result<(Plan, Vec<Kept>), Failure> {
    let buckets = Buckets::of(topology, world, wish)?;
    let mut plan = Plan::default();
    let mut kept = buckets.kept.clone();
    // Alarms go first: what a removal takes away may fail to replicate until it ends.
    let alarms = alarms::ours(topology, world);
    let alarms = alarms.map(|it| planned::action(it, Owned::Remove(WhyRemoved::PairGoes)));
    plan.actions.extend(alarms);
    let alarms_gone: Vec<StepId> = plan.actions.iter().map(|action| action.id.clone()).collect();
    let mut rules = ways::rules(topology, world, &buckets);
    for action in &mut rules {
        action.needs.extend(alarms_gone.iter().cloned());
    }
    // Rules that are deleted with their bucket are sorted after the bucket.
    let (along, first): (Vec<Action>, Vec<Action>) = rules.into_iter().partition(ways::goes_along);
    let rule_step = first.iter().map(|action| action.id.clone());
    let rule_step: Vec<StepId> = alarms_gone.iter().cloned().chain(rule_step).collect();
    plan.actions.extend(first);
    plan.actions.extend(
        buckets
            .going
            .iter()
            .map(|(name, bucket)| bucket_action(topology, name, bucket, &rule_step)),
    );
    plan.actions.extend(along);
    let known = known_keys(topology, world);
    for (name, bucket) in &buckets.adopted {
        plan.actions.extend(given_back(topology, &known, name, bucket, &rule_step));
    }
    let buckets_gone: Vec<StepId> = buckets
        .going
        .iter()
        .map(|(name, _)| StepId::new(Kind::Bucket, name.as_str()))
        .chain(rule_step)
        .collect();
    ways::roles(topology, world, &buckets, &buckets_gone, &mut plan, &mut kept);
    kept.extend(topology.handed_over().map(|side| handed_over(topology, side)));
    match keys_stay(topology, world, wish, &buckets.kept) {
        Some((why, because)) => kept.extend(kept_keys(topology, world, &why, because)),
        None => keys::keys(topology, world, &buckets_gone, &mut plan, &mut kept),
    }
    plan.warnings = keys::used_later(topology, world, &plan);
    Ok((plan, kept))
}

/// Returns the actions that delete what batch jobs stand on: the role and the bucket for their
/// reports, as far as `world` has them and they are the pair's.
pub fn batch_removal(topology: &Topology, world: &World) -> Plan {
    let mut plan = Plan::default();
    let reports = world.batch.reports.iter();
    for (name, bucket) in reports.filter(|(_, bucket)| topology.wanted.owns(&bucket.tags)) {
        plan.actions.push(bucket_action(topology, name, bucket, &[]));
    }
    // The role goes last: while it stands, a question that was cut off is known by it.
    let before: Vec<StepId> = plan.actions.iter().map(|action| action.id.clone()).collect();
    if let Some(role) = &world.batch.role {
        let name = topology.batch_role();
        // A role of others is kept without a word: nothing was to be removed of it.
        ways::role(
            topology,
            (&name, topology.role_region()),
            role,
            &before,
            &mut plan,
            &mut Vec::new(),
        );
    }
    plan
}

/// The pair's buckets, grouped by what the removal does with them.
struct Buckets<'a> {
    going: Vec<(&'a BucketName, &'a Bucket)>,
    /// Adopted buckets. They are kept; the pair's policy statements, lifecycle rule, and tags are
    /// removed from them.
    adopted: Vec<(&'a BucketName, &'a Bucket)>,
    kept: Vec<Kept>,
}

impl<'a> Buckets<'a> {
    fn of(topology: &Topology, world: &'a World, wish: Removal) -> Result<Self, Failure> {
        let mut buckets = Self { going: Vec::new(), adopted: Vec::new(), kept: Vec::new() };
        let mut foreign = Vec::new();
        let keys = known_keys(topology, world);
        let reports =
            world.batch.reports.iter().filter(|(_, bucket)| topology.wanted.owns(&bucket.tags));
        for (name, bucket) in
            world.buckets.iter().chain(reports.map(|(name, bucket)| (name, bucket)))
        {
            let keep = |why: &str, because| Kept {
                kind: Kind::Bucket,
                arn: name.arn(topology.wanted.partition()),
                why: why.to_owned(),
                because,
            };
            let objects = bucket.objects.as_ref().map_or(&[][..], |objects| &objects.foreign);
            if topology.wanted.is_adopted(name, &bucket.tags) {
                buckets.adopted.push((name, bucket));
                let mut why = vec!["it was adopted: crrctl never deletes it".to_owned()];
                why.extend(adopted::stays(topology, &keys, name, bucket));
                buckets.kept.push(keep(&why.join("; "), Why::Asked));
            } else if wish.keep_buckets {
                buckets.kept.push(keep("--keep-buckets", Why::Asked));
            } else if let Some(why) = others_need(topology, world, name, wish) {
                buckets.kept.push(keep(&why, Why::Refused));
            } else if !topology.wanted.owns(&bucket.tags) && !bucket.is_cut_off_creation() {
                buckets.kept.push(keep("it does not bear this pair's tags", Why::Refused));
            } else if bucket.has_mfa_delete() && bucket.objects != Some(Objects::default()) {
                return Err(mfa_delete(name, bucket));
            } else if objects.is_empty() || wish.purge_data {
                buckets.going.push((name, bucket));
            } else {
                foreign.push(format!("s3://{name}: {}", objects.join(", ")));
            }
        }
        if foreign.is_empty() {
            return Ok(buckets);
        }
        let message = format!(
            "objects that are not probes of this pair lie in its buckets: {}",
            foreign.join("; ")
        );
        Err(Failure::new(failure::Kind::InTheWay, "foreign-objects", message)
            .hint("nothing was changed; to delete all versions of all objects too: `crrctl destroy --purge-data`")
            .hint("to keep the buckets and their keys: `crrctl destroy --keep-buckets`"))
    }
}

/// Returns why foreign rules require a bucket: they are in its replication configuration, or it is
/// their destination. If the source bucket is purged, its rules are deleted too and require
/// nothing.
fn others_need(
    topology: &Topology,
    world: &World,
    name: &BucketName,
    wish: Removal,
) -> Option<String> {
    let source = world.buckets.get(&topology.source.bucket)?;
    let live = source.replication.as_ref()?;
    let is_purged = wish.purge_data && topology.wanted.owns(&source.tags);
    if is_purged && !topology.wanted.is_adopted(&topology.source.bucket, &source.tags) {
        return None;
    }
    let arn = name.arn(topology.wanted.partition());
    let mut foreign = super::rules::staying(topology, live);
    if name == &topology.source.bucket {
        let rule = foreign.next()?;
        return Some(format!(
            "the rule `{}` of others stands in its replication configuration",
            rule.id
        ));
    }
    let rule = foreign.find(|rule| rule.destination == arn.as_str())?;
    Some(format!("the rule `{}` of others leads to it", rule.id))
}

/// Only the root user with the MFA device can delete versions or turn MFA delete off (S3 User
/// Guide, "Configuring MFA delete").
fn mfa_delete(name: &BucketName, bucket: &Bucket) -> Failure {
    let message =
        format!("the bucket `{name}` has MFA delete, and holds versions: crrctl can't delete them");
    let failure = Failure::new(failure::Kind::InTheWay, "mfa-delete", message);
    let failure = match &bucket.region {
        Some(region) => failure.in_region(region),
        None => failure,
    };
    failure
        .hint("nothing was changed; as the root user, switch it off: `aws s3api put-bucket-versioning --versioning-configuration Status=Enabled,MFADelete=Disabled --mfa 'SERIAL CODE'`")
        .hint("to keep the buckets and their keys: `crrctl destroy --keep-buckets`")
}

/// A handed-over side is kept: an operator of the other account created it and must delete it.
fn handed_over(topology: &Topology, side: &Side) -> Kept {
    let account = &side.account;
    Kept {
        kind: Kind::Bucket,
        arn: side.bucket.arn(topology.wanted.partition()),
        why: format!("it belongs to account {account}, whose credentials are not named"),
        because: Why::Asked,
    }
}

/// Returns whether the objects were counted and there are none.
fn is_empty(bucket: &Bucket) -> bool {
    bucket.objects == Some(Objects::default())
}

fn bucket_action(
    topology: &Topology,
    name: &BucketName,
    bucket: &Bucket,
    rules: &[StepId],
) -> Action {
    let region = bucket.region.as_ref().unwrap_or(&topology.source.region);
    let is_for_reports =
        topology.reports().bucket == name.as_str() && *name != topology.source.bucket;
    let holds = bucket.objects.as_ref().map(|it| match (it.probes, it.foreign.is_empty()) {
        (0, true) => Holds::Nothing,
        (reports, true) if is_for_reports => Holds::Reports(reports),
        (probes, true) => Holds::Probes(probes),
        (_, false) => Holds::Objects,
    });
    let work = Work::Bucket(BucketWork::Remove { why: WhyRemoved::PairGoes, holds });
    let arn = Some(name.arn(topology.wanted.partition()));
    Action::new(work, name.as_str(), region, name.as_str(), arn, rules.to_vec())
}
