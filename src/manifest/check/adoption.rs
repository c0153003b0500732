//! Finds the buckets that the manifest adopts.
//! Not for: whether such a bucket exists (see `plan`).

use super::super::raw::At;
use super::super::rules::PlacedRule;
use super::super::topology::Placed;
use super::Raw;
use std::collections::BTreeSet;

/// Returns the adopted buckets: existing buckets whose settings crrctl manages and that it never
/// deletes.
pub(super) fn adopted(raw: &Raw, source: &Placed, rules: &[PlacedRule]) -> BTreeSet<String> {
    let flags = std::iter::once(&raw.source.adopt)
        .chain(raw.destinations.value.iter().map(|destination| &destination.adopt));
    let sides = std::iter::once(source).chain(rules.iter().map(|rule| &rule.place));
    let is_adopted = |flag: &At<bool>| flag.as_ref().is_some_and(|flag| flag.value);
    flags
        .zip(sides)
        .filter(|(flag, _)| is_adopted(flag))
        .map(|(_, side)| side.bucket.clone())
        .collect()
}
