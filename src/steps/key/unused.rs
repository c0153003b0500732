//! Schedules the deletion of a key only if nothing uses it. The use is checked again immediately
//! before, because another run may be at work.
//! Not for: which keys to delete (see `plan`).

use super::{LISTED_WITHIN, ids_of, tagged};
use crate::aws::Error;
use crate::aws::settle::{Look, Wait, pause};
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::BucketPlace;
use crate::names::{Arn, KeyId, Region};
use crate::settings::Encryption;
use crate::steps::find::{self, Stored};
use crate::steps::gone;
use crate::steps::revive;
use crate::steps::{Run, Steps};
use crate::world::Key;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long a bucket that another run deletes may still answer.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// The failure code if a bucket of the pair exists again.
const STANDS: &str = "bucket-stands";

/// Schedules the deletion of a key, and checks its use before and after: another run may build
/// the pair again at the same time, and no lock separates the two runs. In that case the keys
/// that this run scheduled are restored.
pub(in crate::steps) async fn schedule_unless_used(
    run: Run<'_>,
    arn: &Arn,
    region: &Region,
) -> Result<(), Failure> {
    let mut looked = Ok(());
    if !has_just_deleted_all(&run) {
        looked = nothing_uses(run, arn, region).await;
    }
    if looked.is_ok() {
        super::schedule_key(run, arn, region).await?;
        looked = nothing_uses(run, arn, region).await;
    }
    let Err(failure) = looked else { return Ok(()) };
    if failure.code == STANDS {
        take_back(run).await.map_err(|taken| {
                taken.hint("a key under which a bucket stands is scheduled: `crrctl apply --revive-keys` brings it back")
            })?;
    }
    Err(failure)
}

/// Returns whether this run deleted every bucket of the pair so recently that a check would
/// show nothing new.
fn has_just_deleted_all(steps: &Steps) -> bool {
    let buckets = steps.scope.topology.reached().map(|side| &side.bucket);
    steps.record.noted().deleted.has_all_just_now(buckets, Instant::now())
}

/// Restores the keys that this run scheduled and that encrypt a bucket again. If a later run
/// created other keys, the scheduled keys stay scheduled.
async fn take_back(run: Run<'_>) -> Result<(), Failure> {
    let mut used = BTreeSet::new();
    for side in run.scope.topology.reached() {
        let Ok(key) = run.keys.any_in(&side.region) else { continue };
        let live = Encryption::find(&run.aws, &side.bucket, &side.region).await?;
        let arn = run.scope.key_arn(&key, &side.region);
        if live.as_ref().and_then(Encryption::key) == Some(arn.as_str()) {
            used.insert(key);
        }
    }
    // A multi-Region key is restored in all its Regions.
    for region in run.scope.topology.key_regions() {
        let Some(key) = run.keys.any_in(region).ok().filter(|key| used.contains(key)) else {
            continue;
        };
        let arn = run.scope.key_arn(&key, region);
        let is_ours = run.record.noted().scheduled.take_back(&arn);
        if is_ours {
            revive::revive(run, &key, region).await?;
        }
    }
    Ok(())
}

/// Checks that nothing uses the key about to be scheduled: for the pair's own key, that none of
/// the buckets exists; for a spare key, that no bucket is encrypted under it.
pub(in crate::steps) async fn nothing_uses(
    run: Run<'_>,
    arn: &Arn,
    region: &Region,
) -> Result<(), Failure> {
    let is_the_pairs =
        run.keys.any_in(region).is_ok_and(|key| arn.as_str().ends_with(key.as_str()));
    if !is_the_pairs {
        return encrypts_nothing(&run, arn).await;
    }
    if run.scope.topology.reached().all(|side| &side.region != region) {
        // A Region that the manifest does not name, such as one that `--prune` clears. The plan
        // takes care of its bucket.
        return Ok(());
    }
    let wait = Wait {
        what: "the pair's buckets to be gone".to_owned(),
        every: Duration::from_millis(500),
        at_most_every: Duration::from_secs(1),
        at_most: GONE_WITHIN,
        in_a_row: 1,
        hint: String::new(),
    };
    let look = || async {
        let looks = run.scope.topology.reached().map(|side| async move {
            Ok::<_, Error>(stands(&run, side).await?.then_some(&side.bucket))
        });
        let standing = joined::all(looks).await?.into_iter().flatten().next();
        Ok(standing.map_or(Look::There(()), |name| Look::NotYet(format!("`{name}` stands"))))
    };
    run.until(&wait, look).await.map_err(|failure| {
        if failure.code != "too-late" {
            return failure;
        }
        let message =
            format!("{arn} stays, since a bucket of the pair stands again: {}", failure.message);
        Failure::new(Kind::LeftBehind, STANDS, message)
            .hint("another run is building the pair: end it, then `crrctl destroy` again")
    })
}

