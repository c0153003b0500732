//! Validates the key settings: keys that crrctl creates, existing keys, or no keys.
//! Not for: whether an existing key exists (see `plan`).

use super::super::error::Located;
use super::super::keys::{Algorithm, KeyKind, KeyRef, KeySettings};
use super::super::raw::{Raw, RawDestination};
use super::super::topology::Placed;
use super::{Checked, named, one_of};
use crate::names::{AccountId, Arn, KeyAlias, PairName, Region};
use crate::units;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

pub(super) fn key(raw: &Raw, name: &PairName) -> Checked<KeySettings> {
    let key = &raw.key;
    let kinds = [
        ("multi-region", KeyKind::MultiRegion),
        ("per-region", KeyKind::PerRegion),
        ("existing", KeyKind::Existing),
        ("none", KeyKind::None),
    ];
    let kind = one_of("key.kind", key.kind.as_ref(), &kinds)?;
    let algorithms = [("aws:kms", Algorithm::Kms), ("aws:kms:dsse", Algorithm::Dsse)];
    let algorithm = one_of("key.algorithm", key.algorithm.as_ref(), &algorithms)?;
    contradictions(raw, kind, algorithm)?;
    let default_alias =
        Spanned::new("alias/crrctl/{name}".to_owned(), Location::UNKNOWN, Location::UNKNOWN);
    let with_name = |given: String| KeyAlias::new(given.replace("{name}", name.as_str()));
    let alias = named("key.alias", key.alias.as_ref().unwrap_or(&default_alias), with_name)?;
    let rotation_days = key.rotation_days.as_ref().map_or(Ok(Some(365)), rotation)?;
    let replica_timeout = match &key.replica_timeout {
        None => std::time::Duration::from_mins(20),
        Some(given) => units::duration(&given.value)
            .map_err(|message| Located::at(given.referenced, "key.replica_timeout", message))?,
    };
    let each = |key: &str, list: &Option<Vec<Spanned<String>>>| -> Vec<(String, Spanned<String>)> {
        list.iter()
            .flatten()
            .enumerate()
            .map(|(i, item)| (format!("{key}[{i}]"), item.clone()))
            .collect()
    };
    Ok(KeySettings {
        kind,
        algorithm,
        alias,
        rotation_days,
        deletion_window_days: window(key.deletion_window_days.as_ref())?,
        administrators: each("key.administrators", &key.administrators)
            .iter()
            .map(|(key, item)| administrator(key, item))
            .collect::<Checked<_>>()?,
        usable_by_accounts: each("key.usable_by_accounts", &key.usable_by_accounts)
            .iter()
            .map(|(key, item)| named(key, item, AccountId::new))
            .collect::<Checked<_>>()?,
        replica_timeout,
    })
}

/// Returns whether buckets use Bucket Keys. SSE-S3 and DSSE-KMS have no Bucket Keys (S3 User Guide,
/// "Using dual-layer server-side encryption with AWS KMS keys").
pub(super) fn bucket_key(raw: &Raw, key: &KeySettings) -> Checked<bool> {
    let (why, hint) = match (key.kind, key.algorithm) {
        (KeyKind::None, _) => ("SSE-S3 has no Bucket Keys", "key.kind: none"),
        (_, Algorithm::Dsse) => ("DSSE-KMS has no Bucket Keys", "key.algorithm: aws:kms:dsse"),
        _ => return Ok(raw.buckets.bucket_key.as_ref().is_none_or(|flag| flag.value)),
    };
    match raw.buckets.bucket_key.as_ref().filter(|flag| flag.value) {
        Some(given) => Err(Located::at(given.referenced, "buckets.bucket_key", why)
            .hint(format!("leave `buckets.bucket_key` out beside `{hint}`"))),
        None => Ok(false),
    }
}

