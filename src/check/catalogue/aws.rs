//! Error codes of AWS for which crrctl has a cause or a remedy.
//! Not for: crrctl's own error codes (see `errors` and `things`).

use super::Entry;
use super::errors::{AGAIN, GRANT, LOG_IN, NETWORK, REPORT, error};

const fn absent(code: &'static str, means: &'static str) -> Entry {
    error(code, means, &["it was deleted, its name is misspelt, or it has not spread yet"], AGAIN)
}

pub(super) const ALL: &[Entry] = &[
    error(
        "AccessDenied",
        "AWS refused a call: the caller has no permission.",
        &[
            "the caller's policies lack the action that the message names",
            "a bucket or key policy, a boundary or a service control policy denies it",
        ],
        GRANT,
    ),
    error(
        "AccessDeniedException",
        "KMS refused a call: the caller has no permission.",
        &[
            "the key's policy does not delegate to the account, or the caller's policies lack the action",
        ],
        GRANT,
    ),
    error(
        "UnauthorizedOperation",
        "AWS refused a call: the caller has no permission.",
        &["the caller's policies lack the action"],
        GRANT,
    ),
    error(
        "Forbidden",
        "AWS refused a call: the caller has no permission.",
        &["HEAD has no body that would say more"],
        GRANT,
    ),
    error(
        "AnswerUnreadable",
        "An answer came and can't be read, so it is neither a yes nor an absence.",
        &["a proxy or emulator between crrctl and AWS"],
        NETWORK,
    ),
    error(
        "NotFromAws",
        "Something answered that is not AWS.",
        &["a proxy, a log-in page of the network, or an endpoint that serves something else"],
        NETWORK,
    ),
    error(
        "ConnectionFailed",
        "Nothing answered.",
        &["no network, a wrong endpoint, a Region that does not exist"],
        NETWORK,
    ),
    error(
        "TimedOut",
        "No answer came in time.",
        &["the network, or an emulator that hangs"],
        NETWORK,
    ),
    error(
        "NoCredentials",
        "There are no credentials.",
        &["no environment variables, profile, SSO session or role of the machine"],
        LOG_IN,
    ),
    error("ExpiredToken", "The credentials are out of date.", &["a session ended"], LOG_IN),
    error(
        "ExpiredTokenException",
        "The credentials are out of date.",
        &["a session ended"],
        LOG_IN,
    ),
    error(
        "InvalidAccessKeyId",
        "AWS knows no such access key.",
        &["a deleted key, or an opt-in Region that is not enabled"],
        LOG_IN,
    ),
    error(
        "InvalidClientTokenId",
        "AWS knows no such access key.",
        &["a deleted key, or an opt-in Region that is not enabled"],
        LOG_IN,
    ),
    error(
        "UnrecognizedClientException",
        "AWS knows no such credentials.",
        &["a deleted key, or an opt-in Region that is not enabled"],
        LOG_IN,
    ),
    error(
        "InvalidToken",
        "The session token is not valid.",
        &["a token of another partition, or an opt-in Region that is not enabled"],
        LOG_IN,
    ),
    error(
        "SignatureDoesNotMatch",
        "The secret does not belong to the access key.",
        &["a slip in the secret"],
        LOG_IN,
    ),
    error(
        "InvalidSignatureException",
        "The secret does not belong to the access key.",
        &["a slip in the secret"],
        LOG_IN,
    ),
    error(
        "RequestTimeTooSkewed",
        "The clock of this machine is wrong.",
        &["AWS takes requests within 15 minutes of its own time"],
        &["set the clock"],
    ),
    error(
        "NoSuchBucket",
        "The bucket does not exist.",
        &["it was deleted, or has not spread yet"],
        AGAIN,
    ),
    error(
        "OperationAborted",
        "Another change of the bucket is under way.",
        &[
            "two writes at once; or the name of a deleted bucket, which takes up to 72 hours to be free",
        ],
        AGAIN,
    ),
    error(
        "MalformedPolicyDocumentException",
        "KMS does not take the key policy.",
        &["it names a principal that does not exist, or that has not spread yet"],
        &["name principals that exist (`key.administrators`)"],
    ),
    error(
        "NotImplemented",
        "The sandbox or emulator does not model this call.",
        &["a sandbox or emulator that refuses what it does not know"],
        &["use AWS itself for it"],
    ),
    error(
        "KMSInvalidStateException",
        "The key can't be used in its state.",
        &["it is disabled, pending deletion or still Creating"],
        &["`aws kms describe-key` shows the state; `crrctl check` says what brings it back"],
    ),
    error(
        "InvalidTargetBucketForLogging",
        "S3 writes no access logs to that bucket.",
        &["it does not exist, is another account's, or its ACL does not let logs be written"],
        &["`crrctl policy render log-target.BUCKET` prints what its policy must have"],
    ),
    error(
        "CrossLocationLoggingProhibitted",
        "The bucket for access logs lies in another Region than the bucket that is logged.",
        &["one name stands for all Regions in `buckets.logging`"],
        &["name the Region in it, such as `logs-{region}`"],
    ),
    error(
        "MalformedXML",
        "S3 can't read a configuration.",
        &["an emulator that knows an older schema"],
        REPORT,
    ),
    absent("NoSuchKey", "There is no such object."),
    absent("NoSuchVersion", "There is no such object version."),
    absent("NoSuchEntity", "There is no such role or policy."),
    absent("NoSuchEntityException", "There is no such role or policy."),
    absent("NotFound", "There is no such thing that was asked for."),
    absent("NotFoundException", "There is no such key or alias."),
    absent("NoSuchTagSet", "There is no such set of tags."),
    absent("NoSuchBucketPolicy", "There is no such bucket policy."),
    absent("NoSuchUpload", "There is no such unfinished upload."),
    absent("NoSuchPublicAccessBlockConfiguration", "There is no such public access block."),
    absent("OwnershipControlsNotFoundError", "There is no such ownership setting."),
    absent(
        "ServerSideEncryptionConfigurationNotFoundError",
        "There is no such default encryption.",
    ),
    absent("ReplicationConfigurationNotFoundError", "There is no such replication configuration."),
    absent("ObjectLockConfigurationNotFoundError", "There is no such Object Lock configuration."),
    error(
        "MissingAuthenticationToken",
        "AWS does not accept the credentials: the request was not signed.",
        &["a session ended, or the clock of this machine is wrong"],
        LOG_IN,
    ),
    error(
        "RequestExpired",
        "AWS does not accept the credentials: the request or a presigned address is out of date.",
        &["a session ended, or the clock of this machine is wrong"],
        LOG_IN,
    ),
    error(
        "TokenRefreshRequired",
        "AWS does not accept the credentials: the session must be renewed.",
        &["a session ended, or the clock of this machine is wrong"],
        LOG_IN,
    ),
    error(
        "PermanentRedirect",
        "The bucket lies in another Region.",
        &["bucket names are shared by all Regions"],
        &["name the bucket's own Region, or use another bucket name"],
    ),
    error(
        "NotSent",
        "The request could not be built.",
        &["a value that no request can hold"],
        REPORT,
    ),
    error(
        "Unknown",
        "AWS gave no code.",
        &["a proxy or emulator that answers with something else"],
        NETWORK,
    ),
];
