//! Error codes with which AWS refuses what a pair needs: a quota, a setting of the account, a
//! setting of a resource. Each says what to do.
//! Not for: permissions, credentials and absences (see `aws`).

use super::Entry;
use super::errors::{AGAIN, RENAME, REPORT, error};

const QUOTAS: &[&str] = &["ask AWS for more in Service Quotas, or remove what is not needed"];
const SUPPORT: &[&str] = &["ask AWS Support: no policy of the account changes it"];
const OTHER_REGION: &[&str] = &["name the bucket's own Region, or use another bucket name"];
const KEY_BACK: &[&str] = &[
    "`aws kms describe-key` shows the state; `crrctl apply --revive-keys` brings the pair's own keys back",
];
const ACLS: &[&str] = &[
    "remove the grants to others from the bucket's ACL (`aws s3api put-bucket-acl --acl private`), or leave them with `buckets.ownership: keep`",
];

pub(super) const ALL: &[Entry] = &[
    error(
        "over-quota",
        "AWS would refuse a write, because too much of others stands in one place; nothing was changed.",
        &[
            "a bucket, a key or a role has at most 50 tags",
            "a bucket has at most 1,000 replication rules, 1,000 lifecycle rules, 100 notifications, and 20,480 bytes of policy",
        ],
        &[
            "remove what is not needed: the message says how many there are, and how many are the pair's",
        ],
    ),
    error(
        "TooManyBuckets",
        "The account may have no more buckets.",
        &[
            "10,000 general purpose buckets an account, in all Regions together, unless AWS gave more",
        ],
        &[
            "remove buckets that are not needed, or ask AWS for more in Service Quotas (Amazon S3, in us-east-1)",
        ],
    ),
    error(
        "LimitExceeded",
        "A quota of IAM is used up.",
        &[
            "1,000 roles an account; 10,240 characters of inline policies a role; 10 policies a role",
        ],
        &[
            "remove roles that are not needed, or ask AWS for more in Service Quotas (IAM)",
            "where a policy is too long: name fewer destinations in one pair",
        ],
    ),
    error(
        "LimitExceededException",
        "An account's quota in the Region is used up.",
        &["100,000 keys, those pending deletion included; 50 aliases a key"],
        &["ask AWS for more in Service Quotas, or remove what is not needed"],
    ),
    error(
        "BucketHasAccessPointsAttached",
        "S3 does not delete a bucket that has access points.",
        &["somebody made an access point or a Multi-Region Access Point for it"],
        &[
            "`aws s3control list-access-points --account-id ACCOUNT --bucket BUCKET` lists them; remove them with `aws s3control delete-access-point`, then `crrctl destroy` again",
        ],
    ),
    error(
        "UnsupportedArgument",
        "The Region does not know an argument of the call.",
        &["Regions outside the commercial partition lack newer features"],
        &["leave that setting out of the manifest for this Region; the message names it"],
    ),
    error(
        "OptInRequired",
        "The account is not signed up for the service, or the Region is not enabled for it.",
        &["an opt-in Region that was not enabled", "an account whose sign-up is not complete"],
        &[
            "enable the Region (AWS Account Management, \"Enable or disable AWS Regions\"), or use another Region",
        ],
    ),
    error(
        "NotSignedUp",
        "The account is not signed up for S3.",
        &["an account whose sign-up is not complete, or that was closed"],
        &["complete the account's sign-up, or use another account"],
    ),
    error(
        "AllAccessDisabled",
        "AWS has disabled all access to this bucket.",
        &[
            "AWS or the owner's organization has locked the resource, or the name is one that AWS holds back",
        ],
        &["use another bucket name; if the bucket is yours, ask AWS Support: no policy changes it"],
    ),
    error(
        "AccountProblem",
        "Something is wrong with the account, so AWS does not do the call.",
        &["an unpaid bill, or a suspended account"],
        SUPPORT,
    ),
    error(
        "MalformedPolicy",
        "S3 does not take the bucket policy.",
        &[
            "a statement of others, or of a template of yours, names a principal that does not exist or a resource of another bucket",
        ],
        &[
            "`crrctl policy render` prints what is written; fix or remove the statement that the message names",
        ],
    ),
    error(
        "MalformedPolicyDocument",
        "IAM does not take the role's policy.",
        &["a template of yours (`policy.templates`), or a principal that does not exist"],
        &["`crrctl policy render` prints what is written; fix the template or the principal"],
    ),
    error(
        "InvalidBucketName",
        "S3 does not take the bucket's name.",
        &["a reserved prefix or suffix, or a name that the Region does not take"],
        RENAME,
    ),
    error(
        "BucketAlreadyExists",
        "Another account owns a bucket of this name.",
        &["bucket names are shared by all accounts"],
        RENAME,
    ),
    error(
        "BucketNotEmpty",
        "S3 does not delete a bucket that holds objects.",
        &["somebody writes to it"],
        &[
            "end what writes there, then `crrctl destroy` again; it empties the bucket with `--purge-data`",
        ],
    ),
    error(
        "AuthorizationHeaderMalformed",
        "The bucket lies in another Region.",
        &["bucket names are shared by all Regions"],
        OTHER_REGION,
    ),
    error(
        "IllegalLocationConstraintException",
        "The bucket lies in another Region, or can't be made in this one.",
        &["bucket names are shared by all Regions", "an opt-in Region that is not enabled"],
        OTHER_REGION,
    ),
    error(
        "InvalidLocationConstraint",
        "S3 does not know the Region, or the account may not use it.",
        &["a misspelt Region", "an opt-in Region that is not enabled"],
        &["check the Region's name, or enable it for the account"],
    ),
    error(
        "InvalidBucketAclWithObjectOwnership",
        "ACLs can't be turned off while the bucket's ACL grants something to others.",
        &["the bucket existed before, and its ACL has grants"],
        ACLS,
    ),
    error(
        "AccessControlListNotSupported",
        "The bucket takes no ACLs.",
        &["its object ownership is `BucketOwnerEnforced`"],
        ACLS,
    ),
    error(
        "InvalidBucketState",
        "The bucket's state does not allow the change.",
        &["versioning can't be suspended under Object Lock or replication"],
        &["`crrctl status` shows the bucket's settings; change the manifest to fit them"],
    ),
    error(
        "InvalidRequest",
        "S3 does not take the request; the message says why.",
        &["a setting that others made on the bucket does not go with what the manifest wants"],
        &["change the setting that the message names, in the manifest or on the bucket"],
    ),
    error(
        "InvalidArgument",
        "AWS does not take a value; the message says which.",
        &["a value of the manifest that the Region or a stand-in does not know"],
        &["change the value that the message names"],
    ),
    error(
        "EntityAlreadyExists",
        "IAM has a role of this name.",
        &["another run made it at the same time, or it belongs to somebody else"],
        &["run the same command again; if the role is somebody else's: another `role.name`"],
    ),
    error(
        "AlreadyExistsException",
        "KMS has an alias or a replica key of this name.",
        &["another run made it at the same time, or it belongs to somebody else"],
        &["run the same command again; if the alias is somebody else's: another `key.alias`"],
    ),
    error(
        "DeleteConflict",
        "IAM does not delete a role that still has something.",
        &["somebody attached a policy, or added the role to an instance profile"],
        &[
            "`aws iam list-attached-role-policies` and `aws iam list-instance-profiles-for-role` show what; take it off, then `crrctl destroy` again",
        ],
    ),
    error(
        "UnmodifiableEntity",
        "Only the service that made the role may change it.",
        &["the manifest names a service-linked role"],
        &["name another role (`role.name`, `role.arn`)"],
    ),
    error(
        "ConcurrentModification",
        "Another change of the role is under way.",
        &["two runs, or another tool, at once"],
        AGAIN,
    ),
    error(
        "EntityTemporarilyUnmodifiable",
        "IAM does not let the role be changed for a while.",
        &["it was made or removed a moment ago"],
        AGAIN,
    ),
    error("DisabledException", "The key is disabled.", &["somebody disabled it"], KEY_BACK),
    error(
        "KMS.DisabledException",
        "S3 can't use the key: it is disabled.",
        &["somebody disabled it"],
        KEY_BACK,
    ),
    error(
        "KMS.KMSInvalidStateException",
        "S3 can't use the key in its state.",
        &["it is pending deletion or still Creating"],
        KEY_BACK,
    ),
    error(
        "KMS.NotFoundException",
        "S3 finds no such key.",
        &["the bucket's default encryption names a key that is gone, or of another Region"],
        &[
            "`crrctl apply` sets the pair's key again; data under a deleted key can't be read by anybody",
        ],
    ),
    error(
        "TagException",
        "KMS does not take the tags.",
        &["a tag of the manifest has a reserved prefix, or there are more than 50"],
        &["change `tags` in the manifest"],
    ),
    error(
        "UnsupportedOperationException",
        "KMS does not do this in the Region, or with such a key.",
        &[
            "multi-Region keys are not in every Region; keys of a custom key store can't be replicated",
        ],
        &["use another Region, or `key.kind: per-region`"],
    ),
    error(
        "DependencyTimeoutException",
        "Another AWS service that KMS needs did not answer in time.",
        &["a disturbance inside AWS"],
        AGAIN,
    ),
    error("KMSInternalException", "KMS failed inside.", &["a disturbance inside AWS"], AGAIN),
    error(
        "ServiceQuotaExceededException",
        "A quota of the account is used up.",
        &["the message names it"],
        QUOTAS,
    ),
    error(
        "InvalidArnException",
        "KMS can't read an ARN.",
        &["an ARN in the manifest, or of a stand-in"],
        REPORT,
    ),
];
