//! Plans Object Lock and lifecycle settings. Object Lock can't be turned off, and crrctl doesn't
//! turn it on for an adopted bucket.
//! Not for: writing the settings (see `steps`).

use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::Side;
use crate::plan::work::{LifecycleDiffers, SharedDocument};
use crate::plan::{Work, lifecycle};
use crate::settings::{DefaultRetention, Lock, Retention, Setting};
use crate::world::Bucket;

/// Returns the id of the step that sets Object Lock on the bucket of `side`.
pub(super) fn lock_step(side: &Side) -> StepId {
    StepId::new(Kind::ObjectLock, side.bucket.as_str())
}

impl Builder<'_> {
    /// Plans the destinations first: the destinations of a locked source bucket must have Object
    /// Lock before it does.
    pub(super) fn locks(&mut self) -> Result<(), Failure> {
        let topology = self.topology;
        let wanted = topology.wanted.buckets.lock.as_ref();
        let mut before = Vec::new();
        for side in topology.destinations.iter().chain([&topology.source]) {
            let live = self.world.buckets.get(&side.bucket);
            let Some(lock) = wanted else {
                if let Some(live) = live.and_then(|bucket| bucket.lock()) {
                    return Err(cannot_go(side, live));
                }
                continue;
            };
            let retention = lock.retention.map(as_found);
            let work = match live.map(|bucket| (bucket, bucket.lock())) {
                // `CreateBucket` turns Object Lock on.
                None if retention.is_none() => Setting::Unchanged,
                None => Setting::Create(Lock { retention }),
                Some((bucket, None)) if self.may_lock(side, bucket) => {
                    Setting::Create(Lock { retention })
                }
                Some((_, None)) => return Err(unlocked(side)),
                Some((_, Some(live))) => Setting::of(Some(live.clone()), Lock { retention }),
            };
            let step = lock_step(side);
            let bucket = StepId::new(Kind::Bucket, side.bucket.as_str());
            let tags = StepId::new(Kind::BucketTags, side.bucket.as_str());
            let versioning = StepId::new(Kind::Versioning, side.bucket.as_str());
            let mut needs = vec![bucket, tags, versioning];
            if side == &topology.source {
                needs.append(&mut before);
            } else {
                before.push(step.clone());
            }
            self.add_setting(Work::Document(work.into()), side, &needs);
        }
        Ok(())
    }

    fn may_lock(&self, side: &Side, bucket: &Bucket) -> bool {
        !self.topology.wanted.is_adopted(&side.bucket, &bucket.tags)
    }

    pub(super) fn lifecycles(&mut self) {
        let topology = self.topology;
        let wanted = lifecycle::wanted(topology);
        for side in topology.sides() {
            let live = self.world.buckets.get(&side.bucket);
            let live = live.iter().flat_map(|bucket| &bucket.lifecycle);
            let ours = live.clone().find(|rule| lifecycle::is_ours(topology, &rule.id));
            let work = match (ours, &wanted) {
                (None, None) => continue,
                (None, Some(wanted)) => SharedDocument::Create(wanted.clone()),
                (Some(live), Some(wanted)) if live == wanted => SharedDocument::Unchanged,
                (Some(live), wanted) => SharedDocument::Update(LifecycleDiffers {
                    from: live.clone(),
                    to: wanted.clone(),
                }),
            };
            let needs = [Kind::Bucket, Kind::BucketTags];
            let needs = needs.map(|kind| StepId::new(kind, side.bucket.as_str()));
            self.add_setting(Work::Lifecycle(work), side, &needs);
        }
    }

    pub(super) fn add_setting(&mut self, work: Work, side: &Side, needs: &[StepId]) {
        let name = side.bucket.as_str();
        let arn = Some(side.bucket.arn(self.topology.wanted.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(work, name, &side.region, name, arn, &needs);
    }
}

/// Returns a wanted retention as S3 returns it. A live retention period in years differs from one in
/// days: a year is not converted to 365 days.
fn as_found(wanted: Retention) -> DefaultRetention {
    DefaultRetention { mode: wanted.mode.as_str().to_owned(), days: Some(wanted.days), years: None }
}

fn cannot_go(side: &Side, live: &Lock) -> Failure {
    let message = format!(
        "the bucket `{}` has Object Lock, which can't be taken off, and the manifest wants none",
        side.bucket
    );
    let wanted = match &live.retention {
        None => "`buckets: {object_lock: true}`".to_owned(),
        Some(DefaultRetention { mode, days: Some(days), .. }) => {
            let mode = mode.to_lowercase();
            format!("`buckets: {{object_lock: {{mode: {mode}, days: {days}}}}}`")
        }
        Some(other) => {
            format!("`buckets: {{object_lock: …}}`; its default retention is {other}")
        }
    };
    in_the_way("object-lock-on", message, &side.region)
        .hint(format!("to keep it: {wanted}, which holds of every bucket of the pair"))
        .hint("else use another bucket")
}

/// Object Lock can't be turned off, so the owner of an adopted bucket must turn it on.
fn unlocked(side: &Side) -> Failure {
    let bucket = &side.bucket;
    let message = format!(
        "the manifest adopts the bucket `{bucket}` and wants Object Lock, which it does not have: that can't be undone, so crrctl \
         turns it on only for buckets that it makes"
    );
    in_the_way("object-lock-missing", message, &side.region).hint(format!(
        "turn it on yourself: `aws s3api put-object-lock-configuration --bucket {bucket} --region {} --object-lock-configuration \
         ObjectLockEnabled=Enabled`; the bucket must be versioned",
        side.region
    ))
}
