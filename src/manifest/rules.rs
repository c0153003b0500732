//! The rules a manifest wants, as checked types: one for each entry of `destinations`.
//! Not for: the rules that are live, or priorities that are not given (see `plan::rules`).

use super::keys::{KeyKind, KeyRef};
use super::topology::{Placed, Side, Topology};
use crate::names::Region;
use std::collections::BTreeMap;

/// An object key has at most 1,024 bytes (S3 User Guide, "Naming Amazon S3 objects"); a probe's name takes up to 64 of them.
pub const MAX_PREFIX: usize = 960;
/// Classes that S3 takes for replicas and from which a replica can be read at once.
pub const REPLICA_CLASSES: [&str; 6] = [
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "REDUCED_REDUNDANCY",
];

/// Classes from which an object must be restored before it can be read, with the days that each object is paid for at least
/// (S3 User Guide, "Understanding and managing Amazon S3 storage classes").
pub const ARCHIVES: [(&str, u16); 2] = [("GLACIER", 90), ("DEEP_ARCHIVE", 180)];
/// Classes that can be read at once and in which each object is paid for so many days at least, and as 128 KB (same page).
pub const PAID_FOR_DAYS: [(&str, u16); 3] =
    [("STANDARD_IA", 30), ("ONEZONE_IA", 30), ("GLACIER_IR", 90)];

/// What a rule says, wherever it leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of S3's")]
pub struct RuleSettings {
    /// Key prefix of the objects that replicate; empty for all.
    pub prefix: String,
    /// Tags that an object must bear to replicate, all of them.
    pub tags: BTreeMap<String, String>,
    /// Whether delete markers replicate.
    pub delete_markers: bool,
    /// The storage class of replicas; `None` for that of the source.
    pub storage_class: Option<String>,
    /// Higher wins among rules to one destination; `None` leaves it to crrctl.
    pub priority: Option<i32>,
    /// Whether S3 measures how replication gets on.
    pub metrics: bool,
    /// Whether changes of replicas' metadata replicate too.
    pub replica_modifications: bool,
    /// Whether S3 promises most replicas within 15 minutes (S3 Replication Time Control).
    pub time_control: bool,
    /// Whether replicas belong to the account of the destination bucket (S3 User Guide, "Changing the replica owner").
    pub owner_override: bool,
    /// The id of a rule that somebody else made; `None` for one of crrctl's.
    pub id: Option<String>,
    /// The same of the rule that leads back.
    pub back_id: Option<String>,
}

/// A rule whose bucket still has `{account}` in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlacedRule {
    pub(super) place: Placed,
    pub(super) settings: RuleSettings,
}

/// A rule of the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWish {
    /// The rule's id in the replication configuration.
    pub id: String,
    /// Where replicas go.
    pub destination: Side,
    /// What it says.
    pub settings: RuleSettings,
}

impl RuleWish {
    /// Returns whether an object that `other` selects by its least is selected by this rule too: its prefix lies inside, and it
    /// bears all tags.
    pub fn covers(&self, other: &RuleSettings) -> bool {
        let has = |(key, value): (&String, &String)| other.tags.get(key) == Some(value);
        other.prefix.starts_with(&self.settings.prefix) && self.settings.tags.iter().all(has)
    }
}

impl Topology {
    /// Names the rules of `settings`, in their order. The first rule to a Region has the Region in its id, later ones to the
    /// same a number besides; one that exists keeps its id.
    pub(super) fn named_rules(
        &self,
        settings: impl IntoIterator<Item = (Side, RuleSettings)>,
    ) -> Vec<RuleWish> {
        let mut counts: BTreeMap<Side, usize> = BTreeMap::new();
        let mut name = |(destination, settings): (Side, RuleSettings)| {
            let count = counts.entry(destination.clone()).or_default();
            *count += 1;
            let own = || match *count {
                1 => self.rule_id(&destination),
                n => format!("{}.{n}", self.rule_id(&destination)),
            };
            let id = settings.id.clone().unwrap_or_else(own);
            RuleWish { id, destination, settings }
        };
        settings.into_iter().map(&mut name).collect()
    }

    /// Returns the id of the first replication rule to `side`.
    pub fn rule_id(&self, side: &Side) -> String {
        format!("{}{}", self.rule_prefix(), side.region)
    }

