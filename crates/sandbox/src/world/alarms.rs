//! CloudWatch's metric alarms as plain data, and the evaluation of their states from S3's
//! replication metrics.
//! Sources: CloudWatch User Guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat
//! missing data", "Alarm actions".
//! Not for: requests (see `cloudwatch`), or delivery to SNS.

use super::State;
use super::clock::rfc3339;
use super::replication::{S3Metric, published};
use crrctl_iam::names::{AccountId, Arn, Region};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// How often CloudWatch evaluates an alarm with a period of a minute or more (CloudWatch User Guide,
/// "Alarm evaluation").
const EVERY: Duration = Duration::from_mins(1);
/// The maximum number of kept actions; the oldest are dropped.
const MAX_NOTICES: usize = 10_000;

/// Where an alarm is: account, Region, name.
pub(crate) type AlarmPlace = (AccountId, Region, String);

/// The alarms of all accounts, and the actions that they took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alarms {
    pub(crate) all: BTreeMap<AlarmPlace, Alarm>,
    /// The actions that alarms took, oldest first.
    notices: Vec<AlarmNotice>,
    /// How many of them were delivered or dropped.
    told: usize,
}

/// An action that an alarm took.
#[derive(Debug, Clone)]
pub(crate) struct AlarmNotice {
    pub(crate) alarm: AlarmPlace,
    /// The ARN of the action.
    pub(crate) action: String,
    /// What CloudWatch publishes.
    pub(crate) message: Value,
}

/// A metric alarm.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alarm {
    pub(crate) wanted: AlarmSettings,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) state: AlarmState,
    pub(crate) reason: String,
    /// When the state was set; `None` before the first evaluation or `SetAlarmState`.
    pub(crate) since: Option<SystemTime>,
    pub(crate) configured: Option<SystemTime>,
    /// From when `DescribeAlarms` shows the alarm.
    pub(crate) listed: Option<SystemTime>,
    /// Until when a state lasts that `SetAlarmState` set.
    pub(crate) set_until: Option<SystemTime>,
}

/// What `PutMetricAlarm` sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlarmSettings {
    pub(crate) description: Option<String>,
    pub(crate) actions_enabled: bool,
    pub(crate) ok_actions: Vec<String>,
    pub(crate) alarm_actions: Vec<String>,
    pub(crate) insufficient_data_actions: Vec<String>,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) statistic: String,
    /// In seconds.
    pub(crate) period: u32,
    pub(crate) evaluation_periods: u32,
    pub(crate) datapoints_to_alarm: Option<u32>,
    pub(crate) threshold: f64,
    pub(crate) comparison: String,
    pub(crate) treat_missing_data: Option<String>,
    pub(crate) unit: Option<String>,
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AlarmState {
    Ok,
    Alarm,
    #[default]
    InsufficientData,
}

impl AlarmState {
    /// The names in CloudWatch's API.
    pub(crate) const NAMES: [&'static str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => Self::NAMES[0],
            Self::Alarm => Self::NAMES[1],
            Self::InsufficientData => Self::NAMES[2],
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|it| it.name() == name)
    }
}

impl AlarmSettings {
    fn actions(&self, state: AlarmState) -> &[String] {
        match state {
            AlarmState::Ok => &self.ok_actions,
            AlarmState::Alarm => &self.alarm_actions,
            AlarmState::InsufficientData => &self.insufficient_data_actions,
        }
    }

    fn is_breaching(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            _ => value <= self.threshold,
        }
    }

    fn dimension(&self, name: &str) -> &str {
        let found = self.dimensions.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Returns the state that the values of the last periods make; `None` to keep the state.
    fn judge(&self, values: &[Option<f64>]) -> Option<AlarmState> {
        let missing = self.treat_missing_data.as_deref().unwrap_or("missing");
        if values.iter().all(Option::is_none) && ["missing", "ignore"].contains(&missing) {
            return (missing == "missing").then_some(AlarmState::InsufficientData);
        }
        let is_breaching =
            |value: &Option<f64>| value.map_or(missing == "breaching", |it| self.is_breaching(it));
        let breaching = values.iter().filter(|value| is_breaching(value)).count();
        let enough = self.datapoints_to_alarm.unwrap_or(self.evaluation_periods) as usize;
        Some(if breaching >= enough { AlarmState::Alarm } else { AlarmState::Ok })
    }
}

