//! SNS: topics that S3 publishes events to. Over the Query protocol.
//! Source: SNS API Reference, a page an operation.
//! Not for: subscriptions and publishing by clients, or whether S3 may publish (see
//! `gate::publish`).

use crate::gate::{AccessRequest, QueryService, Shared, authorize};
use crate::wire::query::{element, wrapped};
use crate::wire::{Answer, Fault, Params, XmlOutput, query};
use crate::world::messaging::Channel;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::names::{Arn, is_channel_name};
use crrctl_iam::{Context, ResourceKind};
use http::request::Parts;
use serde_json::json;
use std::collections::BTreeMap;

/// The API version that distinguishes SNS requests from those of the other services.
pub(crate) const VERSION: &str = "2010-03-31";

const SERVICE: QueryService = QueryService { signed: "sns", counted: "sns" };
const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The attributes that are kept (SNS API Reference, `CreateTopic`).
const ATTRIBUTES: [&str; 8] = [
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "FifoTopic",
    "KmsMasterKeyId",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
];

/// Handles one SNS request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = shared.query((parts, body), SERVICE, operation, |state, caller| match operation {
        "CreateTopic" => create(state, caller, params),
        "DeleteTopic" => delete(state, caller, params),
        "GetTopicAttributes" => attributes(state, caller, params),
        "ListTagsForResource" => tags(state, caller, params),
        "ListTopics" => list(state, caller),
        "SetTopicAttributes" => set(state, caller, params),
        _ => Err(Fault::not_implemented(&format!("sns:{operation}"))),
    });
    reply_with(params, done, id)
}

/// Wraps the result in SNS's response envelope.
pub(crate) fn reply_with(params: &Params, done: XmlOutput, id: &str) -> Answer {
    query::respond(NAMESPACE, params, done, id)
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameter", text)
}

/// Checks that `caller` may perform an action on a topic.
fn permit(
    state: &State,
    caller: &Caller,
    action: &str,
    (arn, topic): (&str, Option<&Channel>),
) -> Result<(), Fault> {
    let owner = topic.map_or(&caller.account, |topic| &topic.owner);
    let policy = topic.and_then(|topic| topic.policy.as_ref());
    let on = policy.map(|document| (ResourceKind::Channel, document));
    // The policy that SNS gives a new topic names `AWS:SourceOwner`. The sandbox does not set this
    // key, so that a caller needs a policy of its own.
    authorize(
        &state.iam,
        caller,
        AccessRequest { on, ..AccessRequest::plain(action, arn, owner) },
        Context::new,
    )
    .map_err(|denied| Fault::new(403, "AuthorizationError", denied.message()))
}

/// Finds the topic that the parameter `name` names and checks that the caller may perform `action`
/// on it.
fn topic<'a>(
    state: &'a State,
    caller: &Caller,
    action: &str,
    (params, name): (&'a Params, &str),
) -> Result<(&'a str, &'a Channel), Fault> {
    let given = params.require(name)?;
    let arn = Arn::new(given).ok().filter(|arn| arn.service() == "sns");
    let is_here = arn.is_some_and(|arn| arn.region() == caller.region.as_str());
    if !is_here {
        return Err(invalid(format!("Invalid parameter: {name}")));
    }
    let found = state.messaging.0.get(given);
    permit(state, caller, action, (given, found))?;
    let missing = || Fault::new(404, "NotFound", "Topic does not exist");
    found.map(|topic| (given, topic)).ok_or_else(missing)
}

fn create(state: &mut State, caller: &Caller, params: &Params) -> XmlOutput {
    let name = params.require("Name")?;
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    if name.len() > 256 || !is_channel_name(stem) {
        return Err(invalid("Invalid parameter: Topic Name"));
    }
    let mut given = BTreeMap::new();
    let entries = (1..).map_while(|n| {
        let entry = format!("Attributes.entry.{n}");
        let key = params.get(&format!("{entry}.key"))?;
        Some((key, params.get(&format!("{entry}.value")).unwrap_or_default()))
    });
    for (key, value) in entries {
        check(key)?;
        given.insert(key.to_owned(), value.to_owned());
    }
    let is_fifo = given.get("FifoTopic").is_some_and(|it| it == "true");
    if is_fifo != (stem != name) {
        let text = "Invalid parameter: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII \
                    letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.";
        return Err(invalid(text));
    }
    let (region, account) = (caller.region.as_str(), caller.account.as_str());
    let arn = Arn::known(caller.partition(), "sns", region, account, name).to_string();
    permit(state, caller, "sns:CreateTopic", (&arn, None))?;
    if !state.messaging.0.contains_key(&arn) {
        state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))?;
        given.entry("Policy".to_owned()).or_insert_with(|| by_default(&arn, account));
        let new = Channel::new(&caller.account, &caller.region, state.now(), given);
        let mut new = new.map_err(|text| invalid(format!("Invalid parameter: Policy: {text}")))?;
        new.tags = params.tags("Tags").into_iter().collect();
        state.messaging.0.insert(arn.clone(), new);
        begin(state, &arn);
    }
    Ok(Some(element("TopicArn", arn)))
}

