//! Metric alarms: created and changed, described, deleted.
//! Sources: CloudWatch API Reference, `PutMetricAlarm`, `DescribeAlarms`, `DeleteAlarms`; Service
//! Authorization Reference, "Amazon CloudWatch".
//! Not for: their states and actions (see `states`), or evaluation (see `world::alarms`).

use super::call::{CloudWatchCall, check_length, invalid, of_tags};
use super::tags;
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::alarms::{Alarm, AlarmSettings, AlarmState, alarm_arn};
use crate::world::clock::rfc3339;
use crate::world::{Slow, State};
use crrctl_iam::Context;
use crrctl_iam::names::Arn;
use serde_json::{Value, json};

const COMPARISONS: [&str; 4] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
];
const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
/// Members that make other kinds of alarms than the sandbox has.
const NOT_MODELLED: [&str; 5] = [
    "ExtendedStatistic",
    "EvaluateLowSampleCountPercentile",
    "ThresholdMetricId",
    "Metrics.member.1.Id",
    "EvaluationCriteria",
];
/// A day and a week, in seconds: the longest evaluation, with periods under an hour and of an hour
/// or more.
const DAY: u64 = 86_400;
const WEEK: u64 = 604_800;

/// CloudWatch API Reference, `PutMetricAlarm`. The tags of an alarm that exists stay as they are.
pub(super) fn put(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let name = call.params.require("AlarmName")?.to_owned();
    check_length(&name, "AlarmName", 255)?;
    if name.chars().any(|it| it.is_ascii_control()) {
        return Err(invalid("AlarmName must not contain ASCII control characters"));
    }
    let wanted = settings(call)?;
    let given = tags::given(call.params)?;
    let mut context = of_tags(&given);
    if !wanted.alarm_actions.is_empty() {
        context.set_all("cloudwatch:AlarmActions", wanted.alarm_actions.iter());
    }
    let (place, arn) = (call.place(&name), call.arn(&name));
    call.permit("cloudwatch:PutMetricAlarm", &arn, context)?;
    if !given.is_empty() {
        call.permit("cloudwatch:TagResource", &arn, of_tags(&given))?;
    }
    let is_new = !call.state.alarms.all.contains_key(&place);
    if is_new {
        call.state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))?;
    }
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::Alarm));
    let alarm = call.state.alarms.all.entry(place).or_default();
    if is_new {
        (alarm.tags, alarm.listed, alarm.since) = (given, Some(listed), Some(now));
        "Unchecked: Initial alarm creation".clone_into(&mut alarm.reason);
    }
    (alarm.wanted, alarm.configured) = (wanted, Some(now));
    call.state.run_alarms();
    Ok(Value::Null)
}

fn settings(call: &CloudWatchCall<'_>) -> Result<AlarmSettings, Fault> {
    let params = call.params;
    if let Some(name) = NOT_MODELLED.iter().find(|name| params.get(name).is_some()) {
        return Err(Fault::not_implemented(&format!("`{name}` of alarms")));
    }
    let period = call.number("Period", (1, 86_400))?;
    let period = period.ok_or_else(|| missing("period"))?;
    if !(period.is_multiple_of(60) || [10, 20, 30].contains(&period)) {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let evaluation_periods = call.number("EvaluationPeriods", (1, u32::MAX))?;
    let evaluation_periods = evaluation_periods.ok_or_else(|| missing("evaluationPeriods"))?;
    let longest = if period < 3600 { DAY } else { WEEK };
    if u64::from(period) * u64::from(evaluation_periods) > longest {
        return Err(invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ));
    }
    let datapoints_to_alarm = call.number("DatapointsToAlarm", (1, evaluation_periods))?;
    let threshold = params.require("Threshold")?;
    let threshold = threshold.parse::<f64>().ok().filter(|it| it.is_finite());
    let threshold = threshold.ok_or_else(|| invalid("Threshold must be a number"))?;
    let (description, unit) = (params.get("AlarmDescription"), params.get("Unit"));
    if description.is_some_and(|text| text.chars().count() > 1024) {
        return Err(invalid("AlarmDescription must have length less than or equal to 1024"));
    }
    Ok(AlarmSettings {
        description: description.map(str::to_owned),
        actions_enabled: flag(params.get("ActionsEnabled"))?,
        ok_actions: actions(call, "OKActions")?,
        alarm_actions: actions(call, "AlarmActions")?,
        insufficient_data_actions: actions(call, "InsufficientDataActions")?,
        namespace: text(call, "Namespace")?,
        metric: text(call, "MetricName")?,
        dimensions: dimensions(call)?,
        statistic: call.one_of("Statistic", &STATISTICS)?.ok_or_else(|| missing("statistic"))?,
        period,
        evaluation_periods,
        datapoints_to_alarm,
        threshold,
        comparison: {
            let given = call.one_of("ComparisonOperator", &COMPARISONS)?;
            given.ok_or_else(|| missing("comparisonOperator"))?
        },
        treat_missing_data: treat_missing_data(params.get("TreatMissingData"))?,
        unit: unit.map(str::to_owned),
    })
}

