//! The topics and queues that tell of failed replication: the calls by which S3 and CloudWatch publish
//! to them, and use the key that encrypts the messages.
//! Sections: S3 User Guide, "Granting permissions to publish event notification messages to a
//! destination"; SNS Developer Guide, "Example cases for Amazon SNS access control" and "Key
//! management"; AWS re:Post knowledge center, "Why didn't I receive an SNS notification for my
//! CloudWatch alarm trigger?".
//! Not for: the notification configuration of a bucket, or alarms (see `plan`).

use super::Document;
use super::call::{Call, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::reverse::{by_others, with_reverse};
use super::scene::Scene;
use crate::manifest::Topology;
use crate::names::{AccountId, Arn, Region};
use crrctl_iam::{self as iam, Principal, ResourceKind};
use serde_json::Value;

/// The service that publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// S3, for `replication.alerts`.
    S3,
    /// CloudWatch, for `replication.alarm`.
    CloudWatch,
}

impl Publisher {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::CloudWatch => "CloudWatch",
        }
    }

    fn principal(self) -> &'static str {
        match self {
            Self::S3 => "s3.amazonaws.com",
            Self::CloudWatch => "cloudwatch.amazonaws.com",
        }
    }

    fn section(self) -> &'static str {
        match self {
            Self::S3 => "alerts",
            Self::CloudWatch => "alarms",
        }
    }
}

/// A topic or queue, and who publishes to it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The topic or queue.
    pub arn: &'a Arn,
    /// Who publishes.
    pub publisher: Publisher,
    /// The pair, or for CloudWatch one direction of it.
    pub topology: &'a Topology,
}

/// What a service publishes for: a bucket, or an alarm.
struct Source {
    arn: String,
    account: AccountId,
    /// An ARN that the policy must not let publish.
    another: String,
}

impl<'a> Target<'a> {
    /// Returns the topic or queue of `replication.alerts`.
    pub fn of_alerts(topology: &'a Topology) -> Option<Self> {
        let arn = topology.wanted.alerts.as_ref()?;
        Some(Self { arn, publisher: Publisher::S3, topology })
    }

    /// Returns the topic that the alarms of one direction notify.
    pub fn of_alarms(direction: &'a Topology) -> Option<Self> {
        let arn = direction.alarm_topic()?;
        Some(Self { arn, publisher: Publisher::CloudWatch, topology: direction })
    }

    /// Returns every target of a pair, of which `directions` are the directions.
    pub fn all(topology: &'a Topology, directions: &'a [Topology]) -> impl Iterator<Item = Self> {
        let alarms = directions.iter().filter_map(Self::of_alarms);
        Self::of_alerts(topology).into_iter().chain(alarms)
    }

