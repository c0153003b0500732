//! Turns the raw manifest into a checked one: the single place of validation. Every refusal names the place, the key and
//! what is allowed.

mod activation;
mod policy;

use super::error::{Located, nearest};
use super::raw::{At, Later, Raw, RawDestination, RawKey, RawReplication, RawSide};
use super::topology::{Activation, KeySettings, Manifest, Placed, ReplicationSettings};

use crate::names::{AccountId, Arn, InvalidName, KeyAlias, PairName, Region};
use crate::units;
use serde_json::{Value, json};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for the account until it is known; every account id is as long.
const SOME_ACCOUNT: &str = "000000000000";

type Checked<T> = Result<T, Located>;

/// Checks `raw`; a templates folder is relative to `folder`, and `run` fills `{run}`.
pub(super) fn check(raw: &Raw, folder: &Path, run: Option<&str>) -> Checked<Manifest> {
    refuse_later(raw)?;
    let name = named("name", &raw.name, PairName::new)?;
    let fill = Fill { name: &name, run };
    let source = fill.side("source", &raw.source)?;
    let destinations = destinations(&raw.destinations, &source, &fill)?;
    let role = fill.role(raw.role.name.as_ref(), &source.region)?;
    let manifest = Manifest {
        key: key(&raw.key, &name)?,
        bucket_key: raw.buckets.bucket_key.as_ref().is_none_or(|flag| flag.value),
        tls_only: raw.buckets.tls_only.as_ref().is_none_or(|flag| flag.value),
        deny_other_keys: raw.buckets.deny_other_keys.as_ref().is_some_and(|flag| flag.value),
        profile: policy::profile(raw)?,
        replication: replication(&raw.replication)?,
        templates: raw.policy.templates.as_ref().map(|given| folder.join(&given.value)),
        tags: tags(&raw.tags)?,
        name,
        source,
        destinations,
        role,
    };
    Ok(manifest)
}

/// Refuses, by name, what the schema has and this version does only at its default.
fn refuse_later(raw: &Raw) -> Checked<()> {
    let off = [json!(false), json!(null)];
    later("pairs", &raw.pairs, &[])?;
    let RawSide { adopt, profile, assume_role, .. } = &raw.source;
    later("source.adopt", adopt, &off)?;
    later("source.profile", profile, &off)?;
    later("source.assume_role", assume_role, &off)?;
    for (index, destination) in raw.destinations.value.iter().enumerate() {
        refuse_later_of_destination(index, destination, &off)?;
    }
    later("key.arns", &raw.key.arns, &[json!([]), json!({})])?;
    later("buckets.object_lock", &raw.buckets.object_lock, &off)?;
    later("buckets.namespace", &raw.buckets.namespace, &[json!("global")])?;
    later("role.permissions_boundary", &raw.role.permissions_boundary, &off)?;
    later("role.arn", &raw.role.arn, &off)?;
    later("role.take_over", &raw.role.take_over, &off)?;
    later("replication.tags", &raw.replication.tags, &[json!({})])?;
    later("replication.replica_modifications", &raw.replication.replica_modifications, &off)?;
    later("replication.time_control", &raw.replication.time_control, &off)?;
    later("replication.metrics", &raw.replication.metrics, &off)?;
    later("replication.two_way", &raw.replication.two_way, &off)
}

fn refuse_later_of_destination(index: usize, raw: &RawDestination, off: &[Value]) -> Checked<()> {
    let RawDestination { adopt, profile, assume_role, storage_class, prefix, tags, .. } = raw;
    let RawDestination { delete_markers, time_control, metrics, priority, key, .. } = raw;
    for (field, value) in [
        ("adopt", adopt),
        ("profile", profile),
        ("assume_role", assume_role),
        ("storage_class", storage_class),
        ("prefix", prefix),
        ("tags", tags),
        ("delete_markers", delete_markers),
        ("time_control", time_control),
        ("metrics", metrics),
        ("priority", priority),
        ("key", key),
    ] {
        // A destination's own value stands for the rule's, so even `false` says something here.
        let taken =
            if matches!(field, "adopt" | "profile" | "assume_role") { off } else { &off[1..] };
        later(&format!("destinations[{index}].{field}"), value, taken)?;
    }
    Ok(())
}