fn missing(member: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn flag(given: Option<&str>) -> Result<bool, Fault> {
    match given {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(invalid("ActionsEnabled must be true or false")),
    }
}

fn treat_missing_data(given: Option<&str>) -> Result<Option<String>, Fault> {
    match given {
        None | Some("breaching" | "notBreaching" | "ignore" | "missing") => {
            Ok(given.map(str::to_owned))
        }
        // The text is our own.
        Some(_) => {
            Err(invalid("TreatMissingData must be breaching, notBreaching, ignore or missing"))
        }
    }
}

fn text(call: &CloudWatchCall<'_>, name: &str) -> Result<String, Fault> {
    let given = call.params.require(name)?;
    check_length(given, name, 255)?;
    Ok(given.to_owned())
}

/// At most five actions, each a resource of the alarm's Region.
fn actions(call: &CloudWatchCall<'_>, name: &str) -> Result<Vec<String>, Fault> {
    let actions = call.params.list(name);
    if actions.len() > 5 {
        return Err(invalid(format!("{name} must have length less than or equal to 5")));
    }
    for action in &actions {
        check_length(action, name, 1024)?;
        let arn = Arn::new(action.as_str())
            .map_err(|_| invalid(format!("Invalid arn syntax: {action}")))?;
        let (region, here) = (arn.region(), call.caller.region.as_str());
        if region != here && arn.service() == "sns" {
            return Err(invalid(format!(
                "Invalid region {region} specified. Only {here} is supported."
            )));
        }
        if arn.service() == "sns" && arn.resource().strip_suffix(".fifo").is_some() {
            // CloudWatch User Guide, "Notify users on alarm changes": FIFO topics are refused. The
            // text is our own.
            return Err(invalid(format!("FIFO topics are not supported: {action}")));
        }
    }
    Ok(actions)
}

/// At most 30 dimensions.
fn dimensions(call: &CloudWatchCall<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Vec::new();
    for at in 1.. {
        let part = |name: &str| call.params.get(&format!("Dimensions.member.{at}.{name}"));
        let (Some(name), Some(value)) = (part("Name"), part("Value")) else {
            if part("Name").is_some() || part("Value").is_some() {
                return Err(missing(&format!("dimensions.{at}.member")));
            }
            break;
        };
        check_length(name, "dimensions", 255)?;
        check_length(value, "dimensions", 1024)?;
        all.push((name.to_owned(), value.to_owned()));
    }
    if all.len() > 30 {
        return Err(invalid("Dimensions must have length less than or equal to 30"));
    }
    Ok(all)
}

/// CloudWatch API Reference, `DescribeAlarms`. Without names, the permission is needed on every
/// alarm.
pub(super) fn describe(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let (names, prefix) = (call.alarm_names()?, call.params.get("AlarmNamePrefix"));
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("AlarmNamePrefix and AlarmNames cannot be specified together"));
    }
    if let Some(prefix) = prefix {
        check_length(prefix, "AlarmNamePrefix", 255)?;
    }
    let limit = call.number("MaxRecords", (1, 100))?.unwrap_or(100) as usize;
    let state = call.one_of("StateValue", &AlarmState::NAMES)?;
    let actions = call.params.get("ActionPrefix");
    if names.is_empty() {
        call.permit("cloudwatch:DescribeAlarms", &call.arn("*"), Context::new())?;
    }
    for name in &names {
        call.permit("cloudwatch:DescribeAlarms", &call.arn(name), Context::new())?;
    }
    call.state.run_alarms();
    let now = call.state.now();
    let types = call.params.list("AlarmTypes");
    let is_wanted = |name: &str, alarm: &Alarm| {
        let has_action =
            |prefix| alarm.wanted.alarm_actions.iter().any(|it| it.starts_with(prefix));
        (names.is_empty() || names.iter().any(|it| it == name))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && state.as_deref().is_none_or(|state| alarm.state.name() == state)
            && actions.is_none_or(has_action)
            && alarm.listed.is_none_or(|listed| listed <= now)
            && (types.is_empty() || types.iter().any(|it| it == "MetricAlarm"))
    };
    let here = |(account, region, _): &(_, _, String)| {
        *account == call.caller.account && *region == call.caller.region
    };
    let found: Vec<_> = { call.state.alarms.all.iter() }
        .filter(|(place, alarm)| here(place) && is_wanted(&place.2, alarm))
        .collect();
    let page = page(found, call.params.get("NextToken"), limit, |(place, _)| place.2.clone());
    let shown: Vec<Value> = { page.items.iter() }
        .map(|(place, alarm)| shown(&alarm_arn(&place.1, &place.0, &place.2), &place.2, alarm))
        .collect();
    let mut answer = json!({"MetricAlarms": shown, "CompositeAlarms": []});
    if let Some(next) = page.next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

