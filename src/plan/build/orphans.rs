//! Orphans: resources of the pair that the manifest no longer names. They are reported and kept,
//! or, with `--prune`, deleted with the same safeguards as in `destroy`.
//! Not for: spare keys, which no alias targets (see `keys`).

use super::Builder;
use crate::events::{Kind, StepId, Verb};
use crate::manifest::KeyKind;
use crate::names::{Arn, BucketName, Region};
use crate::plan::removal::{given_back, is_live, other_users};
use crate::plan::{Action, STAYS, rules};
use crate::world::{Bucket, Key, Rule};

const LEFT: &str =
    "ours, and the manifest no longer names it: left as it is (`--prune` removes it)";
const GOES: &str = "ours, and the manifest no longer names it";

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
            let arn = source.bucket.arn(topology.partition());
            self.orphan(Kind::Replication, id, &source.region, id, arn, self.gone_or_left(&before));
            let stays = self.world.buckets.get(&source.bucket);
            if let Some(action) = self.plan.actions.last_mut()
                && stays.is_some_and(|bucket| is_live(topology, &source.bucket, bucket))
            {
                action.fields.push(STAYS);
            }
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
            let arn = side.bucket.arn(topology.partition());
            let fate = self.gone_or_left(&[]);
            self.orphan(Kind::Replication, name, &side.region, name, arn, fate);
            let is_named = topology.sides().any(|it| it == side);
            if let Some(action) = self.plan.actions.last_mut().filter(|_| is_named) {
                action.fields.push(STAYS);
            }
            let step = StepId::new(Kind::Replication, name);
            let role = rules::role_of(&back, world).filter(|role| self.is_ours(&role.tags));
            if let Some(role) = role {
                let (name, region) = (back.role.as_str(), back.role_region());
                let policy = StepId::new(Kind::RolePolicy, name);
                let mut needs = self.gone_or_left(std::slice::from_ref(&step));
                if role.policy.is_some() {
                    self.orphan(Kind::RolePolicy, name, region, name, role.arn.clone(), needs);
                    needs = self.gone_or_left(&[policy]);
                }
                if !role.other_policies.is_empty() {
                    needs = Err("it has policies that are not ours: it stays".to_owned());
                }
                self.orphan(Kind::Role, name, region, name, role.arn.clone(), needs);
            }
            steps.push(step);
        }
        steps
    }

    /// Returns the actions that the deletion of an orphan needs, or the reason for keeping the
    /// orphan.
    fn gone_or_left(&self, needs: &[StepId]) -> Result<Vec<StepId>, String> {
        if self.wish.prune { Ok(needs.to_vec()) } else { Err(LEFT.to_owned()) }
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
            let fate = if !self.wish.prune {
                Err(LEFT.to_owned())
            } else if self.topology.is_adopted(name, &bucket.tags) {
                self.plan.actions.extend(given_back(self.topology, name, bucket, rules));
                Err("it was adopted: crrctl never deletes it, and its key stays".to_owned())
            } else if foreign.is_empty() {
                going.push(name.clone());
                Ok(rules.to_vec())
            } else {
                let some = foreign.join(", ");
                Err(format!(
                    "objects that are not probes lie in it ({some}): it stays, and its key"
                ))
            };
            let arn = name.arn(self.topology.partition());
            self.orphan(Kind::Bucket, name.as_str(), region, name.as_str(), arn, fate);
        }
        going
    }

    /// A replica key is deleted only if every bucket in its Region that the pair ever had is
    /// deleted too.
    fn orphaned_keys(&mut self, going: &[BucketName]) {
        let (world, alias) = (self.world, &self.topology.key.alias);
        let is_named = |region: &Region| self.topology.sides().any(|side| &side.region == region);
        let orphans: Vec<(&Region, &Key)> =
            world.keys.replicas.iter().filter(|(region, _)| !is_named(region)).collect();
        for (region, key) in orphans {
            if key.is_pending_deletion() {
                continue;
            }
            let here = || world.buckets.iter().filter(|(_, it)| it.region.as_ref() == Some(region));
            let fate = if !self.wish.prune {
                Err(LEFT.to_owned())
            } else if !self.is_ours(&key.tags) {
                Err("it does not bear this pair's tags".to_owned())
            } else if let Some((name, _)) = here().find(|(name, _)| !going.contains(name)) {
                Err(format!("the bucket `{name}` stays, and its data needs the key"))
            } else if !other_users(self.topology, key).is_empty() {
                Err("others may use it; only `destroy --purge-keys` schedules it".to_owned())
            } else {
                Ok(here().map(|(name, _)| StepId::new(Kind::Bucket, name.as_str())).collect())
            };
            let mut needs = fate.clone();
            if world.keys.aliases.get(region) == Some(&key.id) {
                let arn = alias.arn(region, self.topology.account_of(region));
                self.orphan(Kind::Alias, region.as_str(), region, alias.as_str(), arn, fate);
                let alias_gone = StepId::new(Kind::Alias, region.as_str());
                needs = needs.map(|needs| needs.into_iter().chain([alias_gone]).collect());
            }
            let kind = match self.topology.key.kind {
                KeyKind::PerRegion => Kind::Key,
                _ => Kind::ReplicaKey,
            };
            self.orphan(kind, region.as_str(), region, alias.as_str(), key.arn.clone(), needs);
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
        self.plan.actions.push(Action {
            id: StepId::new(Kind::RolePolicy, &format!("{name}/pruned")),
            kind: Kind::RolePolicy,
            region: self.topology.source.region.clone(),
            name: name.to_owned(),
            arn: Some(self.topology.role_arn()),
            verb: Verb::Update,
            reason: "the destinations that go need it no more".to_owned(),
            fields: vec![PRUNED],
            needs: rules.iter().cloned().chain(buckets).collect(),
        });
    }

    /// Adds an orphan: a deletion with the actions it needs, or a kept resource with the reason.
    fn orphan(
        &mut self,
        kind: Kind,
        id: &str,
        region: &Region,
        name: &str,
        arn: Arn,
        fate: Result<Vec<StepId>, String>,
    ) {
        let (verb, reason, needs) = match fate {
            Ok(needs) => (Verb::Delete, GOES.to_owned(), needs),
            Err(why) => (Verb::Orphan, why, Vec::new()),
        };
        self.plan.actions.push(Action {
            id: StepId::new(kind, id),
            kind,
            region: region.clone(),
            name: name.to_owned(),
            arn: Some(arn),
            verb,
            reason,
            fields: Vec::new(),
            needs,
        });
    }
}

/// Marks an update that reduces the role's policy to the destinations in the manifest.
pub const PRUNED: &str = "dropped destinations";
