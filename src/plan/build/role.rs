//! Plans the replication role and its policy.
//! Not for: rendering the policy (see `policy`).

use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::plan::work::{BoundaryChange, Owned, RoleDiffers, RoleMade, RolePolicyDiffers};
use crate::plan::{StatementChange, Work, rules, statements};
use crate::policy::{self, Document, meaning};
use crate::world::Role;
use serde_json::Value;

impl Builder<'_> {
    /// If the pair's rules use a shared role, the pair has no role of its own.
    pub(super) fn role(&mut self) -> Result<(), Failure> {
        let (topology, region) = (self.topology, self.topology.role_region());
        if topology.shared_role().is_some() {
            return Ok(());
        }
        let live = rules::role_of(topology, self.world);
        if let Some(role) = live {
            if !self.is_ours(&role.tags) {
                let message =
                    format!("the role {} exists and does not bear this pair's tags", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`, or remove that role"));
            }
            if role.arn != topology.role_arn() {
                let message =
                    format!("the role {} lies under another path than this pair's", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`: a role's path can't be changed"));
            }
        }
        let role = self.role_work(live, &Document::ReplicationRoleTrust)?;
        let served = rules::served(topology, self.world);
        let keys = served.or_some_keys(&self.keys);
        let wanted = policy::render(&Document::ReplicationRole, &served, &keys, self.templates)?;
        let live = live.and_then(|role| role.policy.as_ref());
        let policy = Self::role_policy_work(live, &wanted, topology.knows_keys(&self.keys));
        let (name, arn) = (topology.role.as_str(), Some(topology.role_arn()));
        self.add(Work::Role(role), name, region, name, arn.clone(), &[]);
        let mut needs = vec![StepId::new(Kind::Role, name)];
        // The policy names the key of each side.
        for alias in topology.sides().filter_map(|side| self.alias_step(side)) {
            if !needs.contains(&alias) {
                needs.push(alias);
            }
        }
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(Work::RolePolicy(policy), name, region, name, arn, &needs);
        Ok(())
    }

    /// Compares a role with the manifest. `trust` is its trust policy.
    pub(super) fn role_work(
        &self,
        live: Option<&Role>,
        trust: &Document,
    ) -> Result<Owned<RoleMade, RoleDiffers>, Failure> {
        let tags = self.topology.all_tags();
        let boundary = self.topology.role_settings.boundary.clone();
        let Some(role) = live else {
            let trust = statements::changes(None, Some(&self.render(trust)?));
            return Ok(Owned::Create(RoleMade { trust, boundary, tags }));
        };
        // A permissions boundary that the manifest does not name belongs to somebody else and is
        // kept.
        let boundary = boundary.filter(|it| role.boundary.as_deref() != Some(it.as_str()));
        Ok(Owned::differing(RoleDiffers {
            trust: self.trust_differs(&role.trust, trust)?,
            boundary: boundary.map(|to| BoundaryChange { from: role.boundary.clone(), to }),
            tags: self.tags_differ(&role.tags, tags),
        }))
    }

    /// Compares the policy of a role with the wanted one. A policy that names a key which is not
    /// known yet differs.
    pub(super) fn role_policy_work(
        live: Option<&Value>,
        wanted: &Value,
        knows_keys: bool,
    ) -> Owned<Vec<StatementChange>, RolePolicyDiffers> {
        let changes = || statements::changes(live, Some(wanted));
        match live {
            None => Owned::Create(changes()),
            Some(live) if knows_keys && meaning::same(live, wanted) => Owned::Unchanged,
            Some(_) => Owned::Update(RolePolicyDiffers::Statements(changes())),
        }
    }
}
