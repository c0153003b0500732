//! Bucket policies. Not for: evaluating them (see `gate::access`).

use crate::gate::is_public;
use crate::s3::call::{S3Call, nothing};
use crate::world::Flaw;
use crate::world::documents::read;
use crrctl_iam::document::Scope;
use crrctl_iam::{Document, DocumentKind};
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput,
    PutBucketPolicyOutput,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `GetBucketPolicy`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketPolicyInput,
) -> S3Result<GetBucketPolicyOutput> {
    let policy = call.bucket(&input.bucket, "s3:GetBucketPolicy")?.policy.clone();
    match policy {
        Some(policy) => Ok(GetBucketPolicyOutput { policy: Some(policy.shown(&call.state.iam)) }),
        None => Err(s3_error!(NoSuchBucketPolicy)),
    }
}

/// S3 API Reference, `PutBucketPolicy`: the maximum size is 20 KB (S3 User Guide, "Bucket
/// policies").
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketPolicyInput,
) -> S3Result<PutBucketPolicyOutput> {
    call.bucket(&input.bucket, "s3:PutBucketPolicy")?;
    let malformed = |text: &str| s3_error!(MalformedPolicy, "{text}");
    if input.policy.len() > 20 * 1024 {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    let parsed: Option<serde_json::Value> = serde_json::from_str(&input.policy).ok();
    let parsed = parsed
        .filter(serde_json::Value::is_object)
        .ok_or_else(|| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if parsed["Statement"].is_null() {
        return Err(malformed("Missing required field Statement"));
    }
    let policy = read(DocumentKind::BucketPolicy, &input.policy, &call.state.iam);
    let policy = policy.map_err(|flaw| match flaw {
        Flaw::NotJson(finding) | Flaw::Malformed(finding) => malformed(&finding),
        Flaw::Principal(_) => malformed("Invalid principal in policy"),
    })?;
    check_resources(&policy.document, &input.bucket)?;
    let bucket = call.visit(&input.bucket)?;
    let blocked = call.state.blocks(bucket, |block| block.block_public_policy);
    if blocked && is_public(&policy.document) {
        let (user, partition) = (call.caller.arn(), call.caller.partition());
        let name = &input.bucket;
        return Err(s3_error!(
            AccessDenied,
            "User: {user} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:{partition}:s3:::{name}\" because public \
             policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        ));
    }
    call.find_mut(&input.bucket)?.policy = Some(policy);
    Ok(nothing())
}

/// Refuses a bucket policy whose resources name another bucket (S3 User Guide, "Troubleshooting
/// bucket policies").
fn check_resources(document: &Document, bucket: &str) -> S3Result<()> {
    let resources = document.statements.iter().filter_map(|statement| statement.resource.as_ref());
    let strange = |resource: &&String| {
        let name = resource.splitn(6, ':').nth(5).unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default();
        name != bucket && !name.contains(['*', '?', '$'])
    };
    if resources.flat_map(Scope::listed).any(|resource| strange(&resource)) {
        return Err(s3_error!(MalformedPolicy, "Policy has invalid resource"));
    }
    Ok(())
}

/// S3 API Reference, `DeleteBucketPolicy`.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteBucketPolicyInput,
) -> S3Result<DeleteBucketPolicyOutput> {
    call.bucket(&input.bucket, "s3:DeleteBucketPolicy")?.policy = None;
    Ok(nothing())
}

/// S3 API Reference, `GetBucketPolicyStatus`: whether the bucket policy is public (S3 User Guide,
/// "The meaning of public").
pub(super) fn status(
    call: &mut S3Call<'_>,
    input: GetBucketPolicyStatusInput,
) -> S3Result<GetBucketPolicyStatusOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketPolicyStatus")?;
    let policy = bucket.policy.as_ref().ok_or_else(|| s3_error!(NoSuchBucketPolicy))?;
    let is_public = Some(is_public(&policy.document));
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public }) })
}