fn later(key: &str, value: &Later, taken: &[Value]) -> Checked<()> {
    match value {
        Some(given) if !taken.contains(&given.value) => {
            let found = Located::at(
                given.referenced,
                key,
                "this version of crrctl does not support this setting yet",
            );
            Err(match taken.first() {
                Some(default) => {
                    found.hint(format!("leave the key out, or give its default `{default}`"))
                }
                None => found.hint("leave the key out"),
            })
        }
        _ => Ok(()),
    }
}

fn named<T>(
    key: &str,
    given: &Spanned<String>,
    new: impl Fn(String) -> Result<T, InvalidName>,
) -> Checked<T> {
    new(given.value.clone()).map_err(|error| Located::at(given.referenced, key, error.to_string()))
}

/// Accepts `default` alone; `later` are values of the schema that this version does not support.
fn one_value(
    key: &str,
    given: Option<&Spanned<String>>,
    default: &str,
    later: &[&str],
) -> Checked<()> {
    let Some(given) = given.filter(|given| given.value != default) else { return Ok(()) };
    let message = if later.contains(&given.value.as_str()) {
        format!(
            "this version of crrctl does not support `{}` yet; `{default}` is allowed",
            given.value
        )
    } else {
        format!("`{}` is not known; `{default}` is allowed", given.value)
    };
    let found = Located::at(given.referenced, key, message);
    Err(match nearest(&given.value, [default]) {
        Some(meant) => found.hint(format!("did you mean `{meant}`?")),
        None => found,
    })
}

/// Fills placeholders: `{account}` stays, and is tried with an id of the same length.
struct Fill<'a> {
    name: &'a PairName,
    run: Option<&'a str>,
}

impl Fill<'_> {
    fn side(&self, path: &str, raw: &RawSide) -> Checked<Placed> {
        self.place(path, &raw.region, raw.bucket.as_ref())
    }

    fn place(
        &self,
        path: &str,
        region: &Spanned<String>,
        bucket: Option<&Spanned<String>>,
    ) -> Checked<Placed> {
        let region = named(&format!("{path}.region"), region, Region::new)?;
        let key = format!("{path}.bucket");
        let (template, at) = match bucket {
            Some(given) => (given.value.as_str(), given.referenced),
            None => ("{name}-{account}-{region}", Location::UNKNOWN),
        };
        let bucket = self.text(&key, template, at, &region)?;
        tried(&key, &bucket, at, |name| crate::names::BucketName::new(name).map(drop))?;
        Ok(Placed { region, bucket })
    }

    fn role(&self, given: Option<&Spanned<String>>, source: &Region) -> Checked<String> {
        let (template, at) = match given {
            Some(given) => (given.value.replace("{source.region}", "{region}"), given.referenced),
            None => ("crrctl-{name}-{region}".to_owned(), Location::UNKNOWN),
        };
        let role = self.text("role.name", &template, at, source)?;
        tried("role.name", &role, at, |name| crate::names::RoleName::new(name).map(drop))?;
        Ok(role)
    }

    fn text(&self, key: &str, template: &str, at: Location, region: &Region) -> Checked<String> {
        let mut text =
            template.replace("{name}", self.name.as_str()).replace("{region}", region.as_str());
        if text.contains("{run}") {
            let run = self.run.ok_or_else(|| {
                Located::at(
                    at,
                    key,
                    "`{run}` has no value: crrctl keeps no state, so the run must be named",
                )
                .hint("set CRRCTL_RUN to a text that the next run will know too")
            })?;
            text = text.replace("{run}", run);
        }
        if let Some(open) = text.replace("{account}", "").find('{') {
            let rest = text.replace("{account}", "");
            let end = rest[open..].find('}').map_or(rest.len(), |close| open + close + 1);
            return Err(Located::at(
                at,
                key,
                format!("unknown placeholder `{}`", &rest[open..end]),
            )
            .hint("`{name}`, `{account}`, `{region}` and `{run}` are known"));
        }
        Ok(text)
    }
}

