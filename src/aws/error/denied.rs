//! What a denial says: who may not do what, why, and what it takes.
//! Not for: the statement that allows it (see `cli::advice`).

use crate::failure::{Denied, DeniedBecause, PolicyKind};

/// Parses the principal, the action and the resource of AWS's message, such as
/// "User: ARN is not authorized to perform: ACTION on resource: ARN because ...". If the message
/// does not name the action, as for HEAD, it is derived from the operation.
pub fn denied(message: &str, operation: &str) -> Denied {
    let after = |words: &str| {
        let (_, rest) = message.split_once(words)?;
        let word = rest.split_whitespace().next()?.trim_matches(['"', '.', ',']);
        (!word.is_empty()).then(|| word.to_owned())
    };
    let named = after("authorized to perform: ").filter(|it| it.contains(':'));
    Denied {
        action: named.unwrap_or_else(|| action(operation).to_owned()),
        resource: after("on resource: "),
        principal: after("User: "),
        reason: DeniedBecause::of(message),
    }
}

pub(super) fn needs(denied: &Denied) -> String {
    let who = denied.principal.as_deref().unwrap_or("the caller");
    let on = denied.resource.as_ref().map_or_else(String::new, |it| format!(" on {it}"));
    let action = &denied.action;
    match denied.reason {
        DeniedBecause::Unstated => {
            format!("{who} needs `{action}`{on}; a service control policy may deny it too")
        }
        DeniedBecause::NoneAllows(PolicyKind::Identity) => format!("{who} needs `{action}`{on}"),
        DeniedBecause::NoneAllows(kind) => {
            format!(
                "{who} needs `{action}`{on}, and no {} allows it: {}",
                kind.as_str(),
                holder(kind, who)
            )
        }
        DeniedBecause::Denies(kind) => format!(
            "a Deny forbids {who} `{action}`{on}, and no Allow helps: {}",
            holder(kind, who)
        ),
    }
}

/// Returns who has the policies of a kind.
fn holder(kind: PolicyKind, who: &str) -> String {
    match kind {
        PolicyKind::Identity => format!("it is in a policy of {who}, or of a group of it"),
        PolicyKind::Resource => "look at the policy of the resource, a bucket or a key".to_owned(),
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
            format!(
                "the organization's administrators have its {} policies",
                match kind {
                    PolicyKind::ServiceControl => "service control",
                    _ => "resource control",
                }
            )
        }
        PolicyKind::PermissionsBoundary => format!("look at the permissions boundary of {who}"),
        PolicyKind::Session => {
            "look at the session policy that the credentials were issued with".to_owned()
        }
        PolicyKind::VpcEndpoint => {
            "look at the policy of the VPC endpoint that the request went through".to_owned()
        }
    }
}

/// Returns the IAM action that an operation requires. Some actions have another name than their
/// operation (Service Authorization Reference,
/// "Actions, resources, and condition keys for Amazon S3").
pub fn action(operation: &str) -> &str {
    match operation {
        "s3:HeadBucket" => "s3:ListBucket",
        "s3:ListBuckets" => "s3:ListAllMyBuckets",
        "s3:ListObjectVersions" => "s3:ListBucketVersions",
        "s3:ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        // crrctl sends a version id in every HEAD and DELETE.
        "s3:HeadObject" => "s3:GetObjectVersion",
        "s3:DeleteObject" | "s3:DeleteObjects" => "s3:DeleteObjectVersion",
        "s3:CreateMultipartUpload" | "s3:UploadPart" | "s3:CompleteMultipartUpload" => {
            "s3:PutObject"
        }
        "s3:DeleteBucketTagging" => "s3:PutBucketTagging",
        "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "s3:PutBucketEncryption" => "s3:PutEncryptionConfiguration",
        "s3:GetBucketReplication" => "s3:GetReplicationConfiguration",
        "s3:PutBucketReplication" | "s3:DeleteBucketReplication" => {
            "s3:PutReplicationConfiguration"
        }
        "s3:GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration",
        "s3:PutObjectLockConfiguration" => "s3:PutBucketObjectLockConfiguration",
        "s3:GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "s3:PutBucketLifecycleConfiguration" | "s3:DeleteBucketLifecycle" => {
            "s3:PutLifecycleConfiguration"
        }
        "s3:GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "s3:PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        "s3control:CreateJob" => "s3:CreateJob",
        "s3control:DescribeJob" => "s3:DescribeJob",
        "s3control:ListJobs" => "s3:ListJobs",
        "s3control:UpdateJobStatus" => "s3:UpdateJobStatus",
        same => same,
    }
}
