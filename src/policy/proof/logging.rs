//! The calls by which S3 writes server access logs to a target bucket.
//! Section: S3 User Guide, "Permissions for log delivery".
//! Not for: the buckets that are logged.

use super::Document;
use super::call::{Call, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::reverse::{by_others, with_reverse};
use super::scene::Scene;
use crate::manifest::{Side, Topology};
use crate::settings::LogTarget;
use crrctl_iam::{self as iam, Principal, ResourceKind};
use serde_json::Value;

const SECTION: &str = "access logs";
const SERVICE: &str = "logging.s3.amazonaws.com";

/// Returns the deliveries to the targets whose documents are known, and the related calls that must
/// be denied.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    let logged = scene.topology.sides().filter_map(|side| {
        let target = scene.topology.wanted.log_target(side)?;
        Some(delivery(scene.topology, side, &target))
    });
    let others = [
        PolicyCaller { caller: Principal::Service("s3.amazonaws.com".to_owned()), ..service() },
        PolicyCaller { caller: Principal::Anonymous, ..service() },
        PolicyCaller { own: OwnPolicies::Nothing, ..scene.stranger(SECTION) },
    ];
    let all: Vec<Call> = logged.collect();
    let refused: Vec<Call> = all.iter().flat_map(|call| by_others(call, &others)).collect();
    with_reverse(all).into_iter().chain(refused).collect()
}

fn service() -> PolicyCaller {
    let caller = Principal::Service(SERVICE.to_owned());
    PolicyCaller { section: SECTION, caller, own: OwnPolicies::Nothing }
}

fn delivery(topology: &Topology, side: &Side, target: &LogTarget) -> Call {
    let account = &side.account;
    let bucket = target.arn(topology.wanted.partition());
    let at = |bucket: &str| Document::LogTarget(bucket.to_owned());
    let at = ResourcePolicyOf::Document(ResourceKind::Bucket, at(&target.bucket));
    let elsewhere = (format!("{bucket}-other/{}log", target.prefix), at.clone());
    let source = side.bucket.arn(topology.wanted.partition());
    Call::new(&service(), "s3:PutObject", format!("{bucket}/{}log", target.prefix), account)
        .at(at)
        .demanding("ArnLike", "aws:SourceArn", source.as_str())
        .demanding("StringEquals", "aws:SourceAccount", account.as_str())
        .foreign_resources([elsewhere])
        .forbidden_actions(&["s3:DeleteObject", "s3:GetObject"])
}

/// Returns whether the policy of a target bucket lets S3 write the logs of `side` to it.
pub fn takes_logs(
    topology: &Topology,
    side: &Side,
    target: &LogTarget,
    policy: Option<&Value>,
) -> bool {
    let Some(Ok(document)) = policy.map(iam::Document::parse) else { return false };
    let policies = iam::Policies {
        resource: Some(iam::ResourcePolicy {
            kind: ResourceKind::Bucket,
            policy: iam::Named { name: "", document: &document },
        }),
        ..iam::Policies::default()
    };
    iam::evaluate(&delivery(topology, side, target).request(), &policies).is_allowed()
}
