//! Checks whether the pair is still as the run left it: its aliases name its keys, the keys are
//! usable, and its rules are in place. Each resource is checked as early as possible, concurrently
//! with other work, so that the end of the run needs no further check.
//! Not for: whether the pair matches the manifest (see `plan`) or works (see `probe`).

use super::{Run, Steps, find};
use crate::aws::settle::{Look, Wait};
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::{BucketPlace, Side, Topology};
use crate::names::Region;
use crate::world::KeyState;
use std::time::Duration;
use tokio::time::Instant;

/// The failure code if the pair does not stand as this run left it.
const CHANGED: &str = "changed-meanwhile";

/// How long a resource that a run has just created may take to appear in reads.
const SHOWS_WITHIN: Duration = Duration::from_secs(20);

/// Checks the keys whose aliases exist, at the same time as the rules that were just written.
/// An alias of another Region that is still missing is recorded when it is created.
pub(super) async fn keys_stand(run: Run<'_>) -> Result<(), Failure> {
    let known = |region: &&Region| {
        run.beginning.had_alias(region) || run.record.noted().seen.has_alias(region)
    };
    let regions = run.scope.topology.key_regions().into_iter().filter(known).cloned().collect();
    until_standing(run, regions, Vec::new(), SHOWS_WITHIN).await
}

/// Checks every alias and rule that was not verified since `since`. `fresh` means that this run
/// created some of them, so reads may be stale.
pub(super) async fn still_stands(run: Run<'_>, since: Instant, fresh: bool) -> Result<(), Failure> {
    let (regions, directions) = {
        let noted = run.record.noted();
        let seen = &noted.seen;
        let regions = run.scope.topology.key_regions().into_iter().cloned();
        let regions = regions.filter(|it| !run.scope.topology.wanted.is_handed_over(it));
        let regions: Vec<Region> = regions.filter(|it| !seen.has_alias_since(it, since)).collect();
        let mut directions = run.scope.topology.directions();
        directions.retain(|it| !seen.has_rules_since(&it.source.bucket, since));
        (regions, directions)
    };
    let within = if fresh { SHOWS_WITHIN } else { Duration::ZERO };
    let stands = until_standing(run, regions.clone(), directions.clone(), within);
    match stands.await {
        Err(failure) if fresh && failure.code == CHANGED && names_again(run, &regions).await? => {
            until_standing(run, regions, directions, within).await
        }
        stands => stands,
    }
}

/// Creates the aliases again that existed when this run began and are gone, while their keys are
/// Enabled: a removal that was cut off had deleted them a moment before, and they were still read. A
/// removal at work would have scheduled the keys in the time that this run has waited. Returns
/// whether there are such aliases.
async fn names_again(run: Run<'_>, regions: &[Region]) -> Result<bool, Failure> {
    let (alias, mut any) = (run.scope.topology.wanted.key.alias.as_str(), false);
    for region in regions.iter().filter(|region| run.beginning.had_alias(region)) {
        if find::key(&run.aws, region, alias).await?.is_some() {
            continue;
        }
        let key = run.keys.any_in(region)?;
        let found = find::key(&run.aws, region, key.as_str()).await?;
        if found.is_some_and(|key| key.state == KeyState::Enabled) {
            any |= super::alias::create(run, key, region).await?;
        }
    }
    Ok(any)
}

async fn until_standing(
    run: Run<'_>,
    regions: Vec<Region>,
    directions: Vec<Topology>,
    within: Duration,
) -> Result<(), Failure> {
    let wait = Wait {
        what: "the pair to stand as this run left it".to_owned(),
        every: Duration::from_millis(500),
        at_most_every: Duration::from_secs(5),
        at_most: within,
        in_a_row: 1,
        hint: String::new(),
    };
    let look = || async {
        let gone = what_is_gone(&run, &regions, &directions).await?;
        Ok(gone.map_or(Look::There(()), Look::NotYet))
    };
    let looked = run.until(&wait, look).await;
    looked.map_err(|failure| if failure.code == "too-late" { changed(&failure) } else { failure })
}

async fn what_is_gone(
    steps: &Steps,
    regions: &[Region],
    directions: &[Topology],
) -> Result<Option<String>, Failure> {
    let keys = joined::all(regions.iter().map(|region| key_that_is_gone(steps, region)));
    let rules = joined::all(directions.iter().map(|it| rule_that_is_gone(steps, it)));
    let (keys, rules) = joined::both(keys, rules).await?;
    Ok(keys.into_iter().chain(rules).flatten().next())
}

async fn key_that_is_gone(steps: &Steps, region: &Region) -> Result<Option<String>, Failure> {
    let (alias, keys) = (steps.scope.topology.wanted.key.alias.as_str(), steps.keys());
    let at = Instant::now();
    Ok(match find::key(&steps.aws, region, alias).await? {
        Some(found) if Some(&found.id) != keys.id(region) => {
            Some(format!("`{alias}` in {region} names {}", found.id))
        }
        // The key's own step waits until the key is created.
        Some(found) if found.state == KeyState::Creating => None,
        Some(found) if found.state != KeyState::Enabled => {
            Some(format!("{} is {}", found.arn, found.state))
        }
        Some(_) => {
            steps.record.noted().seen.alias(region, at);
            None
        }
        None => Some(format!("`{alias}` is gone in {region}")),
    })
}

async fn rule_that_is_gone(steps: &Steps, direction: &Topology) -> Result<Option<String>, Failure> {
    let BucketPlace { bucket, region } = &direction.source.place;
    let live = find::replication(&steps.aws, bucket, region).await?;
    let is_live = |id: &str| live.iter().flat_map(|live| &live.rules).any(|rule| rule.id == id);
    let has = |side: &Side| direction.rules_to(side).all(|rule| is_live(&rule.id));
    let gone = direction.destinations.iter().find(|side| !has(side));
    Ok(gone.map(|side| format!("`{bucket}` has no rule to {}", side.region)))
}

fn changed(failure: &Failure) -> Failure {
    changed_meanwhile(&failure.message)
}

/// The pair does not stand as this run left it, because of `what`.
pub fn changed_meanwhile(what: &str) -> Failure {
    let message = format!("the pair was changed while this run was at work; {what}");
    Failure::new(Kind::InTheWay, CHANGED, message)
        .hint("another run may be removing it: once that is done, `crrctl plan` shows what stands")
}
