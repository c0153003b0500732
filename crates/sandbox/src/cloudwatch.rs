//! CloudWatch: `GetMetricData` for the replication metrics that S3 publishes, calculated from the
//! sandbox's own replication records.
//! Sources: CloudWatch API Reference, `GetMetricData`; S3 User Guide, "Using S3 Replication
//! metrics" and "Amazon S3 metrics and dimensions".
//! Not for: other metrics, expressions, alarms.

use crate::gate::{AccessRequest, QueryService, Shared, authorize};
use crate::wire::query::{element, wrapped};
use crate::wire::{Answer, Fault, Params, query};
use crate::world::clock::rfc3339;
use crate::world::replication::Measured;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use http::request::Parts;
use std::time::{Duration, SystemTime};

/// The API version that distinguishes CloudWatch requests from IAM and STS requests.
pub(crate) const VERSION: &str = "2010-08-01";

const SERVICE: QueryService = QueryService { signed: "monitoring", counted: "cloudwatch" };
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/// Maximum number of queries in one request (CloudWatch API Reference, `GetMetricData`).
const MAX_QUERIES: usize = 500;

/// Handles one CloudWatch request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = shared.query((parts, body), SERVICE, operation, |state, caller| match operation {
        "GetMetricData" => data(state, caller, params),
        _ => Err(Fault::not_implemented(&format!("cloudwatch:{operation}"))),
    });
    reply_with(params, done, id)
}

/// Wraps the result in CloudWatch's response envelope.
pub(crate) fn reply_with(params: &Params, done: Result<String, Fault>, id: &str) -> Answer {
    query::respond(NAMESPACE, params, done.map(Some), id)
}

/// One metric query of a request.
struct MetricQuery<'a> {
    id: &'a str,
    metric: &'a str,
    statistic: &'a str,
    source: &'a str,
    destination: &'a str,
    rule: &'a str,
}

fn data(state: &State, caller: &Caller, params: &Params) -> Result<String, Fault> {
    let request = AccessRequest::plain("cloudwatch:GetMetricData", "*", &caller.account);
    authorize(&state.iam, caller, request, Context::new)
        .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))?;
    let between = (time(params, "StartTime")?, time(params, "EndTime")?);
    if between.0 >= between.1 {
        let text = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(Fault::bad("ValidationError", text));
    }
    let one = |it: &MetricQuery<'_>| {
        let value = value(state, caller, it, between);
        let list = |text: Option<String>| text.map(|it| element("member", it)).unwrap_or_default();
        let at = value.map(|_| rfc3339(minute(state.now())));
        let members = element("Id", it.id)
            + &element("Label", it.metric)
            + &element("StatusCode", "Complete")
            + &wrapped("Timestamps", &list(at))
            + &wrapped("Values", &list(value.map(|value| value.to_string())));
        wrapped("member", &members)
    };
    let results: String = wanted(params)?.iter().map(one).collect();
    Ok(wrapped("Messages", "") + &wrapped("MetricDataResults", &results))
}

/// Returns the start of the minute that contains `time`.
fn minute(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds - seconds % 60)
}

fn time(params: &Params, name: &str) -> Result<SystemTime, Fault> {
    let read: Result<jiff::Timestamp, _> = params.require(name)?.parse();
    let text = format!("timestamp must follow ISO8601: {name}");
    read.map(SystemTime::from).map_err(|_| Fault::bad("ValidationError", text))
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
            return Err(Fault::bad("ValidationError", "Period must be a multiple of 60."));
        }
        let is_s3 = params.require(&format!("{stat}.Metric.Namespace"))? == "AWS/S3";
        let metric = params.require(&format!("{stat}.Metric.MetricName"))?;
        all.push(MetricQuery {
            id,
            metric: if is_s3 { metric } else { "" },
            statistic: params.require(&format!("{stat}.Stat"))?,
            source: dimension("SourceBucket"),
            destination: dimension("DestinationBucket"),
            rule: dimension("RuleId"),
        });
    }
    let wrong = match all.len() {
        0 => "The parameter MetricDataQueries is required.",
        count if count > MAX_QUERIES => {
            "The collection MetricDataQueries must not have a size greater than 500."
        }
        _ => return Ok(all),
    };
    Err(Fault::bad("ValidationError", wrong))
}

/// Returns the value of a metric for the current minute. `None` if S3 does not publish the metric
/// to the caller: the rule has metrics disabled, the caller's account does not own the source
/// bucket, or S3 publishes the metric in the other bucket's Region.
fn value(
    state: &State,
    caller: &Caller,
    it: &MetricQuery<'_>,
    between: (SystemTime, SystemTime),
) -> Option<f64> {
    let now = state.now();
    let source = state.buckets.0.get(it.source).filter(|it| it.owner == caller.account)?;
    let configuration = source.replication.at(now).as_ref()?;
    let is_it = |rule: &&s3s::dto::ReplicationRule| {
        let leads = rule.destination.bucket.rsplit(':').next() == Some(it.destination);
        let metrics = rule.destination.metrics.as_ref();
        let is_on = metrics.is_some_and(|metrics| metrics.status.as_str() == "Enabled");
        leads && is_on && rule.id.as_deref() == Some(it.rule)
    };
    configuration.rules.iter().find(is_it)?;
    let Measured { pending, bytes, oldest, failed } =
        state.replication.measured(it.source, it.destination, it.rule, between);
    if it.metric == "OperationsFailedReplication" {
        let is_here = source.region == caller.region && it.statistic == "Sum";
        return is_here.then(|| count(failed));
    }
    // S3 publishes these metrics in the destination bucket's Region, and only while that bucket
    // exists.
    let destination = state.buckets.0.get(it.destination)?;
    if destination.region != caller.region || it.statistic != "Maximum" {
        return None;
    }
    match it.metric {
        "OperationsPendingReplication" => Some(count(pending)),
        "BytesPendingReplication" => Some(count(bytes)),
        "ReplicationLatency" => {
            let behind = oldest.and_then(|oldest| now.duration_since(oldest).ok());
            Some(behind.unwrap_or_default().as_secs_f64().round())
        }
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
fn count(number: usize) -> f64 {
    number as f64
}
