//! Plans the replication role and its policy.
//! Not for: rendering the policy (see `policy`).

use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::plan::rules;
use crate::policy::{self, Document, meaning};
use crate::world::Role;
use serde_json::Value;

impl Builder<'_> {
    /// If the pair's rules use a shared role, the pair has no role of its own.
    pub(super) fn role(&mut self) -> Result<(), Failure> {
        let (topology, region) = (self.topology, self.topology.role_region());
        if topology.shared_role.is_some() {
            return Ok(());
        }
        let role_step = StepId::new(Kind::Role, topology.role.as_str());
        let live = rules::role_of(topology, self.world);
        let (found, policy) = match live {
            None => (Found::Missing, Found::Missing),
            Some(role) if !self.is_ours(&role.tags) => {
                let message =
                    format!("the role {} exists and does not bear this pair's tags", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`, or remove that role"));
            }
            Some(role) if role.arn != topology.role_arn() => {
                let message =
                    format!("the role {} lies under another path than this pair's", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`: a role's path can't be changed"));
            }
            Some(role) => {
                let trust = self.render(&Document::ReplicationRoleTrust)?;
                let mut fields = Vec::new();
                if !meaning::same(&role.trust, &trust) {
                    fields.push("trust policy");
                }
                fields.extend(self.boundary_found(role));
                fields.extend(self.tags_found(&role.tags, &topology.all_tags()));
                (Found::Differs(fields), self.role_policy_found(role.policy.as_ref())?)
            }
        };
        let arn = Some(topology.role_arn());
        self.add(Kind::Role, &role_step, region, topology.role.as_str(), arn.clone(), found, &[]);
        let step = StepId::new(Kind::RolePolicy, topology.role.as_str());
        let mut needs = vec![role_step];
        // The policy names the key of each side.
        for alias in topology.sides().filter_map(|side| self.alias_step(side)) {
            if !needs.contains(&alias) {
                needs.push(alias);
            }
        }
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(Kind::RolePolicy, &step, region, topology.role.as_str(), arn, policy, &needs);
        Ok(())
    }

    /// A permissions boundary that the manifest does not name belongs to somebody else and is kept.
    pub(super) fn boundary_found(&self, role: &Role) -> Option<&'static str> {
        let wanted = self.topology.role_settings.boundary.as_ref()?;
        (role.boundary.as_deref() != Some(wanted.as_str())).then_some("permissions boundary")
    }

    fn role_policy_found(&self, live: Option<&Value>) -> Result<Found, Failure> {
        let Some(live) = live else { return Ok(Found::Missing) };
        let served = rules::served(self.topology, self.world);
        let keys = served.or_some_keys(&self.keys);
        let wanted = policy::render(&Document::ReplicationRole, &served, &keys, self.templates)?;
        let is_same = self.topology.knows_keys(&self.keys) && meaning::same(live, &wanted);
        Ok(Found::Differs(if is_same { vec![] } else { vec!["statements"] }))
    }
}
