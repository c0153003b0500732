//! The alarms that a pair wants: one for each rule, on the operations that failed to replicate.
//! Sources: S3 User Guide, "Using S3 Replication metrics" (the metric, its dimensions, and that it is
//! in the source's Region); CloudWatch API Reference, `PutMetricAlarm`.
//! Not for: calls (see `steps::alarm`).

use crate::manifest::Topology;
use crate::names::{Arn, Region};
use crate::world::{Alarm, AlarmSays, World};

/// The period of one value in seconds. S3 publishes a value a minute, and late; CloudWatch looks back
/// only a few periods for late values, so a period of one minute would miss some.
const PERIOD: u32 = 300;

/// An alarm that a pair wants.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmWanted {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: Arn,
    /// The Region of the rule's source.
    pub region: Region,
    /// What it watches, and what it does.
    pub says: AlarmSays,
}

impl AlarmWanted {
    /// Returns the name of the alarm's action, which no other action has: the reverse directions have
    /// alarms of one name in several Regions.
    pub fn step(&self) -> String {
        step(&self.region, &self.name)
    }
}

/// Returns the name of the action of an alarm.
pub(super) fn step(region: &Region, name: &str) -> String {
    format!("{region}/{name}")
}

/// Returns the alarms of every rule of one direction.
pub fn wanted(direction: &Topology) -> Vec<AlarmWanted> {
    let Some(topic) = direction.alarm_topic() else { return Vec::new() };
    let one = |(id, destination): (&str, &str)| AlarmWanted {
        name: direction.wanted.alarm_name(id),
        arn: direction.alarm_arn(id),
        region: direction.source.region.clone(),
        says: says(direction, id, destination, topic),
    };
    let rules = direction.rules.iter();
    rules.map(|rule| one((&rule.id, rule.destination.bucket.as_str()))).collect()
}

fn says(direction: &Topology, rule: &str, destination: &str, topic: &Arn) -> AlarmSays {
    let source = direction.source.bucket.as_str();
    let dimensions =
        [("SourceBucket", source), ("DestinationBucket", destination), ("RuleId", rule)];
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    AlarmSays {
        description: format!(
            "Objects of {source} failed to replicate to {destination}. Made by crrctl for the pair {}.",
            direction.wanted.name
        ),
        namespace: "AWS/S3".to_owned(),
        metric: "OperationsFailedReplication".to_owned(),
        dimensions: dimensions.map(owned).into(),
        statistic: "Sum".to_owned(),
        period: PERIOD,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        threshold: 0.0,
        comparison: "GreaterThanThreshold".to_owned(),
        // S3 publishes no value where nothing replicates.
        missing_data: "notBreaching".to_owned(),
        actions_enabled: true,
        alarm_actions: vec![topic.to_string()],
        // A sum that is zero again does not mean that what failed was replicated.
        ok_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
    }
}

/// Returns the alarms of every direction.
pub fn all_wanted(topology: &Topology) -> Vec<AlarmWanted> {
    topology.directions().iter().flat_map(wanted).collect()
}

/// Returns the pair's alarms that exist.
pub fn ours<'a>(topology: &'a Topology, world: &'a World) -> impl Iterator<Item = &'a Alarm> {
    world.alarms.iter().filter(|alarm| topology.wanted.owns(&alarm.tags))
}
