//! Orphans: resources of the pair that the manifest no longer names. They are reported and kept,
//! or, with `--prune`, deleted with the same safeguards as in `destroy`.
//! Not for: spare keys, which no alias targets (see `keys`).

use super::Builder;
use crate::events::{Kind, StepId};
use crate::manifest::KeyKind;
use crate::names::{BucketName, Region};
use crate::plan::removal::{given_back, is_live, other_users};
use crate::plan::work::{
    BucketWork, DroppedRuleWork, Owned, RolePolicyDiffers, RulesBucket, RulesRemoved, WhyLeft,
    WhyRemoved,
};
use crate::plan::{Action, Work, rules};
use crate::world::{Bucket, Key, Rule};

impl Builder<'_> {
    /// Deletes rules first, then buckets, then aliases and replica keys. At the end, the role's
    /// policy is reduced to the remaining destinations.
    pub(super) fn orphans(&mut self) {
        let rules = self.orphaned_rules();
        let back = self.orphaned_directions();
        let buckets = self.orphaned_buckets(&[&rules[..], &back].concat());
        self.orphaned_keys(&buckets);
        self.pruned_role(&rules, &buckets);
    }

    fn orphaned_rules(&mut self) -> Vec<StepId> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live = self.world.buckets.get(&source.bucket).and_then(|it| it.replication.as_ref());
        let is_wanted = |id: &str| topology.rules.iter().any(|wish| wish.id == id);
        // An outdated rule to a destination that is kept is removed by the `PutBucketReplication`
        // of the current rules.
        let is_orphan = |rule: &&Rule| {
            rules::region_of(topology, &rule.id).is_some()
                && !is_wanted(&rule.id)
                && !rules::goes(topology, rule)
        };
        let orphans: Vec<String> = live
            .iter()
            .flat_map(|live| &live.rules)
            .filter(is_orphan)
            .map(|rule| rule.id.clone())
            .collect();
        let mut before = vec![StepId::new(Kind::Replication, source.bucket.as_str())];
        for id in &orphans {
            let arn = source.bucket.arn(topology.wanted.partition());
            let bucket = self.world.buckets.get(&source.bucket);
            let bucket_is_live =
                bucket.is_some_and(|bucket| is_live(topology, &source.bucket, bucket));
            let (work, needs) = match self.gone_or_left(&before) {
                Ok(needs) => (DroppedRuleWork::Remove { bucket_is_live }, needs),
                Err(why) => (DroppedRuleWork::Leave(why), Vec::new()),
            };
            let work = Work::DroppedRule(work);
            self.plan.actions.push(Action::new(work, id, &source.region, id, Some(arn), needs));
            // Each deletion rewrites the same configuration, so they run one after another.
            before = vec![StepId::new(Kind::Replication, id)];
        }
        orphans.iter().map(|id| StepId::new(Kind::Replication, id)).collect()
    }

    /// Deletes live reverse directions that the manifest no longer has: the rules first, then their
    /// role.
    fn orphaned_directions(&mut self) -> Vec<StepId> {
        let (topology, world) = (self.topology, self.world);
        let mut steps = Vec::new();
        for back in rules::reverse_directions_in_force(topology, world) {
            let (side, name) = (&back.source, back.source.bucket.as_str());
            let arn = side.bucket.arn(topology.wanted.partition());
            let is_named = topology.sides().any(|it| it == side);
            let bucket = if is_named { RulesBucket::Stays } else { RulesBucket::GoesLater };
            let removed = RulesRemoved { why: WhyRemoved::Dropped, bucket };
            let (work, needs) = orphan(self.gone_or_left(&[]), removed);
            let work = Work::Rules(work);
            self.plan.actions.push(Action::new(work, name, &side.region, name, Some(arn), needs));
            let step = StepId::new(Kind::Replication, name);
            let role = rules::role_of(&back, world).filter(|role| self.is_ours(&role.tags));
            if let Some(role) = role {
                let (name, region) = (back.role.as_str(), back.role_region());
                let policy = StepId::new(Kind::RolePolicy, name);
                let mut fate = self.gone_or_left(std::slice::from_ref(&step));
                let arn = || Some(role.arn.clone());
                if role.policy.is_some() {
                    let (work, needs) = orphan(fate, WhyRemoved::Dropped);
                    let work = Work::RolePolicy(work);
                    self.plan.actions.push(Action::new(work, name, region, name, arn(), needs));
                    fate = self.gone_or_left(&[policy]);
                }
                if !role.other_policies.is_empty() {
                    fate = Err(WhyLeft::OtherPolicies);
                }
                let (work, needs) = orphan(fate, WhyRemoved::Dropped);
                let work = Work::Role(work);
                self.plan.actions.push(Action::new(work, name, region, name, arn(), needs));
            }
            steps.push(step);
        }
        steps
    }

    /// Returns the actions that the deletion of an orphan needs, or the reason for keeping the
    /// orphan.
    fn gone_or_left(&self, needs: &[StepId]) -> Fate {
        if self.wish.prune { Ok(needs.to_vec()) } else { Err(WhyLeft::NotPruned) }
    }

    /// Adds the orphaned buckets and returns those that are deleted.
    fn orphaned_buckets(&mut self, rules: &[StepId]) -> Vec<BucketName> {
        let world = self.world;
        let is_orphan = |(name, bucket): &(&BucketName, &Bucket)| {
            !self.topology.sides().any(|side| &side.bucket == *name) && self.is_ours(&bucket.tags)
        };
        let orphans: Vec<(&BucketName, &Bucket)> = world.buckets.iter().filter(is_orphan).collect();
        let mut going = Vec::new();
        for (name, bucket) in orphans {
            let region = bucket.region.as_ref().unwrap_or(&self.topology.source.region);
            let foreign = bucket.objects.as_ref().map_or(&[][..], |objects| &objects.foreign);
            let (work, needs) = if !self.wish.prune {
                (BucketWork::Leave(WhyLeft::NotPruned), Vec::new())
            } else if self.topology.wanted.is_adopted(name, &bucket.tags) {
                self.plan.actions.extend(given_back(
                    self.topology,
                    &self.keys,
                    name,
                    bucket,
                    rules,
                ));
                (BucketWork::Leave(WhyLeft::Adopted), Vec::new())
            } else if foreign.is_empty() {
                going.push(name.clone());
                (BucketWork::Remove { why: WhyRemoved::Dropped, holds: None }, rules.to_vec())
            } else {
                self.plan.warnings.push(format!(
                    "the manifest no longer names `{name}`, and `--prune` leaves it and its key: objects that are not probes lie \
                     in it ({}); once they are deleted, `crrctl apply --prune` removes it",
                    foreign.join(", ")
                ));
                (BucketWork::Leave(WhyLeft::Holds(foreign.to_vec())), Vec::new())
            };
            let (name, arn) = (name.as_str(), Some(name.arn(self.topology.wanted.partition())));
            let work = Work::Bucket(work);
            self.plan.actions.push(Action::new(work, name, region, name, arn, needs));
        }
        going
    }

    /// A replica key is deleted only if every bucket in its Region that the pair ever had is
    /// deleted too.
    fn orphaned_keys(&mut self, going: &[BucketName]) {
        let (world, alias) = (self.world, &self.topology.wanted.key.alias);
        let is_named = |region: &Region| self.topology.sides().any(|side| &side.region == region);
        let orphans: Vec<(&Region, &Key)> =
            world.keys.replicas.iter().filter(|(region, _)| !is_named(region)).collect();
        for (region, key) in orphans {
            if key.is_pending_deletion() {
                continue;
            }
            let here = || world.buckets.iter().filter(|(_, it)| it.region.as_ref() == Some(region));
            let mut fate: Fate = if !self.wish.prune {
                Err(WhyLeft::NotPruned)
            } else if !self.is_ours(&key.tags) {
                Err(WhyLeft::NotOurs)
            } else if let Some((name, _)) = here().find(|(name, _)| !going.contains(name)) {
                Err(WhyLeft::BucketStays(name.clone()))
            } else if !other_users(self.topology, key).is_empty() {
                Err(WhyLeft::UsedByOthers)
            } else {
                Ok(here().map(|(name, _)| StepId::new(Kind::Bucket, name.as_str())).collect())
            };
            let (id, name) = (region.as_str(), alias.as_str());
            if world.keys.aliases.get(region) == Some(&key.id) {
                let arn = alias.arn(region, self.topology.wanted.account_of(region));
                let (work, needs) = orphan(fate.clone(), WhyRemoved::Dropped);
                let work = Work::Alias(work);
                self.plan.actions.push(Action::new(work, id, region, name, Some(arn), needs));
                let alias_gone = StepId::new(Kind::Alias, id);
                fate = fate.map(|needs| needs.into_iter().chain([alias_gone]).collect());
            }
            let (work, needs) = orphan(fate, WhyRemoved::Dropped);
            let work = match self.topology.wanted.key.kind {
                KeyKind::PerRegion => Work::Key(work),
                KeyKind::MultiRegion | KeyKind::Existing | KeyKind::None => Work::ReplicaKey(work),
            };
            let arn = Some(key.arn.clone());
            self.plan.actions.push(Action::new(work, id, region, name, arn, needs));
        }
    }

    /// The role must serve a dropped destination until its rule is deleted. Then the role's policy
    /// is reduced.
    fn pruned_role(&mut self, rules: &[StepId], buckets: &[BucketName]) {
        if !self.wish.prune || rules.is_empty() {
            return;
        }
        let name = self.topology.role.as_str();
        let buckets = buckets.iter().map(|name| StepId::new(Kind::Bucket, name.as_str()));
        let work = Work::RolePolicy(Owned::Update(RolePolicyDiffers::Pruned));
        let (id, region) = (format!("{name}/pruned"), &self.topology.source.region);
        let (arn, needs) = (self.topology.role_arn(), rules.iter().cloned().chain(buckets));
        let action = Action::new(work, &id, region, name, Some(arn), needs.collect());
        self.plan.actions.push(action);
    }
}

/// The actions that the deletion of an orphan needs, or the reason for keeping the orphan.
type Fate = Result<Vec<StepId>, WhyLeft>;

/// Returns the work on an orphan, and what it needs.
fn orphan<Made, Differs, Removed>(
    fate: Fate,
    removed: Removed,
) -> (Owned<Made, Differs, Removed>, Vec<StepId>) {
    match fate {
        Ok(needs) => (Owned::Remove(removed), needs),
        Err(why) => (Owned::Leave(why), Vec::new()),
    }
}
