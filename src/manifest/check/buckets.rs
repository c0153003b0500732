//! Validates the settings for all buckets: Object Lock, lifecycle, and the namespace of bucket
//! names.
//! Limits: S3 User Guide, "Object Lock retention periods"; S3 API Reference,
//! `NoncurrentVersionExpiration`, `AbortIncompleteMultipartUpload`.
//! Not for: bucket names (see `places`).

use super::super::error::{Located, nearest};
use super::super::raw::{Raw, RawLifecycle};
use super::places::{self, Fill};
use super::{Checked, meant, one_of};
use crate::names::BucketName;
use crate::settings::{
    BucketSettings, Encryption, Lifecycle, LogTarget, LoggingWish, ObjectLock, Retention,
    RetentionMode,
};
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

/// Maximum retention period in days: 100 years.
const MAX_RETENTION: i64 = 36_500;

/// Returns the settings of all buckets. `fill` fills in names.
pub(super) fn settings(raw: &Raw, fill: &Fill<'_>) -> Checked<BucketSettings> {
    let buckets = &raw.buckets;
    Ok(BucketSettings {
        lock: buckets.object_lock.as_ref().map_or(Ok(None), lock)?,
        lifecycle: buckets.lifecycle.as_ref().map_or(Ok(Lifecycle::default()), lifecycle)?,
        account_regional: fill.account_regional,
        encryption: kept(buckets.encryption.as_ref(), "encryption", "managed")?,
        blocked_encryption: buckets.blocked_encryption.as_ref().map_or(Ok(None), blocked)?,
        logging: logging(raw, fill)?,
        public_access_block: kept(buckets.public_access.as_ref(), "public_access", "block")?,
        ownership: kept(buckets.ownership.as_ref(), "ownership", "enforced")?,
    })
}

/// Returns whether bucket names are in the account regional namespace.
pub(super) fn namespace(given: Option<&Spanned<String>>) -> Checked<bool> {
    one_of("buckets.namespace", given, &[("global", false), ("account-regional", true)])
}

fn lock(given: &Spanned<Value>) -> Checked<Option<ObjectLock>> {
    match &given.value {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(ObjectLock::default())),
        Value::Object(map) => {
            retention(map, given.referenced).map(|it| Some(ObjectLock { retention: Some(it) }))
        }
        _ => Err(Located::at(given.referenced, "buckets.object_lock", SHAPE)),
    }
}

/// Reads `buckets.logging`. The names of the target buckets are checked for every side.
fn logging(raw: &Raw, fill: &Fill<'_>) -> Checked<LoggingWish> {
    let Some(given) = &raw.buckets.logging else { return Ok(LoggingWish::Keep) };
    let at = given.referenced;
    let map = match &given.value {
        Value::Null => return Ok(LoggingWish::Keep),
        Value::String(word) if word == "keep" => return Ok(LoggingWish::Keep),
        Value::String(word) if word == "none" => return Ok(LoggingWish::Off),
        Value::Object(map) => map,
        _ => {
            let shape = "`keep`, `none` or `{bucket: NAME, prefix: TEXT}` is wanted";
            return Err(Located::at(at, "buckets.logging", shape));
        }
    };
    known_keys("buckets.logging", map, at, &LOGGING_KEYS)?;
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Located::at(at, format!("buckets.logging.{key}"), "a text is wanted")),
    };
    let key = "buckets.logging.bucket";
    let bucket = text("bucket")?.ok_or_else(|| {
        Located::at(at, key, "the bucket that the logs are written to is wanted").hint(
            "a target lies in the Region of the bucket that is logged: `logs-{account}-{region}`",
        )
    })?;
    let (source, destinations) = fill.sides(raw)?;
    let sides = || std::iter::once(&source).chain(&destinations);
    if sides().any(|side| side.region != source.region) && !bucket.contains("{region}") {
        let message = "a target lies in the Region of the bucket that is logged, and the pair has more than one";
        return Err(Located::at(at, key, message).hint("name the Region in it: `logs-{region}`"));
    }
    let target = LogTarget {
        bucket: fill.in_every_region(key, &bucket, at)?,
        prefix: fill.in_every_region(
            "buckets.logging.prefix",
            &text("prefix")?.unwrap_or_default(),
            at,
        )?,
    };
    for side in sides() {
        let name = target.bucket.replace("{region}", side.region.as_str());
        places::tried(key, &name, at, |name| BucketName::new(name).map(drop))?;
        if sides().any(|other| other.bucket == name) {
            let message = format!("`{name}` is a bucket of the pair: each log would make another");
            return Err(Located::at(at, key, message).hint("use a bucket of its own for logs"));
        }
    }
    Ok(LoggingWish::To(target))
}

