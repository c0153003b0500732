//! Validates the topics of alarms on failed replication.
//! Rules: CloudWatch API Reference, `PutMetricAlarm`, on `AlarmActions`; CloudWatch User Guide,
//! "Notify users on alarm changes"; SNS Developer Guide, "Amazon SNS topic naming".
//! Not for: whether a topic exists and lets CloudWatch publish (see `plan::alert_target`).

use super::super::alarm::AlarmSettings;
use super::super::error::Located;
use super::super::raw::{Raw, RawAlarm};
use super::super::topology::Placed;
use super::Checked;
use crate::names::{AccountId, Arn, Region, is_channel_name};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Returns the topics. A two-way pair has one a Region that replicates: the action of an alarm is
/// in the alarm's Region.
pub(super) fn settings(
    raw: &Raw,
    source: &Placed,
    destinations: &[Placed],
) -> Checked<Option<AlarmSettings>> {
    let two_way = raw.replication.two_way.as_ref().is_some_and(|flag| flag.value);
    let mut back: BTreeMap<Region, Arn> = BTreeMap::new();
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let Some(given) = entry.back.as_ref().and_then(|back| back.alarm.as_ref()) else {
            continue;
        };
        let path = format!("destinations[{index}].back.alarm");
        if raw.replication.alarm.is_none() {
            let message = "a pair has alarms both ways or none: `replication.alarm` is missing";
            return Err(Located::at(given.referenced, path, message));
        }
        let topic = topic(&path, given, &place.region)?;
        if back.insert(place.region.clone(), topic.clone()).is_some_and(|other| other != topic) {
            let message = "the rules of one bucket have one topic, and another entry names another";
            return Err(Located::at(given.referenced, path, message));
        }
    }
    let Some(given) = &raw.replication.alarm else { return Ok(None) };
    let topic = topic("replication.alarm", given, &source.region)?;
    let lacking = destinations.iter().position(|place| !back.contains_key(&place.region));
    if let Some(index) = lacking.filter(|_| two_way)
        && let Some(place) = destinations.get(index)
    {
        let message = format!(
            "`replication.two_way` replicates from {region} too, and an alarm there takes no topic of another Region",
            region = place.region
        );
        let key = format!("destinations[{index}].back.alarm");
        return Err(Located::at(given.referenced, &*key, message).hint(format!(
            "name a topic in {region}: `back: {{alarm: {{sns: arn:aws:sns:{region}:111122223333:alerts}}}}`",
            region = place.region
        )));
    }
    Ok(Some(AlarmSettings { topic, back }))
}

/// Validates the topic of the alarms in `region`.
fn topic(path: &str, given: &Spanned<RawAlarm>, region: &Region) -> Checked<Arn> {
    let key = format!("{path}.sns");
    let partition = region.partition();
    let example = format!("such as `arn:{partition}:sns:{region}:111122223333:alerts`");
    let Some(text) = &given.value.sns else {
        let message = "the topic that the alarms notify is missing";
        return Err(Located::at(given.referenced, key, message).hint(example));
    };
    let wrong =
        |message: String| Located::at(text.referenced, &*key, message).hint(example.clone());
    let arn = Arn::new(text.value.clone()).map_err(|error| wrong(error.to_string()))?;
    let name = arn.resource();
    if arn.service() != "sns" {
        return Err(wrong(format!("`{arn}` is of the service `{}`, not of SNS", arn.service())));
    }
    if arn.partition() != partition.to_string() {
        return Err(wrong(format!("`{arn}` is in another partition than {region}")));
    }
    if arn.region() != region.as_str() {
        return Err(wrong(format!(
            "`{arn}` is in another Region than the alarm: its action is in {region}"
        )));
    }
    if name.strip_suffix(".fifo").is_some() {
        return Err(wrong(format!("`{arn}` is a FIFO topic, which no alarm can notify")));
    }
    let is_name = name.len() <= 256 && is_channel_name(name);
    if !is_name || AccountId::new(arn.account()).is_err() {
        return Err(wrong(format!("`{arn}` is no topic")));
    }
    Ok(arn)
}
