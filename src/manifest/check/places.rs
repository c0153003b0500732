//! Validates Regions and the names of buckets and roles, and replaces placeholders.
//! Not for: aliases and key ARNs (see `keys`).

use super::super::conflicts::is_filled_in;
use super::super::error::{Located, nearest};
use super::super::raw::{Raw, RawDestination, RawSide};
use super::super::topology::Placed;
use super::{Checked, meant, named};
use crate::names::{BucketName, InvalidName, KNOWN_REGIONS, PairName, Region, RoleName};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// Placeholder for the account id until it is known. All account ids have this length.
const SOME_ACCOUNT: &str = "000000000000";

/// Replaces placeholders. `{account}` is kept, and the name is validated with an id of the same
/// length.
pub(super) struct Fill<'a> {
    pub(super) name: &'a PairName,
    pub(super) run: Option<&'a str>,
    /// Whether bucket names are in the account regional namespace.
    pub(super) account_regional: bool,
}

impl Fill<'_> {
    /// Returns the place of the source, and of each entry of the list of destinations.
    pub(super) fn sides(&self, raw: &Raw) -> Checked<(Placed, Vec<Placed>)> {
        let source = self.side("source", &raw.source)?;
        let destinations = destinations(&raw.destinations, &source, self)?;
        check_ways_back(raw, &destinations)?;
        Ok((source, destinations))
    }

    fn side(&self, path: &str, raw: &RawSide) -> Checked<Placed> {
        let adopts = raw.adopt.as_ref().is_some_and(|flag| flag.value);
        self.place(path, &raw.region, (raw.bucket.as_ref(), adopts), false)
    }

    fn place(
        &self,
        path: &str,
        region: &Spanned<String>,
        (bucket, adopts): (Option<&Spanned<String>>, bool),
        is_beside: bool,
    ) -> Checked<Placed> {
        let near = nearest(&region.value, KNOWN_REGIONS);
        let region = named(&format!("{path}.region"), region, Region::new)
            .map_err(|error| meant(error, near))?;
        let key = format!("{path}.bucket");
        let (template, at) = match bucket {
            Some(given) => (given.value.as_str(), given.referenced),
            None => (self.default_bucket(is_beside), Location::UNKNOWN),
        };
        let bucket = self.text(&key, template, at, &region)?;
        tried(&key, &bucket, at, |name| BucketName::new(name).map(drop))?;
        if !adopts {
            self.check_namespace(&key, &bucket, &region, at)?;
        }
        Ok(Placed { region, bucket })
    }

    /// Returns the default bucket name. A destination in the source's Region has a different
    /// default name than the source.
    fn default_bucket(&self, is_beside: bool) -> &'static str {
        match (self.account_regional, is_beside) {
            (false, false) => "{name}-{account}-{region}",
            (false, true) => "{name}-{account}-{region}-r",
            (true, false) => "{name}-{account}-{region}-an",
            (true, true) => "{name}-r-{account}-{region}-an",
        }
    }

    /// Validates the suffix of a bucket name. A name in the account regional namespace ends in the
    /// account id, the Region, and `an`; no other name may end so (S3 User Guide, "Namespaces for
    /// general purpose buckets").
    fn check_namespace(
        &self,
        key: &str,
        bucket: &str,
        region: &Region,
        at: Location,
    ) -> Checked<()> {
        let stem = bucket.strip_suffix(&format!("-{region}-an"));
        let stem = stem.and_then(|stem| {
            let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
            stem.strip_suffix("{account}").or_else(|| {
                let id = stem.len().checked_sub(12).and_then(|at| stem.get(at..)).filter(is_id)?;
                stem.strip_suffix(id)
            })
        });
        let fits = stem.is_some_and(|stem| stem.len() > 1 && stem.ends_with('-'));
        if fits == self.account_regional {
            return Ok(());
        }
        let (message, hint) = if fits {
            let message = "names of this form are in the account's own namespace";
            (message.to_owned(), "set `buckets.namespace: account-regional`".to_owned())
        } else {
            let form = format!("SOME-NAME-{{account}}-{region}-an");
            let message = format!("the account's own namespace has names such as `{form}` alone");
            (message, "leave the name out to have one that fits".to_owned())
        };
        Err(Located::at(at, key, message).hint(hint))
    }

    pub(super) fn role(&self, given: Option<&Spanned<String>>, source: &Region) -> Checked<String> {
        let (template, at) = match given {
            Some(given) => (given.value.replace("{source.region}", "{region}"), given.referenced),
            None => ("crrctl-{name}-{region}".to_owned(), Location::UNKNOWN),
        };
        let role = self.text("role.name", &template, at, source)?;
        tried("role.name", &role, at, |name| RoleName::new(name).map(drop))?;
        Ok(role)
    }

    /// Returns the role names of the reverse directions, by destination. Each name contains the
    /// destination's Region.
    pub(super) fn reverse_roles(
        &self,
        given: Option<&Spanned<String>>,
        source: &Placed,
        destinations: &[Placed],
    ) -> Checked<BTreeMap<Placed, String>> {
        let mut roles = BTreeMap::new();
        for place in destinations {
            let (forward, mut back) =
                (self.role(given, &source.region)?, self.role(given, &place.region)?);
            if back == forward {
                // The name does not contain the Region, or the destination is in the source's
                // Region.
                let is_beside = place.region == source.region;
                back = if is_beside {
                    format!("{back}-r")
                } else {
                    format!("{back}-{}", place.region)
                };
            }
            let at = given.map_or(Location::UNKNOWN, |given| given.referenced);
            tried("role.name", &back, at, |name| RoleName::new(name).map(drop))?;
            roles.insert(place.clone(), back);
        }
        Ok(roles)
    }

    fn text(&self, key: &str, template: &str, at: Location, region: &Region) -> Checked<String> {
        let text = self.in_every_region(key, template, at)?;
        Ok(text.replace("{region}", region.as_str()))
    }

    /// Replaces the placeholders that have one value in all Regions and accounts.
    pub(super) fn in_every_region(
        &self,
        key: &str,
        template: &str,
        at: Location,
    ) -> Checked<String> {
        let mut text = template.replace("{name}", self.name.as_str());
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
        let rest = text.replace("{account}", "").replace("{region}", "");
        if let Some(open) = rest.find('{') {
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

pub(super) fn tried(
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

/// Returns the place of every destination in the list. Two entries with the same bucket are two
/// rules to it.
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
        // In the source's Region, the default name would be the source's name.
        let is_same = destination.region.value == source.region.as_str();
        let adopts = destination.adopt.as_ref().is_some_and(|flag| flag.value);
        let bucket = (destination.bucket.as_ref(), adopts);
        let placed = fill.place(&path, &destination.region, bucket, is_same)?;
        check_place(&path, destination, &placed, source, &taken)?;
        taken.push(placed);
    }
    Ok(taken)
}

fn check_place(
    path: &str,
    raw: &RawDestination,
    placed: &Placed,
    source: &Placed,
    taken: &[Placed],
) -> Checked<()> {
    let refuse = |key: &str, message: String| {
        let at = if key == "bucket" { raw.bucket.as_ref() } else { None };
        let at = at.unwrap_or(&raw.region).referenced;
        Err(Located::at(at, format!("{path}.{key}"), message))
    };
    let (region, partition) = (&placed.region, placed.region.partition());
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
    if placed.bucket == source.bucket {
        return refuse(
            "bucket",
            format!("`{}` stands here twice: a bucket can't be its own destination", placed.bucket),
        );
    }
    let is_one = |other: &&Placed| {
        is_filled_in(&other.bucket, &placed.bucket) || is_filled_in(&placed.bucket, &other.bucket)
    };
    if let Some(other) = std::iter::once(source).chain(taken).find(is_one) {
        return refuse(
            "bucket",
            format!(
                "`{}` and `{}` may be one bucket: write `{{account}}` in both names, or the account id in both",
                other.bucket, placed.bucket
            ),
        );
    }
    if let Some(other) = taken.iter().find(|other| other.bucket == placed.bucket)
        && other.region != *region
    {
        return refuse(
            "bucket",
            format!("`{}` stands here twice: each Region has a bucket of its own", placed.bucket),
        );
    }
    Ok(())
}

/// Refuses several destination buckets in one Region beside `replication.two_way`: the roles and the
/// policies of the reverse directions are known by their Regions.
fn check_ways_back(raw: &Raw, destinations: &[Placed]) -> Checked<()> {
    if !raw.replication.two_way.as_ref().is_some_and(|flag| flag.value) {
        return Ok(());
    }
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let is_other = |it: &&Placed| it.region == place.region && it.bucket != place.bucket;
        let Some(other) = destinations[..index].iter().find(is_other) else { continue };
        let message = format!(
            "`{}` has two destination buckets, `{}` and `{}`, and `replication.two_way` is on: each Region has one role that \
             replicates back",
            place.region, other.bucket, place.bucket
        );
        let at = entry.bucket.as_ref().unwrap_or(&entry.region).referenced;
        return Err(Located::at(at, format!("destinations[{index}]"), message)
            .hint("set `two_way: false`, or put the buckets in different Regions"));
    }
    Ok(())
}

/// Returns the distinct places, in the order of the list.
pub(super) fn distinct(placed: Vec<Placed>) -> Vec<Placed> {
    let mut distinct: Vec<Placed> = Vec::new();
    for place in placed {
        if !distinct.contains(&place) {
            distinct.push(place);
        }
    }
    distinct
}
