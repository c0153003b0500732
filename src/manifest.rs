//! The manifest: what the user wants, read and checked once, before any AWS call.
//! `raw` mirrors the text, `check` turns it into a [`Manifest`], and `topology` fills in the account.
//! Not for: what exists (see `world`) or the text of policies (see `policy`).

mod conflicts;
mod buckets;
mod check;
mod directions;
mod error;
mod keys;
mod login;
mod pairs;
mod raw;
mod role;
mod rules;
mod settings;
mod topology;

pub use buckets::{BucketSettings, Lifecycle, ObjectLock, Retention, RetentionMode};
pub use error::{Located, ManifestError};
pub use keys::{Algorithm, KeyKind, KeyRef, KeySettings, KeyWish, PairKeys};
pub use login::{Accounts, Away, Login};
pub use role::RoleSettings;
pub use rules::{ARCHIVES, MAX_PREFIX, PAID_FOR_DAYS, REPLICA_CLASSES, RuleSettings, RuleWish};
pub use settings::Optional;
pub use topology::{
    Activation, Manifest, Placed, Profile, ReplicationSettings, Reports, Side, Topology,
};

#[cfg(test)]
mod tests;

use crate::names::{Arn, PairName};
use serde_saphyr::Location;
use std::path::{Path, PathBuf};

/// Where a manifest comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, as the user named it.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The flags `--name`, `--source` and `--destination`.
    Flags,
    /// The pair that `--sandbox` and `rehearse` use when nothing else is given.
    Demo,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => write!(f, "<stdin>"),
            Self::Flags => write!(f, "<flags>"),
            Self::Demo => write!(f, "<demo>"),
        }
    }
}

/// Reads a manifest from YAML (JSON is a subset of it). Errors point into `text`, whose name is `origin`.
/// A `policy.templates` folder is relative to the manifest's own; `run` fills `{run}`.
pub fn parse(text: &str, origin: &Origin, run: Option<&str>) -> Result<Manifest, ManifestError> {
    parse_as(text, origin, run, None)
}

/// Like [`parse`], for a pair of its own beside the manifest's: its name ends in `-` and `suffix`, and buckets, role and alias
/// have their default names, whatever the manifest calls them, so that nothing of the manifest's own pair is met. Where `key` is given, the
/// buckets are encrypted under that one, whatever the manifest says of keys.
pub fn parse_suffixed(
    text: &str,
    origin: &Origin,
    run: Option<&str>,
    suffix: &str,
    key: Option<&Arn>,
) -> Result<Manifest, ManifestError> {
    parse_as(text, origin, run, Some((suffix, key)))
}

/// A manifest's pairs.
#[derive(Debug, Clone)]
pub enum Pairs {
    /// One, which is the manifest.
    One(Box<Manifest>),
    /// Those of the list `pairs`.
    Many(Fleet),
}

/// Many pairs of one manifest; no two share anything.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// What they are called together, where the manifest says so.
    pub name: Option<PairName>,
    /// Each pair, in the manifest's order.
    pub pairs: Vec<Manifest>,
}

/// Reads a manifest of one pair or of many; of many, those alone that `only` names, unless it is empty. All of them are checked,
/// whichever are asked for.
pub fn parse_pairs(
    text: &str,
    origin: &Origin,
    run: Option<&str>,
    only: &[String],
) -> Result<Pairs, ManifestError> {
    let located = |error: Located| ManifestError::Invalid { origin: origin.to_string(), error };
    if !pairs::is_many(text) {
        let one = parse(text, origin, run)?;
        if let Some(other) = only.iter().find(|name| *name != one.name().as_str()) {
            return Err(located(no_such_pair(other, [one.name().as_str()])));
        }
        return Ok(Pairs::One(Box::new(one)));
    }
    let many = pairs::parse(text).map_err(located)?;
    let name = many.name.as_ref().map(|name| {
        PairName::new(name.value.clone())
            .map_err(|error| located(Located::at(name.referenced, "name", error.to_string())))
    });
    let folder = folder(origin);
    let mut all = Vec::with_capacity(many.pairs.len());
    for (index, (at, raw)) in many.pairs.iter().enumerate() {
        let checked = check::check(raw, &folder, run).map_err(|error| {
            located(Located { key: format!("pairs[{index}].{}", error.key), ..error })
        })?;
        all.push((*at, checked));
    }
    conflicts::refuse(&all).map_err(located)?;
    let mut pairs: Vec<Manifest> = all.into_iter().map(|(_, pair)| pair).collect();
    for wanted in only {
        if pairs.iter().all(|pair| pair.name().as_str() != wanted) {
            let names = pairs.iter().map(|pair| pair.name().as_str());
            return Err(located(no_such_pair(wanted, names)));
        }
    }
    if !only.is_empty() {
        pairs.retain(|pair| only.iter().any(|name| name == pair.name().as_str()));
    }
    match <[Manifest; 1]>::try_from(pairs) {
        Ok([one]) if only.len() == 1 => Ok(Pairs::One(Box::new(one))),
        Ok(one) => Ok(Pairs::Many(Fleet { name: name.transpose()?, pairs: one.into() })),
        Err(pairs) => Ok(Pairs::Many(Fleet { name: name.transpose()?, pairs })),
    }
}

