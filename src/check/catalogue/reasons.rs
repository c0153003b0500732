//! S3's failure reasons, in the order in which S3 evaluates them: assume the role, read the source,
//! write the destination.
//! Source: S3 User Guide, "Receiving replication failure events with Amazon S3 Event
//! Notifications".
//! Not for: error codes (see `errors`, `things` and `aws`).

use super::{About, Entry};

const fn reason(
    code: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    mends: &'static [&'static str],
) -> Entry {
    Entry { code, about: About::FailureReason, means, causes, mends }
}

const BATCH: &[&str] =
    &["give the job the right bucket", "`crrctl backfill` makes a job that fits the pair"];
const AGAIN: &[&str] = &[
    "`crrctl check` names what is missing; `crrctl apply` puts the pair's own documents back",
    "objects that are FAILED stay so: upload them again, or `crrctl backfill --status failed`",
];

pub(super) const ALL: &[Entry] = &[
    reason(
        "AssumeRoleNotPermitted",
        "S3 may not assume the replication role.",
        &[
            "the role does not exist, or was deleted and made again a moment ago",
            "its trust policy does not let `s3.amazonaws.com` call `sts:AssumeRole`, or demands a condition that S3 does not meet",
            "a resource control policy of the organisation denies `sts:AssumeRole`",
        ],
        AGAIN,
    ),
    reason(
        "SrcBucketNotFound",
        "S3 can't find the source bucket.",
        &["the bucket was deleted while objects waited"],
        &["`crrctl apply` builds the pair again"],
    ),
    reason(
        "SrcBucketInvalidRegion",
        "The source bucket is not in the Region of the batch job.",
        &["a Batch Replication job runs in the source bucket's Region alone"],
        BATCH,
    ),
    reason(
        "SrcBucketReplicationConfigMissing",
        "S3 finds no replication configuration for the object in the source bucket.",
        &[
            "the configuration was deleted, or its rules no longer select the object",
            "the role may not call `s3:GetReplicationConfiguration` on the source bucket",
        ],
        AGAIN,
    ),
    reason(
        "SrcKeyNotFound",
        "The object is not in the source bucket.",
        &["it was deleted before it was replicated"],
        &["nothing: there is no object to replicate"],
    ),
    reason(
        "SrcObjectNotFound",
        "The object is not in the source bucket.",
        &[
            "it was deleted before it was replicated",
            "a batch manifest names an object that is not there",
        ],
        &["nothing, or a batch manifest that names what exists"],
    ),
    reason(
        "SrcVersionNotFound",
        "The version is not in the source bucket.",
        &[
            "it was deleted by its version id, or a lifecycle rule expired it, before it was replicated",
        ],
        &["let lifecycle rules of the source wait longer than replication takes"],
    ),
    reason(
        "SrcObjectNotEligible",
        "No rule selects the object.",
        &[
            "it is itself a replica, or older than the rule",
            "it is under SSE-KMS and the rule does not select such objects",
            "the rule is disabled, or its prefix or tags do not fit; tags count only if they came with the upload",
        ],
        &[
            "`crrctl check` compares the rules with the manifest; `crrctl apply` puts them right",
            "`crrctl backfill` takes what is older than the rule",
        ],
    ),
    reason(
        "SrcReplicationNotPending",
        "The object was replicated already, or does not wait for it.",
        &["its status is no longer PENDING"],
        &["nothing, or `crrctl backfill --status failed` for what FAILED"],
    ),
    reason(
        "InitiateReplicationNotPermitted",
        "The role of the batch job may not begin replication.",
        &["it lacks `s3:InitiateReplication` on the source's objects"],
        &["`crrctl policy render batch-replication-role` prints what it needs"],
    ),
    reason(
        "SrcHeadObjectNotPermitted",
        "The role may not look at the object in the source bucket.",
        &[
            "it lacks `s3:ListBucket` on the source bucket, which delete markers need",
            "the bucket policy of the source denies it",
        ],
        AGAIN,
    ),
    reason(
        "SrcGetObjectNotPermitted",
        "The role may not read the object.",
        &[
            "it lacks `s3:GetObjectVersionForReplication` (`s3:GetObjectVersion` does not do for SSE-KMS objects)",
            "it lacks `kms:Decrypt` on the source's key, or a condition on `kms:ViaService` or the encryption context does not fit: with a Bucket Key the context is the bucket's ARN",
            "the policy of the source's key or of the source bucket does not let it in",
            "a permissions boundary, service or resource control policy denies it",
        ],
        AGAIN,
    ),
    reason(
        "SrcGetAclNotPermitted",
        "The role may not read the object's ACL.",
        &["it lacks `s3:GetObjectVersionAcl` on the source's objects"],
        AGAIN,
    ),
    reason(
        "SrcGetTaggingNotPermitted",
        "The role may not read the object's tags.",
        &["it lacks `s3:GetObjectVersionTagging` on the source's objects"],
        AGAIN,
    ),
    reason(
        "SrcGetRetentionNotPermitted",
        "The role may not read the object's retention.",
        &["it lacks `s3:GetObjectRetention` on the source's objects"],
        AGAIN,
    ),
    reason(
        "SrcGetLegalHoldNotPermitted",
        "The role may not read the object's legal hold.",
        &["it lacks `s3:GetObjectLegalHold` on the source's objects"],
        AGAIN,
    ),
    reason(
        "SrcKmsKeyInvalidState",
        "The source's key can't be used in its state.",
        &["it is disabled, pending deletion, or still being made"],
        &[
            "`aws kms cancel-key-deletion` and `aws kms enable-key` bring it back",
            "FAILED objects: `crrctl backfill --status failed`",
        ],
    ),
    reason(
        "DstBucketNotFound",
        "S3 can't find the destination bucket.",
        &["it was deleted, or the rule names another bucket"],
        &["`crrctl apply` makes it again; nothing else may have taken its name"],
    ),
    reason(
        "DstBucketInvalidRegion",
        "The destination bucket is not in the Region that the batch job expects.",
        &["the job's manifest or rule names a bucket elsewhere"],
        BATCH,
    ),
    reason(
        "DstBucketUnversioned",
        "The destination bucket has no versioning.",
        &[
            "versioning was suspended there: S3 refuses that at the source while a rule stands, not at the destination",
        ],
        &["`crrctl apply` turns it on again"],
    ),
    reason(
        "DstBucketObjectLockConfigMissing",
        "The source has Object Lock and the destination has none.",
        &["the destination bucket was made without Object Lock"],
        &[
            "`aws s3api put-object-lock-configuration` turns it on for a versioned bucket; it can't be turned off again",
        ],
    ),
    reason(
        "DstKmsKeyNotFound",
        "S3 can't find the key that the rule names for replicas.",
        &[
            "the rule names a key of another Region: it must lie in the destination's",
            "the replica key was deleted, or the rule names an alias that does not exist",
        ],
        &["`crrctl apply` writes the rule with the replica key of the destination's Region"],
    ),
    reason(
        "DstKmsKeyInvalidState",
        "The destination's key can't be used in its state.",
        &["it is disabled, pending deletion, or still being made"],
        &[
            "`aws kms cancel-key-deletion` and `aws kms enable-key` bring it back",
            "FAILED objects: `crrctl backfill --status failed`",
        ],
    ),
    reason(
        "DstVersionNotFound",
        "The version is not in the destination bucket.",
        &["its replica was deleted there, so a change of its metadata can't follow"],
        &["`crrctl backfill` replicates it again, unless it was deleted by its version id"],
    ),
    reason(
        "DstObjectHardDeleted",
        "The replica was deleted by its version id and can't be replicated again.",
        &["somebody or a lifecycle rule deleted that version at the destination"],
        &["copy the object in place: a new version replicates"],
    ),
    reason(
        "DstPutObjectNotPermitted",
        "The role may not write the replica.",
        &[
            "it lacks `s3:ReplicateObject` at the destination, or across accounts `s3:ObjectOwnerOverrideToBucketOwner`",
            "it lacks `kms:Encrypt`, `kms:GenerateDataKey` or `kms:Decrypt` on the destination's key, or the key's own policy does not let it in",
            "a condition does not fit: `kms:ViaService` of the wrong Region, the encryption context of object or bucket",
            "the destination's bucket policy denies it: VPC endpoints, source addresses, other keys",
            "a permissions boundary, service or resource control policy denies it",
        ],
        AGAIN,
    ),
    reason(
        "DstMultipartInitNotPermitted",
        "The role may not begin a multipart upload of the replica.",
        &["the same as `DstPutObjectNotPermitted`, for an object that was uploaded in parts"],
        AGAIN,
    ),
    reason(
        "DstMultipartUploadNotPermitted",
        "The role may not upload a part of the replica.",
        &["the same as `DstPutObjectNotPermitted`, for an object that was uploaded in parts"],
        AGAIN,
    ),
    reason(
        "DstMultipartPartUploadNotPermitted",
        "The role may not upload a part of the replica (an older name of `DstMultipartUploadNotPermitted`).",
        &["the same as `DstPutObjectNotPermitted`, for an object that was uploaded in parts"],
        AGAIN,
    ),
    reason(
        "DstMultipartCompleteNotPermitted",
        "The role may not complete a multipart upload of the replica.",
        &[
            "it lacks `kms:Decrypt` on the destination's key, which S3 needs to put parts together",
            "the same as `DstPutObjectNotPermitted`",
        ],
        AGAIN,
    ),
    reason(
        "DstPutTaggingNotPermitted",
        "The role may not write the replica's tags.",
        &["it lacks `s3:ReplicateTags` at the destination, or the bucket policy there denies it"],
        AGAIN,
    ),
    reason(
        "DstPutAclNotPermitted",
        "The role may not write the replica's ACL.",
        &["the destination's bucket policy denies it, or its ownership setting refuses ACLs"],
        AGAIN,
    ),
    reason(
        "DstPutRetentionNotPermitted",
        "The role may not write the replica's retention.",
        &[
            "it lacks `s3:PutObjectRetention` at the destination",
            "the destination's bucket policy limits retention",
        ],
        AGAIN,
    ),
    reason(
        "DstPutLegalHoldNotPermitted",
        "The role may not write the replica's legal hold.",
        &["it lacks `s3:PutObjectLegalHold` at the destination"],
        AGAIN,
    ),
    reason(
        "DstDelObjNotPermitted",
        "The role may not replicate the delete marker.",
        &["it lacks `s3:ReplicateDelete` at the destination, or the bucket policy there denies it"],
        AGAIN,
    ),
];
