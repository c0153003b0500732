//! CloudTrail: `LookupEvents` for the denied calls of the replication role, from the sandbox's own
//! records.
//! Sources: CloudTrail API Reference, `LookupEvents`; CloudTrail User Guide, "CloudTrail record
//! contents".
//! Not for: events of other callers, trails, or event data stores.

use crate::gate::{AccessRequest, Shared, authorize, verify};
use crate::kms;
use crate::wire::{Answer, Fault};
use crate::world::clock::rfc3339;
use crate::world::{Caller, State, TrailEvent};
use crrctl_iam::Context;
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// What the header `X-Amz-Target` ends with. Clients differ in what stands before it.
const TARGET: &str = "CloudTrail_20131101.";

/// Returns the operation of a request, if it is one for CloudTrail.
pub(crate) fn operation(parts: &Parts) -> Option<&str> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    target.split_once(TARGET).map(|(_, operation)| operation)
}

/// Handles one CloudTrail request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let operation = operation(parts).unwrap_or_default();
    let done = verify(shared, parts, body, "cloudtrail").map_err(kms::refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("cloudtrail", operation);
        match operation {
            "LookupEvents" => lookup(&state, &caller, body),
            _ => Err(Fault::not_implemented(&format!("cloudtrail:{operation}"))),
        }
    });
    kms::reply_with(done, id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

fn lookup(state: &State, caller: &Caller, body: &[u8]) -> Result<Value, Fault> {
    let request = AccessRequest::plain("cloudtrail:LookupEvents", "*", &caller.account);
    authorize(&state.iam, caller, request, Context::new)
        .map_err(|denied| Fault::bad("AccessDeniedException", denied.message()))?;
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|error| Fault::bad("SerializationException", error.to_string()))?;
    if wanted.lookup_attributes.len() > 1 {
        let text = "You can only specify one lookup attribute.";
        return Err(Fault::bad("InvalidLookupAttributesException", text));
    }
    let limit = wanted.max_results.unwrap_or(50);
    if !(1..=50).contains(&limit) {
        return Err(Fault::bad("InvalidMaxResultsException", "MaxResults must be 1 to 50."));
    }
    let offset = match &wanted.next_token {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| Fault::bad("InvalidNextTokenException", "Invalid token."))?,
    };
    for attribute in &wanted.lookup_attributes {
        if !["EventName", "Username"].contains(&attribute.attribute_key.as_str()) {
            let text = format!("the lookup attribute {}", attribute.attribute_key);
            return Err(Fault::not_implemented(&text));
        }
    }
    let is_meant = |event: &TrailEvent| {
        let at = seconds(event.at);
        wanted.start_time.is_none_or(|start| at >= start)
            && wanted.end_time.is_none_or(|end| at <= end)
            && wanted.lookup_attributes.iter().all(|it| match it.attribute_key.as_str() {
                "EventName" => it.attribute_value == event.call.1,
                _ => it.attribute_value == username(event),
            })
    };
    let mut events = state.trail.events(&caller.account, &caller.region);
    events.retain(is_meant);
    let page: Vec<Value> = events.iter().skip(offset).take(limit).map(shown).collect();
    let mut answer = json!({"Events": page});
    if events.len() > offset + limit {
        answer["NextToken"] = json!((offset + limit).to_string());
    }
    Ok(answer)
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

/// Returns the user of an event: the session of the role, or the service that wants to assume it.
fn username(event: &TrailEvent) -> &'static str {
    if event.call.0 == "sts" { "s3.amazonaws.com" } else { "s3-replication" }
}

fn shown(event: &TrailEvent) -> Value {
    let (service, name) = &event.call;
    let source = format!("{service}.amazonaws.com");
    let role_name = event.role.rsplit('/').next().unwrap_or_default();
    let session = format!(
        "{}:assumed-role/{role_name}/s3-replication",
        event.role.split(":role").next().unwrap_or_default().replace(":iam:", ":sts:")
    );
    let mut asked = json!({});
    let identity = if service == "sts" {
        asked["roleArn"] = json!(event.role);
        json!({"type": "AWSService", "invokedBy": "s3.amazonaws.com"})
    } else {
        json!({"type": "AssumedRole", "arn": session, "accountId": event.account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": event.role, "userName": role_name}},
            "invokedBy": "AWS Internal"})
    };
    if let Some(context) = &event.context {
        asked["encryptionContext"] = json!({"aws:s3:arn": context});
    }
    let keys = event
        .key
        .iter()
        .map(|arn| json!({"ARN": arn, "type": "AWS::KMS::Key", "accountId": event.account}));
    let record = json!({
        "eventVersion": "1.08",
        "userIdentity": identity,
        "eventTime": rfc3339(event.at),
        "eventSource": source,
        "eventName": name,
        "awsRegion": event.region,
        "errorCode": "AccessDenied",
        "errorMessage": event.message,
        "requestParameters": asked,
        "resources": keys.collect::<Vec<_>>(),
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": event.account,
    });
    json!({
        "EventName": name,
        "EventSource": source,
        "EventTime": seconds(event.at),
        "ReadOnly": "true",
        "Username": username(event),
        "CloudTrailEvent": record.to_string(),
    })
}
