//! A CloudWatch alarm, as plain data.
//! Source: CloudWatch API Reference, `MetricAlarm`.
//! Not for: which alarms a pair wants (see `plan::alarms`).

use super::Tags;
use crate::names::{Arn, Region};
use serde::Serialize;
use std::collections::BTreeMap;

/// An alarm that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Region of the alarm.
    pub region: Region,
    /// Name of the alarm, unique in its account and Region.
    pub name: String,
    /// ARN of the alarm.
    pub arn: Arn,
    /// Tags of the alarm.
    pub tags: Tags,
    /// What the alarm watches, and what it does.
    pub says: AlarmSays,
    /// The state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
}

/// What `PutMetricAlarm` sets of an alarm on one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmSays {
    /// Description for people.
    pub description: String,
    /// Namespace of the metric, such as `AWS/S3`.
    pub namespace: String,
    /// Name of the metric. Empty for an alarm on an expression.
    pub metric: String,
    /// Dimensions of the metric.
    pub dimensions: BTreeMap<String, String>,
    /// Statistic, such as `Sum`.
    pub statistic: String,
    /// Period of one value, in seconds.
    pub period: u32,
    /// How many periods are compared with the threshold.
    pub evaluation_periods: u32,
    /// How many of them must breach it.
    pub datapoints_to_alarm: u32,
    /// The threshold.
    pub threshold: f64,
    /// Comparison with the threshold, such as `GreaterThanThreshold`.
    pub comparison: String,
    /// How missing values count, such as `notBreaching`.
    pub missing_data: String,
    /// Whether the alarm takes its actions.
    pub actions_enabled: bool,
    /// ARNs of the actions in the state `ALARM`.
    pub alarm_actions: Vec<String>,
    /// ARNs of the actions in the state `OK`.
    pub ok_actions: Vec<String>,
    /// ARNs of the actions in the state `INSUFFICIENT_DATA`.
    pub insufficient_data_actions: Vec<String>,
}

/// No threshold is NaN: CloudWatch refuses it (CloudWatch API Reference, `PutMetricAlarm`).
impl Eq for AlarmSays {}
