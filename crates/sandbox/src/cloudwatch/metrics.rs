//! `GetMetricData` for S3's replication metrics.
//! Source: CloudWatch API Reference, `GetMetricData`.
//! Not for: other metrics, or expressions.

use super::call::{CloudWatchCall, invalid};
use crate::wire::{Fault, Params};
use crate::world::clock::rfc3339;
use crate::world::replication::{S3Metric, published};
use crrctl_iam::Context;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// Maximum number of queries in one request (CloudWatch API Reference, `GetMetricData`).
const MAX_QUERIES: usize = 500;

/// One metric query of a request.
struct MetricQuery<'a> {
    id: &'a str,
    label: &'a str,
    metric: S3Metric<'a>,
}

pub(super) fn data(call: &CloudWatchCall<'_>) -> Result<Value, Fault> {
    call.permit("cloudwatch:GetMetricData", "*", Context::new())?;
    let between = (time(call.params, "StartTime")?, time(call.params, "EndTime")?);
    if between.0 >= between.1 {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let here = (&call.caller.account, &call.caller.region);
    let one = |it: &MetricQuery<'_>| {
        let value = published(call.state, here, &it.metric, between);
        let at = value.map(|_| rfc3339(minute(call.state.now())));
        json!({
            "Id": it.id,
            "Label": it.label,
            "StatusCode": "Complete",
            "Timestamps": at.into_iter().collect::<Vec<_>>(),
            "Values": value.into_iter().collect::<Vec<_>>(),
        })
    };
    let results: Vec<Value> = wanted(call.params)?.iter().map(one).collect();
    Ok(json!({"Messages": [], "MetricDataResults": results}))
}

/// Returns the start of the minute that contains `time`.
fn minute(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds - seconds % 60)
}

/// Reads a time in ISO 8601, or in seconds since 1970 as the JSON protocols write it.
fn time(params: &Params, name: &str) -> Result<SystemTime, Fault> {
    let given = params.require(name)?;
    let seconds = given.parse::<f64>().ok();
    let read = match seconds.map(Duration::try_from_secs_f64) {
        Some(since) => since.ok().and_then(|it| SystemTime::UNIX_EPOCH.checked_add(it)),
        None => given.parse::<jiff::Timestamp>().ok().map(SystemTime::from),
    };
    read.ok_or_else(|| invalid(format!("timestamp must follow ISO8601: {name}")))
}

fn wanted(params: &Params) -> Result<Vec<MetricQuery<'_>>, Fault> {
    let mut all = Vec::new();
    for at in 1.. {
        let query = format!("MetricDataQueries.member.{at}");
        let Some(id) = params.get(&format!("{query}.Id")) else { break };
        if params.get(&format!("{query}.Expression")).is_some() {
            return Err(Fault::not_implemented("expressions of metrics"));
        }
        let stat = format!("{query}.MetricStat");
        let dimension = |wanted: &str| {
            let at = |n: usize| format!("{stat}.Metric.Dimensions.member.{n}");
            let names = (1..).map_while(|n| Some((n, params.get(&format!("{}.Name", at(n)))?)));
            let found = { names }.find(|(_, name)| *name == wanted);
            found.and_then(|(n, _)| params.get(&format!("{}.Value", at(n)))).unwrap_or_default()
        };
        let period = params.require(&format!("{stat}.Period"))?;
        if !period.parse::<u32>().is_ok_and(|period| period > 0 && period.is_multiple_of(60)) {
            return Err(invalid("Period must be a multiple of 60."));
        }
        let is_s3 = params.require(&format!("{stat}.Metric.Namespace"))? == "AWS/S3";
        let label = params.require(&format!("{stat}.Metric.MetricName"))?;
        let metric = S3Metric {
            name: if is_s3 { label } else { "" },
            statistic: params.require(&format!("{stat}.Stat"))?,
            source: dimension("SourceBucket"),
            destination: dimension("DestinationBucket"),
            rule: dimension("RuleId"),
        };
        all.push(MetricQuery { id, label, metric });
    }
    match all.len() {
        0 => Err(invalid("The parameter MetricDataQueries is required.")),
        count if count > MAX_QUERIES => {
            Err(invalid("The collection MetricDataQueries must not have a size greater than 500."))
        }
        _ => Ok(all),
    }
}
