//! The rules that a manifest configures, as validated types: one for each entry of `destinations`.
//! Not for: live rules, or priorities that the manifest does not give (see `plan::rules`).

use super::directions::Direction;
use super::side::{BucketPlace, Side};
use super::topology::{Placed, Topology};
use super::wanted::Wanted;
use crate::names::Region;
use std::collections::BTreeMap;

/// Maximum length of a prefix in bytes. An object key has at most 1,024 bytes (S3 User Guide,
/// "Naming Amazon S3 objects"), and a probe's key name needs up to 64 of them.
pub const MAX_PREFIX: usize = 960;
/// Storage classes that S3 accepts for replicas and whose objects can be read without a restore.
pub const REPLICA_CLASSES: [&str; 6] = [
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "REDUCED_REDUNDANCY",
];

/// Storage classes whose objects must be restored before they can be read, with the minimum storage
/// duration in days (S3 User Guide, "Understanding and managing Amazon S3 storage classes").
pub const ARCHIVES: [(&str, u16); 2] = [("GLACIER", 90), ("DEEP_ARCHIVE", 180)];
/// Storage classes whose objects can be read without a restore, with the minimum storage duration
/// in days. The minimum billable object size is 128 KB (same page).
pub const PAID_FOR_DAYS: [(&str, u16); 3] =
    [("STANDARD_IA", 30), ("ONEZONE_IA", 30), ("GLACIER_IR", 90)];

/// The settings of a rule, without its destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of S3's")]
pub struct RuleSettings {
    /// Key prefix of the objects to replicate. Empty for all objects.
    pub prefix: String,
    /// Tags of the objects to replicate. An object must have all of them.
    pub tags: BTreeMap<String, String>,
    /// Whether delete markers replicate.
    pub delete_markers: bool,
    /// Storage class of the replicas. `None` keeps the source object's class.
    pub storage_class: Option<String>,
    /// Priority. Among rules to the same destination, the highest priority wins. `None` lets crrctl
    /// choose.
    pub priority: Option<i32>,
    /// Whether S3 Replication metrics are enabled.
    pub metrics: bool,
    /// Whether replica modification sync is enabled: metadata changes of replicas are replicated.
    pub replica_modifications: bool,
    /// Whether S3 Replication Time Control is enabled, which replicates most objects within 15
    /// minutes.
    pub time_control: bool,
    /// Whether the account of the destination bucket owns the replicas (S3 User Guide, "Changing
    /// the replica owner").
    pub owner_override: bool,
    /// Id of an existing rule that somebody else created. `None` for a rule that crrctl creates.
    pub id: Option<String>,
    /// The same for the rule of the reverse direction.
    pub back_id: Option<String>,
}

/// A rule whose destination bucket's name may contain `{account}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlacedRule {
    pub(super) place: Placed,
    pub(super) settings: RuleSettings,
}

/// A rule of the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWish {
    /// Id of the rule in the replication configuration.
    pub id: String,
    /// Destination of the replicas.
    pub destination: Side,
    /// Settings of the rule.
    pub settings: RuleSettings,
}

impl RuleWish {
    /// Returns whether this rule selects every object that `other` selects: the prefix of `other`
    /// starts with this rule's prefix, and `other` has all of this rule's tags.
    pub fn covers(&self, other: &RuleSettings) -> bool {
        let has = |(key, value): (&String, &String)| other.tags.get(key) == Some(value);
        other.prefix.starts_with(&self.settings.prefix) && self.settings.tags.iter().all(has)
    }
}

impl Wanted {
    /// Assigns ids to the rules, in the given order: `crrctl.<pair>.<region>` to the first bucket of
    /// a Region, `crrctl.<pair>.<bucket>_<region>` to each further one. An existing rule keeps its
    /// id.
    pub(super) fn named_rules(
        &self,
        settings: impl IntoIterator<Item = (Side, RuleSettings)>,
    ) -> Vec<RuleWish> {
        let mut firsts: BTreeMap<Region, Side> = BTreeMap::new();
        with_stems(settings, |side| {
            let first = firsts.entry(side.region.clone()).or_insert_with(|| side.clone());
            if first == side { self.usual_stem(&side.region) } else { self.stem_of(side) }
        })
    }

    /// Returns the id of the first rule to the first destination bucket of a Region.
    pub fn usual_stem(&self, region: &Region) -> String {
        format!("{}{region}", self.rule_prefix())
    }

