//! The manifest: the user's configuration, parsed and validated once, before any AWS call. `raw`
//! mirrors the YAML, `check` turns it into a [`Manifest`], and `topology` fills in the account.
//! Not for: existing resources (see `world`) or policy documents (see `policy`).

mod alarm;
mod batch;
mod check;
mod conflicts;
mod directions;
mod endpoints;
mod error;
mod kept;
mod keys;
mod login;
mod pairs;
mod raw;
mod regions;
mod role;
mod rules;
mod settings;
mod side;
mod topology;
mod wanted;

pub use batch::{Reports, report_bucket};
pub use directions::Direction;
pub use endpoints::{Endpoints, Service};
pub use error::{Located, ManifestError};
pub use kept::NamedEncryption;
pub use keys::{Algorithm, KeyKind, KeyRef, KeySettings, KeyWish, PairKeys};
pub use login::{Accounts, Away, Login};
pub use regions::unknown_region;
pub use role::RoleSettings;
pub use rules::{ARCHIVES, MAX_PREFIX, PAID_FOR_DAYS, REPLICA_CLASSES, RuleSettings, RuleWish};
pub use side::{BucketPlace, Custody, Side};
pub use topology::{
    Activation, Found, Manifest, Placed, Profile, Remains, ReplicationSettings, Topology,
};
pub use wanted::Wanted;

#[cfg(test)]
mod known;
#[cfg(test)]
pub(crate) use known::keys;
#[cfg(test)]
mod tests;

use crate::names::{Arn, PairName};
use serde_saphyr::Location;
use std::path::{Path, PathBuf};

/// Source of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, with the path as the user gave it.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The flags `--name`, `--source` and `--destination`.
    Flags,
    /// The demo pair, which `--sandbox` and `rehearse` use when no manifest is given.
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

/// Parses a manifest from YAML (JSON is a subset of YAML). Errors name a position in `text`, under
/// the name `origin`. A `policy.templates` folder is relative to the manifest's folder. `run`
/// replaces the placeholder `{run}`.
pub fn parse(text: &str, origin: &Origin, run: Option<&str>) -> Result<Manifest, ManifestError> {
    parse_as(text, origin, run, None)
}

/// Like [`parse`], but describes a separate pair: `-` and `suffix` are appended to the name, and
/// the buckets, the role, and the alias get their default names. The separate pair therefore uses
/// no resource of the manifest's pair. If `key` is given, all buckets are encrypted under it, and
/// of the manifest's key settings only `key.algorithm` is used.
pub fn parse_suffixed(
    text: &str,
    origin: &Origin,
    run: Option<&str>,
    suffix: &str,
    key: Option<&Arn>,
) -> Result<Manifest, ManifestError> {
    parse_as(text, origin, run, Some((suffix, key)))
}

/// The pairs of a manifest.
#[derive(Debug, Clone)]
pub enum Pairs {
    /// One pair.
    One(Box<Manifest>),
    /// The pairs of the list `pairs`.
    Many(Fleet),
}

/// The pairs of one manifest. No two of them share a resource.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Name of the whole set of pairs, if the manifest gives one.
    pub name: Option<PairName>,
    /// The pairs, in the manifest's order.
    pub pairs: Vec<Manifest>,
}

/// Parses a manifest of one or many pairs and returns the pairs named in `only`, or all pairs if
/// `only` is empty. Every pair is validated, including those not returned.
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

/// Returns the folder that relative paths in the manifest start from.
fn folder(origin: &Origin) -> PathBuf {
    match origin {
        Origin::File(path) => path.parent().unwrap_or(Path::new("")).to_path_buf(),
        _ => PathBuf::new(),
    }
}

/// The JSON Schema of the manifest, as text.
pub const SCHEMA: &str = include_str!("../schemas/manifest.schema.json");

/// One side as a command line flag gives it: `REGION` or `REGION:BUCKET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFlag {
    region: String,
    bucket: Option<String>,
}

impl SideFlag {
    /// Returns the side in this Region that has the default bucket.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { region: self.region.clone(), bucket: None }
    }

    /// Formats the side as lines of a manifest, each prefixed with `indent`.
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

/// Builds a manifest from flags. Keys without a flag have their defaults.
pub fn from_flags(
    name: &str,
    source: &SideFlag,
    destinations: &[SideFlag],
    origin: &Origin,
    run: Option<&str>,
) -> Result<Manifest, ManifestError> {
    parse(&flags_text(name, source, destinations), origin, run)
}

/// Returns the manifest text for the given flags.
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
