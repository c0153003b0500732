//! Two-way replication: each direction is seen as a pair of its own, from one source to its destinations, under the same name, id,
//! tags and keys. Every destination replicates back to the source, under the rules that lead to it.
//! Not for: what is written in either direction (see `plan`).

use super::role::RoleSettings;
use super::rules::{RuleSettings, RuleWish};
use super::topology::{Side, Topology};
use crate::names::RoleName;

impl Topology {
    /// Returns the directions in which the pair replicates: from the source, then, where it is two-way, back from each destination.
    pub fn directions(&self) -> Vec<Self> {
        std::iter::once(self.forward()).chain(self.backward()).collect()
    }

    /// Returns the pair without its way back.
    #[must_use]
    pub fn forward(&self) -> Self {
        let mut forward = self.clone();
        forward.replication.two_way = false;
        forward
    }

    /// Returns the directions back to the source.
    pub fn backward(&self) -> impl Iterator<Item = Self> {
        let sides = if self.replication.two_way { self.destinations.as_slice() } else { &[] };
        // What only live rules name has no way back of its own.
        sides
            .iter()
            .filter_map(|side| Some(self.back_from(side, self.reverse_roles.get(side)?.clone())))
    }

    /// Lets `side` replicate back by a role that was found.
    pub fn give_back_role(&mut self, side: Side, role: RoleName) {
        self.replication.two_way = true;
        self.reverse_roles.insert(side, role);
    }

    /// Returns the direction back from `side`, with the role `role`. A storage class is that of replicas at the destination, so
    /// the way back has none.
    #[must_use]
    pub fn back_from(&self, side: &Side, role: RoleName) -> Self {
        let mut back = self.forward();
        let reversed = |rule: &RuleWish| {
            let id = rule.settings.back_id.clone();
            let settings =
                RuleSettings { storage_class: None, id, back_id: None, ..rule.settings.clone() };
            (self.source.clone(), settings)
        };
        let rules: Vec<_> = self.rules_to(side).map(reversed).collect();
        back.source = side.clone();
        back.destinations = vec![self.source.clone()];
        back.role = role;
        back.account = self.account_of(&side.region).clone();
        if let Some(boundary) = self.role_settings.back_boundaries.get(&side.region) {
            back.role_settings.boundary = Some(boundary.clone());
        }
        if let Some(given) = self.role_settings.back.get(&side.region) {
            back.role = RoleSettings::name_of(given).unwrap_or(back.role);
            back.role_settings.given = Some(given.clone());
        }
        back.shared_role.clone_from(&back.role_settings.given);
        back.rules = back.named_rules(rules);
        back
    }

    /// Returns whether this is a direction back to the pair's source.
    pub fn is_back(&self) -> bool {
        self.source != self.home
    }

    /// Returns the sign between the source and its destinations.
    pub fn arrow(&self) -> &'static str {
        if self.replication.two_way { "⇄" } else { "→" }
    }

    /// Returns whether objects are written to `side` and replicated from there.
    pub fn replicates_from(&self, side: &Side) -> bool {
        side == &self.source || self.replication.two_way
    }

    /// Returns whether replicas are written to `side`.
    pub fn replicates_to(&self, side: &Side) -> bool {
        side != &self.source || self.replication.two_way
    }
}
