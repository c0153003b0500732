//! Two-way replication. Each direction is a topology with one source and its destinations; all
//! directions have the same name, id, tags, and keys. Every destination replicates back to the
//! source with the rules that lead to it.
//! Not for: the resources of a direction (see `plan`).

use super::role::RoleSettings;
use super::rules::{RuleSettings, RuleWish};
use super::topology::{Side, Topology};
use crate::names::RoleName;

impl Topology {
    /// Returns the directions of the pair: the forward direction and, for a two-way pair, the
    /// reverse direction of each destination.
    pub fn directions(&self) -> Vec<Self> {
        std::iter::once(self.forward()).chain(self.backward()).collect()
    }

    /// Returns the pair without its reverse directions.
    #[must_use]
    pub fn forward(&self) -> Self {
        let mut forward = self.clone();
        forward.replication.two_way = false;
        forward
    }

    /// Returns the reverse directions.
    pub fn backward(&self) -> impl Iterator<Item = Self> {
        let sides = if self.replication.two_way { self.destinations.as_slice() } else { &[] };
        // A destination that only live rules name has no reverse role, so it has no reverse
        // direction.
        sides
            .iter()
            .filter_map(|side| Some(self.back_from(side, self.reverse_roles.get(side)?.clone())))
    }

    /// Adds the reverse direction of `side` with an existing role.
    pub fn give_back_role(&mut self, side: Side, role: RoleName) {
        self.replication.two_way = true;
        self.reverse_roles.insert(side, role);
    }

    /// Returns the reverse direction of `side` with the role `role`. The manifest's storage class
    /// applies to replicas at the destination, so the reverse direction has none.
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

    /// Returns whether this is a reverse direction.
    pub fn is_back(&self) -> bool {
        self.source != self.home
    }

    /// Returns the arrow that reports print between the source and its destinations.
    pub fn arrow(&self) -> &'static str {
        if self.replication.two_way { "⇄" } else { "→" }
    }

    /// Returns whether objects in `side` are replicated.
    pub fn replicates_from(&self, side: &Side) -> bool {
        side == &self.source || self.replication.two_way
    }

    /// Returns whether replicas are written to `side`.
    pub fn replicates_to(&self, side: &Side) -> bool {
        side != &self.source || self.replication.two_way
    }
}
