//! Propagation delay: the errors that AWS returns while a new resource has not propagated, and how
//! long to retry them. One table, by operation, code and message. An error that is not in the table
//! ends the run at once.
//! Not for: throttling (see `throttle`) and broken connections, which the SDK retries.

use super::Error;
use std::time::Duration;

/// A kind of propagation delay: the reason to show to the user, and the time limit of the retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lag {
    /// The resource that has not propagated.
    pub(super) reason: &'static str,
    /// How long to retry before the error is returned.
    pub(super) budget: Duration,
}

/// The usual time limit: "Two minutes, derived from years of operational experience"
/// (terraform-provider-aws, IAM propagation timeout).
const SPREADING: Duration = Duration::from_mins(2);

/// The deletion of a replica key can't be scheduled while the key is being created. The creation
/// took ten minutes and more (terraform-provider-aws issue 49915).
const SCHEDULE: &str = "kms:ScheduleKeyDeletion";
/// The time limit for the creation of a replica key.
const MADE: Duration = Duration::from_mins(20);

/// "Wait for 15 minutes after enabling versioning" (S3 API Reference, `PutBucketVersioning`).
const VERSIONED: Duration = Duration::from_mins(16);
/// S3's refusals of a source and of a destination without versioning.
const VERSIONING: [&str; 2] = ["Versioning must be 'Enabled'", "must have versioning enabled"];

/// A key's policy takes effect "in seconds", and a refusal may be meant (KMS Developer Guide, "AWS
/// KMS eventual consistency").
const POLICY: Duration = Duration::from_secs(30);
/// S3's refusal while KMS does not know the key's policy yet.
const NO_POLICY: &str = "because no resource-based policy allows the kms:";

/// The operation (a trailing `*` matches any suffix), the code, a part of the message, and the
/// reason. Sources: the errors that terraform-provider-aws and other tools retry; KMS Developer
/// Guide, "AWS KMS eventual consistency".
const TABLE: &[(&str, &str, &str, &str)] = &[
    (
        "s3:PutBucketReplication",
        "InvalidRequest",
        VERSIONING[0],
        "versioning of the source has not spread",
    ),
    (
        "s3:PutBucketReplication",
        "InvalidRequest",
        VERSIONING[1],
        "versioning of the destination has not spread",
    ),
    (
        "s3:PutBucketReplication",
        "InvalidRequest",
        "Destination bucket must exist",
        "the destination bucket has not spread",
    ),
    // Not documented: the message is not known, but S3 validates the role here.
    ("s3:PutBucketReplication", "InvalidRequest", "role", "the role has not spread"),
    ("s3control:CreateJob", "InvalidRequest", "role", "the role has not spread"),
    (
        "s3:PutBucketNotificationConfiguration",
        "InvalidArgument",
        "Unable to validate the following destination configurations",
        "the target of the alerts, its policy or its key has not spread",
    ),
    ("s3:PutBucket*", "NoSuchBucket", "", "the bucket has not spread"),
    ("s3:PutPublicAccessBlock", "NoSuchBucket", "", "the bucket has not spread"),
    ("s3:PutObject*", "NoSuchBucket", "", "the bucket has not spread"),
    ("s3:CreateMultipartUpload", "NoSuchBucket", "", "the bucket has not spread"),
    ("s3:*", "OperationAborted", "", "another change of the bucket is under way"),
    ("s3:PutBucketPolicy", "MalformedPolicy", "nvalid principal", "a principal has not spread"),
    ("s3:PutObject", "KMS.NotFoundException", "", "the key has not spread"),
    ("s3:PutObject", "KMS.KMSInvalidStateException", "is creating", "the key has not spread"),
    ("s3:CreateMultipartUpload", "KMS.NotFoundException", "", "the key has not spread"),
    (
        "s3:CreateMultipartUpload",
        "KMS.KMSInvalidStateException",
        "is creating",
        "the key has not spread",
    ),
    ("s3:PutObject", "AccessDenied", NO_POLICY, "the key's policy has not spread"),
    ("s3:CreateMultipartUpload", "AccessDenied", NO_POLICY, "the key's policy has not spread"),
    (
        "kms:CreateKey",
        "MalformedPolicyDocumentException",
        "invalid principals",
        "a principal has not spread",
    ),
    (
        "kms:ReplicateKey",
        "MalformedPolicyDocumentException",
        "invalid principals",
        "a principal has not spread",
    ),
    (
        "kms:PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "invalid principals",
        "a principal has not spread",
    ),
    ("kms:CreateAlias", "NotFoundException", "", "the key has not spread"),
    ("kms:ReplicateKey", "NotFoundException", "", "the key has not spread"),
    ("kms:EnableKeyRotation", "NotFoundException", "", "the key has not spread"),
    ("kms:TagResource", "NotFoundException", "", "the key has not spread"),
    ("kms:PutKeyPolicy", "NotFoundException", "", "the key has not spread"),
    (SCHEDULE, "KMSInvalidStateException", "is creating", "the replica key is still being made"),
    ("kms:*", "KMSInvalidStateException", "is creating", "the key is still being made"),
    ("kms:*", "DependencyTimeoutException", "", "KMS waits for another of its services"),
    ("iam:PutRolePolicy", "NoSuchEntity", "", "the role has not spread"),
    ("cloudwatch:TagResource", "ResourceNotFoundException", "", "the alarm has not spread"),
    ("iam:*", "ConcurrentModification", "", "another change of the role is under way"),
];