/// Refuses settings that have no effect for keys of this kind, instead of ignoring them.
fn contradictions(raw: &Raw, kind: KeyKind, algorithm: Algorithm) -> Checked<()> {
    let key = &raw.key;
    let refuse = |at: Location, path: &str, message: &str| Err(Located::at(at, path, message));
    if let Some(given) = key.arns.as_ref().filter(|_| kind != KeyKind::Existing) {
        let is_empty = match &given.value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !is_empty {
            let message = "keys are given only beside `key.kind: existing`";
            return refuse(given.referenced, "key.arns", message);
        }
    }
    if !matches!(kind, KeyKind::MultiRegion | KeyKind::PerRegion) {
        let lists = [
            ("key.administrators", &key.administrators),
            ("key.usable_by_accounts", &key.usable_by_accounts),
        ];
        for (path, list) in lists {
            if let Some(first) = list.iter().flatten().next() {
                let message = "crrctl writes the policies of keys that it makes, and no others";
                return refuse(first.referenced, path, message);
            }
        }
        if let Some(given) = &key.alias {
            let message = "an alias is for keys that crrctl makes";
            return refuse(given.referenced, "key.alias", message);
        }
    }
    if kind == KeyKind::None {
        if let Some(given) = key.algorithm.as_ref().filter(|_| algorithm == Algorithm::Dsse) {
            let message = "there is no DSSE-KMS without a key";
            return refuse(given.referenced, "key.algorithm", message);
        }
        if let Some(given) = raw.buckets.deny_other_keys.as_ref().filter(|flag| flag.value) {
            let message = "there is no key of the pair to compare others with";
            return refuse(given.referenced, "buckets.deny_other_keys", message);
        }
    }
    Ok(())
}

/// Returns the existing key of each side that has one: the destination's own key, or the key given
/// for its Region.
pub(super) fn existing(
    raw: &Raw,
    kind: KeyKind,
    source: &Placed,
    destinations: &[Placed],
) -> Checked<BTreeMap<Placed, KeyRef>> {
    let given = match &raw.key.arns {
        Some(given) if kind == KeyKind::Existing => arns(given)?,
        _ => BTreeMap::new(),
    };
    let mut keys = BTreeMap::new();
    if let Some(key) = given.get(&source.region) {
        keys.insert(source.clone(), key.clone());
    }
    let mut own_of: BTreeMap<&Placed, (usize, Option<&KeyRef>)> = BTreeMap::new();
    let mut own: Vec<Option<KeyRef>> = Vec::new();
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        own.push(own_key(index, entry, place, kind)?);
    }
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let key = own[index].as_ref();
        let (first, same) = own_of.entry(place).or_insert((index, key));
        if *same != key {
            let message = format!(
                "it leads to the bucket of `destinations[{first}]`, so it has the key of that one"
            );
            let at = entry.key.as_ref().map_or(entry.region.referenced, |key| key.referenced);
            return Err(Located::at(at, format!("destinations[{index}].key"), message));
        }
        if let Some(key) = key.or_else(|| given.get(&place.region)) {
            keys.insert(place.clone(), key.clone());
        }
    }
    if kind == KeyKind::Existing {
        let keeps = keeps_default(raw);
        let missing = std::iter::once(source).chain(destinations);
        let missing = missing.skip(usize::from(keeps)).find(|it| !keys.contains_key(it));
        if let Some(place) = missing {
            let at = raw.key.arns.as_ref().or(None).map(|given| given.referenced);
            let at = at.or(raw.key.kind.as_ref().map(|kind| kind.referenced));
            let message = format!("no key is given for {}", place.region);
            return Err(Located::at(at.unwrap_or(Location::UNKNOWN), "key.arns", message)
                .hint(format!("`key: {{kind: existing, arns: {{{}: arn:…}}}}`", place.region)));
        }
    }
    Ok(keys)
}

/// Returns whether the source keeps the default encryption that its owner gave it, so that it needs
/// no key in the manifest.
fn keeps_default(raw: &Raw) -> bool {
    let is_adopted = raw.source.adopt.as_ref().is_some_and(|flag| flag.value);
    let given = raw.buckets.encryption.as_ref().map(|it| it.value.as_str());
    given.map_or(is_adopted, |it| it == "keep")
}

fn own_key(
    index: usize,
    entry: &RawDestination,
    place: &Placed,
    kind: KeyKind,
) -> Checked<Option<KeyRef>> {
    let Some(given) = &entry.key else { return Ok(None) };
    let path = format!("destinations[{index}].key");
    if kind == KeyKind::None {
        let message = "objects without a KMS key are replicated without one: a rule's key is for SSE-KMS objects alone";
        return Err(Located::at(given.referenced, path, message));
    }
    reference(&path, &given.value, given.referenced, &place.region).map(Some)
}

