//! Reads what tells of failed replication. The notification becomes `replication.alerts` where crrctl
//! made it, and is noted where somebody else did; crrctl's alarms become `replication.alarm`.
//! Not for: the other entries of the notification configuration, which a pair leaves alone.

use super::{Entry, OwnSettings};
use crate::settings::{Notification, TargetKind};

/// Returns the topic or queue of the pair's own entry. An entry of others for the same events stays
/// as it is: S3 takes no second one.
pub(super) fn alerts(
    own: &OwnSettings<'_>,
    entries: &[Entry],
    two_way: bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let source = &own.live.source;
    if let Some(why) = &source.notifications_unread {
        notes.push(format!(
            "whether `{}` has a notification of failed replication is not known: {why}",
            source.name
        ));
    }
    let live = &source.bucket.notifications;
    let is_timed = entries.iter().any(|entry| entry.time_control);
    for entry in &live.entries {
        let wanted = Notification::own(own.name, &entry.target, is_timed);
        if entry.is_same(&wanted) && entry.kind() != TargetKind::Function && !two_way {
            return Some(entry.target.clone());
        }
        if entry.overlaps(&wanted) {
            notes.push(format!(
                "the notification `{}` of `{}` sends {} to {} and stays as it is: `replication.alerts` can't stand beside it",
                entry.id,
                own.live.source.name,
                entry.events.join(", "),
                entry.target
            ));
        }
    }
    None
}

/// Returns the topic that the pair's alarms notify.
pub(super) fn alarm(
    own: &OwnSettings<'_>,
    two_way: bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let source = &own.live.source;
    if let Some(why) = &source.alarms_unread {
        notes.push(format!(
            "which topic the alarms of `{}` notify is not known, so `replication.alarm` is left out: {why}",
            source.name
        ));
    }
    let ours = || source.alarms.iter().filter(|alarm| own.is_ours(&alarm.tags));
    let first = ours().next()?;
    let is_same = ours().all(|alarm| alarm.says.alarm_actions == first.says.alarm_actions);
    match first.says.alarm_actions.as_slice() {
        [topic] if is_same && !two_way => Some(topic.clone()),
        _ => {
            let why = if two_way {
                "a pair with `two_way` names a topic for each direction: write `replication.alarm` and `destinations[].back.alarm`"
            } else {
                "they do not all notify one topic: write `replication.alarm`, and `apply` puts them right"
            };
            notes.push(format!("the pair's alarms are not in the manifest, since {why}"));
            None
        }
    }
}
