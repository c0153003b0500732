//! Converts the rules to entries of `destinations`, and finds the reverse direction. A rule that
//! can't be an entry is treated as a rule of others, with a note.
//! Not for: the keys (see `keys`).

use super::keys::{Keys, Kind, leads_to, of_replicas};
use super::{OwnSettings, Place, Wish, inexpressible};
use crate::failure::Failure;
use crate::manifest::{Login, MAX_PREFIX, REPLICA_CLASSES};
use crate::names::{BucketName, PairName, Region};
use crate::world::{LiveBucket, Replication, Rule, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// A rule and its destination.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of S3's")]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) login: Option<Login>,
    /// The id of the live rule.
    pub(super) id: String,
    /// The id of the live rule of the reverse direction.
    pub(super) reverse_id: Option<String>,
    /// The rule id, if it differs from crrctl's default id.
    pub(super) rule_id: Option<String>,
    pub(super) priority: Option<i32>,
    pub(super) prefix: String,
    pub(super) tags: Tags,
    pub(super) storage_class: Option<String>,
    pub(super) delete_markers: bool,
    pub(super) metrics: bool,
    pub(super) time_control: bool,
    pub(super) owner_override: bool,
    pub(super) replica_modifications: bool,
    pub(super) key: Option<String>,
    pub(super) back_role: Option<String>,
    pub(super) back_id: Option<String>,
}

pub(super) fn entries(
    own: &OwnSettings<'_>,
    keys: &Keys,
    wish: &Wish,
    notes: &mut Vec<String>,
) -> Result<Vec<Entry>, Failure> {
    let prefix = own.name.rule_prefix();
    let mut rules: Vec<&Rule> = own.rules().iter().collect();
    // crrctl's own rules are numbered in the order of the manifest.
    rules.sort_by_key(|rule| number(rule.id.strip_prefix(&prefix).unwrap_or_default()));
    let mut entries: Vec<Entry> = Vec::new();
    let mut ids = RuleIds::new(own.name);
    let mut left = Vec::new();
    for rule in rules {
        let place = own.live.destinations.iter().find(|it| leads_to(&rule.destination, it));
        let Some(place) = place else { continue };
        let key = match &rule.replica_key {
            Some(key) => Some(of_replicas(own, place, key)?),
            None => None,
        };
        if let Some(why) = unsayable(rule, place, keys, key.as_deref(), &entries) {
            left.push(format!("the rule `{}` is left as it is, a rule of others: {why}", rule.id));
            continue;
        }
        let usual = ids.usual(&rule.id, &place.name, &place.region);
        entries.push(Entry {
            login: wish.logins.get(&place.region).cloned(),
            key: key.filter(|_| matches!(keys.kind, Kind::Existing(_))),
            ..Entry::of(rule, own.place(place), &usual)
        });
    }
    if entries.is_empty() {
        let message = format!(
            "none of the rules of `{}` can be an entry of `destinations`",
            own.live.source.name
        );
        return Err(left.into_iter().fold(inexpressible(&message), Failure::hint));
    }
    notes.extend(left);
    distinct_priorities(&mut entries, |entry| &mut entry.priority);
    Ok(entries)
}

/// The ids that crrctl gives rules, in the order of the manifest.
pub(super) struct RuleIds {
    prefix: String,
    stems: BTreeMap<BucketName, (String, usize)>,
}

impl RuleIds {
    pub(super) fn new(name: &PairName) -> Self {
        Self { prefix: name.rule_prefix(), stems: BTreeMap::new() }
    }

    /// Returns the id that crrctl would give the next rule to this bucket, which has the id `id`.
    pub(super) fn usual(&mut self, id: &str, bucket: &BucketName, region: &Region) -> String {
        let prefix = &self.prefix;
        let (stem, count) = self.stems.entry(bucket.clone()).or_insert_with(|| {
            let own = format!("{prefix}{bucket}_{region}");
            let usual = format!("{prefix}{region}");
            (if id == own { own } else { usual }, 0)
        });
        *count += 1;
        match *count {
            1 => stem.clone(),
            n => format!("{stem}.{n}"),
        }
    }
}