/// Returns the propagation delay that `error` indicates, if any.
pub(super) fn of(error: &Error) -> Option<Lag> {
    row(error.operation, &error.code, &error.message)
}

fn row(operation: &str, code: &str, message: &str) -> Option<Lag> {
    let is_operation = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => operation == pattern,
    };
    TABLE
        .iter()
        .find(|(pattern, refused, fragment, _)| {
            is_operation(pattern) && *refused == code && message.contains(fragment)
        })
        .map(|(operation, _, fragment, reason)| {
            let budget = match *operation {
                SCHEDULE => MADE,
                _ if *fragment == NO_POLICY => POLICY,
                _ if VERSIONING.contains(fragment) => VERSIONED,
                _ => SPREADING,
            };
            Lag { reason, budget }
        })
}

/// Returns why a refusal of `operation` is retried, and for how long at most; `None` for a refusal that
/// is not.
pub fn bound(operation: &str, code: &str, message: &str) -> Option<(&'static str, Duration)> {
    row(operation, code, message).map(|lag| (lag.reason, lag.budget))
}

#[cfg(test)]
mod tests {
    use super::super::Class;
    use super::*;
    use crate::names::Region;

    fn error(operation: &'static str, code: &str, message: &str) -> Error {
        Error {
            operation,
            region: Region::new("us-east-1").unwrap(),
            code: code.to_owned(),
            message: message.to_owned(),
            status: Some(400),
            request_id: None,
            class: Class::Other,
            obstacle: None,
            also_denied: Vec::new(),
        }
    }

    #[test]
    fn lag_is_known_by_operation_code_and_message() {
        let versioning =
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        assert!(of(&error("s3:PutBucketReplication", "InvalidRequest", versioning)).is_some());
        assert!(
            of(&error("s3:PutBucketEncryption", "OperationAborted", "A conflicting operation"))
                .is_some()
        );
        assert!(of(&error("iam:PutRolePolicy", "NoSuchEntity", "")).is_some());
        let creating = error(SCHEDULE, "KMSInvalidStateException", "arn:aws:kms:… is creating.");
        assert_eq!(of(&creating).unwrap().budget, MADE);
        for other in [
            error("s3:PutBucketReplication", "InvalidRequest", "Priority must be specified"),
            error("s3:GetBucketPolicy", "NoSuchBucket", ""),
            error("kms:DescribeKey", "NotFoundException", ""),
        ] {
            assert_eq!(of(&other), None, "{other}");
        }
    }
}
