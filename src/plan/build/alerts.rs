//! Plans the entry of the notification configuration by which S3 alerts of failures.
//! Not for: writing it (see `steps`), or whether S3 can publish to the target (see
//! `plan::alert_target`).

use super::Builder;
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::plan::work::{NotificationDiffers, SharedDocument};
use crate::plan::{Work, alerts};
use crate::settings::Notifications;

impl Builder<'_> {
    pub(super) fn alerts(&mut self) -> Result<(), Failure> {
        let (topology, world) = (self.topology, self.world);
        let none = Notifications::default();
        for side in topology.sides() {
            let live = world.buckets.get(&side.bucket).map_or(&none, |it| &it.notifications);
            let wanted = alerts::wanted(topology, side);
            if let Some(wanted) = &wanted
                && let Some(other) = alerts::overlapping(wanted, live)
            {
                return Err(alerts::refused(side, wanted, other));
            }
            let work = match (alerts::ours(topology, live), wanted) {
                (None, None) => continue,
                (None, Some(wanted)) => SharedDocument::Create(wanted),
                (Some(live), Some(wanted)) if live.is_same(&wanted) => SharedDocument::Unchanged,
                (Some(live), wanted) => {
                    SharedDocument::Update(NotificationDiffers { from: live.clone(), to: wanted })
                }
            };
            let needs = [Kind::Bucket, Kind::BucketTags];
            let needs = needs.map(|kind| StepId::new(kind, side.bucket.as_str()));
            self.add_setting(Work::Notification(work), side, &needs);
        }
        Ok(())
    }
}
