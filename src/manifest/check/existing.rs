//! Validates the ids of existing rules, and the existing roles of reverse directions.
//! Limit: S3 API Reference, `ReplicationRule`, on ID.
//! Not for: reading them from AWS (see `observe`).

use super::super::error::Located;
use super::super::raw::{At, Raw, RawBack, RawDestination};
use super::super::rules::PlacedRule;
use super::super::topology::Placed;
use super::{Checked, role};
use crate::names::{Arn, PairName, Region};
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum length of a rule id in characters. S3 allows 255; the rest is reserved for the suffix of
/// a temporary rule's id.
const MAX_ID: usize = 248;
/// Suffix of the ids of temporary rules.
const PROOF: &str = ".proof";

/// Gives each of the `rules` the id in its entry of `destinations`. Ids are unique within a
/// configuration.
pub(super) fn rule_ids(raw: &Raw, name: &PairName, rules: &mut [PlacedRule]) -> Checked<()> {
    let is_adopted = |flag: &At<bool>| flag.as_ref().is_some_and(|flag| flag.value);
    let mut forward = Taken::default();
    let mut backward: BTreeMap<Placed, Taken> = BTreeMap::new();
    let mut counts: BTreeMap<Placed, usize> = BTreeMap::new();
    let mut firsts: BTreeMap<Region, Placed> = BTreeMap::new();
    for (index, (entry, rule)) in raw.destinations.value.iter().zip(rules).enumerate() {
        let count = counts.entry(rule.place.clone()).or_default();
        *count += 1;
        let Placed { region, bucket } = &rule.place;
        let first = firsts.entry(region.clone()).or_insert_with(|| rule.place.clone());
        let stem =
            if first == &rule.place { region.to_string() } else { format!("{bucket}_{region}") };
        let path = format!("destinations[{index}].rule_id");
        let id = entry.rule_id.as_ref();
        let adopts = is_adopted(&raw.source.adopt);
        rule.settings.id = forward.take(&path, id, name, (&stem, *count))?;
        refuse_unadopted(&path, id, adopts, "source.adopt: true")?;
        let back = back(raw, index, entry)?;
        let path = format!("destinations[{index}].back.rule_id");
        let id = back.and_then(|back| back.rule_id.as_ref());
        let source = Region::new(raw.source.region.value.as_str());
        let Ok(source) = source else { continue };
        let taken = backward.entry(rule.place.clone()).or_default();
        rule.settings.back_id = taken.take(&path, id, name, (source.as_str(), *count))?;
        refuse_unadopted(&path, id, is_adopted(&entry.adopt), "adopt: true")?;
    }
    Ok(())
}

/// The rule ids of one replication configuration.
#[derive(Default)]
struct Taken(BTreeSet<String>);

impl Taken {
    /// Reserves the given id, or the id of the rule that crrctl creates if none is given: the pair's
    /// prefix, the stem of the destination, and a number from the second rule on.
    fn take(
        &mut self,
        path: &str,
        given: Option<&Spanned<String>>,
        name: &PairName,
        (stem, count): (&str, usize),
    ) -> Checked<Option<String>> {
        let own = name.rule_prefix();
        let Some(given) = given else {
            let number = if count == 1 { String::new() } else { format!(".{count}") };
            let usual = format!("{own}{stem}{number}");
            if self.0.insert(usual.clone()) {
                return Ok(None);
            }
            let message = format!(
                "another rule of this configuration has the id `{usual}`, which would be this one's"
            );
            return Err(Located::at(Location::UNKNOWN, path, message));
        };
        let (id, wrong) = (given.value.as_str(), |message: &str| {
            Err(Located::at(given.referenced, path, message))
        });
        if id.is_empty() || id.chars().count() > MAX_ID || id.chars().any(char::is_control) {
            return wrong(
                "1 to 248 characters are allowed, so that one of a temporary rule fits beside it",
            );
        }
        if id.ends_with(PROOF) || (id.starts_with("crrctl.") && !id.starts_with(&own)) {
            return wrong(
                "an id of this kind is that of a rule that crrctl makes, of another pair or for a proof",
            );
        }
        if !self.0.insert(id.to_owned()) {
            return wrong("another rule of this configuration has this id");
        }
        Ok(Some(id.to_owned()))
    }
}

/// Refuses the id of an existing rule in a bucket that crrctl creates: such a bucket has no
/// existing rules.
fn refuse_unadopted(
    path: &str,
    given: Option<&Spanned<String>>,
    adopts: bool,
    flag: &str,
) -> Checked<()> {
    let Some(given) = given.filter(|_| !adopts) else { return Ok(()) };
    let message = "a rule exists before the pair only in a bucket that does";
    Err(Located::at(given.referenced, path, message)
        .hint(format!("leave it out, or adopt the bucket with `{flag}`")))
}

/// Returns the `back` settings of an entry. They require two-way replication.
fn back<'a>(raw: &Raw, index: usize, entry: &'a RawDestination) -> Checked<Option<&'a RawBack>> {
    let Some(back) = &entry.back else { return Ok(None) };
    let is_two_way = raw.replication.two_way.as_ref().is_some_and(|flag| flag.value);
    let first = back.role.as_ref().or(back.permissions_boundary.as_ref());
    let first = first.or(back.rule_id.as_ref()).map(|given| given.referenced);
    let first = first.or_else(|| back.alarm.as_ref().map(|given| given.referenced));
    if let Some(first) = first.filter(|_| !is_two_way) {
        let message = "there is no way back: `replication.two_way` is not on";
        return Err(Located::at(first, format!("destinations[{index}].back"), message));
    }
    Ok(Some(back))
}

/// Returns the existing roles of the reverse directions. A bucket has one role for all its rules.
pub(super) fn reverse_roles(raw: &Raw, destinations: &[Placed]) -> Checked<BTreeMap<Region, Arn>> {
    let mut roles: BTreeMap<Region, Arn> = BTreeMap::new();
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let Some(given) = back(raw, index, entry)?.and_then(|back| back.role.as_ref()) else {
            continue;
        };
        let path = format!("destinations[{index}].back.role");
        let arn = role::role(&path, given)?;
        if raw.role.arn.is_none() {
            let message = "either all roles of a pair exist already or none: `role.arn` is missing";
            return Err(Located::at(given.referenced, path, message));
        }
        if roles.insert(place.region.clone(), arn.clone()).is_some_and(|other| other != arn) {
            let message = "a replication configuration has one role for all its rules";
            return Err(Located::at(given.referenced, path, message));
        }
    }
    Ok(roles)
}

/// Returns the permissions boundaries of the reverse directions' roles that have their own.
pub(super) fn back_boundaries(
    raw: &Raw,
    destinations: &[Placed],
) -> Checked<BTreeMap<Region, Arn>> {
    let mut boundaries: BTreeMap<Region, Arn> = BTreeMap::new();
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let Some(back) = back(raw, index, entry)? else { continue };
        let Some(given) = &back.permissions_boundary else { continue };
        let path = format!("destinations[{index}].back.permissions_boundary");
        let refuse = |message: &str| Err(Located::at(given.referenced, path.clone(), message));
        if back.role.is_some() || raw.role.arn.is_some() {
            return refuse("a role that exists is used as it is: nothing of it is made or changed");
        }
        let arn = role::boundary(&path, given)?;
        if boundaries.insert(place.region.clone(), arn.clone()).is_some_and(|other| other != arn) {
            return refuse("a bucket has one role for all its rules, and a role one boundary");
        }
    }
    Ok(boundaries)
}
