//! SNS topics and SQS queues, as far as S3 publishes events to them: their attributes, policies and
//! tags, and the messages that each got.
//! Not for: the operations on them (see `sns` and `sqs`), or subscriptions, which are not modelled.

use crate::world::State;
use crrctl_iam::Document;
use crrctl_iam::names::{AccountId, Arn, Region};
use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

/// The maximum number of messages that a topic or a queue keeps. The oldest are removed first.
const MAX_MESSAGES: usize = 1000;

/// All topics and queues, by ARN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messaging(pub(crate) BTreeMap<String, Channel>);

/// A topic or a queue.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) created: SystemTime,
    /// The attributes that were set, by name.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The policy in the attribute `Policy`, for evaluation.
    pub(crate) policy: Option<Document>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The messages, oldest first.
    pub(crate) messages: VecDeque<Message>,
}

/// A message that a topic or a queue got.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) sent: SystemTime,
    /// Until when a queue hides the message from `ReceiveMessage`.
    pub(crate) hidden_until: Option<SystemTime>,
}

impl Channel {
    /// Creates a topic or a queue with these attributes.
    ///
    /// # Errors
    /// What is wrong with the policy among the attributes.
    pub(crate) fn new(
        owner: &AccountId,
        region: &Region,
        created: SystemTime,
        attributes: BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let policy = attributes.get("Policy").map(|text| read(text)).transpose()?;
        Ok(Self {
            owner: owner.clone(),
            region: region.clone(),
            created,
            attributes,
            policy: policy.flatten(),
            tags: BTreeMap::new(),
            messages: VecDeque::new(),
        })
    }

    /// Sets an attribute. An empty value removes a policy or a key.
    ///
    /// # Errors
    /// What is wrong with a policy.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == "Policy" {
            self.policy = read(value)?;
        }
        if value.is_empty() {
            self.attributes.remove(name);
        } else {
            self.attributes.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Returns the key that encrypts the messages: an id, an ARN or an alias, as it was set.
    pub(crate) fn key(&self) -> Option<&str> {
        self.attributes.get("KmsMasterKeyId").map(String::as_str)
    }

    /// Adds a message.
    pub(crate) fn push(&mut self, body: String, sent: SystemTime) {
        let id = uuid::Uuid::new_v4().to_string();
        self.messages.push_back(Message { id, body, sent, hidden_until: None });
        if self.messages.len() > MAX_MESSAGES {
            self.messages.pop_front();
        }
    }
}

fn read(text: &str) -> Result<Option<Document>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Document::parse(text).map(Some).map_err(|error| error.to_string())
}

impl State {
    /// Sets attributes of a topic or a queue, and makes it if it is not there.
    ///
    /// # Errors
    /// What is wrong with the policy.
    pub(crate) fn put_channel(
        &mut self,
        arn: &Arn,
        attributes: &[(&str, &str)],
    ) -> Result<(), String> {
        let (Ok(owner), Ok(region)) = (AccountId::new(arn.account()), Region::new(arn.region()))
        else {
            return Ok(());
        };
        if !["sns", "sqs"].contains(&arn.service()) {
            return Ok(());
        }
        let mut channel = match self.messaging.0.get(arn.as_str()) {
            Some(channel) => channel.clone(),
            None => Channel::new(&owner, &region, self.now(), BTreeMap::new())?,
        };
        for (name, value) in attributes {
            channel.set(name, value)?;
        }
        self.messaging.0.insert(arn.to_string(), channel);
        Ok(())
    }
}

impl Messaging {
    /// Returns all messages as `GET /_crrctl/messages` shows them: each with its topic or queue, and
    /// its body, which is JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let of_channel = |(arn, channel): (&String, &Channel)| -> Vec<serde_json::Value> {
            let shown = |message: &Message| {
                let body = serde_json::from_str::<serde_json::Value>(&message.body);
                serde_json::json!({
                    "target": arn,
                    "sent_at": super::clock::rfc3339_exact(message.sent),
                    "body": body.unwrap_or_default(),
                })
            };
            channel.messages.iter().map(shown).collect()
        };
        self.0.iter().flat_map(of_channel).collect()
    }
}