/// The policy of a new topic (SNS Developer Guide, "Example cases for Amazon SNS access control").
fn by_default(arn: &str, account: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
        }],
    })
    .to_string()
}

fn check(attribute: &str) -> Result<(), Fault> {
    if ATTRIBUTES.contains(&attribute) || is_of_delivery_logs(attribute) {
        return Ok(());
    }
    Err(Fault::not_implemented(&format!("the attribute {attribute} of topics")))
}

/// Returns whether an attribute is about the log of deliveries, which the sandbox keeps and does not
/// write (SNS Developer Guide, "Amazon SNS message delivery status").
fn is_of_delivery_logs(attribute: &str) -> bool {
    let protocols = ["Application", "Firehose", "HTTP", "Lambda", "SQS"];
    let what = ["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"];
    let rest = protocols.iter().find_map(|protocol| attribute.strip_prefix(protocol));
    rest.is_some_and(|rest| what.contains(&rest))
}

fn begin(state: &mut State, arn: &str) {
    let end = state.quirk_end(Quirk::LateTarget);
    state.recent.begin(Quirk::LateTarget, arn, end);
}

fn delete(state: &mut State, caller: &Caller, params: &Params) -> XmlOutput {
    match topic(state, caller, "sns:DeleteTopic", (params, "TopicArn")) {
        Ok((arn, _)) => {
            let arn = arn.to_owned();
            state.messaging.0.remove(&arn);
            Ok(None)
        }
        // Deleting a topic that does not exist succeeds (SNS API Reference, `DeleteTopic`).
        Err(fault) if fault.code == "NotFound" => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn attributes(state: &State, caller: &Caller, params: &Params) -> XmlOutput {
    let (arn, topic) = topic(state, caller, "sns:GetTopicAttributes", (params, "TopicArn"))?;
    let mut all = topic.attributes.clone();
    for (name, value) in [
        ("TopicArn", arn),
        ("Owner", topic.owner.as_str()),
        ("DisplayName", ""),
        ("SubscriptionsConfirmed", "0"),
        ("SubscriptionsPending", "0"),
        ("SubscriptionsDeleted", "0"),
    ] {
        all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let entry = |(key, value): (&String, &String)| {
        wrapped("entry", &(element("key", key) + &element("value", value)))
    };
    Ok(Some(wrapped("Attributes", &all.iter().map(entry).collect::<String>())))
}

fn set(state: &mut State, caller: &Caller, params: &Params) -> XmlOutput {
    let (arn, _) = topic(state, caller, "sns:SetTopicAttributes", (params, "TopicArn"))?;
    let (arn, name) = (arn.to_owned(), params.require("AttributeName")?);
    check(name)?;
    let value = params.get("AttributeValue").unwrap_or_default();
    if let Some(topic) = state.messaging.0.get_mut(&arn) {
        topic
            .set(name, value)
            .map_err(|text| invalid(format!("Invalid parameter: Policy: {text}")))?;
    }
    begin(state, &arn);
    Ok(None)
}

fn tags(state: &State, caller: &Caller, params: &Params) -> XmlOutput {
    let (_, topic) = topic(state, caller, "sns:ListTagsForResource", (params, "ResourceArn"))?;
    let tag = |(key, value): (&String, &String)| {
        wrapped("member", &(element("Key", key) + &element("Value", value)))
    };
    Ok(Some(wrapped("Tags", &topic.tags.iter().map(tag).collect::<String>())))
}

fn list(state: &State, caller: &Caller) -> XmlOutput {
    permit(state, caller, "sns:ListTopics", ("*", None))?;
    let (region, account) = (caller.region.as_str(), caller.account.as_str());
    let own = Arn::known(caller.partition(), "sns", region, account, "").to_string();
    let arns = state.messaging.0.keys().filter(|arn| arn.starts_with(&own));
    let member = |arn: &String| wrapped("member", &element("TopicArn", arn));
    Ok(Some(wrapped("Topics", &arns.map(member).collect::<String>())))
}
