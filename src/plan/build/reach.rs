//! Removes resources in accounts without credentials from the plan. An operator of such an account
//! creates them.
//! Not for: the policies in such an account (see `policy`).

use super::Builder;
use crate::events::{Kind, StepId};
use crate::plan::Action;
use std::collections::BTreeSet;

impl Builder<'_> {
    /// Removes handed-over sides, and actions that wait for their keys: neither a rule nor the
    /// role's policy can name a key whose ARN the manifest does not give yet.
    pub(super) fn hand_over(&mut self) {
        let topology = self.topology;
        if topology.handed_over().next().is_none() {
            return;
        }
        let waits = topology.waits_for_key();
        let role = StepId::new(Kind::RolePolicy, topology.role.as_str());
        let rules = StepId::new(Kind::Replication, topology.source.bucket.as_str());
        let stays = |action: &Action| {
            let waits = waits.is_some() && [&role, &rules].contains(&&action.id);
            !waits && !topology.wanted.is_handed_over(&action.region)
        };
        self.plan.actions.retain(stays);
        let planned: BTreeSet<StepId> =
            self.plan.actions.iter().map(|action| action.id.clone()).collect();
        for action in &mut self.plan.actions {
            action.needs.retain(|need| planned.contains(need));
        }
        for side in topology.handed_over() {
            self.plan.warnings.push(format!(
                "`{}` and its key are for the owner of account {}: its credentials are not named",
                side.bucket, &side.account
            ));
        }
        self.plan.warnings.extend(waits.map(|side| {
            format!(
                "the role's policy and the rules wait for the key in {}: give its ARN as `key` of that destination",
                side.region
            )
        }));
    }
}
