//! The calls by which S3 publishes events to the topic or queue of `replication.alerts`, and uses
//! the key that encrypts its messages.
//! Section: S3 User Guide, "Granting permissions to publish event notification messages to a
//! destination".
//! Not for: the notification configuration of a bucket.

use super::Document;
use super::call::{Call, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::reverse::{by_others, with_reverse};
use super::scene::Scene;
use crate::manifest::{Side, Topology};
use crate::names::{AccountId, Arn};
use crrctl_iam::{self as iam, Principal, ResourceKind};
use serde_json::Value;

const SECTION: &str = "alerts";
const SERVICE: &str = "s3.amazonaws.com";

/// Returns the calls under the documents that are known, and the related calls that must be denied.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    let topology = scene.topology;
    let Some(target) = &topology.wanted.alerts else { return Vec::new() };
    let sources = || topology.sides().filter(|side| topology.replicates_from(side));
    let others = [
        PolicyCaller {
            caller: Principal::Service("logging.s3.amazonaws.com".to_owned()),
            ..service()
        },
        PolicyCaller { caller: Principal::Anonymous, ..service() },
        PolicyCaller { own: OwnPolicies::Nothing, ..scene.stranger(SECTION) },
    ];
    let key = some_key(target);
    let publish = sources().filter_map(|side| publish(topology, side, target));
    let encrypt = sources().flat_map(|side| encrypt(topology, side, &key));
    let all: Vec<Call> = publish.chain(encrypt).collect();
    let refused: Vec<Call> = all.iter().flat_map(|call| by_others(call, &others)).collect();
    with_reverse(all).into_iter().chain(refused).collect()
}

fn service() -> PolicyCaller {
    let caller = Principal::Service(SERVICE.to_owned());
    PolicyCaller { section: SECTION, caller, own: OwnPolicies::Nothing }
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

/// Adds the condition keys that S3 sends.
fn from_source(call: Call, topology: &Topology, side: &Side) -> Call {
    let source = side.bucket.arn(topology.wanted.partition());
    call.demanding("ArnLike", "aws:SourceArn", source.as_str()).demanding(
        "StringEquals",
        "aws:SourceAccount",
        side.account.as_str(),
    )
}

fn publish(topology: &Topology, side: &Side, target: &Arn) -> Option<Call> {
    let owner = AccountId::new(target.account()).ok()?;
    let (action, forbidden): (_, &[&'static str]) = if target.service() == "sns" {
        ("sns:Publish", &["sns:DeleteTopic", "sns:Subscribe"])
    } else {
        ("sqs:SendMessage", &["sqs:DeleteQueue", "sqs:ReceiveMessage"])
    };
    let at = ResourcePolicyOf::Document(ResourceKind::Bucket, Document::AlertTarget);
    let elsewhere = (format!("{target}-other"), at.clone());
    let call = Call::new(&service(), action, target, &owner)
        .at(at)
        .foreign_resources([elsewhere])
        .forbidden_actions(forbidden);
    Some(from_source(call, topology, side))
}

fn encrypt(topology: &Topology, side: &Side, key: &str) -> Vec<Call> {
    let owner = Arn::new(key).ok().and_then(|key| AccountId::new(key.account()).ok());
    let call = |action: &str| {
        let at = ResourcePolicyOf::Document(ResourceKind::Key, Document::AlertKey);
        let call = Call::new(&service(), action, key, owner.as_ref()?)
            .at(at)
            .forbidden_actions(&["kms:Encrypt", "kms:ScheduleKeyDeletion"]);
        Some(from_source(call, topology, side))
    };
    ["kms:GenerateDataKey", "kms:Decrypt"].into_iter().filter_map(call).collect()
}

/// Returns whether the policy of the target lets S3 publish the events of every source.
pub fn may_publish(topology: &Topology, policy: Option<&Value>) -> bool {
    let Some(target) = &topology.wanted.alerts else { return true };
    let mut sources = topology.sides().filter(|side| topology.replicates_from(side));
    sources.all(|side| {
        let call = publish(topology, side, target);
        call.is_some_and(|call| is_allowed(&call, ResourceKind::Bucket, policy))
    })
}

/// Returns whether the policy of the key `key` lets S3 use it for the events of every source.
pub fn may_encrypt(topology: &Topology, key: &str, policy: &Value) -> bool {
    let sources = topology.sides().filter(|side| topology.replicates_from(side));
    let calls: Vec<Call> = sources.flat_map(|side| encrypt(topology, side, key)).collect();
    !calls.is_empty() && calls.iter().all(|call| is_allowed(call, ResourceKind::Key, Some(policy)))
}

fn is_allowed(call: &Call, kind: ResourceKind, policy: Option<&Value>) -> bool {
    let Some(Ok(document)) = policy.map(iam::Document::parse) else { return false };
    let policy = iam::Named { name: "", document: &document };
    let resource = Some(iam::ResourcePolicy { kind, policy });
    let policies = iam::Policies { resource, ..iam::Policies::default() };
    iam::evaluate(&call.request(), &policies).is_allowed()
}