/// Reads a key that is `managed` or `keep`.
fn kept(given: Option<&Spanned<String>>, key: &str, managed: &str) -> Checked<Option<bool>> {
    let Some(given) = given else { return Ok(None) };
    let known = [(managed, true), ("keep", false)];
    one_of(&format!("buckets.{key}"), Some(given), &known).map(Some)
}

/// The encryption types that S3 can block (S3 API Reference, `BlockedEncryptionTypes`).
const BLOCKABLE: &str = "SSE-C";

fn blocked(given: &Spanned<Value>) -> Checked<Option<Vec<String>>> {
    let types = |types: &[&str]| Ok(Some(types.iter().map(|it| (*it).to_owned()).collect()));
    match &given.value {
        Value::Null => Ok(None),
        Value::String(word) if word == "keep" => Ok(None),
        Value::String(word) if word == "none" => types(&[Encryption::BLOCKS_NONE]),
        Value::Array(list) if list.is_empty() => types(&[Encryption::BLOCKS_NONE]),
        Value::Array(list) if list.iter().all(|it| it == BLOCKABLE) => types(&[BLOCKABLE]),
        _ => {
            let shape = "`keep`, `none` or `[SSE-C]` is wanted";
            Err(Located::at(given.referenced, "buckets.blocked_encryption", shape))
        }
    }
}

const SHAPE: &str = "`true`, `false` or `{mode: governance, days: 1}` is wanted";

fn retention(map: &Map<String, Value>, at: Location) -> Checked<Retention> {
    let path = |key: &str| format!("buckets.object_lock.{key}");
    known_keys("buckets.object_lock", map, at, &RETENTION_KEYS)?;
    let mode = match map.get("mode").and_then(Value::as_str) {
        Some("governance") => RetentionMode::Governance,
        Some("compliance") => RetentionMode::Compliance,
        _ => {
            let message = "`governance` or `compliance` is wanted";
            return Err(Located::at(at, path("mode"), message));
        }
    };
    let days = map.get("days").and_then(Value::as_i64);
    let days = days.filter(|days| (1..=MAX_RETENTION).contains(days));
    let days = days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| {
        let message = format!("1 to {MAX_RETENTION} days are allowed");
        Located::at(at, path("days"), message)
    })?;
    Ok(Retention { mode, days })
}

/// The keys of `buckets.logging` and of `buckets.object_lock`, where they are mappings.
pub(in crate::manifest) const LOGGING_KEYS: [&str; 2] = ["bucket", "prefix"];
pub(in crate::manifest) const RETENTION_KEYS: [&str; 2] = ["mode", "days"];

/// Refuses a key of a mapping that is not one of `known`.
pub(super) fn known_keys(
    path: &str,
    map: &Map<String, Value>,
    at: Location,
    known: &[&str],
) -> Checked<()> {
    let Some(other) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let message = format!("unknown key; allowed here: `{}`", known.join("`, `"));
    let found = Located::at(at, format!("{path}.{other}"), message);
    Err(meant(found, nearest(other, known.iter().copied())))
}

fn lifecycle(raw: &RawLifecycle) -> Checked<Lifecycle> {
    Ok(Lifecycle {
        noncurrent_days: days("noncurrent_days", raw.noncurrent_days.as_ref())?,
        incomplete_upload_days: days(
            "incomplete_upload_days",
            raw.incomplete_upload_days.as_ref(),
        )?,
    })
}

fn days(key: &str, given: Option<&Spanned<i64>>) -> Checked<Option<i32>> {
    let Some(given) = given else { return Ok(None) };
    let days = i32::try_from(given.value).ok().filter(|days| *days >= 1);
    days.map(Some).ok_or_else(|| {
        let message = format!("{}: 1 day or more is wanted", given.value);
        Located::at(given.referenced, format!("buckets.lifecycle.{key}"), message)
    })
}
