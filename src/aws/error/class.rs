//! The class of a failed call, by its operation, code and status.
//! Not for: whether a resource that a removal does not find is gone (see `steps::gone`).

use super::Class;

/// The codes that mean that a resource does not exist, each with the operations that it counts for
/// (a trailing `*` matches any suffix). From any other operation, and from any other service, such a
/// code is no absence: a stand-in, a proxy or a fault of AWS must not make a run believe one. Sources:
/// S3 API Reference, "Error responses"; KMS and IAM API References, the errors of each operation.
const ABSENT: &[(&str, &[&str])] = &[
    ("NoSuchBucket", &["s3:*"]),
    // HEAD has no body, and so no code: `describe` derives this one from the status.
    ("NotFound", &["s3:HeadBucket", "s3:HeadObject", "sns:GetTopicAttributes"]),
    ("QueueDoesNotExist", &["sqs:*"]),
    ("AWS.SimpleQueueService.NonExistentQueue", &["sqs:*"]),
    ("NoSuchKey", OBJECTS),
    ("NoSuchVersion", OBJECTS),
    ("NoSuchUpload", &["s3:UploadPart", "s3:CompleteMultipartUpload", "s3:AbortMultipartUpload"]),
    ("NoSuchTagSet", &["s3:GetBucketTagging"]),
    ("NoSuchBucketPolicy", &["s3:GetBucketPolicy", "s3:DeleteBucketPolicy"]),
    ("NoSuchPublicAccessBlockConfiguration", &["s3:GetPublicAccessBlock"]),
    ("OwnershipControlsNotFoundError", &["s3:GetBucketOwnershipControls"]),
    ("ServerSideEncryptionConfigurationNotFoundError", &["s3:GetBucketEncryption"]),
    (
        "ReplicationConfigurationNotFoundError",
        &["s3:GetBucketReplication", "s3:DeleteBucketReplication"],
    ),
    ("NotFoundException", &["kms:*"]),
    ("NoSuchEntity", &["iam:*"]),
    ("NoSuchEntityException", &["iam:*"]),
    // CloudWatch API Reference, `DeleteAlarms`, `ListTagsForResource`.
    ("ResourceNotFound", &["cloudwatch:DeleteAlarms"]),
    ("ResourceNotFoundException", &["cloudwatch:ListTagsForResource"]),
];

/// The operations on objects.
const OBJECTS: &[&str] = &["s3:GetObject*", "s3:HeadObject", "s3:DeleteObject*", "s3:PutObject*"];

/// Returns the class of a failed call of `operation`.
pub(super) fn classify(operation: &str, code: &str, status: Option<u16>) -> Class {
    match code {
        _ if is_absence(operation, code) => Class::Absent,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "NoCredentials"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException"
        | "RequestTimeTooSkewed" => Class::Credentials,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "Forbidden" => {
            Class::Denied
        }
        _ if is_of_account(code) => Class::Denied,
        _ if status == Some(403) => Class::Denied,
        _ => Class::Other,
    }
}

/// Returns whether AWS refuses the account or the resource as a whole: no policy changes that.
pub fn is_of_account(code: &str) -> bool {
    matches!(code, "AllAccessDisabled" | "AccountProblem" | "OptInRequired" | "NotSignedUp")
}

fn is_absence(operation: &str, code: &str) -> bool {
    let is_operation = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => operation == *pattern,
    };
    let of = ABSENT.iter().find(|(absent, _)| *absent == code);
    of.is_some_and(|(_, operations)| operations.iter().any(is_operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operations that read or remove, one a service and kind of resource, each with every code that
    /// is an absence for it.
    const KNOWN: &[(&str, &[&str])] = &[
        ("s3:HeadBucket", &["NoSuchBucket", "NotFound"]),
        ("s3:HeadObject", &["NoSuchBucket", "NotFound", "NoSuchKey", "NoSuchVersion"]),
        ("s3:GetObject", &["NoSuchBucket", "NoSuchKey", "NoSuchVersion"]),
        ("s3:DeleteBucket", &["NoSuchBucket"]),
        ("s3:GetBucketTagging", &["NoSuchBucket", "NoSuchTagSet"]),
        ("s3:GetBucketPolicy", &["NoSuchBucket", "NoSuchBucketPolicy"]),
        ("s3:GetPublicAccessBlock", &["NoSuchBucket", "NoSuchPublicAccessBlockConfiguration"]),
        ("s3:GetBucketOwnershipControls", &["NoSuchBucket", "OwnershipControlsNotFoundError"]),
        (
            "s3:GetBucketEncryption",
            &["NoSuchBucket", "ServerSideEncryptionConfigurationNotFoundError"],
        ),
        ("s3:GetBucketReplication", &["NoSuchBucket", "ReplicationConfigurationNotFoundError"]),
        ("s3:AbortMultipartUpload", &["NoSuchBucket", "NoSuchUpload"]),
        ("kms:DescribeKey", &["NotFoundException"]),
        ("kms:ScheduleKeyDeletion", &["NotFoundException"]),
        ("kms:DeleteAlias", &["NotFoundException"]),
        ("iam:GetRole", &["NoSuchEntity", "NoSuchEntityException"]),
        ("iam:DeleteRole", &["NoSuchEntity", "NoSuchEntityException"]),
        ("sts:GetCallerIdentity", &[]),
        ("s3control:DescribeJob", &[]),
        ("cloudwatch:GetMetricData", &[]),
        ("cloudwatch:DeleteAlarms", &["ResourceNotFound"]),
        ("cloudwatch:ListTagsForResource", &["ResourceNotFoundException"]),
        ("sns:GetTopicAttributes", &["NotFound"]),
        ("sqs:GetQueueUrl", &["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"]),
    ];

    #[test]
    fn only_the_codes_of_the_service_and_the_resource_are_absences() {
        for (operation, absent) in KNOWN {
            for (code, _) in ABSENT {
                let is_absent = classify(operation, code, Some(404)) == Class::Absent;
                assert_eq!(is_absent, absent.contains(code), "{operation} {code}");
            }
        }
    }

    #[test]
    fn a_status_alone_is_no_absence() {
        assert_eq!(classify("kms:DescribeKey", "Unknown", Some(404)), Class::Other);
        assert_eq!(classify("s3:GetBucketTagging", "MethodNotAllowed", Some(405)), Class::Other);
        assert_eq!(classify("iam:GetRole", "Unknown", Some(403)), Class::Denied);
    }
}
