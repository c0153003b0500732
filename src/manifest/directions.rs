//! The directions of a pair. Each has one source, its destinations, a role and rules; all have the
//! same name, id, tags, and keys. In a two-way pair every destination replicates back to the source
//! with the rules that lead to it.
//! Not for: the resources of a direction (see `plan`).

use super::role::RoleSettings;
use super::rules::{RuleSettings, RuleWish};
use super::side::{BucketPlace, Side};
use super::topology::Topology;
use crate::names::{AccountId, Arn, RoleName};

/// One way of replication: from a source to its destinations.
#[derive(Debug, Clone)]
pub struct Direction {
    /// The source. Its account has the role.
    pub source: Side,
    /// The destinations, each bucket once.
    pub destinations: Vec<Side>,
    /// The rules, at least one per destination.
    pub rules: Vec<RuleWish>,
    /// Name of the pair's own replication role.
    pub role: RoleName,
    /// Other settings of the role.
    pub role_settings: RoleSettings,
}

impl Direction {
    /// Returns the source and the destinations.
    pub fn sides(&self) -> impl Iterator<Item = &Side> {
        std::iter::once(&self.source).chain(&self.destinations)
    }

    pub(super) fn sides_mut(&mut self) -> impl Iterator<Item = &mut Side> {
        std::iter::once(&mut self.source).chain(&mut self.destinations)
    }

    /// Returns the sides in `account`.
    pub fn sides_in<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = &'a Side> {
        self.sides().filter(move |side| &side.account == account)
    }

    /// Returns every account of the sides, the source's first.
    pub fn accounts(&self) -> Vec<&AccountId> {
        let mut accounts = Vec::new();
        for side in self.sides() {
            if !accounts.contains(&&side.account) {
                accounts.push(&side.account);
            }
        }
        accounts
    }

    /// Returns whether `side` is in another account than the source and the role.
    pub fn is_foreign(&self, side: &Side) -> bool {
        side.account != self.source.account
    }

    /// Returns the ARN of the pair's own role: the role from `role.arn`, or the role that crrctl
    /// creates.
    pub fn role_arn(&self) -> Arn {
        if let Some(arn) = &self.role_settings.given {
            return arn.clone();
        }
        self.role_arn_of(self.role.as_str())
    }

    /// Returns the ARN of a role that crrctl creates for this direction.
    pub(super) fn role_arn_of(&self, name: &str) -> Arn {
        let resource = format!("role{}{name}", self.role_settings.path);
        let account = self.source.account.as_str();
        Arn::known(self.source.region.partition(), "iam", "", account, &resource)
    }

    /// Adds a live rule and its destination.
    pub fn serve(&mut self, wish: RuleWish) {
        if !self.destinations.contains(&wish.destination) {
            self.destinations.push(wish.destination.clone());
        }
        self.rules.push(wish);
    }
}

impl Topology {
    /// Returns the directions of the pair: the forward direction and, for a two-way pair, the
    /// reverse direction of each destination.
    pub fn directions(&self) -> Vec<Self> {
        std::iter::once(self.forward()).chain(self.backward()).collect()
    }

    /// Returns the pair without its reverse directions.
    #[must_use]
    pub fn forward(&self) -> Self {
        self.one_way(self.direction.clone())
    }

    /// Adds a reverse direction.
    pub fn also(&mut self, back: Direction) {
        self.reverse.push(back);
    }

    /// Returns the reverse directions.
    pub fn backward(&self) -> impl Iterator<Item = Self> {
        self.reverse.iter().map(|reverse| self.one_way(reverse.clone()))
    }

    fn one_way(&self, direction: Direction) -> Self {
        Self { direction, reverse: Vec::new(), ..self.clone() }
    }

    /// Returns whether objects replicate both ways.
    pub fn is_two_way(&self) -> bool {
        !self.reverse.is_empty()
    }

    /// Adds the reverse direction of `side` with the role `role`.
    pub(super) fn give_back_role(&mut self, side: &Side, role: RoleName) {
        let reverse = self.back_from(side, role).direction;
        self.reverse.push(reverse);
    }

    /// Returns the reverse direction of `side` with the role `role`. The manifest's storage class
    /// applies to replicas at the destination, so the reverse direction has none.
    #[must_use]
    pub fn back_from(&self, side: &Side, role: RoleName) -> Self {
        let home = &self.source;
        let reversed = |rule: &RuleWish| {
            let id = rule.settings.back_id.clone();
            let settings =
                RuleSettings { storage_class: None, id, back_id: None, ..rule.settings.clone() };
            (home.clone(), settings)
        };
        let rules = self.wanted.named_rules(self.rules_to(side).map(reversed));
        let (mut role, mut role_settings) = (role, self.role_settings.clone());
        if let Some(boundary) = role_settings.back_boundaries.get(&side.region) {
            role_settings.boundary = Some(boundary.clone());
        }
        if let Some(given) = role_settings.back.get(&side.region).cloned() {
            role = RoleSettings::name_of(&given).unwrap_or(role);
            role_settings.given = Some(given);
        }
        let destinations = vec![home.clone()];
        let source = side.clone();
        self.one_way(Direction { source, destinations, rules, role, role_settings })
    }

    /// Returns whether this is a reverse direction.
    pub fn is_back(&self) -> bool {
        &self.source != self.wanted.home()
    }

    /// Returns the arrow that reports print between the source and its destinations.
    pub fn arrow(&self) -> &'static str {
        if self.is_two_way() { "⇄" } else { "→" }
    }

    /// Returns whether objects in `side` are replicated.
    pub fn replicates_from(&self, side: &Side) -> bool {
        side == &self.source || self.is_two_way()
    }

    /// Returns whether replicas are written to `side`.
    pub fn replicates_to(&self, side: &Side) -> bool {
        side != &self.source || self.is_two_way()
    }

    /// Returns the directions whose role is in `account`.
    pub fn directions_of(&self, account: &AccountId) -> Vec<Self> {
        let mut all = self.directions();
        all.retain(|it| &it.source.account == account);
        all
    }

    /// Returns the directions in which a role of another account writes replicas to the bucket.
    pub fn across_to(&self, place: &BucketPlace) -> Vec<Self> {
        let mut all = self.directions();
        all.retain(|it| {
            it.destinations.iter().any(|side| side.place == *place && it.is_foreign(side))
        });
        all
    }
}
