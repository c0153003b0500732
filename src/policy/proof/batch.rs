//! The calls that S3 Batch Operations makes to replicate existing objects, as the batch job role.
//! Section: S3 User Guide, "Configuring an IAM role for S3 Batch Replication".
//! Not for: the calls that crrctl makes for a batch job (see `operator`).

use super::Document;
use super::call::{Call, Element, Expected, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::replication::assumption;
use super::reverse::with_reverse;
use super::scene::{Scene, outside, through_s3};
use crate::manifest::{Profile, Reports};
use crate::names::Arn;
use crrctl_iam::{Principal, ResourceKind};

const SECTION: &str = "batch";

/// Returns every call of a batch job, and the related calls that must be denied.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    let role = scene.topology.batch_role_arn();
    let trust = Document::BatchReplicationRoleTrust;
    let mut calls =
        assumption(scene, SECTION, "batchoperations.s3.amazonaws.com", role.as_str(), &trust);
    let caller = Principal::RoleSession { role, session: "s3-batch".to_owned(), id: None };
    let own = OwnPolicies::Document(Document::BatchReplicationRole);
    let who = PolicyCaller { section: SECTION, caller, own };
    calls.extend(with_reverse(source(scene, &who)));
    let reports = scene.topology.reports();
    calls.extend(with_reverse(report_objects(scene, &who, &reports)));
    let report = report_arn(scene, &reports);
    let elsewhere = Call::new(&who, "s3:PutObject", report, &scene.stranger)
        .at(ResourcePolicyOf::Everything(ResourceKind::Bucket))
        .expecting(Expected::Deny(Element::Condition("StringEquals", "s3:ResourceAccount", None)));
    calls.push(elsewhere);
    calls
}

fn source(scene: &Scene<'_>, who: &PolicyCaller) -> Vec<Call> {
    let side = &scene.topology.source;
    let prefixes = scene.topology.prefixes(side);
    let on_bucket = ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"];
    let mut calls: Vec<Call> = on_bucket
        .iter()
        .map(|action| {
            let forbidden_actions = ["s3:DeleteBucket", "s3:PutReplicationConfiguration"];
            scene.on_bucket(who, action, side).forbidden_actions(&forbidden_actions)
        })
        .collect();
    let forbidden_actions = ["s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"];
    calls.extend(prefixes.iter().map(|prefix| {
        let action = "s3:InitiateReplication";
        scene.on_object(who, action, side, prefix, &prefixes).forbidden_actions(&forbidden_actions)
    }));
    calls
}

fn report_arn(scene: &Scene<'_>, reports: &Reports) -> String {
    let bucket = Arn::known(scene.partition(), "s3", "", "", &reports.bucket);
    format!("{bucket}/{}object", reports.prefix)
}

/// Returns the calls on the completion report, which the job writes, and on the manifest that S3
/// generates, which the job reads. If both are in the source bucket, they are encrypted under the
/// pair's key.
fn report_objects(scene: &Scene<'_>, who: &PolicyCaller, reports: &Reports) -> Vec<Call> {
    let source = &scene.topology.source;
    let bucket = Arn::known(scene.partition(), "s3", "", "", &reports.bucket);
    let at =
        if reports.with_data { scene.bucket_policy(source) } else { ResourcePolicyOf::Nothing };
    let outside = outside(&[&reports.prefix]).map(|key| format!("{bucket}/{key}"));
    let foreign_resources = [
        (format!("{bucket}-other/{}object", reports.prefix), ResourcePolicyOf::Nothing),
        (outside.unwrap_or_default(), at.clone()),
    ];
    let actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"];
    let on_report = |action: &&str| {
        Call::new(who, action, report_arn(scene, reports), &scene.topology.source.account)
            .at(at.clone())
            .foreign_resources(foreign_resources.clone())
            .forbidden_actions(&["s3:DeleteObject", "s3:PutObjectAcl"])
    };
    let mut calls: Vec<Call> = actions.iter().map(on_report).collect();
    if reports.with_data && source.has_key() {
        let mut contexts = vec![report_arn(scene, reports)];
        let mut not_for = vec![foreign_resources[0].0.clone(), foreign_resources[1].0.clone()];
        match scene.topology.wanted.profile {
            Profile::Compatible => contexts.push(bucket.to_string()),
            Profile::Strict => not_for.push(bucket.to_string()),
        }
        for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
            let call = scene
                .on_key(who, action, source)
                .forbidden_actions(&["kms:CreateGrant", "kms:Encrypt"]);
            calls.extend(through_s3(&call, source, &contexts, &not_for));
        }
    }
    calls
}
