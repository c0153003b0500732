//! The manifest as written: every key of the schema, with its position in the text.
//! Not for: validating values (see `check`).

use super::error::{Located, nearest};
use crate::names::Arn;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Error, Location, Spanned};
use std::collections::BTreeMap;

/// An optional value with its position.
pub(super) type At<T> = Option<Spanned<T>>;
/// Tags, each with the position of its value.
pub(super) type RawTags = BTreeMap<String, Spanned<String>>;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) name: Spanned<String>,
    pub(super) source: RawSide,
    pub(super) destinations: Spanned<Vec<RawDestination>>,
    #[serde(default)]
    pub(super) key: RawKey,
    #[serde(default)]
    pub(super) buckets: RawBuckets,
    #[serde(default)]
    pub(super) role: RawRole,
    #[serde(default)]
    pub(super) replication: RawReplication,
    #[serde(default)]
    pub(super) policy: RawPolicy,
    #[serde(default)]
    pub(super) tags: RawTags,
    /// Present only in a manifest of many pairs (see `pairs`).
    pub(super) pairs: At<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSide {
    pub(super) region: Spanned<String>,
    pub(super) bucket: At<String>,
    pub(super) adopt: At<bool>,
    pub(super) profile: At<String>,
    pub(super) assume_role: At<String>,
    pub(super) account: At<String>,
    pub(super) endpoints: Option<RawEndpoints>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDestination {
    pub(super) region: Spanned<String>,
    pub(super) bucket: At<String>,
    pub(super) adopt: At<bool>,
    pub(super) profile: At<String>,
    pub(super) assume_role: At<String>,
    pub(super) account: At<String>,
    pub(super) endpoints: Option<RawEndpoints>,
    pub(super) owner_override: At<bool>,
    pub(super) storage_class: At<String>,
    pub(super) prefix: At<String>,
    pub(super) tags: At<RawTags>,
    pub(super) delete_markers: At<bool>,
    pub(super) time_control: At<bool>,
    pub(super) metrics: At<bool>,
    pub(super) priority: At<i64>,
    pub(super) key: At<String>,
    pub(super) rule_id: At<String>,
    pub(super) back: Option<RawBack>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBack {
    pub(super) role: At<String>,
    pub(super) permissions_boundary: At<String>,
    pub(super) rule_id: At<String>,
    pub(super) alarm: At<RawAlarm>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlarm {
    pub(super) sns: At<String>,
}

/// Fills in missing keys from the defaults of a manifest of many pairs.
pub(super) trait Over {
    /// Returns `self`, with what is missing from `default`.
    #[must_use]
    fn over(self, default: &Self) -> Self;
}

impl<T: Clone> Over for At<T> {
    fn over(self, default: &Self) -> Self {
        self.or_else(|| default.clone())
    }
}

impl<T: Clone> Over for Option<Vec<T>> {
    fn over(self, default: &Self) -> Self {
        self.or_else(|| default.clone())
    }
}

/// Declares mappings of which each key has a default.
macro_rules! mappings {
    ($($name:ident { $($key:ident: $type:ty,)+ })+) => {$(
        #[derive(Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(pub(super) $key: $type,)+
        }

        impl Over for $name {
            fn over(self, default: &Self) -> Self {
                Self { $($key: self.$key.over(&default.$key),)+ }
            }
        }

        impl Over for Option<$name> {
            fn over(self, default: &Self) -> Self {
                match (self, default) {
                    (Some(own), Some(default)) => Some(own.over(default)),
                    (own, default) => own.or_else(|| default.clone()),
                }
            }
        }
    )+};
}

mappings! {
    RawEndpoints {
        cloudwatch: At<String>,
        iam: At<String>,
        kms: At<String>,
        s3: At<String>,
        s3_control: At<String>,
        sts: At<String>,
    }
    RawKey {
        kind: At<String>,
        arns: At<Value>,
        algorithm: At<String>,
        alias: At<String>,
        rotation_days: At<Value>,
        deletion_window_days: At<u32>,
        administrators: Option<Vec<Spanned<String>>>,
        usable_by_accounts: Option<Vec<Spanned<String>>>,
        replica_timeout: At<String>,
    }
    RawBuckets {
        bucket_key: At<bool>,
        object_lock: At<Value>,
        encryption: At<String>,
        blocked_encryption: At<Value>,
        logging: At<Value>,
        public_access: At<String>,
        ownership: At<String>,
        tls_only: At<bool>,
        deny_other_keys: At<bool>,
        namespace: At<String>,
        lifecycle: Option<RawLifecycle>,
    }
    RawLifecycle {
        noncurrent_days: At<i64>,
        incomplete_upload_days: At<i64>,
    }
    RawRole {
        name: At<String>,
        path: At<String>,
        permissions_boundary: At<String>,
        arn: At<String>,
        take_over: At<bool>,
    }
    RawReplication {
        prefix: At<String>,
        tags: At<RawTags>,
        storage_class: At<String>,
        delete_markers: At<bool>,
        replica_modifications: At<bool>,
        annotations: At<bool>,
        time_control: At<bool>,
        metrics: At<bool>,
        two_way: At<bool>,
        activation: At<String>,
        v1_rules: At<String>,
        alarm: At<RawAlarm>,
        alerts: At<Value>,
    }
    RawPolicy {
        profile: At<String>,
        templates: At<String>,
    }
}

/// Maximum length of the manifest's name in a suffixed name. A pair's name has at most 32
/// characters.
const LONGEST_STEM: usize = 25;

impl Raw {
    /// Renames the pair and removes the names of its buckets, rules, role, and alias, so that they
    /// get their defaults. Also removes the `adopt` flags.
    pub(super) fn rename(&mut self, suffix: &str, key: Option<&Arn>) {
        let stem: String = self.name.value.chars().take(LONGEST_STEM).collect();
        self.name.value = format!("{}-{suffix}", stem.trim_end_matches('-'));
        self.name_buckets_apart();
        (self.source.bucket, self.source.adopt) = (None, None);
        for destination in &mut self.destinations.value {
            (destination.adopt, destination.rule_id, destination.back) = (None, None, None);
        }
        (self.role.name, self.role.arn, self.key.alias) = (None, None, None);
        if let Some(key) = key {
            self.encrypt_under(key);
        }
    }

    /// Lets the first destination bucket of each Region have its default name, and numbers the others.
    fn name_buckets_apart(&mut self) {
        let namespace = self.buckets.namespace.as_ref();
        let account_regional = namespace.is_some_and(|it| it.value == "account-regional");
        let mut known: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for destination in &mut self.destinations.value {
            let of_region = known.entry(destination.region.value.clone()).or_default();
            let given = destination.bucket.take().map(|bucket| bucket.value);
            let place = of_region.iter().position(|it| *it == given).unwrap_or_else(|| {
                of_region.push(given);
                of_region.len() - 1
            });
            destination.bucket = (place > 0).then(|| {
                let number = place + 1;
                unplaced(if account_regional {
                    format!("{{name}}-{number}-{{account}}-{{region}}-an")
                } else {
                    format!("{{name}}-{{account}}-{{region}}-{number}")
                })
            });
        }
    }

    /// Replaces all keys by one existing key. For a multi-Region key, each Region uses its related
    /// key, whose ARN differs only in the Region (KMS Developer Guide, "Multi-Region keys in AWS
    /// KMS").
    fn encrypt_under(&mut self, key: &Arn) {
        let is_multi_region = key.resource().starts_with("key/mrk-");
        let mut arns = serde_json::Map::new();
        let regions = self.destinations.value.iter().map(|destination| &destination.region);
        for region in std::iter::once(&self.source.region).chain(regions).map(|it| &it.value) {
            let own = if is_multi_region {
                key.as_str().replacen(&format!(":{}:", key.region()), &format!(":{region}:"), 1)
            } else {
                key.to_string()
            };
            if is_multi_region || key.region() == region.as_str() {
                arns.insert(region.clone(), Value::String(own));
            }
        }
        for destination in &mut self.destinations.value {
            destination.key = None;
        }
        let algorithm = self.key.algorithm.take();
        let kind = Some(unplaced("existing".to_owned()));
        let arns = Some(unplaced(Value::Object(arns)));
        self.key = RawKey { kind, arns, algorithm, ..RawKey::default() };
    }

    /// Parses YAML. Errors have a position and, for a misspelled key, a suggestion.
    pub(super) fn parse(text: &str) -> Result<Self, Located> {
        read(text)
    }
}

/// Parses YAML as `T`. Errors have a position and, for a misspelled key, a suggestion.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Located> {
    serde_saphyr::from_str(text).map_err(|error| {
        let mut found = located(error.without_snippet());
        if found.key.is_empty() {
            found.key = found.at.and_then(|at| key_before(text, at)).unwrap_or_default();
        }
        found
    })
}

/// Returns the key whose value starts at a 1-based line and column.
fn key_before(text: &str, (line, column): (u64, u64)) -> Option<String> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let lines: Vec<&str> = text.lines().collect();
    let before: String = lines.get(line)?.chars().take(column).collect();
    // A value may start on the line after its key.
    let above = lines[..line].iter().rev().copied();
    let nearest = std::iter::once(before.as_str()).chain(above).find(|it| !it.trim().is_empty())?;
    let key = nearest.trim_end().strip_suffix(':')?;
    let key = key.rsplit(['{', ',']).next()?.trim().trim_start_matches("- ");
    Some(key.trim_matches(['"', '\'']).to_owned())
}