    /// Returns the Region of the topic or queue, which is that of its sources.
    pub fn region(&self) -> &'a Region {
        match self.publisher {
            Publisher::S3 => &self.topology.wanted.home().region,
            Publisher::CloudWatch => &self.topology.source.region,
        }
    }

    /// Returns the document that its policy must contain, and the one that the policy of its key must.
    pub fn documents(&self) -> (Document, Document) {
        match self.publisher {
            Publisher::S3 => (Document::AlertTarget, Document::AlertKey),
            Publisher::CloudWatch => {
                (Document::alarm_topic(self.topology), Document::alarm_key(self.topology))
            }
        }
    }

    /// Returns whether `policy`, the one of the topic or queue, lets the service publish for every
    /// source.
    pub fn may_publish(&self, policy: Option<&Value>) -> bool {
        all_allowed(&self.publish(), ResourceKind::Channel, policy)
    }

    /// Returns whether `policy`, the one of the key `key`, lets the service use it for every source.
    pub fn may_encrypt(&self, key: &str, policy: &Value) -> bool {
        all_allowed(&self.encrypt(key), ResourceKind::Key, Some(policy))
    }

    fn sources(&self) -> Vec<Source> {
        let topology = self.topology;
        let partition = topology.wanted.partition();
        match self.publisher {
            Publisher::S3 => {
                let sides = topology.sides().filter(|side| topology.replicates_from(side));
                let source = |side: &crate::manifest::Side| {
                    let arn = side.bucket.arn(partition).to_string();
                    Source { another: format!("{arn}-other"), arn, account: side.account.clone() }
                };
                sides.map(source).collect()
            }
            Publisher::CloudWatch => {
                let account = &topology.source.account;
                let source = |alarm: Arn| {
                    let another = alarm.to_string().replace(":alarm:", ":alarm:other-");
                    Source { arn: alarm.to_string(), account: account.clone(), another }
                };
                topology.alarm_arns().into_iter().map(source).collect()
            }
        }
    }

    fn service(&self) -> PolicyCaller {
        let caller = Principal::Service(self.publisher.principal().to_owned());
        PolicyCaller { section: self.publisher.section(), caller, own: OwnPolicies::Nothing }
    }

    fn publish(&self) -> Vec<Call> {
        let Ok(owner) = AccountId::new(self.arn.account()) else { return Vec::new() };
        let (action, forbidden): (_, &[&'static str]) = if self.arn.service() == "sns" {
            ("sns:Publish", &["sns:DeleteTopic", "sns:Subscribe"])
        } else {
            ("sqs:SendMessage", &["sqs:DeleteQueue", "sqs:ReceiveMessage"])
        };
        let at = ResourcePolicyOf::Document(ResourceKind::Channel, self.documents().0);
        let call = |source: &Source| {
            let elsewhere = (format!("{}-other", self.arn), at.clone());
            let call = Call::new(&self.service(), action, self.arn, &owner)
                .at(at.clone())
                .foreign_resources([elsewhere])
                .forbidden_actions(forbidden);
            self.said(call, source)
        };
        self.sources().iter().map(call).collect()
    }

    fn encrypt(&self, key: &str) -> Vec<Call> {
        let owner = Arn::new(key).ok().and_then(|key| AccountId::new(key.account()).ok());
        let Some(owner) = owner else { return Vec::new() };
        let at = ResourcePolicyOf::Document(ResourceKind::Key, self.documents().1);
        let call = |source: &Source, action: &str| {
            let call = Call::new(&self.service(), action, key, &owner)
                .at(at.clone())
                .forbidden_actions(&["kms:Encrypt", "kms:ScheduleKeyDeletion"]);
            self.said(call, source)
        };
        let both =
            |source: &Source| ["kms:GenerateDataKey", "kms:Decrypt"].map(|it| call(source, it));
        self.sources().iter().flat_map(both).collect()
    }

    /// Adds the condition keys that the service sends. CloudWatch sends `aws:SourceOwner` too, which the
    /// policy of a new topic asks for (SNS Developer Guide, "`aws:SourceAccount` versus
    /// `aws:SourceOwner`").
    fn said(&self, call: Call, source: &Source) -> Call {
        let (arn, account) = (&source.arn, source.account.as_str());
        let call = call
            .demanding_not("ArnLike", "aws:SourceArn", arn, vec![source.another.clone()])
            .demanding("StringEquals", "aws:SourceAccount", account);
        match self.publisher {
            Publisher::S3 => call,
            Publisher::CloudWatch => call.with("aws:SourceOwner", account),
        }
    }
}

/// Returns the calls under the documents of `target`, and the related calls that must be denied.
pub(super) fn calls(scene: &Scene<'_>, target: &Target<'_>) -> Vec<Call> {
    let service = || target.service();
    let logging = Principal::Service("logging.s3.amazonaws.com".to_owned());
    let section = target.publisher.section();
    let others = [
        PolicyCaller { caller: logging, ..service() },
        PolicyCaller { caller: Principal::Anonymous, ..service() },
        PolicyCaller { own: OwnPolicies::Nothing, ..scene.stranger(section) },
    ];
    let all = [target.publish(), target.encrypt(&some_key(target.arn))].concat();
    let refused: Vec<Call> = all.iter().flat_map(|call| by_others(call, &others)).collect();
    with_reverse(all).into_iter().chain(refused).collect()
}

/// Returns a key in the place of the target, whose own key is not known before it is read.
fn some_key(target: &Arn) -> String {
    format!(
        "arn:{}:kms:{}:{}:key/00000000-0000-0000-0000-000000000000",
        target.partition(),
        target.region(),
        target.account()
    )
}

fn all_allowed(calls: &[Call], kind: ResourceKind, policy: Option<&Value>) -> bool {
    let Some(Ok(document)) = policy.map(iam::Document::parse) else { return false };
    let policy = iam::Named { name: "", document: &document };
    let resource = Some(iam::ResourcePolicy { kind, policy });
    let policies = iam::Policies { resource, ..iam::Policies::default() };
    let is_allowed = |call: &Call| iam::evaluate(&call.request(), &policies).is_allowed();
    !calls.is_empty() && calls.iter().all(is_allowed)
}

#[cfg(test)]
mod tests;
