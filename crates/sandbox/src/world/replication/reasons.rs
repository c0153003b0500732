//! AWS's reasons for a failed replication, with AWS's own descriptions (S3 User Guide, "Amazon S3
//! replication failure reasons", read 2026-11; references to other pages are left out).
//! Not for: deciding why a replication fails (see `crate::replication`).

/// The code of AWS's `failureReason`.
pub(crate) type Reason = &'static str;

/// Returns AWS's description of a reason. The sandbox's own reasons have none.
pub(crate) fn description(reason: &str) -> Option<&'static str> {
    DESCRIPTIONS.iter().find(|(code, _)| *code == reason).map(|(_, text)| *text)
}

const DESCRIPTIONS: [(Reason, &str); 34] = [
    (
        "AssumeRoleNotPermitted",
        "Amazon S3 can't assume the AWS Identity and Access Management (IAM) role that's specified in the replication configuration or in the Batch Operations job.",
    ),
    (
        "DstBucketInvalidRegion",
        "The destination bucket is not in the same AWS Region as specified by the Batch Operations job. This error is specific to Batch Replication.",
    ),
    (
        "DstBucketNotFound",
        "Amazon S3 is unable to find the destination bucket that's specified in the replication configuration.",
    ),
    (
        "DstBucketObjectLockConfigMissing",
        "To replicate objects from a source bucket with Object Lock enabled, the destination bucket must also have Object Lock enabled. This error indicates that Object Lock might not be enabled in the destination bucket.",
    ),
    (
        "DstBucketUnversioned",
        "Versioning is not enabled for the S3 destination bucket. To replicate objects with S3 Replication, enable versioning for the destination bucket.",
    ),
    (
        "DstDelObjNotPermitted",
        "Amazon S3 is unable to replicate delete markers to the destination bucket. The s3:ReplicateDelete permission might be missing for the destination bucket.",
    ),
    (
        "DstKmsKeyInvalidState",
        "The AWS Key Management Service (AWS KMS) key for the destination bucket isn't in a valid state. Review and enable the required AWS KMS key.",
    ),
    (
        "DstKmsKeyNotFound",
        "The AWS KMS key that's configured for the destination bucket in the replication configuration doesn't exist.",
    ),
    (
        "DstMultipartCompleteNotPermitted",
        "Amazon S3 is unable to complete multipart uploads of objects in the destination bucket. The s3:ReplicateObject permission might be missing for the destination bucket.",
    ),
    (
        "DstMultipartInitNotPermitted",
        "Amazon S3 is unable to initiate multipart uploads of objects to the destination bucket. The s3:ReplicateObject permission might be missing for the destination bucket.",
    ),
    (
        "DstMultipartUploadNotPermitted",
        "Amazon S3 is unable to upload multipart upload objects to the destination bucket. The s3:ReplicateObject permission might be missing for the destination bucket.",
    ),
    (
        "DstObjectHardDeleted",
        "S3 Batch Replication does not support re-replicating objects deleted with the version ID of the object from the destination bucket. This error is specific to Batch Replication.",
    ),
    (
        "DstPutAclNotPermitted",
        "Amazon S3 is unable to replicate object access control lists (ACLs) to the destination bucket. The s3:ReplicateObject permission might be missing for the destination bucket.",
    ),
    (
        "DstPutLegalHoldNotPermitted",
        "Amazon S3 is unable to put an Object Lock legal hold on the destination objects when it's replicating immutable objects. The s3:PutObjectLegalHold permission might be missing for the destination bucket.",
    ),
    (
        "DstPutObjectNotPermitted",
        "Amazon S3 is unable to replicate objects to the destination bucket. This can occur when required permissions (s3:ReplicateObject or s3:ObjectOwnerOverrideToBucketOwner permissions) are missing for the destination bucket or when the AWS KMS key policy doesn't allow the source bucket's replication role to use the AWS KMS key (kms:Decrypt and kms:GenerateDataKey* actions) at the destination bucket.",
    ),
    (
        "DstPutRetentionNotPermitted",
        "Amazon S3 is unable to put a retention period on the destination objects when it's replicating immutable objects. The s3:PutObjectRetention permission might be missing for the destination bucket.",
    ),
    (
        "DstPutTaggingNotPermitted",
        "Amazon S3 is unable to replicate object tags to the destination bucket. The s3:ReplicateObject permission might be missing for the destination bucket.",
    ),
    (
        "DstVersionNotFound",
        "Amazon S3 is unable to find the required object version in the destination bucket for which metadata needs to be replicated.",
    ),
    (
        "InitiateReplicationNotPermitted",
        "Amazon S3 is unable to initiate replication on objects. The s3:InitiateReplication permission might be missing for the Batch Operations job. This error is specific to Batch Replication.",
    ),
    (
        "SrcBucketInvalidRegion",
        "The source bucket isn't in the same AWS Region as specified by the Batch Operations job. This error is specific to Batch Replication.",
    ),
    ("SrcBucketNotFound", "Amazon S3 is unable to find the source bucket."),
    (
        "SrcBucketReplicationConfigMissing",
        "Amazon S3 couldn't find a replication configuration for the source bucket.",
    ),
    (
        "SrcGetAclNotPermitted",
        "Amazon S3 is unable to access the object in the source bucket for replication. The s3:GetObjectVersionAcl permission might be missing for the source bucket object.",
    ),
    (
        "SrcGetLegalHoldNotPermitted",
        "Amazon S3 is unable to access the S3 Object Lock legal hold information.",
    ),
    (
        "SrcGetObjectNotPermitted",
        "Amazon S3 is unable to access the object in the source bucket for replication. The s3:GetObjectVersionForReplication permission might be missing for the source bucket.",
    ),
    (
        "SrcGetRetentionNotPermitted",
        "Amazon S3 is unable to access the S3 Object Lock retention period information.",
    ),
    (
        "SrcGetTaggingNotPermitted",
        "Amazon S3 is unable to access object tag information from the source bucket. The s3:GetObjectVersionTagging permission might be missing for the source bucket.",
    ),
    (
        "SrcHeadObjectNotPermitted",
        "Amazon S3 is unable to retrieve object metadata from the source bucket. The s3:GetObjectVersionForReplication permission might be missing for the source bucket.",
    ),
    (
        "SrcKeyNotFound",
        "Amazon S3 is unable to find the source object key to replicate. Source object may have been deleted before replication was complete.",
    ),
    (
        "SrcKmsKeyInvalidState",
        "The AWS KMS key for the source bucket isn't in a valid state. Review and enable the required AWS KMS key.",
    ),
    (
        "SrcObjectNotEligible",
        "Some objects aren't eligible for replication. This may be due to the object's storage class or the object tags don't match the replication configuration.",
    ),
    ("SrcObjectNotFound", "Source object does not exist."),
    (
        "SrcReplicationNotPending",
        "Amazon S3 has already replicated this object. This object is no longer pending replication.",
    ),
    (
        "SrcVersionNotFound",
        "Amazon S3 is unable to find the source object version to replicate. Source object version may have been deleted before replication was complete.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_are_sorted_and_described() {
        assert!(DESCRIPTIONS.is_sorted());
        assert!(description("DstBucketUnversioned").unwrap().starts_with("Versioning is not"));
        assert_eq!(description("SandboxFull"), None);
    }
}