fn no_such_pair<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Located {
    let found =
        Located { message: format!("the manifest has no pair `{wanted}`"), ..Located::default() };
    match error::nearest(wanted, names) {
        Some(meant) => found.hint(format!("did you mean `{meant}`?")),
        None => found,
    }
}

fn parse_as(
    text: &str,
    origin: &Origin,
    run: Option<&str>,
    own: Option<(&str, Option<&Arn>)>,
) -> Result<Manifest, ManifestError> {
    let located = |error: Located| ManifestError::Invalid { origin: origin.to_string(), error };
    let many = |at| Located::at(at, "pairs", "many pairs stand here, and one is wanted");
    let mut raw = match raw::Raw::parse(text) {
        Err(_) if pairs::is_many(text) => return Err(located(many(Location::UNKNOWN))),
        raw => raw.map_err(located)?,
    };
    if let Some(pairs) = &raw.pairs {
        return Err(located(many(pairs.referenced)));
    }
    if let Some((suffix, key)) = own {
        raw.rename(suffix, key);
    }
    check::check(&raw, &folder(origin), run).map_err(located)
}

/// Returns the folder that a manifest's own paths are relative to.
fn folder(origin: &Origin) -> PathBuf {
    match origin {
        Origin::File(path) => path.parent().unwrap_or(Path::new("")).to_path_buf(),
        _ => PathBuf::new(),
    }
}

/// The JSON Schema of the manifest, as text.
pub const SCHEMA: &str = include_str!("../schemas/manifest.schema.json");

/// One side as flags give it: `REGION` or `REGION:BUCKET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFlag {
    region: String,
    bucket: Option<String>,
}

impl SideFlag {
    /// Writes the side as lines of a manifest, each after `indent`.
    pub fn lines(&self, indent: &str) -> String {
        let bucket = self.bucket.iter().map(|bucket| format!("{indent}bucket: \"{bucket}\"\n"));
        format!("{indent}region: {}\n{}", self.region, bucket.collect::<String>())
    }
}

impl From<&str> for SideFlag {
    fn from(text: &str) -> Self {
        match text.split_once(':') {
            Some((region, bucket)) => {
                Self { region: region.to_owned(), bucket: Some(bucket.to_owned()) }
            }
            None => Self { region: text.to_owned(), bucket: None },
        }
    }
}

/// Builds the manifest that flags describe; all that they do not name has its default.
pub fn from_flags(
    name: &str,
    source: &SideFlag,
    destinations: &[SideFlag],
    origin: &Origin,
    run: Option<&str>,
) -> Result<Manifest, ManifestError> {
    parse(&flags_text(name, source, destinations), origin, run)
}

/// Returns the text of the manifest that flags describe.
pub fn flags_text(name: &str, source: &SideFlag, destinations: &[SideFlag]) -> String {
    let side = |side: &SideFlag| match &side.bucket {
        Some(bucket) => serde_json::json!({"region": side.region, "bucket": bucket}),
        None => serde_json::json!({"region": side.region}),
    };
    let document = serde_json::json!({
        "name": name,
        "source": side(source),
        "destinations": destinations.iter().map(side).collect::<Vec<_>>(),
    });
    document.to_string()
}
