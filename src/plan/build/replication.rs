//! The replication configuration: what is to be done about it.
//! Not for: how its rules go live (see `activation`).

use super::lock::lock_step;
use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::Side;
use crate::plan::rules;
use crate::world::Replication;

impl Builder<'_> {
    pub(super) fn replication(&mut self) -> Result<(), Failure> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
        let found = match live {
            None => Found::Missing,
            Some(live) => {
                let strangers = rules::foreign(topology, live).count();
                let role_differs = live.role != topology.role_arn().as_str();
                if strangers > 0 && role_differs {
                    let message = format!(
                        "the replication configuration of `{}` has {strangers} rules of others and their role {}",
                        source.bucket, live.role
                    );
                    return Err(in_the_way("replication-not-ours", message, &source.region)
                        .hint("a configuration has one role for all its rules: move those rules, or use another source bucket"));
                }
                let mut fields = if role_differs { vec!["role"] } else { vec![] };
                if !self.rules_stand(live) {
                    fields.push("rules");
                }
                Found::Differs(fields)
            }
        };
        let changes = !matches!(&found, Found::Differs(fields) if fields.is_empty());
        let role_differs = live.is_some_and(|live| live.role != topology.role_arn().as_str());
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
        if let Some(action) = self.plan.actions.last_mut().filter(|_| proven_first) {
            action.reason.push_str("; proven on probes alone before it goes live");
        }
        self.plan.proven_first = proven_first;
        Ok(())
    }

    /// S3 takes rules only where versioning is on, and nothing replicates without the role's policy. That may be right already
    /// where the alias is gone, and nothing names the key before the alias does.
    fn rules_need(&self) -> Vec<StepId> {
        let versioning = |side: &Side| StepId::new(Kind::Versioning, side.bucket.as_str());
        let role_policy = StepId::new(Kind::RolePolicy, self.topology.role.as_str());
        let aliases = self.topology.sides().filter_map(|side| self.alias_step(side));
        let locks = self.topology.sides().map(lock_step);
        // What is not planned is not waited for.
        let locks = locks.filter(|lock| self.plan.actions.iter().any(|action| &action.id == lock));
        self.topology
            .sides()
            .map(versioning)
            .chain(locks)
            .chain([role_policy])
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
            && wanted.iter().all(|rule| live.rules.contains(rule))
            && !live.rules.iter().any(|rule| rules::goes(self.topology, rule))
    }
}
