//! The replication configuration: what is to be done about it.
//! Not for: how its rules go live (see `activation`).

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
                // What a taking over would need is proven for the way there alone.
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
            // What is proven must be complete.
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

    /// Returns whether this run makes the role, or changes what it may do.
    fn role_is_fresh(&self) -> bool {
        let of_role = |action: &&Action| matches!(action.kind, Kind::Role | Kind::RolePolicy);
        self.plan.actions.iter().filter(of_role).any(|action| action.verb.changes())
    }

    /// S3 takes rules only where versioning is on, and nothing replicates without the role's policy, for which a bucket that this run
    /// makes need not wait: it is empty. The policy may be right already where the alias is gone, and nothing names the key before
    /// the alias does.
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
        // What is not planned is not waited for.
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

    /// Returns whether any rule is new or differs, beside what is only to be taken away.
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

/// Says of an update of the configuration that its role was made or changed by the same run, and that rules of others get it.
pub const FRESH: &str = "a role that may not have spread";