impl Entry {
    /// Returns an entry without a rule: one that crrctl would make by default.
    pub(super) fn plain(place: Place) -> Self {
        Self {
            place,
            login: None,
            id: String::new(),
            reverse_id: None,
            rule_id: None,
            priority: None,
            prefix: String::new(),
            tags: Tags::new(),
            storage_class: None,
            delete_markers: false,
            metrics: false,
            time_control: false,
            owner_override: false,
            replica_modifications: false,
            key: None,
            back_role: None,
            back_id: None,
        }
    }

    /// Returns the entry of a rule, which would have the id `usual` by default.
    pub(super) fn of(rule: &Rule, place: Place, usual: &str) -> Self {
        Self {
            id: rule.id.clone(),
            rule_id: (rule.id != usual).then(|| rule.id.clone()),
            priority: Some(rule.priority).filter(|_| !rule.is_v1),
            prefix: rule.prefix.clone().unwrap_or_default(),
            tags: rule.tags.clone(),
            storage_class: rule.storage_class.clone(),
            delete_markers: rule.delete_markers,
            metrics: rule.metrics && !rule.time_control,
            time_control: rule.time_control,
            owner_override: rule.new_owner.is_some(),
            replica_modifications: rule.replica_modifications,
            ..Self::plain(place)
        }
    }
}

/// Returns the number at the end of a rule id without its prefix, such as 3 in `us-west-2.3` and in
/// `archive.example_us-west-2.3`; 1 if there is none.
fn number(rest: &str) -> usize {
    let rest = rest.rsplit_once('_').map_or(rest, |(_bucket, rest)| rest);
    rest.split_once('.').map_or(1, |(_, number)| number.parse().unwrap_or(1))
}

/// A manifest gives each rule its own priority. If two live rules share a priority, the manifest
/// sets none.
pub(super) fn distinct_priorities(
    entries: &mut [Entry],
    of: impl Fn(&mut Entry) -> &mut Option<i32>,
) {
    let all: Vec<Option<i32>> = entries.iter_mut().map(|entry| *of(entry)).collect();
    let distinct: BTreeSet<&Option<i32>> = all.iter().collect();
    if distinct.len() < all.len() || all.iter().flatten().any(|priority| *priority < 0) {
        for entry in entries {
            *of(entry) = None;
        }
    }
}

/// Returns why a rule can't be an entry in addition to `entries`.
fn unsayable(
    rule: &Rule,
    place: &LiveBucket,
    keys: &Keys,
    key: Option<&str>,
    entries: &[Entry],
) -> Option<String> {
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    let beyond: Vec<&str> =
        rule.others.iter().map(String::as_str).filter(|it| *it != "account").collect();
    let here = || entries.iter().filter(|it| it.place.bucket == place.name.as_str());
    if !rule.enabled {
        return Some("it is Disabled, and rules of a manifest are Enabled".to_owned());
    }
    if prefix.len() > MAX_PREFIX || prefix.chars().any(char::is_control) {
        return Some("no probe's key fits below its prefix".to_owned());
    }
    if let Some(class) = rule.storage_class.as_deref().filter(|it| !REPLICA_CLASSES.contains(it)) {
        return Some(format!("replicas in the storage class `{class}` can't be read by a probe"));
    }
    if !beyond.is_empty() {
        return Some(format!(
            "it has settings that a manifest does not know: {}",
            beyond.join(", ")
        ));
    }
    match (&keys.kind, key, rule.kms_objects) {
        (Kind::None, None, false)
        | (Kind::Existing(_) | Kind::OwnSettings { .. }, Some(_), true) => {}
        (Kind::None, ..) => return Some("it names a key, and the source has none".to_owned()),
        _ => return Some("it selects no SSE-KMS objects, which the source makes".to_owned()),
    }
    if here().any(|it| it.key.is_some() && it.key.as_deref() != key) {
        return Some("it has another key for replicas than a rule to the same bucket".to_owned());
    }
    if here().any(|it| it.prefix == prefix && it.tags == rule.tags) {
        return Some("another rule to the same bucket has the same filter".to_owned());
    }
    if entries.first().is_some_and(|it| it.replica_modifications != rule.replica_modifications) {
        return Some("a manifest has replica modifications on in all rules or in none".to_owned());
    }
    None
}