    /// Returns the id of the first rule to a further destination bucket of a Region. No name of a
    /// bucket or Region has an underscore (S3 User Guide, "General purpose bucket naming rules").
    pub fn stem_of(&self, place: &BucketPlace) -> String {
        format!("{}{}_{}", self.rule_prefix(), place.bucket, place.region)
    }

    /// Returns the prefix of the ids of all rules that crrctl creates for this pair.
    pub fn rule_prefix(&self) -> String {
        self.name.rule_prefix()
    }

    /// Returns the key prefix of a rule's probes, inside the prefix of the rule's filter.
    pub fn probe_prefix(&self, settings: &RuleSettings) -> String {
        format!("{}_crrctl/{}/", settings.prefix, self.name)
    }

    /// Returns whether an object with this key may be a probe of this pair, regardless of the rule
    /// prefix at the time of the upload.
    pub fn is_probe_key(&self, key: &str) -> bool {
        let mark = format!("_crrctl/{}/", self.name);
        key.contains(&mark)
    }
}

/// Assigns ids to rules: `stem` gives the id of the first rule to each destination, and later rules to
/// it also get a number. An existing rule keeps its id.
fn with_stems(
    settings: impl IntoIterator<Item = (Side, RuleSettings)>,
    mut stem: impl FnMut(&Side) -> String,
) -> Vec<RuleWish> {
    let mut counts: BTreeMap<Side, usize> = BTreeMap::new();
    let mut name = |(destination, settings): (Side, RuleSettings)| {
        let count = counts.entry(destination.clone()).or_default();
        *count += 1;
        let own = match *count {
            1 => stem(&destination),
            n => format!("{}.{n}", stem(&destination)),
        };
        let id = settings.id.clone().unwrap_or(own);
        RuleWish { id, destination, settings }
    };
    settings.into_iter().map(&mut name).collect()
}

impl Topology {
    /// Assigns new ids to the rules that crrctl makes: `stem` gives the id of the first rule to each
    /// destination.
    pub fn rename_rules(&mut self, stem: impl FnMut(&Side) -> String) {
        let rules = std::mem::take(&mut self.direction.rules);
        let settings = rules.into_iter().map(|rule| (rule.destination, rule.settings));
        self.direction.rules = with_stems(settings, stem);
    }
}

impl Direction {
    /// Returns the Regions in which CloudWatch has metrics of the pair's rules: source and
    /// destination Regions, the source's first.
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

    /// Returns the rules whose destination is `side`.
    pub fn rules_to<'a>(&'a self, side: &'a Side) -> impl Iterator<Item = &'a RuleWish> {
        self.rules.iter().filter(move |rule| &rule.destination == side)
    }

    /// Returns the key prefixes that are relevant to `side`: of all rules if `side` is the source,
    /// otherwise of the rules to `side`. Prefixes covered by a shorter prefix are omitted.
    pub fn prefixes(&self, side: &Side) -> Vec<&str> {
        let rules = self.rules.iter().filter(|rule| self.concerns(rule, side));
        let mut all: Vec<&str> = rules.map(|rule| rule.settings.prefix.as_str()).collect();
        all.sort_unstable();
        // Sorted, so a covering prefix precedes the prefixes it covers.
        let mut kept: Vec<&str> = Vec::new();
        for prefix in all {
            if !kept.iter().any(|shorter| prefix.starts_with(shorter)) {
                kept.push(prefix);
            }
        }
        kept
    }

    /// Returns the prefixes under which delete markers are replicated to `side`.
    pub fn marker_prefixes<'a>(&'a self, side: &'a Side) -> Vec<&'a str> {
        let rules = self.rules_to(side).filter(|rule| rule.settings.delete_markers);
        let mut all: Vec<&str> = rules.map(|rule| rule.settings.prefix.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the prefixes of replicas in `side` whose owner changes.
    pub fn owned_prefixes<'a>(&'a self, side: &'a Side) -> Vec<&'a str> {
        let changes = |rule: &&RuleWish| rule.settings.owner_override && self.is_foreign(side);
        let mut all: Vec<&str> =
            self.rules_to(side).filter(changes).map(|it| it.settings.prefix.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(super) fn concerns(&self, rule: &RuleWish, side: &Side) -> bool {
        side == &self.source || &rule.destination == side
    }
}

impl Topology {
    /// Returns the key prefixes of all probes in the bucket of `side`.
    pub fn probe_prefixes(&self, side: &Side) -> Vec<String> {
        let rules = self.rules.iter().filter(|rule| self.concerns(rule, side));
        let mut all: Vec<String> =
            rules.map(|rule| self.wanted.probe_prefix(&rule.settings)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
