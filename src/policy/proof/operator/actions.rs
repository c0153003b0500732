//! Lists of actions that `operator` takes together. Not for: on what (see `super`).

pub(super) const ROLE_WRITES: [&str; 3] =
    ["iam:PutRolePolicy", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"];

/// Our statements and tags leave a bucket that stays.
pub(super) const GIVING_BACK: [&str; 4] = [
    "s3:DeleteBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
    "s3:PutLifecycleConfiguration",
];

pub(super) const BUCKET_READS: [&str; 11] = [
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
];

/// A bucket is made with its tags and its ownership, which takes a permission each.
pub(super) const BUCKET_WRITES: [&str; 9] = [
    "s3:CreateBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:TagResource",
];