/// Finds the rules that lead back. A manifest is two-way if each of its rules has a matching rule
/// in the reverse direction.
pub(super) fn reverse_directions(
    own: &OwnSettings<'_>,
    entries: &mut [Entry],
    notes: &mut Vec<String>,
) -> bool {
    let source = &own.live.source;
    let regions: BTreeMap<&Region, &str> =
        entries.iter().map(|it| (&it.place.region, it.place.bucket.as_str())).collect();
    let shares = |it: &Entry| regions.get(&it.place.region) != Some(&it.place.bucket.as_str());
    // Each Region of a two-way manifest has one destination bucket.
    let mut all = !entries.iter().any(shares);
    for entry in entries.iter_mut() {
        let place = own.live.destinations.iter().find(|it| it.name.as_str() == entry.place.bucket);
        let live = place.and_then(|it| it.bucket.replication.as_ref());
        let reverse_direction = live.and_then(|live| like(own, live, entry));
        match (live, reverse_direction) {
            (Some(live), Some(rule)) => {
                entry.back_role = Some(live.role.clone());
                entry.back_id = Some(rule.id.clone());
                entry.reverse_id = Some(rule.id.clone());
                if entry.priority != Some(rule.priority) {
                    entry.priority = None;
                }
            }
            _ => all = false,
        }
    }
    if all {
        number_backs(own, entries);
        // A priority applies to both directions, so the manifest sets none if one of them differs.
        if entries.iter().any(|entry| entry.priority.is_none()) {
            for entry in entries {
                entry.priority = None;
            }
        }
        return true;
    }
    for entry in entries.iter_mut() {
        (entry.back_role, entry.back_id) = (None, None);
    }
    for place in &own.live.destinations {
        let rules = place.bucket.replication.iter().flat_map(|it| &it.rules);
        let back = rules.filter(|rule| leads_to(&rule.destination, source)).count();
        if back > 0 {
            notes.push(format!(
                "`{}` replicates back by {back} rules that are not the like of those here: they are left as they are",
                place.name
            ));
        }
    }
    false
}

/// Removes the id of a reverse rule if it equals crrctl's default id.
fn number_backs(own: &OwnSettings<'_>, entries: &mut [Entry]) {
    let mut counts: BTreeMap<Region, usize> = BTreeMap::new();
    for entry in entries {
        let count = counts.entry(entry.place.region.clone()).or_default();
        *count += 1;
        let number = if *count == 1 { String::new() } else { format!(".{count}") };
        let usual = format!("{}{}{number}", own.name.rule_prefix(), own.live.source.region);
        if entry.back_id.as_ref() == Some(&usual) {
            entry.back_id = None;
        }
    }
}

/// Returns the rule of the reverse direction that matches `entry`.
fn like<'a>(own: &OwnSettings<'_>, live: &'a Replication, entry: &Entry) -> Option<&'a Rule> {
    let key = own.live.source.bucket.encryption().filter(|it| it.is_kms());
    let owner = entry.owner_override.then_some(own.live.account.as_str());
    live.rules.iter().find(|rule| {
        rule.enabled
            && leads_to(&rule.destination, &own.live.source)
            && rule.prefix.as_deref() == Some(&entry.prefix)
            && rule.tags == entry.tags
            && rule.delete_markers == entry.delete_markers
            && rule.time_control == entry.time_control
            && rule.metrics == (entry.metrics || entry.time_control)
            && rule.replica_modifications == entry.replica_modifications
            && rule.storage_class.is_none()
            && rule.new_owner.as_deref() == owner
            && rule.replica_key.is_some() == key.is_some()
            && rule.others.iter().all(|it| it == "account")
    })
}
