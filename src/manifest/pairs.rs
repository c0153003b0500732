//! Many pairs in one manifest. Each key at the top level is the default for every entry of `pairs`.
//! A list in an entry replaces the default list, also an empty one.
//! Not for: validating values (see `check`), or resources that two pairs share (see `conflicts`).

use super::error::Located;
use super::raw::{
    At, Over, Raw, RawBuckets, RawDestination, RawEndpoints, RawKey, RawPolicy, RawReplication,
    RawRole, RawSide, RawTags, read,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Location, Spanned};

/// The key that identifies a manifest of many pairs.
#[derive(Deserialize)]
struct Kind {
    pairs: Option<IgnoredAny>,
}

/// A manifest of many pairs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMany {
    name: At<String>,
    source: Option<RawPart>,
    destinations: At<Vec<RawDestination>>,
    #[serde(default)]
    key: RawKey,
    #[serde(default)]
    buckets: RawBuckets,
    #[serde(default)]
    role: RawRole,
    #[serde(default)]
    replication: RawReplication,
    #[serde(default)]
    policy: RawPolicy,
    #[serde(default)]
    tags: RawTags,
    pairs: Spanned<Vec<Spanned<RawEntry>>>,
}

/// An entry of `pairs`: the keys that override the defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    name: At<String>,
    source: Option<RawPart>,
    destinations: At<Vec<RawDestination>>,
    #[serde(default)]
    key: RawKey,
    #[serde(default)]
    buckets: RawBuckets,
    #[serde(default)]
    role: RawRole,
    #[serde(default)]
    replication: RawReplication,
    #[serde(default)]
    policy: RawPolicy,
    #[serde(default)]
    tags: RawTags,
}

/// A source as given in the defaults or in an entry. Every key is optional.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    region: At<String>,
    bucket: At<String>,
    adopt: At<bool>,
    profile: At<String>,
    assume_role: At<String>,
    account: At<String>,
    endpoints: Option<RawEndpoints>,
}

/// The pairs of a manifest, each with the defaults filled in.
pub(super) struct Many {
    /// Name of the whole set of pairs.
    pub(super) name: At<String>,
    /// The pairs, each with the position of its entry.
    pub(super) pairs: Vec<(Location, Raw)>,
}

/// Returns whether `text` is a manifest of many pairs. Returns false for text that can't be parsed;
/// parsing it later returns the error.
pub(super) fn is_many(text: &str) -> bool {
    // Skips the second parse for a manifest without the word `pairs`.
    text.contains("pairs") && read::<Kind>(text).is_ok_and(|kind| kind.pairs.is_some())
}

/// Parses a manifest of many pairs.
pub(super) fn parse(text: &str) -> Result<Many, Located> {
    let RawMany {
        name,
        source,
        destinations,
        key,
        buckets,
        role,
        replication,
        policy,
        tags,
        pairs,
    } = read(text)?;
    if pairs.value.is_empty() {
        return Err(Located::at(pairs.referenced, "pairs", "at least one pair is wanted"));
    }
    let mut each = Vec::with_capacity(pairs.value.len());
    for (index, entry) in pairs.value.into_iter().enumerate() {
        let at = entry.referenced;
        let missing =
            |key: &str| Located::at(at, format!("pairs[{index}].{key}"), "this key is missing");
        let entry = entry.value;
        let raw = Raw {
            name: entry.name.ok_or_else(|| missing("name"))?,
            source: source_of(entry.source, source.as_ref())
                .ok_or_else(|| missing("source.region"))?,
            destinations: entry
                .destinations
                .or_else(|| destinations.clone())
                .ok_or_else(|| missing("destinations"))?,
            key: entry.key.over(&key),
            buckets: entry.buckets.over(&buckets),
            role: entry.role.over(&role),
            replication: entry.replication.over(&replication),
            policy: entry.policy.over(&policy),
            tags: tags.clone().into_iter().chain(entry.tags).collect(),
            pairs: None,
        };
        each.push((at, raw));
    }
    Ok(Many { name, pairs: each })
}

fn source_of(entry: Option<RawPart>, default: Option<&RawPart>) -> Option<RawSide> {
    let default = default.cloned().unwrap_or_default();
    let entry = entry.unwrap_or_default();
    Some(RawSide {
        region: entry.region.or(default.region)?,
        bucket: entry.bucket.or(default.bucket),
        adopt: entry.adopt.or(default.adopt),
        profile: entry.profile.or(default.profile),
        assume_role: entry.assume_role.or(default.assume_role),
        account: entry.account.or(default.account),
        endpoints: entry.endpoints.over(&default.endpoints),
    })
}

#[cfg(test)]
pub(super) fn keys_of_many() -> Vec<String> {
    super::raw::keys_of::<RawMany>()
}

#[cfg(test)]
pub(super) fn keys_of_entry() -> Vec<String> {
    super::raw::keys_of::<RawEntry>()
}
