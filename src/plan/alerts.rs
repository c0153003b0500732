//! The entry of the notification configuration by which S3 alerts of replication that failed, and
//! the entries of others that exclude it.
//! Not for: writing it (see `steps`), or the topic or queue (see `alert_target`).

use crate::failure::{Failure, Kind};
use crate::manifest::{Side, Topology};
use crate::settings::{Notification, Notifications};

/// Returns the pair's entry in a configuration, if there is one.
pub fn ours<'a>(topology: &Topology, live: &'a Notifications) -> Option<&'a Notification> {
    live.own(&topology.wanted.name)
}

/// Returns the entry that the manifest wants on the bucket of `side`.
pub fn wanted(topology: &Topology, side: &Side) -> Option<Notification> {
    let target = topology.wanted.alerts.as_ref()?;
    let directions = topology.directions();
    let direction = directions.iter().find(|direction| &direction.source == side)?;
    let is_timed = direction.rules.iter().any(|rule| rule.settings.time_control);
    Some(Notification::own(&topology.wanted.name, target.as_str(), is_timed))
}

/// Returns the entry of others that S3 does not take beside `wanted`.
pub fn overlapping<'a>(wanted: &Notification, live: &'a Notifications) -> Option<&'a Notification> {
    live.entries.iter().find(|entry| entry.id != wanted.id && entry.overlaps(wanted))
}

/// Returns the refusal of an entry beside which another stands.
pub fn refused(side: &Side, wanted: &Notification, other: &Notification) -> Failure {
    let message = format!(
        "the notification `{}` of `{}` sends {} to {} already, and S3 takes no second one for an event type",
        other.id,
        side.bucket,
        other.events.join(", "),
        other.target
    );
    let refused = Failure::new(Kind::InTheWay, "notification-overlaps", message);
    refused.in_region(&side.region).hint(format!(
        "take {} out of that notification, or leave `replication.alerts` out: it alerts already",
        wanted.events.join(", ")
    ))
}
