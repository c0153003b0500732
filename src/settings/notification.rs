//! The entries of a bucket's notification configuration, and the one by which a pair alerts of
//! replication that failed. S3 keeps one configuration of a bucket, which others have entries in.
//! Sources: S3 API Reference, `NotificationConfiguration`; S3 User Guide, "Receiving replication
//! failure events with Amazon S3 Event Notifications".
//! Not for: which entry a pair wants (see `plan::alerts`), or the topic or queue itself.

use crate::hcl::{self, Body};
use crate::names::PairName;
use serde::Serialize;
use serde_json::{Value, json};

/// The notification configuration of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// Its entries: those of topics, then those of queues, then those of functions.
    pub entries: Vec<Notification>,
    /// Whether all events go to `EventBridge` too. Those of replication do not.
    pub event_bridge: bool,
}

/// One entry: events of a bucket go to one topic, queue or function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// The entry's id.
    pub id: String,
    /// The ARN of the topic, queue or function.
    pub target: String,
    /// The event types, which may end with `*`.
    pub events: Vec<String>,
    /// What the keys of the objects begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What the keys of the objects end with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

/// What an entry leads to, by the service of its ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An SNS topic.
    Topic,
    /// An SQS queue.
    Queue,
    /// A Lambda function.
    Function,
}

impl TargetKind {
    /// Returns the kind of the target that an ARN names.
    pub fn of(arn: &str) -> Self {
        match arn.split(':').nth(2) {
            Some("sns") => Self::Topic,
            Some("sqs") => Self::Queue,
            _ => Self::Function,
        }
    }

    /// Returns what it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Queue => "queue",
            Self::Function => "function",
        }
    }
}

impl Notification {
    /// An object that was to be replicated was not.
    pub const FAILED: &'static str = "s3:Replication:OperationFailedReplication";
    /// An object was not replicated within the 15 minutes of S3 Replication Time Control.
    pub const MISSED: &'static str = "s3:Replication:OperationMissedThreshold";

    /// Returns the id of the entry of a pair.
    pub fn own_id(pair: &PairName) -> String {
        format!("crrctl.{pair}")
    }

    /// Returns the entry of a pair: failures and, with S3 Replication Time Control, missed thresholds.
    /// What was replicated after its threshold needs nobody, so no event is wanted for it.
    pub fn own(pair: &PairName, target: &str, is_timed: bool) -> Self {
        let missed = is_timed.then_some(Self::MISSED);
        let events = std::iter::once(Self::FAILED).chain(missed);
        Self {
            id: Self::own_id(pair),
            target: target.to_owned(),
            events: events.map(str::to_owned).collect(),
            prefix: None,
            suffix: None,
        }
    }

    /// Returns the kind of its target.
    pub fn kind(&self) -> TargetKind {
        TargetKind::of(&self.target)
    }

