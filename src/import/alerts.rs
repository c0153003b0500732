//! Reads what tells of failed replication. The notification becomes `replication.alerts` where crrctl
//! made it, and is noted where somebody else did; crrctl's alarms become `replication.alarm`.
//! Not for: the other entries of the notification configuration, which a pair leaves alone.

use super::{Entry, OwnSettings};
use crate::names::{Arn, Region};
use crate::settings::{Notification, TargetKind};
use crate::world::{Alarm, LiveBucket};
use std::collections::BTreeMap;

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

/// The topics that the pair's alarms notify.
#[derive(Debug, Clone)]
pub(super) struct AlarmTopics {
    /// The topic of the source's alarms.
    pub(super) topic: String,
    /// The topics of the reverse directions, by the Region that replicates back.
    pub(super) back: BTreeMap<Region, String>,
}

/// Returns the topics that the pair's alarms notify, if a manifest can say them.
pub(super) fn alarm(
    own: &OwnSettings<'_>,
    entries: &[Entry],
    two_way: bool,
    notes: &mut Vec<String>,
) -> Option<AlarmTopics> {
    let mut sources = vec![&own.live.source];
    let is_source = |it: &&LiveBucket| {
        two_way && entries.iter().any(|entry| entry.place.bucket == it.name.as_str())
    };
    sources.extend(own.live.destinations.iter().filter(is_source));
    let unread = sources.iter().filter_map(|it| it.alarms_unread.as_ref().map(|why| (it, why)));
    let unread: Vec<String> = unread
        .map(|(it, why)| {
            format!(
                "which topic the alarms of `{}` notify is not known, so `replication.alarm` is left out: {why}",
                it.name
            )
        })
        .collect();
    let is_known = unread.is_empty();
    notes.extend(unread);
    if !is_known || !sources.iter().any(|it| of(own, it).next().is_some()) {
        return None;
    }
    match topics(own, entries, &sources) {
        Ok(topics) => Some(topics),
        Err(why) => {
            notes.push(format!("the pair's alarms are not in the manifest: {why}"));
            None
        }
    }
}

/// Returns the pair's alarms on rules of a bucket.
fn of<'a>(own: &OwnSettings<'_>, source: &'a LiveBucket) -> impl Iterator<Item = &'a Alarm> {
    let is_its = |alarm: &Alarm| {
        let bucket = alarm.says.dimensions.get("SourceBucket");
        own.is_ours(&alarm.tags) && bucket.is_some_and(|it| it == source.name.as_str())
    };
    source.alarms.iter().filter(move |alarm| is_its(alarm))
}

/// Returns the topics of the alarms of every rule, or what a manifest can't say.
fn topics(
    own: &OwnSettings<'_>,
    entries: &[Entry],
    sources: &[&LiveBucket],
) -> Result<AlarmTopics, String> {
    let (source, backward) = sources.split_first().ok_or("there is no source")?;
    let topic = topic(own, source, entries.iter().map(|entry| entry.id.as_str()))?;
    let mut back = BTreeMap::new();
    for it in backward {
        let here = entries.iter().filter(|entry| entry.place.bucket == it.name.as_str());
        let rules = here.filter_map(|entry| entry.reverse_id.as_deref());
        back.insert(it.region.clone(), self::topic(own, it, rules)?);
    }
    Ok(AlarmTopics { topic, back })
}

/// Returns the one topic that the alarms of `rules` notify.
fn topic<'a>(
    own: &OwnSettings<'_>,
    source: &LiveBucket,
    rules: impl Iterator<Item = &'a str>,
) -> Result<String, String> {
    let bucket = &source.name;
    let mut known: Option<String> = None;
    for rule in rules {
        let is_its = |alarm: &&Alarm| {
            alarm.says.dimensions.get("RuleId").is_some_and(|it| it.as_str() == rule)
        };
        let alarm = of(own, source).find(is_its).ok_or_else(|| {
            format!("the rule `{rule}` of `{bucket}` has none, and a manifest has an alarm for each rule or for none")
        })?;
        let name = &alarm.name;
        let [action] = alarm.says.alarm_actions.as_slice() else {
            let count = alarm.says.alarm_actions.len();
            return Err(format!(
                "the alarm `{name}` in {} has {count} actions in the state ALARM, and a manifest names one topic",
                source.region
            ));
        };
        if !is_topic(action, &source.region) {
            return Err(format!(
                "the alarm `{name}` in {} does {action}, and a manifest names a standard topic of that Region",
                source.region
            ));
        }
        if let Some(other) = known.replace(action.clone()).filter(|other| other != action) {
            return Err(format!(
                "the alarms of `{bucket}` notify {other} and {action}, and a manifest names one topic for all rules of a bucket"
            ));
        }
    }
    known.ok_or_else(|| format!("`{bucket}` has no rule"))
}

/// Returns whether `replication.alarm` takes an action: a standard topic in `region`.
fn is_topic(action: &str, region: &Region) -> bool {
    Arn::new(action).is_ok_and(|arn| {
        arn.service() == "sns"
            && arn.region() == region.as_str()
            && arn.resource().strip_suffix(".fifo").is_none()
    })
}