fn shown(arn: &str, name: &str, alarm: &Alarm) -> Value {
    let Alarm { wanted, state, reason, since, configured, .. } = alarm;
    let dimension = |(name, value): &(String, String)| json!({"Name": name, "Value": value});
    json!({
        "AlarmName": name,
        "AlarmArn": arn,
        "AlarmDescription": wanted.description,
        "AlarmConfigurationUpdatedTimestamp": configured.map(rfc3339),
        "ActionsEnabled": wanted.actions_enabled,
        "OKActions": wanted.ok_actions,
        "AlarmActions": wanted.alarm_actions,
        "InsufficientDataActions": wanted.insufficient_data_actions,
        "StateValue": state.name(),
        "StateReason": reason,
        "StateUpdatedTimestamp": since.map(rfc3339),
        "StateTransitionedTimestamp": since.map(rfc3339),
        "MetricName": wanted.metric,
        "Namespace": wanted.namespace,
        "Statistic": wanted.statistic,
        "Dimensions": wanted.dimensions.iter().map(dimension).collect::<Vec<_>>(),
        "Period": wanted.period,
        "Unit": wanted.unit,
        "EvaluationPeriods": wanted.evaluation_periods,
        "DatapointsToAlarm": wanted.datapoints_to_alarm,
        "Threshold": wanted.threshold,
        "ComparisonOperator": wanted.comparison,
        "TreatMissingData": wanted.treat_missing_data,
    })
}

/// CloudWatch API Reference, `DeleteAlarms`: where one name is wrong, none is deleted.
pub(super) fn delete(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let names = call.alarm_names()?;
    if names.is_empty() {
        return Err(missing("alarmNames"));
    }
    for name in &names {
        call.permit("cloudwatch:DeleteAlarms", &call.arn(name), Context::new())?;
    }
    let places: Vec<_> = names.iter().map(|name| call.place(name)).collect();
    let State { alarms, .. } = call.state;
    if let Some((_, _, name)) = places.iter().find(|place| !alarms.all.contains_key(place)) {
        let text = format!("Alarm {name} does not exist");
        return Err(Fault::new(404, "ResourceNotFound", text));
    }
    alarms.all.retain(|place, _| !places.contains(place));
    Ok(Value::Null)
}