/// Parses `key.arns`: a list of ARNs, or a map from Region to ARN or alias.
fn arns(given: &Spanned<Value>) -> Checked<BTreeMap<Region, KeyRef>> {
    let at = given.referenced;
    let wrong = |message: &str| Located::at(at, "key.arns", message);
    let shape = "a list of ARNs is wanted, or an ARN or alias for each Region";
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(shape));
    let mut keys = BTreeMap::new();
    match &given.value {
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                let (path, text) = (format!("key.arns[{index}]"), text(item)?);
                let arn = Arn::new(text.clone())
                    .map_err(|error| Located::at(at, &*path, error.to_string()))?;
                let region = Region::new(arn.region())
                    .map_err(|error| Located::at(at, &*path, error.to_string()))?;
                let key = reference(&path, &text, at, &region)?;
                if keys.insert(region.clone(), key).is_some() {
                    return Err(Located::at(at, path, format!("a second key in {region}")));
                }
            }
        }
        Value::Object(map) => {
            for (region, item) in map {
                let path = format!("key.arns.{region}");
                let region = Region::new(region.clone())
                    .map_err(|error| Located::at(at, &*path, error.to_string()))?;
                let key = reference(&path, &text(item)?, at, &region)?;
                keys.insert(region, key);
            }
        }
        _ => return Err(wrong(shape)),
    }
    Ok(keys)
}

/// Validates a reference to a key: a key ARN, an alias ARN, or an alias name in the side's account.
fn reference(path: &str, text: &str, at: Location, region: &Region) -> Checked<KeyRef> {
    let wrong = |message: String| Located::at(at, path, message);
    if text.starts_with("alias/") {
        if text != "alias/aws/s3" {
            KeyAlias::new(text).map_err(|error| wrong(error.to_string()))?;
        }
        return Ok(KeyRef::new(text));
    }
    let arn = Arn::new(text).map_err(|_| {
        wrong(format!("`{text}` is not the ARN of a KMS key, nor an alias such as `alias/orders`"))
    })?;
    let is_key = arn.resource().starts_with("key/") || arn.resource().starts_with("alias/");
    if arn.service() != "kms" || !is_key {
        return Err(wrong(format!("`{arn}` is not the ARN of a KMS key or of an alias")));
    }
    if arn.region() != region.as_str() {
        let message = format!(
            "`{arn}` is a key in {}, and the bucket is in {region}: S3 encrypts under keys of the bucket's own Region",
            arn.region()
        );
        return Err(wrong(message));
    }
    Ok(KeyRef::new(text))
}

/// Validates the waiting period before a key is deleted, in days (KMS API Reference,
/// `ScheduleKeyDeletion`).
fn window(given: Option<&Spanned<u32>>) -> Checked<u8> {
    const ALLOWED: std::ops::RangeInclusive<u32> = 7..=30;
    let Some(days) = given else { return Ok(7) };
    let checked = u8::try_from(days.value).ok().filter(|_| ALLOWED.contains(&days.value));
    checked.ok_or_else(|| {
        let (first, last) = (ALLOWED.start(), ALLOWED.end());
        let message = format!("{} days: {first} to {last} are allowed", days.value);
        Located::at(days.referenced, "key.deletion_window_days", message)
    })
}

fn administrator(key: &str, given: &Spanned<String>) -> Checked<Arn> {
    let arn = named(key, given, Arn::new)?;
    if matches!(arn.service(), "iam" | "sts") && !arn.account().is_empty() {
        return Ok(arn);
    }
    let message = format!(
        "`{arn}` is not a principal: the ARN of an IAM user, role or account root is wanted"
    );
    Err(Located::at(given.referenced, key, message))
}

/// Parses `rotation_days`: 90..=2560 (KMS API Reference, `EnableKeyRotation`), or `false`.
fn rotation(given: &Spanned<Value>) -> Checked<Option<u16>> {
    let days = match &given.value {
        Value::Bool(false) | Value::Null => return Ok(None),
        Value::String(text) if matches!(text.as_str(), "off" | "no" | "false") => return Ok(None),
        Value::Number(number) => number.as_u64().and_then(|days| u16::try_from(days).ok()),
        _ => None,
    };
    if let Some(days @ 90..=2560) = days {
        Ok(Some(days))
    } else {
        let message =
            format!("`{}`: 90 to 2560 days are allowed, or `false` for no rotation", given.value);
        Err(Located::at(given.referenced, "key.rotation_days", message))
    }
}
