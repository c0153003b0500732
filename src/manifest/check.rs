//! Validates the raw manifest. This is the only place of validation. Every error names the
//! position, the key, and the allowed values.
//! Not for: parsing YAML (see `raw`).

mod adoption;
mod alarm;
mod alerts;
mod buckets;
mod endpoints;
mod existing;
mod keys;
mod logins;
mod places;
mod policy;
mod role;
mod rules;
mod tags;

#[cfg(test)]
pub(super) use alerts::ALERT_KEYS;
#[cfg(test)]
pub(super) use buckets::{LOGGING_KEYS, RETENTION_KEYS};

use super::error::{Located, nearest};
use super::raw::Raw;
use super::topology::Manifest;
use crate::names::{InvalidName, PairName};
use places::Fill;
use serde_saphyr::Spanned;
use std::path::Path;

type Checked<T> = Result<T, Located>;

/// Validates `raw`. A templates folder is relative to `folder`, and `run` replaces `{run}`.
pub(super) fn check(raw: &Raw, folder: &Path, run: Option<&str>) -> Checked<Manifest> {
    let name = named("name", &raw.name, PairName::new)
        .map_err(|error| meant(error, likely_name(&raw.name.value).as_deref()))?;
    let account_regional = buckets::namespace(raw.buckets.namespace.as_ref())?;
    let fill = Fill { name: &name, run, account_regional };
    let (source, destinations) = fill.sides(raw)?;
    let settings = buckets::settings(raw, &fill)?;
    let logins = logins::logins(raw, &source, &destinations)?;
    let mut rules = rules::rules(raw, &destinations)?;
    existing::rule_ids(raw, &name, &mut rules)?;
    let role = fill.role(raw.role.name.as_ref(), &source.region)?;
    let mut role_settings = role::settings(&raw.role)?;
    role_settings.back = existing::reverse_roles(raw, &destinations)?;
    role_settings.back_boundaries = existing::back_boundaries(raw, &destinations)?;
    logins::check_roles(raw, &logins, &role_settings, &destinations)?;
    let reverse_roles = fill.reverse_roles(raw.role.name.as_ref(), &source, &destinations)?;
    let key = keys::key(raw, &name)?;
    logins::check_keys(raw, &logins, key.kind, &destinations)?;
    let manifest = Manifest {
        endpoints: endpoints::endpoints(raw, &source, &destinations, &logins)?,
        login: logins.login,
        home_account: logins.home,
        away: logins.away,
        adopted: adoption::adopted(raw, &source, &rules),
        bucket_key: keys::bucket_key(raw, &key)?,
        buckets: settings,
        existing_keys: keys::existing(raw, key.kind, &source, &destinations)?,
        key,
        tls_only: raw.buckets.tls_only.as_ref().is_none_or(|flag| flag.value),
        deny_other_keys: raw.buckets.deny_other_keys.as_ref().is_some_and(|flag| flag.value),
        profile: policy::profile(raw)?,
        alerts: alerts::alerts(raw, &source, &destinations)?,
        replication: rules::replication(&raw.replication)?,
        alarm: alarm::settings(raw, &source, &destinations)?,
        templates: raw.policy.templates.as_ref().map(|given| folder.join(&given.value)),
        tags: tags::of_resources(&raw.tags)?,
        name,
        source,
        destinations: places::distinct(destinations),
        rules,
        role,
        reverse_roles,
        role_settings,
    };
    Ok(manifest)
}

fn named<T>(
    key: &str,
    given: &Spanned<String>,
    new: impl Fn(String) -> Result<T, InvalidName>,
) -> Checked<T> {
    new(given.value.clone()).map_err(|error| Located::at(given.referenced, key, error.to_string()))
}

/// Adds what was probably meant to an error.
fn meant(error: Located, meant: Option<&str>) -> Located {
    match meant {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error,
    }
}

/// Returns the pair name that is most like `given`: in lower case, and with hyphens for what a name
/// can't have.
fn likely_name(given: &str) -> Option<String> {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = given.chars().map(letter).collect();
    let name = name.trim_matches('-');
    PairName::new(name).is_ok().then(|| name.to_owned())
}

/// Returns the value of a keyword. `known` lists the keywords with their values; the first one is
/// the default.
fn one_of<T: Copy>(key: &str, given: Option<&Spanned<String>>, known: &[(&str, T)]) -> Checked<T> {
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let allowed = match words.as_slice() {
        [one] => format!("`{one}` is allowed"),
        many => format!("`{}` are allowed", many.join("`, `")),
    };
    let Some(given) = given else { return Ok(known[0].1) };
    let text = given.value.as_str();
    if let Some((_, meaning)) = known.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let message = format!("`{text}` is not known; {allowed}");
    Err(meant(Located::at(given.referenced, key, message), nearest(text, words)))
}
