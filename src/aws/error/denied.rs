//! What a denial says: who may not do what, why, and what it takes.
//! Not for: the statement that allows it (see `cli::advice`).

use crate::failure::{Denied, DeniedBecause};

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
        is_simulated: false,
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
        "s3:GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
        "s3:PutBucketNotificationConfiguration" => "s3:PutBucketNotification",
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