/// Returns the ARN of an alarm.
pub(crate) fn alarm_arn(region: &Region, account: &AccountId, name: &str) -> String {
    let resource = format!("alarm:{name}");
    let (partition, account) = (region.partition(), account.as_str());
    Arn::known(partition, "cloudwatch", region.as_str(), account, &resource).to_string()
}

impl State {
    /// Evaluates every alarm, unless `SetAlarmState` set its state within the last minute.
    pub(crate) fn judge_alarms(&mut self) {
        let now = self.now();
        let mut changes = Vec::new();
        for (place, alarm) in &self.alarms.all {
            if alarm.set_until.is_some_and(|until| now < until) {
                continue;
            }
            let values = self.values_of(place, &alarm.wanted, now);
            let Some(state) = alarm.wanted.judge(&values).filter(|state| *state != alarm.state)
            else {
                continue;
            };
            changes.push((place.clone(), state, reason(&alarm.wanted, &values, state)));
        }
        for (place, state, reason) in changes {
            self.set_alarm(&place, state, reason);
        }
    }

    /// Returns the values of the last periods, newest first.
    fn values_of(
        &self,
        (account, region, _): &AlarmPlace,
        wanted: &AlarmSettings,
        now: SystemTime,
    ) -> Vec<Option<f64>> {
        let metric = S3Metric {
            name: if wanted.namespace == "AWS/S3" { &wanted.metric } else { "" },
            statistic: &wanted.statistic,
            source: wanted.dimension("SourceBucket"),
            destination: wanted.dimension("DestinationBucket"),
            rule: wanted.dimension("RuleId"),
        };
        let period = Duration::from_secs(wanted.period.into());
        let start = |n: u32| now.checked_sub(period * n).unwrap_or(SystemTime::UNIX_EPOCH);
        (0..wanted.evaluation_periods)
            .map(|n| published(self, (account, region), &metric, (start(n + 1), start(n))))
            .collect()
    }

    /// Puts an alarm into a state and, if the state changes, has it take its actions.
    pub(crate) fn set_alarm(&mut self, place: &AlarmPlace, state: AlarmState, reason: String) {
        let now = self.now();
        let Some(alarm) = self.alarms.all.get_mut(place) else { return };
        let before = std::mem::replace(&mut alarm.state, state);
        (alarm.reason, alarm.since) = (reason, Some(now));
        if before == state || !alarm.wanted.actions_enabled {
            return;
        }
        let message = message(place, alarm, before, now);
        for action in alarm.wanted.actions(state) {
            let (alarm, action, message) = (place.clone(), action.clone(), message.clone());
            self.alarms.notices.push(AlarmNotice { alarm, action, message });
        }
        let over = self.alarms.notices.len().saturating_sub(MAX_NOTICES);
        self.alarms.notices.drain(..over);
        self.alarms.told = self.alarms.told.saturating_sub(over);
    }

    /// Lets a state that `SetAlarmState` sets now last until the next evaluation.
    pub(crate) fn hold_alarm(&mut self, place: &AlarmPlace) {
        let until = self.now() + EVERY;
        if let Some(alarm) = self.alarms.all.get_mut(place) {
            alarm.set_until = Some(until);
        }
    }
}

impl Alarms {
    /// Returns the actions that were not returned before.
    pub(crate) fn untold(&mut self) -> Vec<AlarmNotice> {
        let new = self.notices.get(self.told..).unwrap_or_default().to_vec();
        self.told = self.notices.len();
        new
    }