    /// Returns whether S3 takes it for the same entry: the order of the events does not matter.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.differences(other).is_empty()
    }

    /// Returns what differs from another entry of the same id.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let sorted = |it: &Self| {
            let mut events = it.events.clone();
            events.sort();
            events
        };
        let all = [
            ("target", self.target != other.target),
            ("events", sorted(self) != sorted(other)),
            ("filter", self.prefix != other.prefix || self.suffix != other.suffix),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(label, _)| label).collect()
    }

    /// Returns whether an object can be covered by both entries for one event, which S3 refuses
    /// (S3 User Guide, "Configuring event notifications using object key name filtering").
    pub fn overlaps(&self, other: &Self) -> bool {
        let common = |a: &String| other.events.iter().any(|b| covers(a, b) || covers(b, a));
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let (mine, theirs) = (text(&self.prefix), text(&other.prefix));
        let begins = mine.starts_with(&theirs) || theirs.starts_with(&mine);
        let (mine, theirs) = (text(&self.suffix), text(&other.suffix));
        let ends = mine.ends_with(&theirs) || theirs.ends_with(&mine);
        begins && ends && self.events.iter().any(common)
    }

    /// Returns the block of Terraform's resource: its name, and its body.
    fn terraform(&self) -> (&'static str, Body) {
        let (name, attribute) = match self.kind() {
            TargetKind::Topic => ("topic", "topic_arn"),
            TargetKind::Queue => ("queue", "queue_arn"),
            TargetKind::Function => ("lambda_function", "lambda_function_arn"),
        };
        let events = self.events.iter().map(hcl::Value::text).collect();
        let mut body = Body::default()
            .set("id", hcl::Value::text(&self.id))
            .set(attribute, hcl::Value::text(&self.target))
            .set("events", hcl::Value::List(events));
        for (name, value) in [("filter_prefix", &self.prefix), ("filter_suffix", &self.suffix)] {
            if let Some(value) = value {
                body = body.set(name, hcl::Value::text(value));
            }
        }
        (name, body)
    }

    /// Returns the entries of CloudFormation's list, which take one event each: its name, and its
    /// members.
    fn cloudformation(&self) -> (&'static str, Vec<Value>) {
        let (list, target) = match self.kind() {
            TargetKind::Topic => ("TopicConfigurations", "Topic"),
            TargetKind::Queue => ("QueueConfigurations", "Queue"),
            TargetKind::Function => ("LambdaConfigurations", "Function"),
        };
        let rules = [("prefix", &self.prefix), ("suffix", &self.suffix)];
        let rules = rules.into_iter().filter_map(|(name, value)| {
            value.as_ref().map(|value| json!({"Name": name, "Value": value}))
        });
        let rules: Vec<Value> = rules.collect();
        let entry = |event: &String| {
            let mut entry = json!({"Event": event, target: self.target});
            if !rules.is_empty() {
                entry["Filter"] = json!({"S3Key": {"Rules": rules}});
            }
            entry
        };
        (list, self.events.iter().map(entry).collect())
    }
}

/// Returns whether an event type of an entry, which may end with `*`, covers another.
fn covers(wanted: &str, event: &str) -> bool {
    wanted == event || wanted.strip_suffix('*').is_some_and(|start| event.starts_with(start))
}

impl Notifications {
    /// Returns the entry of a pair, if there is one.
    pub fn own(&self, pair: &PairName) -> Option<&Notification> {
        let id = Notification::own_id(pair);
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Returns Terraform's resource, which owns the whole configuration.
    pub fn terraform(&self) -> (&'static str, Body) {
        let mut body = Body::default();
        if self.event_bridge {
            body = body.set("eventbridge", hcl::Value::bare(&true));
        }
        for (name, block) in self.entries.iter().map(Notification::terraform) {
            body = body.block(name, &[], block);
        }
        ("aws_s3_bucket_notification", body)
    }

    /// Returns the property of CloudFormation's bucket.
    pub fn cloudformation(&self) -> (&'static str, Value) {
        let mut all = json!({});
        if self.event_bridge {
            all["EventBridgeConfiguration"] = json!({"EventBridgeEnabled": true});
        }
        for (list, entries) in self.entries.iter().map(Notification::cloudformation) {
            let mut known = all[list].as_array().cloned().unwrap_or_default();
            known.extend(entries);
            all[list] = json!(known);
        }
        ("NotificationConfiguration", all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(events: &[&str], prefix: &str, suffix: &str) -> Notification {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Notification {
            id: "a".to_owned(),
            target: "arn:aws:sns:us-east-1:111122223333:t".to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            prefix: some(prefix),
            suffix: some(suffix),
        }
    }

    #[test]
    fn entries_overlap_where_an_object_is_covered_by_both() {
        let failed = [Notification::FAILED];
        let ours = entry(&failed, "", "");
        for (events, prefix, suffix, overlaps) in [
            (&failed[..], "", "", true),
            (&["s3:Replication:*"], "in/", ".csv", true),
            (&[Notification::MISSED], "", "", false),
            (&["s3:ObjectCreated:*"], "", "", false),
        ] {
            assert_eq!(ours.overlaps(&entry(events, prefix, suffix)), overlaps, "{events:?}");
        }
        assert!(!entry(&failed, "a/", "").overlaps(&entry(&failed, "b/", "")));
        assert!(!entry(&failed, "", "a").overlaps(&entry(&failed, "", "b")));
        assert!(entry(&["x", "y"], "", "").is_same(&entry(&["y", "x"], "", "")));
    }
}