    /// Adds a rule that is live, with its destination and the key that it names there.
    pub fn serve(&mut self, wish: RuleWish, key: Option<&str>) {
        let side = &wish.destination;
        if !self.destinations.contains(side) {
            self.destinations.push(side.clone());
        }
        if let Some(key) = key.filter(|_| self.key.kind != KeyKind::MultiRegion) {
            self.existing_keys.insert(side.clone(), KeyRef::new(key));
        }
        self.rules.push(wish);
    }

    /// Adds a rule of others, with its destination and the key that it names there, if any.
    pub fn serve_others(&mut self, wish: RuleWish, key: Option<&str>) {
        let side = &wish.destination;
        if !self.destinations.contains(side) {
            match key {
                Some(key) => drop(self.existing_keys.insert(side.clone(), KeyRef::new(key))),
                None => drop(self.unencrypted.insert(side.clone())),
            }
            self.destinations.push(side.clone());
        }
        self.rules.push(wish);
    }

    /// Returns what the ids of all our rules begin with: no name of a pair has a dot, so no other pair's rules begin so.
    pub fn rule_prefix(&self) -> String {
        format!("crrctl.{}.", self.name)
    }

    /// Returns the Regions whose CloudWatch knows of rules that S3 measures: those of both ends, the source's first.
    pub fn metric_regions(&self) -> Vec<&Region> {
        let is_measured = |rule: &&RuleWish| rule.settings.metrics || rule.settings.time_control;
        let mut regions = Vec::new();
        for rule in self.rules.iter().filter(is_measured) {
            for region in [&self.source.region, &rule.destination.region] {
                if !regions.contains(&region) {
                    regions.push(region);
                }
            }
        }
        regions
    }

    /// Returns the rules that lead to `side`.
    pub fn rules_to<'a>(&'a self, side: &'a Side) -> impl Iterator<Item = &'a RuleWish> {
        self.rules.iter().filter(move |rule| &rule.destination == side)
    }

    /// Returns the key prefixes of objects that concern `side`: of all rules for the source, else of those that lead there.
    /// What another covers is left out.
    pub fn prefixes(&self, side: &Side) -> Vec<&str> {
        let rules = self.rules.iter().filter(|rule| self.concerns(rule, side));
        let mut all: Vec<&str> = rules.map(|rule| rule.settings.prefix.as_str()).collect();
        all.sort_unstable();
        // In this order what covers a prefix stands before it.
        let mut kept: Vec<&str> = Vec::new();
        for prefix in all {
            if !kept.iter().any(|shorter| prefix.starts_with(shorter)) {
                kept.push(prefix);
            }
        }
        kept
    }

    /// Returns the prefixes of `side` under which delete markers are replicated.
    pub fn marker_prefixes<'a>(&'a self, side: &'a Side) -> Vec<&'a str> {
        let rules = self.rules_to(side).filter(|rule| rule.settings.delete_markers);
        let mut all: Vec<&str> = rules.map(|rule| rule.settings.prefix.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the prefixes of `side` under which replicas change their owner.
    pub fn owned_prefixes<'a>(&'a self, side: &'a Side) -> Vec<&'a str> {
        let changes = |rule: &&RuleWish| rule.settings.owner_override && self.is_foreign(side);
        let mut all: Vec<&str> =
            self.rules_to(side).filter(changes).map(|it| it.settings.prefix.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn concerns(&self, rule: &RuleWish, side: &Side) -> bool {
        side == &self.source || &rule.destination == side
    }

    /// Returns the key prefix under which the probes of a rule lie, inside its own filter.
    pub fn probe_prefix(&self, settings: &RuleSettings) -> String {
        format!("{}_crrctl/{}/", settings.prefix, self.name)
    }

    /// Returns every key prefix under which probes lie in the bucket of `side`.
    pub fn probe_prefixes(&self, side: &Side) -> Vec<String> {
        let rules = self.rules.iter().filter(|rule| self.concerns(rule, side));
        let mut all: Vec<String> = rules.map(|rule| self.probe_prefix(&rule.settings)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns whether an object with this key may be a probe of this pair, whatever prefix its manifest had when it was put.
    pub fn is_probe_key(&self, key: &str) -> bool {
        let mark = format!("_crrctl/{}/", self.name);
        key.contains(&mark)
    }
}
