//! Where things are and what they are called: Regions, buckets, the role; placeholders are filled in.

use super::super::error::Located;
use super::super::raw::{RawDestination, RawSide};
use super::super::topology::Placed;
use super::{Checked, named};
use crate::names::{BucketName, InvalidName, PairName, Region, RoleName};
use serde_saphyr::{Location, Spanned};

/// Stands for the account until it is known; every account id is as long.
const SOME_ACCOUNT: &str = "000000000000";

/// Fills placeholders: `{account}` stays, and is tried with an id of the same length.
pub(super) struct Fill<'a> {
    pub(super) name: &'a PairName,
    pub(super) run: Option<&'a str>,
}

impl Fill<'_> {
    pub(super) fn side(&self, path: &str, raw: &RawSide) -> Checked<Placed> {
        self.place(path, &raw.region, raw.bucket.as_ref(), DEFAULT_BUCKET)
    }

    fn place(
        &self,
        path: &str,
        region: &Spanned<String>,
        bucket: Option<&Spanned<String>>,
        default: &str,
    ) -> Checked<Placed> {
        let region = named(&format!("{path}.region"), region, Region::new)?;
        let key = format!("{path}.bucket");
        let (template, at) = match bucket {
            Some(given) => (given.value.as_str(), given.referenced),
            None => (default, Location::UNKNOWN),
        };
        let bucket = self.text(&key, template, at, &region)?;
        tried(&key, &bucket, at, |name| BucketName::new(name).map(drop))?;
        Ok(Placed { region, bucket })
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

const DEFAULT_BUCKET: &str = "{name}-{account}-{region}";

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

/// Places every destination of the list; two that are one bucket have a rule each.
pub(super) fn destinations(
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
        // In the source's own Region the usual name is the source's.
        let is_same = destination.region.value == source.region.as_str();
        let default =
            if is_same { format!("{DEFAULT_BUCKET}-r") } else { DEFAULT_BUCKET.to_owned() };
        let bucket = destination.bucket.as_ref();
        let placed = fill.place(&path, &destination.region, bucket, &default)?;
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
    if let Some(other) = taken.iter().find(|other| other.bucket == placed.bucket)
        && other.region != *region
    {
        return refuse(
            "bucket",
            format!("`{}` stands here twice: each Region has a bucket of its own", placed.bucket),
        );
    }
    if let Some(other) = taken.iter().find(|other| other.region == *region)
        && other.bucket != placed.bucket
    {
        return refuse(
            "region",
            format!(
                "`{region}` stands here twice, with the buckets `{}` and `{}`: one destination bucket a Region is allowed, \
                 with as many rules as it needs",
                other.bucket, placed.bucket
            ),
        );
    }
    Ok(())
}

/// Returns each place once, in the order of the list.
pub(super) fn distinct(placed: Vec<Placed>) -> Vec<Placed> {
    let mut distinct: Vec<Placed> = Vec::new();
    for place in placed {
        if !distinct.contains(&place) {
            distinct.push(place);
        }
    }
    distinct
}