    /// Returns the states of all alarms and the actions that they took, oldest first.
    pub(crate) fn to_json(&self) -> Value {
        let alarm = |((account, region, name), alarm): (&AlarmPlace, &Alarm)| {
            let arn = alarm_arn(region, account, name);
            json!({"arn": arn, "state": alarm.state.name(), "reason": alarm.reason})
        };
        let alarms: Vec<Value> = self.all.iter().map(alarm).collect();
        let notice = |it: &AlarmNotice| json!({"action": it.action, "message": it.message});
        let actions: Vec<Value> = self.notices.iter().map(notice).collect();
        json!({"alarms": alarms, "actions": actions})
    }

    /// Returns the ARNs of all alarms.
    pub(crate) fn arns(&self) -> Vec<String> {
        let arn = |(account, region, name): &AlarmPlace| alarm_arn(region, account, name);
        self.all.keys().map(arn).collect()
    }
}

fn reason(wanted: &AlarmSettings, values: &[Option<f64>], state: AlarmState) -> String {
    let known: Vec<String> = values.iter().flatten().map(|value| format!("{value:?}")).collect();
    let (count, all, threshold) = (known.len(), values.len(), wanted.threshold);
    let was = if state == AlarmState::Alarm { "was" } else { "was not" };
    if !known.is_empty() {
        return format!(
            "Threshold Crossed: {count} out of the last {all} datapoints [{}] {was} {} the threshold ({threshold:?}).",
            known.join(", "),
            comparison(&wanted.comparison)
        );
    }
    if state == AlarmState::InsufficientData {
        return format!("Insufficient Data: {all} datapoints were unknown.");
    }
    let treated = if state == AlarmState::Alarm { "Breaching" } else { "NonBreaching" };
    format!(
        "Threshold Crossed: no datapoints were received for {all} periods and {all} missing datapoints were treated as [{treated}]."
    )
}

fn comparison(operator: &str) -> &'static str {
    match operator {
        "GreaterThanThreshold" => "greater than",
        "GreaterThanOrEqualToThreshold" => "greater than or equal to",
        "LessThanThreshold" => "less than",
        _ => "less than or equal to",
    }
}

/// Returns what CloudWatch publishes to an SNS topic (CloudWatch User Guide, "Notify users on alarm
/// changes").
fn message(
    (account, region, name): &AlarmPlace,
    alarm: &Alarm,
    before: AlarmState,
    now: SystemTime,
) -> Value {
    let Alarm { wanted, state, reason, configured, .. } = alarm;
    let dimension = |(name, value): &(String, String)| json!({"name": name, "value": value});
    json!({
        "AlarmName": name,
        "AlarmDescription": wanted.description,
        "AWSAccountId": account.as_str(),
        "AlarmConfigurationUpdatedTimestamp": configured.map(rfc3339),
        "NewStateValue": state.name(),
        "NewStateReason": reason,
        "StateChangeTime": rfc3339(now),
        "Region": region.as_str(),
        "AlarmArn": alarm_arn(region, account, name),
        "OldStateValue": before.name(),
        "OKActions": wanted.ok_actions,
        "AlarmActions": wanted.alarm_actions,
        "InsufficientDataActions": wanted.insufficient_data_actions,
        "Trigger": {
            "MetricName": wanted.metric,
            "Namespace": wanted.namespace,
            "StatisticType": "Statistic",
            "Statistic": wanted.statistic.to_uppercase(),
            "Unit": wanted.unit,
            "Dimensions": wanted.dimensions.iter().map(dimension).collect::<Vec<_>>(),
            "Period": wanted.period,
            "EvaluationPeriods": wanted.evaluation_periods,
            "ComparisonOperator": wanted.comparison,
            "Threshold": wanted.threshold,
            "TreatMissingData": wanted.treat_missing_data.as_deref().unwrap_or_default(),
            "EvaluateLowSampleCountPercentile": "",
        },
    })
}
