//! How long AWS took to show what was written: a read that said something else before, a write that
//! was refused first.
//! Not for: how long crrctl waits (see `aws::bound`).

use super::answers::Unlike;
use crate::aws;
use crate::recording::{Exchange, Service};
use std::time::Duration;

/// What took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// What was late, in a few words.
    pub what: &'static str,
    /// The quirk of the sandbox that shows it, if there is one.
    pub quirk: Option<&'static str>,
    /// Its name among the delays of `--lag aws`, if it has one.
    pub delay: Option<&'static str>,
    /// For how long crrctl tries again what is refused for it.
    pub bound: Option<Duration>,
}

/// One wait.
#[derive(Debug, Clone)]
pub struct Waited {
    /// What took time.
    pub lag: Lag,
    /// The operation, such as `s3:HeadObject`.
    pub operation: String,
    /// How long it took.
    pub took: Duration,
}

/// Where a service, an operation (`*` is any), a code and a part of the message (empty: any) tell of a
/// lag: what it is, the quirk, the delay. The first row counts.
type Row =
    (Service, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// Refusals of what exists, or of what does no harm any more.
const REFUSED: &[Row] = &[
    (
        Service::S3,
        "GetBucketTagging",
        "NoSuchTagSet",
        "",
        "the tags of a bucket",
        "late-bucket-tags",
        "bucket-tags",
    ),
    (
        Service::Kms,
        "DeleteAlias",
        "NotFoundException",
        "",
        "the removal of what is new",
        "removal-not-found",
        "",
    ),
    (
        Service::Kms,
        "ScheduleKeyDeletion",
        "NotFoundException",
        "",
        "the removal of what is new",
        "removal-not-found",
        "",
    ),
    (
        Service::Iam,
        "DeleteRole*",
        "NoSuchEntity",
        "",
        "the removal of what is new",
        "removal-not-found",
        "",
    ),
    (
        Service::S3,
        "CreateBucket",
        "OperationAborted",
        "",
        "the name of a deleted bucket",
        "name-in-use",
        "",
    ),
    (
        Service::S3,
        "PutBucketReplication",
        "InvalidRequest",
        "ersioning",
        "versioning",
        "late-versioning",
        "versioning",
    ),
    (Service::S3, "PutBucketReplication", "InvalidRequest", "", "a new role", "fresh-role", "role"),
    (Service::S3Control, "CreateJob", "InvalidRequest", "", "a new role", "fresh-role", "role"),
    (Service::S3, "*", "MalformedPolicy", "rincipal", "a new principal", "late-principal", ""),
    (Service::S3, "*", "NoSuchBucket", "", "a new bucket", "late-bucket", ""),
    (Service::S3, "Head*", "404", "", "a new bucket", "late-bucket", ""),
    (Service::S3, "*", "OperationAborted", "", "another change of the bucket", "", ""),
    (Service::S3, "*", "KMS.NotFoundException", "", "a new key", "late-key", ""),
    (
        Service::S3,
        "*",
        "KMS.KMSInvalidStateException",
        "",
        "a new key",
        "creating-key",
        "replica-key",
    ),
    (Service::S3, "*", "AccessDenied", "kms:", "the policy of a key", "late-key-policy", ""),
    (
        Service::Kms,
        "*",
        "MalformedPolicyDocumentException",
        "rincipal",
        "a new principal",
        "late-principal",
        "",
    ),
    (
        Service::Kms,
        "*",
        "DependencyTimeoutException",
        "",
        "a service that KMS depends on",
        "dependency-timeout",
        "",
    ),
    (
        Service::Kms,
        "CreateAlias",
        "AlreadyExistsException",
        "",
        "a deleted alias",
        "stale-alias",
        "",
    ),
    (Service::Kms, "*", "NotFoundException", "lias", "a new alias", "late-alias", "list"),
    (Service::Kms, "*", "NotFoundException", "", "a new key", "late-key", "list"),
    (Service::Kms, "ReplicateKey", "KMSInvalidStateException", "", "a new key", "creating-key", ""),
    (Service::Kms, "*", "KMSInvalidStateException", "", "a new key", "creating-key", "replica-key"),
    (
        Service::Iam,
        "DeleteRole",
        "DeleteConflict",
        "",
        "the removal of a policy",
        "delete-conflict",
        "",
    ),
    (
        Service::Iam,
        "*",
        "MalformedPolicyDocument",
        "rincipal",
        "a new principal",
        "late-principal",
        "",
    ),
    (Service::Iam, "*", "NoSuchEntity", "", "a new role", "late-entity", "role"),
    (Service::Iam, "*", "ConcurrentModification", "", "another change of the role", "", ""),
];

/// Answers that said something else first.
const SHOWN: &[Row] = &[
    (Service::Kms, "DescribeKey", "success", "", "the removal of an alias", "stale-alias", ""),
    (
        Service::S3,
        "HeadObject",
        "ReplicationStatus",
        "",
        "the replication of an object",
        "slow-replication",
        "replication",
    ),
    (Service::S3, "HeadBucket", "success", "", "the removal of a bucket", "stale-head", ""),
    (
        Service::S3,
        "GetBucketTagging",
        "",
        "",
        "the tags of a bucket",
        "late-bucket-tags",
        "bucket-tags",
    ),
    (Service::S3, "GetBucketVersioning", "", "", "versioning", "late-versioning", "versioning"),
    (
        Service::S3,
        "GetBucketReplication",
        "",
        "",
        "a replication configuration",
        "late-rules",
        "rules",
    ),
    (Service::S3, "*", "", "", "a setting of a bucket", "", "setting"),
    (Service::Kms, "List*", "", "", "a list of KMS", "late-key-lists", "list"),
    (Service::Kms, "GetKeyPolicy", "", "", "the policy of a key", "late-key-policy", ""),
    (
        Service::Kms,
        "DescribeKey",
        "KeyMetadata.KeyState",
        "",
        "the state of a new key",
        "creating-key",
        "replica-key",
    ),
    (Service::Kms, "*", "", "", "a change of a key", "late-key", "list"),
    (Service::Iam, "*", "", "", "a change of a role", "late-policy", "policy"),
    (Service::S3Control, "*", "", "", "a batch job", "", "batch"),
];

fn is_operation(pattern: &str, operation: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == operation, |start| operation.starts_with(start))
}

