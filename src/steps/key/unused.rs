//! Keys may go only when nothing uses them: looked at once more right before, since another run may be at work.
//! Not for: which keys are to go (see `plan`).

use super::{LISTED_WITHIN, ids_of, tagged};
use crate::aws::Error;
use crate::aws::settle::{Look, Wait, pause, until};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::Side;
use crate::names::{Arn, KeyId, Region};
use crate::steps::{Steps, encryption, find};
use crate::world::Key;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// How long a bucket that was just removed may still answer.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// How old S3's word that a bucket is gone may be to be taken for now.
const JUST_NOW: Duration = Duration::from_millis(500);
/// The code of the failure that says so.
const STANDS: &str = "bucket-stands";

impl Steps {
    /// Schedules a key, and looks around before and after: another run may build the pair again while this one takes it away, and no
    /// lock keeps them apart. Where it does, what this run has scheduled comes back.
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

    /// Notes that S3 said that the bucket is gone.
    pub(in crate::steps) fn deleted(&self, side: &Side) {
        let mut deleted = self.deleted.lock().unwrap_or_else(PoisonError::into_inner);
        deleted.insert(side.bucket.clone(), Instant::now());
    }

    /// Returns whether this very run deleted every bucket of the pair, so recently that a look around would tell no more.
    fn has_just_deleted_all(&self) -> bool {
        let deleted = self.deleted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_gone =
            |side: &Side| deleted.get(&side.bucket).is_some_and(|at| at.elapsed() < JUST_NOW);
        self.topology.reached().all(is_gone)
    }

    /// Brings the keys back that this run has scheduled and under which a bucket stands again. A run that came later made others.
    async fn take_back(&self, progress: &Progress) -> Result<(), Failure> {
        let mut used = BTreeSet::new();
        for side in self.topology.reached() {
            let Ok(key) = self.any_key(&side.region) else { continue };
            let live = encryption::find(&self.aws, &side.bucket, &side.region).await?;
            if live.and_then(|it| it.key).as_deref()
                == Some(self.key_arn(&key, &side.region).as_str())
            {
                used.insert(key);
            }
        }
        // Those of a multi-Region key in all of its Regions.
        for region in self.topology.key_regions() {
            let Some(key) = self.any_key(region).ok().filter(|key| used.contains(key)) else {
                continue;
            };
            if self.going().remove(&self.key_arn(&key, region)).is_some() {
                self.revive(&key, region, progress).await?;
            }
        }
        Ok(())
    }

    /// Makes sure that nothing uses the key that is about to be scheduled: of the pair's own key, that none of the buckets stands;
    /// of a spare one, that none is encrypted under it.
    pub(in crate::steps) async fn nothing_uses(
        &self,
        arn: &Arn,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let is_the_pairs =
            self.any_key(region).is_ok_and(|key| arn.as_str().ends_with(key.as_str()));
        if !is_the_pairs {
            return self.encrypts_nothing(arn).await;
        }
        if self.topology.reached().all(|side| &side.region != region) {
            // A Region that the manifest does not name, such as one that `--prune` clears: the plan sees to its bucket.
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
            let looks = self.topology.reached().map(|side| async move {
                Ok::<_, Error>(find::stands(&self.aws, side).await?.then_some(&side.bucket))
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

    async fn encrypts_nothing(&self, arn: &Arn) -> Result<(), Failure> {
        for side in self.topology.reached() {
            let live = encryption::find(&self.aws, &side.bucket, &side.region).await?;
            if live.and_then(|it| it.key).is_some_and(|key| key == arn.as_str()) {
                let message = format!("the bucket `{}` is encrypted under {arn}", side.bucket);
                return Err(Failure::new(Kind::InTheWay, "key-in-use", message)
                    .in_region(&side.region)
                    .hint("another run may be at work: `crrctl plan` shows what stands"));
            }
        }
        Ok(())
    }

    /// A run that was cut off may have made a key that lists did not show when this one looked, so that it made another. Where it
    /// did, looks again, beside all else, until its own key is listed, and schedules what nothing uses. Returns when it had looked,
    /// once all is built.
    pub async fn schedule_late_spares(&self, progress: &Progress) -> Result<Instant, Failure> {
        let (mut looked, mut at) = (BTreeSet::new(), Instant::now());
        let mut moved = self.keys_moved.subscribe();
        loop {
            let is_last = *moved.borrow_and_update();
            let made: Vec<_> = self.book().made.clone().into_iter().collect();
            for (region, made) in made {
                if looked.insert(region.clone()) {
                    self.schedule_late_spares_in(&region, &made, progress).await?;
                    at = Instant::now();
                }
            }
            // Whoever sends is there as long as these steps are.
            if is_last || moved.changed().await.is_err() {
                return Ok(at);
            }
        }
    }

    /// Says that no key is made any more.
    pub fn is_built(&self) {
        self.keys_moved.send_replace(true);
    }

    /// Until an alias names a key, which one is the spare is open; a run that ends before that has none.
    async fn named(&self, region: &Region) -> Option<KeyId> {
        let is_settled = |is_last: &bool| *is_last || self.committed_key(region).is_ok();
        let mut moved = self.keys_moved.subscribe();
        moved.wait_for(is_settled).await.ok()?;
        self.committed_key(region).ok()
    }

    async fn schedule_late_spares_in(
        &self,
        region: &Region,
        made: &KeyId,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (tags, started) = (self.topology.owner_tags(), Instant::now());
        loop {
            let mut ids = ids_of(&self.aws, region, self.topology.key.kind).await?;
            let count = ids.len();
            ids.retain(|id| id != made.as_str());
            let is_listed = ids.len() < count;
            // A key whose tags this run may not read is not its own.
            let (ours, _) = tagged(&self.aws, region, ids, &tags).await?;
            let Some(key) = self.named(region).await else { return Ok(()) };
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

/// Whether lists may not have shown a key because it was only just made; an older one was seen, and judged, when the run began.
fn is_fresh(key: &Key) -> bool {
    let is_primary = key.multi_region.as_ref().is_none_or(|place| place.primary);
    let age = jiff::Timestamp::now().duration_since(key.created);
    is_primary && !key.is_pending_deletion() && age.as_hours() < 1
}
