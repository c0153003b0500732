//! Schedules the deletion of a key only if nothing uses it. The use is checked again immediately
//! before, because another run may be at work.
//! Not for: which keys to delete (see `plan`).

use super::{LISTED_WITHIN, ids_of, tagged};
use crate::aws::Error;
use crate::aws::settle::{Look, Wait, pause, until};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::BucketPlace;
use crate::names::{Arn, KeyId, Region};
use crate::settings::Encryption;
use crate::steps::Steps;
use crate::steps::find::{self, Stored};
use crate::world::Key;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long a bucket that another run deletes may still answer.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// The failure code if a bucket of the pair exists again.
const STANDS: &str = "bucket-stands";

impl Steps {
    /// Schedules the deletion of a key, and checks its use before and after: another run may build
    /// the pair again at the same time, and no lock separates the two runs. In that case the keys
    /// that this run scheduled are restored.
    pub(in crate::steps) async fn schedule_unless_used(
        &self,
        arn: &Arn,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut looked = Ok(());
        if !self.has_just_deleted_all() {
            looked = self.nothing_uses(arn, region, progress).await;
        }
        if looked.is_ok() {
            self.schedule_key(arn, region, progress).await?;
            looked = self.nothing_uses(arn, region, progress).await;
        }
        let Err(failure) = looked else { return Ok(()) };
        if failure.code == STANDS {
            self.take_back(progress).await.map_err(|taken| {
                taken.hint("a key under which a bucket stands is scheduled: `crrctl apply --revive-keys` brings it back")
            })?;
        }
        Err(failure)
    }

    /// Returns whether this run deleted every bucket of the pair so recently that a check would
    /// show nothing new.
    fn has_just_deleted_all(&self) -> bool {
        let buckets = self.scope.topology.reached().map(|side| &side.bucket);
        self.record.noted().deleted.has_all_just_now(buckets, Instant::now())
    }

    /// Restores the keys that this run scheduled and that encrypt a bucket again. If a later run
    /// created other keys, the scheduled keys stay scheduled.
    async fn take_back(&self, progress: &Progress) -> Result<(), Failure> {
        let mut used = BTreeSet::new();
        for side in self.scope.topology.reached() {
            let Ok(key) = self.keys.any_in(&side.region) else { continue };
            let live = Encryption::find(&self.aws, &side.bucket, &side.region).await?;
            let arn = self.scope.key_arn(&key, &side.region);
            if live.as_ref().and_then(Encryption::key) == Some(arn.as_str()) {
                used.insert(key);
            }
        }
        // A multi-Region key is restored in all its Regions.
        for region in self.scope.topology.key_regions() {
            let Some(key) = self.keys.any_in(region).ok().filter(|key| used.contains(key)) else {
                continue;
            };
            let arn = self.scope.key_arn(&key, region);
            let is_ours = self.record.noted().scheduled.take_back(&arn);
            if is_ours {
                self.revive(&key, region, progress).await?;
            }
        }
        Ok(())
    }

    /// Checks that nothing uses the key about to be scheduled: for the pair's own key, that none of
    /// the buckets exists; for a spare key, that no bucket is encrypted under it.
    pub(in crate::steps) async fn nothing_uses(
        &self,
        arn: &Arn,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let is_the_pairs =
            self.keys.any_in(region).is_ok_and(|key| arn.as_str().ends_with(key.as_str()));
        if !is_the_pairs {
            return self.encrypts_nothing(arn).await;
        }
        if self.scope.topology.reached().all(|side| &side.region != region) {
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
            let looks = self.scope.topology.reached().map(|side| async move {
                Ok::<_, Error>(self.stands(side).await?.then_some(&side.bucket))
            });
            let standing = joined::all(looks).await?.into_iter().flatten().next();
            Ok(standing.map_or(Look::There(()), |name| Look::NotYet(format!("`{name}` stands"))))
        };
        until(&self.stop, progress, &wait, look).await.map_err(|failure| {
            if failure.code != "too-late" {
                return failure;
            }
            let message = format!(
                "{arn} stays, since a bucket of the pair stands again: {}",
                failure.message
            );
            Failure::new(Kind::LeftBehind, STANDS, message)
                .hint("another run is building the pair: end it, then `crrctl destroy` again")
        })
    }

    /// Returns whether the bucket exists.
    async fn stands(&self, side: &BucketPlace) -> Result<bool, Error> {
        let is_deleted = self.record.noted().deleted.has(&side.bucket);
        let stands = find::stands(&self.aws, side).await?;
        Ok(stands && (!is_deleted || self.has_tagging(side).await?))
    }

    async fn encrypts_nothing(&self, arn: &Arn) -> Result<(), Failure> {
        for side in self.scope.topology.reached() {
            let live = Encryption::find(&self.aws, &side.bucket, &side.region).await?;
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
    pub async fn schedule_late_spares(&self, progress: &Progress) -> Result<Instant, Failure> {
        let (mut looked, mut at) = (BTreeSet::new(), Instant::now());
        let mut changes = self.keys.changes();
        loop {
            let (is_last, made) = {
                let keys = changes.borrow_and_update();
                (keys.is_complete(), keys.made().clone())
            };
            for (region, made) in made {
                if looked.insert(region.clone()) {
                    self.schedule_late_spares_in(&region, &made, progress).await?;
                    at = Instant::now();
                }
            }
            // The sender is part of `self`, so the channel is open.
            if is_last || changes.changed().await.is_err() {
                return Ok(at);
            }
        }
    }

    async fn schedule_late_spares_in(
        &self,
        region: &Region,
        made: &KeyId,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (tags, started) = (self.scope.topology.wanted.owner_tags(), Instant::now());
        loop {
            let mut ids = ids_of(&self.aws, region, self.scope.topology.wanted.key.kind).await?;
            let count = ids.len();
            ids.retain(|id| id != made.as_str());
            let is_listed = ids.len() < count;
            // A key whose tags this run may not read is not the pair's.
            let (ours, _) = tagged(&self.aws, region, ids, &tags).await?;
            let Some(key) = self.keys.named(region).await else { return Ok(()) };
            for spare in ours.iter().filter(|it| it.id != key && is_fresh(it)) {
                self.schedule_spare(&spare.arn, &spare.id, region, progress).await?;
            }
            if is_listed || started.elapsed() > LISTED_WITHIN || self.stop.is_ending() {
                return Ok(());
            }
            pause(&self.stop, Duration::from_secs(1)).await;
        }
    }

    async fn schedule_spare(
        &self,
        arn: &Arn,
        id: &KeyId,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        self.nothing_uses(arn, region, progress).await?;
        progress.note(format!(
            "{id} was made by a run that was cut off; nothing uses it: it is scheduled"
        ));
        self.schedule_key(arn, region, progress).await
    }
}

/// Returns whether the key is so new that lists may not have shown it. An older key was seen and
/// judged when the run began.
fn is_fresh(key: &Key) -> bool {
    let is_primary = key.multi_region.as_ref().is_none_or(|place| place.primary);
    let age = jiff::Timestamp::now().duration_since(key.created);
    is_primary && !key.is_pending_deletion() && age.as_hours() < 1
}