impl Lag {
    fn of(row: &Row, bound: Option<Duration>) -> Self {
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        Self { what: row.4, quirk: some(row.5), delay: some(row.6), bound }
    }

    /// Returns the lag that a refusal tells of, if it tells of one.
    pub fn of_refusal(refused: &Exchange) -> Option<Self> {
        let code = refused.code.as_deref()?;
        let message = refused.message.as_deref().unwrap_or_default();
        let operation = format!("{}:{}", refused.service.name(), refused.operation);
        let bound = aws::bound(&operation, code, message).map(|(_, bound)| bound);
        let row = REFUSED.iter().find(|row| {
            row.0 == refused.service
                && is_operation(row.1, &refused.operation)
                && row.2 == code
                && (message.contains(row.3) || names_an_alias(refused, row.3))
        });
        row.map(|row| Self::of(row, bound)).or_else(|| {
            let what = aws::bound(&operation, code, message)?.0;
            Some(Self { what, quirk: None, delay: None, bound })
        })
    }

    /// Returns the lag of a read that says later what the sandbox says at once.
    pub fn of_read(read: &Exchange, unlike: &[Unlike]) -> Option<Self> {
        if !read.succeeded() {
            return Self::of_refusal(read);
        }
        let is_there = |what: &str| {
            unlike.iter().any(|it| it.member == what || (what == "success" && it.recorded == what))
        };
        let row = SHOWN.iter().find(|row| {
            row.0 == read.service
                && is_operation(row.1, &read.operation)
                && (row.2.is_empty() || is_there(row.2))
        })?;
        let lag = Self::of(row, None);
        let is_creating = lag.quirk == Some("creating-key") && is_replica(read);
        Some(if is_creating { Self { quirk: Some("slow-replica-key"), ..lag } } else { lag })
    }
}

/// Returns whether the key that was read is a replica key, whose state takes longer.
fn is_replica(read: &Exchange) -> bool {
    let family = read.answer.get("KeyMetadata").map(|it| &it["MultiRegionConfiguration"]);
    family.is_some_and(|family| family["MultiRegionKeyType"] == "REPLICA")
}

/// KMS names an alias in the request, whatever its message says.
fn names_an_alias(refused: &Exchange, part: &str) -> bool {
    let named = refused.request.get("KeyId").and_then(|it| it.as_str()).unwrap_or_default();
    part == "alias" && (named.starts_with("alias/") || named.contains(":alias/"))
}
