//! Plans the replication configuration.
//! Not for: how its rules are activated (see `activation`).

use super::lock::lock_step;
use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::Side;
use crate::plan::work::{Owned, RuleChange, RuleRole, RulesWritten};
use crate::plan::{Action, Work, others, rules};
use crate::world::Replication;

impl Builder<'_> {
    pub(super) fn replication(&mut self) -> Result<(), Failure> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
        let role_differs = live.is_some_and(|live| live.role != topology.assumed_role().as_str());
        let has_others = live.is_some_and(|live| rules::foreign(topology, live).next().is_some());
        let mut has_fresh_role = false;
        if let Some(live) = live {
            // Taking over foreign rules is proven for the forward direction only.
            let takes_over = topology.role_settings.take_over && !topology.is_back();
            if role_differs && has_others && !takes_over {
                let message = format!(
                    "the replication configuration of `{}` has rules of others and their role {}",
                    source.bucket, live.role
                );
                return Err(in_the_way("replication-not-ours", message, &source.region)
                    .hint("a configuration has one role for all its rules"));
            }
            has_fresh_role = role_differs && has_others && self.role_is_fresh();
        }
        let is_same = live.is_some_and(|live| self.rules_stand(live));
        let changes = role_differs || !is_same;
        if let Some(live) = live.filter(|_| changes) {
            others::refuse_v1(topology, live)?;
        }
        let proven_first =
            changes && self.proven_first(live, role_differs)? && self.rules_change(live);
        let mut needs = self.rules_need();
        if proven_first {
            // A probe needs the complete pair, so the rules wait for all earlier actions.
            needs.extend(self.plan.actions.iter().map(|action| action.id.clone()));
        }
        let written = RulesWritten {
            replaced_role: live.filter(|_| role_differs).map(|live| live.role.clone()),
            role: self.rule_role(),
            rules: (!is_same).then(|| self.rule_changes(live)),
            others_get_role: role_differs && has_others,
            role_is_fresh: has_fresh_role,
            unselecting: live
                .and_then(|live| others::unselecting(topology, live))
                .map(|rule| rule.id.clone()),
            proven_first,
        };
        let work = match live {
            None => Owned::Create(written),
            Some(_) if changes => Owned::Update(written),
            Some(_) => Owned::Unchanged,
        };
        let arn = Some(source.bucket.arn(topology.wanted.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        let name = source.bucket.as_str();
        self.add(Work::Rules(work), name, &source.region, name, arn, &needs);
        self.plan.proven_first |= proven_first;
        Ok(())
    }

    /// Returns the role that the rules get.
    fn rule_role(&self) -> RuleRole {
        let topology = self.topology;
        match (&topology.role_settings.given, &topology.shared_role()) {
            (Some(given), _) => RuleRole::Given(given.clone()),
            (None, Some(shared)) => RuleRole::OfOthers((*shared).clone()),
            (None, None) => RuleRole::Own(topology.role_arn()),
        }
    }

    /// Returns the rules that are added, changed and removed.
    fn rule_changes(&self, live: Option<&Replication>) -> Vec<RuleChange> {
        let keys = self.topology.or_some_keys(&self.keys);
        let wanted = rules::wanted(self.topology, &keys, live);
        let live = live.map_or(&[][..], |live| &live.rules);
        let written = wanted.into_iter().filter_map(|to| {
            let from = live.iter().find(|live| live.id == to.id).cloned();
            let stands = from.as_ref().is_some_and(|from| rules::says(from, &to));
            (!stands).then_some(RuleChange { from, to: Some(to) })
        });
        let goes = live.iter().filter(|rule| rules::goes(self.topology, rule)).cloned();
        written.chain(goes.map(|from| RuleChange { from: Some(from), to: None })).collect()
    }

    /// Returns whether this run creates the role or changes its policy.
    fn role_is_fresh(&self) -> bool {
        let of_role = |action: &&Action| matches!(action.kind(), Kind::Role | Kind::RolePolicy);
        self.plan.actions.iter().filter(of_role).any(Action::changes)
    }

    /// Returns the actions that the rules need. S3 accepts rules only on buckets with versioning
    /// enabled, and nothing replicates without the role's policy. For a bucket that this run
    /// creates, the rules don't wait for the policy, because the bucket is empty. The rules wait
    /// for the aliases too: if an alias is missing, the policy may already be correct, but nothing
    /// may name a key before its alias exists.
    fn rules_need(&self) -> Vec<StepId> {
        let versioning = |side: &Side| StepId::new(Kind::Versioning, side.bucket.as_str());
        let source = &self.topology.source.bucket;
        let is_fresh = !self.world.buckets.contains_key(source);
        let needed = if is_fresh { Kind::Role } else { Kind::RolePolicy };
        let role_policy = StepId::new(needed, self.topology.role.as_str());
        let tags = StepId::new(Kind::BucketTags, source.as_str());
        let aliases = self.topology.sides().filter_map(|side| self.alias_step(side));
        let role_policy = self.topology.shared_role().is_none().then_some(role_policy);
        let locks = self.topology.sides().map(lock_step);
        // Only planned actions can be waited for.
        let locks = locks.filter(|lock| self.plan.actions.iter().any(|action| &action.id == lock));
        self.topology
            .sides()
            .map(versioning)
            .chain(std::iter::once(tags))
            .chain(locks)
            .chain(role_policy)
            .chain(aliases)
            .collect()
    }

    /// Returns whether any rule is new or changed. Rules that are only deleted don't count.
    fn rules_change(&self, live: Option<&Replication>) -> bool {
        let wanted = rules::wanted(self.topology, &self.keys, live);
        !self.topology.knows_keys(&self.keys)
            || !rules::proving(self.topology, &wanted, live).is_empty()
    }

    fn rules_stand(&self, live: &Replication) -> bool {
        let wanted = rules::wanted(self.topology, &self.keys, Some(live));
        self.topology.knows_keys(&self.keys)
            && wanted.iter().all(|rule| live.rules.iter().any(|live| rules::says(live, rule)))
            && !live.rules.iter().any(|rule| rules::goes(self.topology, rule))
    }
}
