//! Plans the removal of rules and roles, in each direction.
//! Not for: buckets and keys (see `super`).

use super::{Buckets, Kept, Why, is_empty};
use crate::events::{Kind, StepId};
use crate::manifest::Topology;
use crate::names::{BucketName, Region};
use crate::plan::work::{Owned, RulesBucket, RulesRemoved, WhyRemoved};
use crate::plan::{Action, Plan, Work, rules};
use crate::world::{Bucket, Role, Rule, World};

/// Returns the removal of the rules of every direction that is in the manifest or live.
pub(super) fn rules(topology: &Topology, world: &World, buckets: &Buckets<'_>) -> Vec<Action> {
    let directions = rules::directions(topology, world);
    directions.iter().filter_map(|direction| rules_of(direction, world, buckets)).collect()
}

fn rules_of(direction: &Topology, world: &World, buckets: &Buckets<'_>) -> Option<Action> {
    let source = &direction.source;
    let bucket = world.buckets.get(&source.bucket)?;
    let is_ours = |rule: &Rule| rules::region_of(direction, &rule.id).is_some();
    let ours = bucket.replication.as_ref().is_some_and(|live| live.rules.iter().any(is_ours));
    // An interrupted run may have deleted the rules without waiting until S3 stopped applying them.
    let goes = buckets.going.iter().any(|(name, _)| *name == &source.bucket);
    let stays = !goes && is_live(direction, &source.bucket, bucket);
    let role_waits = stays
        && !shares_role(direction, bucket)
        && rules::role_of(direction, world).is_some_and(|role| direction.wanted.owns(&role.tags));
    (ours || role_waits).then(|| {
        let (arn, name) = (source.bucket.arn(direction.wanted.partition()), source.bucket.as_str());
        let goes_along = goes && is_empty(bucket);
        let needs = goes_along.then(|| StepId::new(Kind::Bucket, name)).into_iter().collect();
        let bucket = match (goes_along, stays) {
            (true, _) => RulesBucket::TakesThemAlong,
            (false, true) => RulesBucket::Stays,
            (false, false) => RulesBucket::GoesLater,
        };
        let removed = RulesRemoved { why: WhyRemoved::PairGoes, bucket };
        let work = Work::Rules(Owned::Remove(removed));
        Action::new(work, name, &source.region, name, Some(arn), needs)
    })
}

/// Returns whether the action is the removal of rules that go with their bucket.
pub(super) fn goes_along(action: &Action) -> bool {
    let Work::Rules(Owned::Remove(removed)) = &action.work else { return false };
    removed.bucket == RulesBucket::TakesThemAlong
}

/// Adds the removal of every role: the role of each direction and the role of batch jobs.
pub(super) fn roles(
    topology: &Topology,
    world: &World,
    buckets: &Buckets<'_>,
    gone: &[StepId],
    plan: &mut Plan,
    kept: &mut Vec<Kept>,
) {
    for direction in rules::directions(topology, world) {
        let Some(role) = rules::role_of(&direction, world) else { continue };
        if direction.role_settings.given.as_ref() == Some(&role.arn) {
            continue;
        }
        if let Some(why) = shared_role(&direction, world, buckets) {
            kept.push(kept_role(role, &why));
        } else {
            let name = (direction.role.as_str(), direction.role_region());
            self::role(topology, name, role, gone, plan, kept);
        }
    }
    if let Some(role) = &world.batch.role {
        let name = (topology.batch_role(), topology.role_region());
        self::role(topology, (&name.0, name.1), role, gone, plan, kept);
    }
}

/// Returns why a direction's role is kept: foreign rules in a bucket that is kept use it too.
fn shared_role(direction: &Topology, world: &World, buckets: &Buckets<'_>) -> Option<String> {
    let source = &direction.source.bucket;
    let bucket = world.buckets.get(source)?;
    let goes = buckets.going.iter().any(|(name, _)| *name == source);
    let rule = rules::staying(direction, bucket.replication.as_ref()?).next()?;
    let is_shared = shares_role(direction, bucket) && !goes;
    is_shared.then(|| format!("the rule `{}` of others in `{source}` has it too", rule.id))
}

/// Returns whether others write to a bucket, as far as crrctl can see: it has foreign objects, or
/// it is adopted.
pub(in crate::plan) fn is_live(topology: &Topology, name: &BucketName, bucket: &Bucket) -> bool {
    let holds_theirs = bucket.objects.as_ref().is_some_and(|objects| !objects.foreign.is_empty());
    holds_theirs || topology.wanted.is_adopted(name, &bucket.tags)
}

/// Returns whether foreign rules use a direction's role.
fn shares_role(direction: &Topology, source: &Bucket) -> bool {
    source.replication.as_ref().is_some_and(|live| {
        live.role == direction.role_arn().as_str()
            && rules::staying(direction, live).next().is_some()
    })
}

fn kept_role(role: &Role, why: &str) -> Kept {
    let (kind, arn, why) = (Kind::Role, role.arn.clone(), why.to_owned());
    Kept { kind, arn, why, because: Why::Refused }
}

pub(super) fn role(
    topology: &Topology,
    (name, region): (&str, &Region),
    role: &Role,
    buckets: &[StepId],
    plan: &mut Plan,
    kept: &mut Vec<Kept>,
) {
    let stays = |why: &str| kept_role(role, why);
    if !topology.wanted.owns(&role.tags) {
        kept.push(stays("it does not bear this pair's tags"));
        return;
    }
    let mut needs = buckets.to_vec();
    if role.policy.is_some() {
        let work = Work::RolePolicy(Owned::Remove(WhyRemoved::PairGoes));
        plan.actions.push(Action::new(work, name, region, name, Some(role.arn.clone()), needs));
        needs = vec![StepId::new(Kind::RolePolicy, name)];
    }
    if role.other_policies.is_empty() {
        let work = Work::Role(Owned::Remove(WhyRemoved::PairGoes));
        plan.actions.push(Action::new(work, name, region, name, Some(role.arn.clone()), needs));
    } else {
        kept.push(stays(&format!(
            "it has policies that are not ours: {}",
            role.other_policies.join(", ")
        )));
    }
}
