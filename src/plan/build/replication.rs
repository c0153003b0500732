//! Plans the replication configuration.
//! Not for: how its rules are activated (see `activation`).

use super::lock::lock_step;
use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::Side;
use crate::plan::{Action, PROVEN_FIRST, others, rules};
use crate::world::Replication;
use std::fmt::Write;

impl Builder<'_> {
    pub(super) fn replication(&mut self) -> Result<(), Failure> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
        let role_differs = live.is_some_and(|live| live.role != topology.assumed_role().as_str());
        let has_others = live.is_some_and(|live| rules::foreign(topology, live).next().is_some());
        let found = match live {
            None => Found::Missing,
            Some(live) => {
                others::refuse_v1(topology, live)?;
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
                let mut fields = if role_differs { vec!["role"] } else { vec![] };
                if !self.rules_stand(live) {
                    fields.push("rules");
                }
                if role_differs && has_others && self.role_is_fresh() {
                    fields.push(FRESH);
                }
                Found::Differs(fields)
            }
        };
        let changes = !matches!(&found, Found::Differs(fields) if fields.is_empty());
        let proven_first =
            changes && self.proven_first(live, role_differs)? && self.rules_change(live);
        let mut needs = self.rules_need();
        if proven_first {
            // A probe needs the complete pair, so the rules wait for all earlier actions.
            needs.extend(self.plan.actions.iter().map(|action| action.id.clone()));
        }
        let step = StepId::new(Kind::Replication, source.bucket.as_str());
        let arn = Some(source.bucket.arn(topology.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(
            Kind::Replication,
            &step,
            &source.region,
            source.bucket.as_str(),
            arn,
            found,
            &needs,
        );
        if let Some(action) = self.plan.actions.last_mut().filter(|it| it.verb.changes()) {
            if role_differs && has_others {
                action.reason.push_str("; rules of others get this role too");
            }
            if let Some(rule) = live.and_then(|live| others::unselecting(topology, live)) {
                let _ = write!(
                    action.reason,
                    "; the rule `{}` of others selects no SSE-KMS objects",
                    rule.id
                );
            }
            if let Some(given) = &topology.role_settings.given {
                let _ = write!(action.reason, "; by {given}, as it is");
            } else if let Some(shared) = &topology.shared_role {
                let _ = write!(action.reason, "; by {shared}, which rules of others have");
            }
            if proven_first {
                action.reason.push_str("; proven on probes alone before it goes live");
                action.fields.push(PROVEN_FIRST);
            }
        }
        self.plan.proven_first |= proven_first;
        Ok(())
    }

    /// Returns whether this run creates the role or changes its policy.
    fn role_is_fresh(&self) -> bool {
        let of_role = |action: &&Action| matches!(action.kind, Kind::Role | Kind::RolePolicy);
        self.plan.actions.iter().filter(of_role).any(|action| action.verb.changes())
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
        let role_policy = self.topology.shared_role.is_none().then_some(role_policy);
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

/// Marks an update that gives foreign rules a role that the same run created or changed.
pub const FRESH: &str = "a role that may not have spread";
