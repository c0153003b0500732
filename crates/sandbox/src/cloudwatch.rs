//! CloudWatch: `GetMetricData` for the replication metrics that S3 publishes, and metric alarms on
//! them, in the Query, AWS JSON 1.0 and RPC v2 CBOR protocols.
//! Sources: CloudWatch API Reference; Smithy, "AWS query protocol", "AWS JSON 1.0 protocol",
//! "Smithy RPC v2 CBOR protocol".
//! Not for: composite alarms, alarms on expressions, dashboards.

mod alarms;
mod call;
mod cbor;
mod form;
mod metrics;
mod states;
mod tags;

use crate::gate::{QueryService, Shared};
use crate::wire::{Answer, Fault};
use call::CloudWatchCall;
use http::request::Parts;
use serde_json::Value;

pub(crate) use form::Ask;

/// The API version that distinguishes CloudWatch requests from IAM and STS requests.
pub(crate) const VERSION: &str = "2010-08-01";

const SERVICE: QueryService = QueryService { signed: "monitoring", counted: "cloudwatch" };

/// Handles one CloudWatch request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], ask: &Ask, id: &str) -> Answer {
    let operation = ask.operation();
    let done = shared.query((parts, body), SERVICE, operation, |state, caller| {
        perform(operation, &mut CloudWatchCall { state, caller, params: ask.params()? })
    });
    ask.reply(done, id)
}

fn perform(operation: &str, call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    match operation {
        "DeleteAlarms" => alarms::delete(call),
        "DescribeAlarms" => alarms::describe(call),
        "DisableAlarmActions" => states::switch_actions(call, false),
        "EnableAlarmActions" => states::switch_actions(call, true),
        "GetMetricData" => metrics::data(call),
        "ListTagsForResource" => tags::list(call),
        "PutMetricAlarm" => alarms::put(call),
        "SetAlarmState" => states::set(call),
        "TagResource" => tags::add(call),
        "UntagResource" => tags::remove(call),
        _ => Err(Fault::not_implemented(&format!("cloudwatch:{operation}"))),
    }
}