fn tried(
    key: &str,
    text: &str,
    at: Location,
    new: impl Fn(String) -> Result<(), InvalidName>,
) -> Checked<()> {
    new(text.replace("{account}", SOME_ACCOUNT)).map_err(|mut error| {
        text.clone_into(&mut error.given);
        Located::at(at, key, error.to_string())
    })
}

fn destinations(
    raw: &Spanned<Vec<RawDestination>>,
    source: &Placed,
    fill: &Fill<'_>,
) -> Checked<Vec<Placed>> {
    if raw.value.is_empty() {
        return Err(Located::at(
            raw.referenced,
            "destinations",
            "at least one destination is wanted",
        ));
    }
    let mut taken: Vec<Placed> = Vec::new();
    for (index, destination) in raw.value.iter().enumerate() {
        let path = format!("destinations[{index}]");
        let placed = fill.place(&path, &destination.region, destination.bucket.as_ref())?;
        let refuse = |key: &str, message: String| {
            let at = if key == "bucket" { destination.bucket.as_ref() } else { None };
            let at = at.unwrap_or(&destination.region).referenced;
            Err(Located::at(at, format!("{path}.{key}"), message))
        };
        let (region, partition) = (&placed.region, placed.region.partition());
        if region == &source.region {
            let message = format!(
                "`{region}` is the source's Region: same-Region replication is not supported yet"
            );
            return refuse("region", message);
        }
        if partition != source.region.partition() {
            return refuse(
                "region",
                format!(
                    "`{region}` is in the partition `{partition}` and the source's `{}` in `{}`: neither keys nor objects \
                     replicate from one partition to another",
                    source.region,
                    source.region.partition()
                ),
            );
        }
        if taken.iter().any(|other| other.region == *region) {
            return refuse(
                "region",
                format!("`{region}` stands here twice: each destination has a Region of its own"),
            );
        }
        if std::iter::once(source).chain(&taken).any(|other| other.bucket == placed.bucket) {
            return refuse(
                "bucket",
                format!("`{}` stands here twice: each side has a bucket of its own", placed.bucket),
            );
        }
        taken.push(placed);
    }
    Ok(taken)
}