fn located(error: &Error) -> Located {
    let at = error.location().unwrap_or(Location::UNKNOWN);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let allowed =
                expected.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let found = Located::at(at, field, format!("unknown key; allowed here: {allowed}"));
            match nearest(field, expected.iter().copied()) {
                Some(meant) => found.hint(format!("did you mean `{meant}`?")),
                None => found,
            }
        }
        Error::SerdeMissingField { field, .. } => Located::at(at, *field, "this key is missing"),
        Error::DuplicateMappingKey { key, .. } => {
            Located::at(at, key.clone().unwrap_or_default(), "this key stands here twice")
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            Located::at(at, "", format!("{unexpected} stands where {expected} is wanted"))
        }
        Error::Unexpected { expected: "mapping start", .. } => {
            Located::at(at, "", "a mapping is wanted here, such as `{name: value}`")
        }
        Error::Unexpected { expected: "sequence start", .. } => {
            Located::at(at, "", "a list is wanted here, such as `[one, another]`")
        }
        Error::Unexpected { expected: "scalar" | "string scalar", .. } => {
            Located::at(at, "", "a single value is wanted here")
        }
        Error::InvalidBooleanStrict { .. } | Error::InvalidScalar { ty: "boolean", .. } => {
            Located::at(at, "", "`true` or `false` is wanted here")
        }
        Error::InvalidScalar { ty, .. } if ty.starts_with(['u', 'i']) => {
            Located::at(at, "", "a whole number is wanted here")
        }
        Error::NullIntoString { .. } => Located::at(at, "", "a value is wanted here"),
        Error::MultipleDocuments { .. } => {
            Located::at(at, "", "a second document begins here: a manifest is one")
        }
        Error::Eof { .. } => Located::at(at, "", "it is empty, or ends too early"),
        other => Located::at(at, "", plain(&other.to_string())),
    }
}

/// Returns the parser's message without the position, which the error has already.
fn plain(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let cut = first.rfind(" at line ").or_else(|| first.rfind(" (line ")).unwrap_or(first.len());
    let text = first[..cut].trim_start_matches("error: ").trim();
    format!("not readable as YAML: {text}")
}

/// Returns the keys that a mapping takes.
#[cfg(test)]
pub(super) fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    match serde_saphyr::from_str::<T>("no-key: 1").err().unwrap().without_snippet() {
        Error::SerdeUnknownField { expected, .. } => {
            expected.iter().map(|key| (*key).to_owned()).collect()
        }
        other => panic!("{other}"),
    }
}

/// Returns a value without a position.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned { value, referenced: Location::UNKNOWN, defined: Location::UNKNOWN }
}
