//! Plans Object Lock and lifecycle settings. Object Lock can't be turned off, and crrctl doesn't
//! turn it on for an adopted bucket.
//! Not for: writing the settings (see `steps`).

use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::{Retention, Side};
use crate::plan::lifecycle;
use crate::world::{Bucket, DefaultRetention, Lock};

/// Returns the id of the step that sets Object Lock on the bucket of `side`.
pub(super) fn lock_step(side: &Side) -> StepId {
    StepId::new(Kind::ObjectLock, side.bucket.as_str())
}

impl Builder<'_> {
    /// Plans the destinations first: the destinations of a locked source bucket must have Object
    /// Lock before it does.
    pub(super) fn locks(&mut self) -> Result<(), Failure> {
        let topology = self.topology;
        let wanted = topology.buckets.lock.as_ref();
        let mut before = Vec::new();
        for side in topology.destinations.iter().chain([&topology.source]) {
            let live = self.world.buckets.get(&side.bucket);
            let Some(lock) = wanted else {
                if let Some(live) = live.and_then(|bucket| bucket.lock.as_ref()) {
                    return Err(cannot_go(side, live));
                }
                continue;
            };
            let found = match live.map(|bucket| (bucket, &bucket.lock)) {
                // `CreateBucket` turns Object Lock on.
                None if lock.retention.is_none() => Found::Differs(vec![]),
                None => Found::Missing,
                Some((bucket, None)) if self.may_lock(side, bucket) => Found::Missing,
                Some((_, None)) => return Err(unlocked(side)),
                Some((_, Some(live))) => {
                    let same = is_same(live.retention.as_ref(), lock.retention);
                    Found::Differs(if same { vec![] } else { vec!["default retention"] })
                }
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
            self.add_setting(Kind::ObjectLock, side, found, &needs);
        }
        Ok(())
    }

    fn may_lock(&self, side: &Side, bucket: &Bucket) -> bool {
        !self.topology.is_adopted(&side.bucket, &bucket.tags)
    }

    pub(super) fn lifecycles(&mut self) {
        let topology = self.topology;
        let wanted = lifecycle::wanted(topology);
        for side in topology.sides() {
            let live = self.world.buckets.get(&side.bucket);
            let live = live.iter().flat_map(|bucket| &bucket.lifecycle);
            let ours = live.clone().find(|rule| lifecycle::is_ours(topology, &rule.id));
            let found = match (ours, &wanted) {
                (None, None) => continue,
                (None, Some(_)) => Found::Missing,
                (Some(live), Some(wanted)) if live == wanted => Found::Differs(vec![]),
                (Some(_), _) => Found::Differs(vec!["rule"]),
            };
            let needs = [Kind::Bucket, Kind::BucketTags];
            let needs = needs.map(|kind| StepId::new(kind, side.bucket.as_str()));
            self.add_setting(Kind::Lifecycle, side, found, &needs);
        }
    }

    fn add_setting(&mut self, kind: Kind, side: &Side, found: Found, needs: &[StepId]) {
        let name = side.bucket.as_str();
        let arn = Some(side.bucket.arn(self.topology.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(kind, &StepId::new(kind, name), &side.region, name, arn, found, &needs);
    }
}

/// A live retention period in years differs from one in days: a year is not converted to 365 days.
fn is_same(live: Option<&DefaultRetention>, wanted: Option<Retention>) -> bool {
    match (live, wanted) {
        (None, None) => true,
        (Some(live), Some(wanted)) => {
            live.mode == wanted.mode.as_str()
                && live.days == Some(wanted.days)
                && live.years.is_none()
        }
        _ => false,
    }
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