fn key(raw: &RawKey, name: &PairName) -> Checked<KeySettings> {
    one_value("key.kind", raw.kind.as_ref(), "multi-region", &["per-region", "existing", "none"])?;
    one_value("key.algorithm", raw.algorithm.as_ref(), "aws:kms", &["aws:kms:dsse"])?;
    let default_alias =
        Spanned::new(format!("alias/crrctl/{name}"), Location::UNKNOWN, Location::UNKNOWN);
    let alias = named("key.alias", raw.alias.as_ref().unwrap_or(&default_alias), KeyAlias::new)?;
    let within = |key: &str,
                  given: &At<u32>,
                  default: u32,
                  allowed: std::ops::RangeInclusive<u32>| match given {
        Some(days) if !allowed.contains(&days.value) => Err(Located::at(
            days.referenced,
            key,
            format!("{} days: {} to {} are allowed", days.value, allowed.start(), allowed.end()),
        )),
        given => Ok(given.as_ref().map_or(default, |days| days.value)),
    };
    let window = within("key.deletion_window_days", &raw.deletion_window_days, 7, 7..=30)?;
    let rotation_days = match &raw.rotation_days {
        None => Some(365),
        Some(given) => rotation(given)?,
    };
    let replica_timeout = match &raw.replica_timeout {
        None => std::time::Duration::from_mins(20),
        Some(given) => units::duration(&given.value)
            .map_err(|message| Located::at(given.referenced, "key.replica_timeout", message))?,
    };
    let each = |key: &str, list: &[Spanned<String>]| -> Vec<(String, Spanned<String>)> {
        list.iter().enumerate().map(|(i, item)| (format!("{key}[{i}]"), item.clone())).collect()
    };
    Ok(KeySettings {
        alias,
        rotation_days,
        deletion_window_days: u8::try_from(window).unwrap_or(30),
        administrators: each("key.administrators", &raw.administrators)
            .iter()
            .map(|(key, item)| administrator(key, item))
            .collect::<Checked<_>>()?,
        usable_by_accounts: each("key.usable_by_accounts", &raw.usable_by_accounts)
            .iter()
            .map(|(key, item)| named(key, item, AccountId::new))
            .collect::<Checked<_>>()?,
        replica_timeout,
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

/// Reads `rotation_days`: 90..=2560 (KMS API Reference, `EnableKeyRotation`), or `false`.
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

fn replication(raw: &RawReplication) -> Checked<ReplicationSettings> {
    let activation = match raw.activation.as_ref() {
        None => Activation::Auto,
        Some(given) => activation::activation(given)?,
    };
    let prefix = raw.prefix.as_ref().map_or("", |prefix| prefix.value.as_str());
    if let Some(given) = raw.prefix.as_ref().filter(|prefix| prefix.value.len() > MAX_PREFIX) {
        let message = format!(
            "{} bytes: {MAX_PREFIX} are allowed, so that a probe's key fits below",
            given.value.len()
        );
        return Err(Located::at(given.referenced, "replication.prefix", message));
    }
    if let Some(given) =
        raw.prefix.as_ref().filter(|prefix| prefix.value.chars().any(char::is_control))
    {
        return Err(Located::at(
            given.referenced,
            "replication.prefix",
            "control characters are not allowed",
        ));
    }
    Ok(ReplicationSettings {
        prefix: prefix.to_owned(),
        delete_markers: raw.delete_markers.as_ref().is_some_and(|flag| flag.value),
        activation,
    })
}

/// An object key has at most 1,024 bytes (S3 User Guide, "Naming Amazon S3 objects"); a probe's name takes up to 64 of them.
const MAX_PREFIX: usize = 960;

/// Checks tags against what all of KMS, IAM and S3 accept ("Tagging AWS resources", limits).
fn tags(raw: &BTreeMap<String, Spanned<String>>) -> Checked<BTreeMap<String, String>> {
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " +-=._:/@".contains(c));
    let mut tags = BTreeMap::new();
    for (key, given) in raw {
        let refuse =
            |message: &str| Err(Located::at(given.referenced, format!("tags.{key}"), message));
        if key.is_empty() || key.chars().count() > 128 || given.value.chars().count() > 256 {
            return refuse("a tag's key has 1 to 128 characters, its value at most 256");
        }
        if !plain(key) || !plain(&given.value) {
            return refuse("letters, digits, spaces and `+-=._:/@` are allowed in tags");
        }
        if ["aws:", "crrctl:"].iter().any(|reserved| key.to_ascii_lowercase().starts_with(reserved))
        {
            return refuse("keys that begin with `aws:` or `crrctl:` are reserved");
        }
        tags.insert(key.clone(), given.value.clone());
    }
    if let Some((key, given)) = raw.iter().nth(MAX_TAGS) {
        let message = format!("{} tags: {MAX_TAGS} are allowed beside crrctl's own", raw.len());
        return Err(Located::at(given.referenced, format!("tags.{key}"), message));
    }
    Ok(tags)
}

/// A resource bears at most 50 tags, of which crrctl's own take up to 5.
const MAX_TAGS: usize = 45;
