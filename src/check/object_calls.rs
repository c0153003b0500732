//! S3's calls for objects that are there: one that the user names, and some of those that FAILED,
//! each under the key that it has.
//! Not for: reading an object (see `object`), or evaluating calls (see `proof`).

use super::object::Found;
use super::seen::Seen;
use super::{Finding, Object, Settings, Verdict, keys, object, objects, proof};
use crate::aws::Aws;
use crate::failure::{self, Failure};
use crate::manifest::{KeyWish, Manifest};
use crate::policy::Templates;
use crate::policy::proof::Row;

/// Returns what was seen of the direction whose source has the object.
pub(super) async fn source_of(
    aws: &Aws,
    manifest: &Manifest,
    seen: Seen,
    object: &Object,
) -> Result<Seen, Failure> {
    if seen.topology.source.bucket == object.bucket {
        return Ok(seen);
    }
    let back = seen.topology.backward().find(|back| back.source.bucket == object.bucket);
    let Some(back) = back else {
        let message = format!(
            "`{}` is the source of no direction of the pair `{}`",
            object.bucket, seen.topology.wanted.name
        );
        return Err(Failure::new(failure::Kind::Manifest, "object-elsewhere", message).hint(
            "name an object of the source: a replica tells nothing of why its source FAILED",
        ));
    };
    Ok(Seen::look(aws, manifest, back).await)
}

/// Checks the newest objects, and proves S3's calls for some of those that FAILED, one of each kind.
pub(super) async fn of_failed(
    aws: &Aws,
    seen: &Seen,
    templates: &Templates,
    settings: &Settings,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let (mut findings, failed) = objects::check(aws, seen).await;
    let (mut rows, mut proven): (Vec<Row>, Vec<Found>) = (Vec::new(), Vec::new());
    for (key, version_id) in failed {
        let bucket = seen.topology.source.bucket.clone();
        let object = Object { bucket, key, version_id };
        // An object that is gone by now, or that can't be read, tells nothing.
        let Ok((_, Some(found))) = object::check(aws, seen, &object).await else { continue };
        if proven.len() == PROVEN || proven.iter().any(|it| it.is_like(&found)) {
            continue;
        }
        let (told, calls) = proven_for(aws, seen, templates, settings, &object, &found).await?;
        findings.extend(told);
        rows.extend(calls);
        proven.push(found);
    }
    Ok((findings, rows))
}

/// The number of FAILED objects for which S3's calls are proven.
const PROVEN: usize = 3;

/// Checks one object, and proves S3's calls for it.
pub(super) async fn of_object(
    aws: &Aws,
    seen: Seen,
    templates: &Templates,
    settings: &Settings,
    object: &Object,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let (mut findings, found) = object::check(aws, &seen, object).await?;
    let Some(found) = found else { return Ok((findings, Vec::new())) };
    let (told, rows) = proven_for(aws, &seen, templates, settings, object, &found).await?;
    findings.extend(told);
    Ok((findings, rows))
}

/// Proves S3's calls for an object, under the key that it has.
async fn proven_for(
    aws: &Aws,
    seen: &Seen,
    templates: &Templates,
    settings: &Settings,
    object: &Object,
    found: &Found,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let pairs = seen.topology.wanted.key_arn(&seen.pair_keys, &seen.topology.source);
    let mut seen = seen.clone();
    let (mut of_key, mut told) = (Vec::new(), format!("for `{}`", object.key));
    match &found.key {
        None => seen.topology.direction.source.key = KeyWish::Nothing,
        Some(key) if pairs.as_ref().is_some_and(|arn| arn.as_str() == key) => {}
        Some(key) => {
            told = format!("{told}, under {key}");
            seen = seen.with_source_key(aws, key).await;
            of_key = keys_of_source(&seen);
        }
    }
    let (proven, rows) = proof::of_object(&seen, templates, settings, found)?;
    let all = of_key.into_iter().chain(proven).filter(|it| it.result != Verdict::Pass);
    let all = all.map(|finding| Finding {
        detail: format!("{told}: {}", finding.detail),
        of_object: true,
        ..finding
    });
    Ok((all.collect(), rows))
}

/// Returns the findings about the key of the source.
fn keys_of_source(seen: &Seen) -> Vec<Finding> {
    let region = &seen.topology.source.region;
    let is_of_key =
        |it: &Finding| it.name.starts_with("key.") && it.region.as_ref() == Some(region);
    keys::check(seen).into_iter().filter(is_of_key).collect()
}

/// Checks the source under another key than the pair's. `told` says in each finding what is under
/// that key.
pub(super) async fn under_key(
    aws: &Aws,
    seen: Seen,
    templates: &Templates,
    settings: &Settings,
    key: &str,
    told: &str,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let seen = seen.with_source_key(aws, key).await;
    let of_key = keys_of_source(&seen).into_iter();
    let (proven, rows) = proof::check(&seen, templates, settings, false)?;
    let proven = proven.into_iter().filter(|it| it.name != "organisation");
    let found = of_key.chain(proven).filter(|it| it.result != Verdict::Pass);
    let found =
        found.map(|finding| Finding { detail: format!("{told}: {}", finding.detail), ..finding });
    Ok((found.collect(), rows))
}