/// Returns whether the bucket exists.
async fn stands(steps: &Steps, side: &BucketPlace) -> Result<bool, Error> {
    let is_deleted = steps.record.noted().deleted.has(&side.bucket);
    let stands = find::stands(&steps.aws, side).await?;
    Ok(stands && (!is_deleted || gone::has_tagging(steps, side).await?))
}

async fn encrypts_nothing(steps: &Steps, arn: &Arn) -> Result<(), Failure> {
    for side in steps.scope.topology.reached() {
        let live = Encryption::find(&steps.aws, &side.bucket, &side.region).await?;
        if live.as_ref().and_then(Encryption::key) == Some(arn.as_str()) {
            let message = format!("the bucket `{}` is encrypted under {arn}", side.bucket);
            return Err(Failure::new(Kind::InTheWay, "key-in-use", message)
                .in_region(&side.region)
                .hint("another run may be at work: `crrctl plan` shows what stands"));
        }
    }
    Ok(())
}

/// Schedules spare keys that appear late. An interrupted run may have created a key that lists
/// did not show when this run searched, so this run created another key. If this run created a
/// key, it searches again, concurrently with other work, until its own key is listed, and
/// schedules the keys that nothing uses. Returns the time of the last search, once everything
/// is built.
pub(in crate::steps) async fn schedule_late_spares(run: Run<'_>) -> Result<Instant, Failure> {
    let (mut looked, mut at) = (BTreeSet::new(), Instant::now());
    let mut changes = run.keys.changes();
    loop {
        let (is_last, made) = {
            let keys = changes.borrow_and_update();
            (keys.is_complete(), keys.made().clone())
        };
        for (region, made) in made {
            if looked.insert(region.clone()) {
                schedule_late_spares_in(run, &region, &made).await?;
                at = Instant::now();
            }
        }
        // The sender is part of `run`, so the channel is open.
        if is_last || changes.changed().await.is_err() {
            return Ok(at);
        }
    }
}

async fn schedule_late_spares_in(
    run: Run<'_>,
    region: &Region,
    made: &KeyId,
) -> Result<(), Failure> {
    let (tags, started) = (run.scope.topology.wanted.owner_tags(), Instant::now());
    loop {
        let mut ids = ids_of(&run.aws, region, run.scope.topology.wanted.key.kind).await?;
        let count = ids.len();
        ids.retain(|id| id != made.as_str());
        let is_listed = ids.len() < count;
        // A key whose tags this run may not read is not the pair's.
        let (ours, _) = tagged(&run.aws, region, ids, &tags).await?;
        let Some(key) = run.keys.named(region).await else { return Ok(()) };
        for spare in ours.iter().filter(|it| it.id != key && is_fresh(it)) {
            schedule_spare(run, &spare.arn, &spare.id, region).await?;
        }
        if is_listed || started.elapsed() > LISTED_WITHIN || run.stop.is_ending() {
            return Ok(());
        }
        pause(&run.stop, Duration::from_secs(1)).await;
    }
}

async fn schedule_spare(
    run: Run<'_>,
    arn: &Arn,
    id: &KeyId,
    region: &Region,
) -> Result<(), Failure> {
    nothing_uses(run, arn, region).await?;
    run.progress
        .note(format!("{id} was made by a run that was cut off; nothing uses it: it is scheduled"));
    super::schedule_key(run, arn, region).await
}

/// Returns whether the key is so new that lists may not have shown it. An older key was seen and
/// judged when the run began.
fn is_fresh(key: &Key) -> bool {
    let is_primary = key.multi_region.as_ref().is_none_or(|place| place.primary);
    let age = jiff::Timestamp::now().duration_since(key.created);
    is_primary && !key.is_pending_deletion() && age.as_hours() < 1
}
