//! SQS: queues that S3 sends events to. Over the AWS JSON 1.0 protocol.
//! Source: SQS API Reference, a page an operation, and "Making API requests using the AWS JSON
//! protocol".
//! Not for: messages of clients, or whether S3 may send (see `gate::publish`).

use crate::gate::{AccessRequest, Shared, authorize, verify};
use crate::kms;
use crate::wire::{Answer, Fault};
use crate::world::messaging::Channel;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::names::{AccountId, Arn, is_channel_name};
use crrctl_iam::{Context, ResourceKind};
use http::request::Parts;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The start of the header `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "AmazonSQS.";

/// The attributes that can be set, with their defaults (SQS API Reference, `SetQueueAttributes`).
/// One without a default is not returned where it was not set.
const ATTRIBUTES: [(&str, Option<&str>); 12] = [
    ("ContentBasedDeduplication", None),
    ("DelaySeconds", Some("0")),
    ("FifoQueue", None),
    ("KmsDataKeyReusePeriodSeconds", None),
    ("KmsMasterKeyId", None),
    ("MaximumMessageSize", Some("1048576")),
    ("MessageRetentionPeriod", Some("345600")),
    ("Policy", None),
    ("ReceiveMessageWaitTimeSeconds", Some("0")),
    ("RedrivePolicy", None),
    ("SqsManagedSseEnabled", None),
    ("VisibilityTimeout", Some("30")),
];

/// Returns the operation of a request, if it is one for SQS.
pub(crate) fn operation(parts: &Parts) -> Option<&str> {
    parts.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET_PREFIX)
}

/// Handles one SQS request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let operation = operation(parts).unwrap_or_default();
    let done = verify(shared, parts, body, "sqs").map_err(kms::refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("sqs", operation);
        let host = parts.headers.get("host").and_then(|host| host.to_str().ok());
        let mut call =
            SqsCall { state: &mut state, caller: &caller, host: host.unwrap_or_default(), body };
        match operation {
            "CreateQueue" => call.create(),
            "DeleteMessage" => call.delete_message(),
            "DeleteQueue" => call.delete(),
            "GetQueueAttributes" => call.attributes(),
            "GetQueueUrl" => call.url(),
            "ReceiveMessage" => call.receive(),
            "SetQueueAttributes" => call.set(),
            _ => Err(Fault::not_implemented(&format!("sqs:{operation}"))),
        }
    });
    kms::reply_with(done, id)
}

struct SqsCall<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    /// The host that the request was sent to, which is that of the queues' URLs.
    host: &'a str,
    body: &'a [u8],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NewQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct QueueName {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct QueueUrl {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Receive {
    queue_url: String,
    #[serde(default = "one")]
    max_number_of_messages: usize,
    visibility_timeout: Option<u32>,
    /// The sandbox does not wait: what is there is returned.
    #[serde(rename = "WaitTimeSeconds")]
    _wait: Option<u32>,
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

fn missing() -> Fault {
    Fault::bad("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
}

/// Checks that queues have attributes of these names.
fn check<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Fault> {
    let unknown = names.find(|name| !ATTRIBUTES.iter().any(|(known, _)| known == name));
    unknown.map_or(Ok(()), |name| Err(invalid_attribute(name)))
}

fn invalid_attribute(name: &str) -> Fault {
    Fault::bad("com.amazonaws.sqs#InvalidAttributeName", format!("Unknown Attribute {name}."))
}

fn invalid_policy(text: &str) -> Fault {
    let text = format!("Invalid value for the parameter Policy: {text}");
    Fault::bad("com.amazonaws.sqs#InvalidAttributeValue", text)
}

impl SqsCall<'_> {
    fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(self.body).map_err(|error| {
            Fault::bad("com.amazon.coral.service#SerializationException", error.to_string())
        })
    }

    fn arn(&self, account: &str, name: &str) -> String {
        let region = self.caller.region.as_str();
        Arn::known(self.caller.partition(), "sqs", region, account, name).to_string()
    }

    fn permit(
        &self,
        action: &str,
        arn: &str,
        owner: &AccountId,
        queue: Option<&Channel>,
    ) -> Result<(), Fault> {
        let policy = queue.and_then(|queue| queue.policy.as_ref());
        let on = policy.map(|document| (ResourceKind::Channel, document));
        let request = AccessRequest { on, ..AccessRequest::plain(action, arn, owner) };
        authorize(&self.state.iam, self.caller, request, Context::new)
            .map_err(|denied| Fault::new(403, "AccessDeniedException", denied.message()))
    }

    /// Finds a queue by its URL, which ends with the account and the name, and checks that the
    /// caller may perform `action` on it.
    fn queue(&self, action: &str, url: &str) -> Result<String, Fault> {
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let owner = AccountId::new(account).map_err(|_| {
            Fault::bad(
                "InvalidAddress",
                format!("The address {url} is not valid for this endpoint."),
            )
        })?;
        self.named(action, &owner, name)
    }

    fn named(&self, action: &str, owner: &AccountId, name: &str) -> Result<String, Fault> {
        let arn = self.arn(owner.as_str(), name);
        let queue = self.state.messaging.0.get(&arn);
        self.permit(action, &arn, owner, queue)?;
        if queue.is_some() { Ok(arn) } else { Err(missing()) }
    }

    fn url_of(&self, account: &AccountId, name: &str) -> Value {
        json!({"QueueUrl": format!("http://{}/{account}/{name}", self.host)})
    }

    fn begin(&mut self, arn: &str) {
        let end = self.state.quirk_end(Quirk::LateTarget);
        self.state.recent.begin(Quirk::LateTarget, arn, end);
    }

    fn create(&mut self) -> Result<Value, Fault> {
        let NewQueue { queue_name: name, attributes, tags } = self.input()?;
        let stem = name.strip_suffix(".fifo").unwrap_or(&name);
        if name.len() > 80 || !is_channel_name(stem) {
            let text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(Fault::bad("InvalidParameterValue", text));
        }
        check(attributes.keys())?;
        let is_fifo = attributes.get("FifoQueue").is_some_and(|it| it == "true");
        if is_fifo != (stem != name) {
            let text = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
                 underscores, must end with .fifo suffix and be 1 to 80 in length.";
            return Err(Fault::bad("InvalidParameterValue", text));
        }
        let arn = self.arn(self.caller.account.as_str(), &name);
        self.permit("sqs:CreateQueue", &arn, &self.caller.account, None)?;
        if let Some(found) = self.state.messaging.0.get(&arn) {
            let differs =
                attributes.iter().any(|(key, value)| found.attributes.get(key) != Some(value));
            if differs {
                let text = "A queue already exists with the same name and a different value for an attribute";
                return Err(Fault::bad("com.amazonaws.sqs#QueueNameExists", text));
            }
        } else {
            self.state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))?;
            let now = self.state.now();
            let new = Channel::new(&self.caller.account, &self.caller.region, now, attributes);
            let mut new = new.map_err(|text| invalid_policy(&text))?;
            new.tags = tags;
            self.state.messaging.0.insert(arn.clone(), new);
            self.begin(&arn);
        }
        Ok(self.url_of(&self.caller.account, &name))
    }

    fn url(&self) -> Result<Value, Fault> {
        let QueueName { queue_name, owner } = self.input()?;
        let owner = match owner {
            None => self.caller.account.clone(),
            Some(owner) => AccountId::new(&*owner).map_err(|_| missing())?,
        };
        self.named("sqs:GetQueueUrl", &owner, &queue_name)?;
        Ok(self.url_of(&owner, &queue_name))
    }

    fn attributes(&self) -> Result<Value, Fault> {
        let AskedAttributes { queue_url, attribute_names } = self.input()?;
        let arn = self.queue("sqs:GetQueueAttributes", &queue_url)?;
        let Some(queue) = self.state.messaging.0.get(&arn) else { return Err(missing()) };
        let mut all: BTreeMap<String, String> = queue.attributes.clone();
        let defaults = ATTRIBUTES.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        for (name, value) in defaults {
            all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        // Without a key, queues are encrypted with SSE-SQS (SQS Developer Guide, "Data
        // encryption").
        let managed = if queue.key().is_some() { "false" } else { "true" };
        all.entry("SqsManagedSseEnabled".to_owned()).or_insert_with(|| managed.to_owned());
        let seconds =
            queue.created.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let count = |hidden: bool| {
            let now = self.state.now();
            let is_hidden = |it: Option<SystemTime>| it.is_some_and(|until| until > now);
            let messages = queue.messages.iter().filter(|it| is_hidden(it.hidden_until) == hidden);
            messages.count().to_string()
        };
        for (name, value) in [
            ("QueueArn", arn.clone()),
            ("CreatedTimestamp", seconds.to_string()),
            ("LastModifiedTimestamp", seconds.to_string()),
            ("ApproximateNumberOfMessages", count(false)),
            ("ApproximateNumberOfMessagesNotVisible", count(true)),
            ("ApproximateNumberOfMessagesDelayed", "0".to_owned()),
        ] {
            all.insert(name.to_owned(), value);
        }
        let mut shown = Map::new();
        if attribute_names.iter().any(|name| name == "All") {
            shown = all.into_iter().map(|(name, value)| (name, json!(value))).collect();
        } else {
            for name in attribute_names {
                if let Some(value) = all.get(&name) {
                    shown.insert(name, json!(value));
                } else if !ATTRIBUTES.iter().any(|(known, _)| *known == name) {
                    return Err(invalid_attribute(&name));
                }
            }
        }
        Ok(json!({"Attributes": shown}))
    }

    fn set(&mut self) -> Result<Value, Fault> {
        let SetAttributes { queue_url, attributes } = self.input()?;
        let arn = self.queue("sqs:SetQueueAttributes", &queue_url)?;
        check(attributes.keys())?;
        if let Some(queue) = self.state.messaging.0.get_mut(&arn) {
            for (name, value) in &attributes {
                queue.set(name, value).map_err(|text| invalid_policy(&text))?;
            }
        }
        self.begin(&arn);
        Ok(Value::Null)
    }

    fn delete(&mut self) -> Result<Value, Fault> {
        let QueueUrl { queue_url } = self.input()?;
        let arn = self.queue("sqs:DeleteQueue", &queue_url)?;
        self.state.messaging.0.remove(&arn);
        Ok(Value::Null)
    }

    fn receive(&mut self) -> Result<Value, Fault> {
        let Receive { queue_url, max_number_of_messages: most, visibility_timeout, _wait } =
            self.input()?;
        let arn = self.queue("sqs:ReceiveMessage", &queue_url)?;
        if !(1..=10).contains(&most) {
            let text = format!(
                "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            );
            return Err(Fault::bad("InvalidParameterValue", text));
        }
        let now = self.state.now();
        let Some(queue) = self.state.messaging.0.get_mut(&arn) else { return Err(missing()) };
        let usual = queue.attributes.get("VisibilityTimeout").and_then(|it| it.parse().ok());
        let hidden = Duration::from_secs(visibility_timeout.or(usual).unwrap_or(30).into());
        let mut taken = Vec::new();
        let is_shown = |until: Option<SystemTime>| until.is_none_or(|until| until <= now);
        for message in queue.messages.iter_mut().filter(|it| is_shown(it.hidden_until)).take(most) {
            message.hidden_until = now.checked_add(hidden);
            taken.push(json!({
                "MessageId": message.id,
                "ReceiptHandle": message.id,
                "MD5OfBody": hex::encode(Md5::digest(message.body.as_bytes())),
                "Body": message.body,
            }));
        }
        Ok(if taken.is_empty() { json!({}) } else { json!({"Messages": taken}) })
    }

    fn delete_message(&mut self) -> Result<Value, Fault> {
        let DeleteMessage { queue_url, receipt_handle } = self.input()?;
        let arn = self.queue("sqs:DeleteMessage", &queue_url)?;
        if let Some(queue) = self.state.messaging.0.get_mut(&arn) {
            queue.messages.retain(|message| message.id != receipt_handle);
        }
        Ok(Value::Null)
    }
}
