//! Differences whose reason is known: what a replay can't show, and what the sandbox shows when it is
//! asked to.
//! Not for: finding differences (see `answers`).

use super::answers::{Kind, Unlike};
use super::read::Numbered;
use crate::recording::{Exchange, Service};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// Why an answer differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Known {
    /// The reason
    pub reason: String,
    /// Where that is documented, or was observed
    pub source: String,
    /// The quirk with which the sandbox answers like this (`crrctl sandbox --quirk`)
    pub quirk: Option<String>,
}

impl Known {
    pub(super) fn new(reason: &str, source: &str, quirk: Option<&str>) -> Self {
        let owned = str::to_owned;
        Self { reason: reason.to_owned(), source: source.to_owned(), quirk: quirk.map(owned) }
    }

    /// Returns the reason of an attempt that says nothing of the request.
    pub fn trouble() -> Self {
        Self::new(
            "AWS had trouble or wanted fewer requests; the attempt is not replayed",
            "S3 and KMS API Reference, \"Common errors\"",
            None,
        )
    }

    /// Returns the reason of an answer after an attempt without one.
    pub fn lost() -> Self {
        Self::new(
            "an earlier attempt had no answer, and AWS may have done what it asked for",
            "AWS SDKs Reference Guide, \"Retry behavior\"",
            None,
        )
    }

    /// Returns the reason of an answer while a change of the same thing was under way.
    pub fn overlapped() -> Self {
        Self::new(
            "a change of the same thing was under way, so either answer is right",
            "the times of both in the recording",
            None,
        )
    }

    /// Returns the reason of what AWS refused first and accepted later.
    pub fn of_lag(what: &str, quirk: Option<&str>) -> Self {
        let reason = format!("AWS took its time: {what}");
        Self::new(
            &reason,
            "crrctl's table of lags (src/aws/lag.rs), and the quirks of the sandbox",
            quirk,
        )
    }
}

const ROOT: &str =
    "the replay uses the account's root user, and identity policies do not restrict it";
const IAM: &str = "IAM User Guide, \"AWS account root user\"";
const BEFORE: &str = "AWS also counts what happened before the recording";

const CREATING: &str = "a new key may be Creating";
const KEY_STATES: &str = "KMS Developer Guide, \"Key states of AWS KMS keys\"";

/// A row of the table: service, operation, what differs, the member, the code or what AWS answered
/// (empty: any), the reason, its source, the quirk.
type Row =
    (Service, &'static str, Kind, &'static str, &'static str, &'static str, Option<&'static str>);

const TABLE: &[Row] = &[
    (Service::Sts, "GetCallerIdentity", Kind::Member, "Arn", ROOT, IAM, None),
    (Service::Sts, "GetCallerIdentity", Kind::Member, "UserId", ROOT, IAM, None),
    (
        Service::CloudWatch,
        "GetMetricData",
        Kind::Member,
        "",
        BEFORE,
        "S3 User Guide, \"Using S3 Replication metrics\"",
        None,
    ),
    (
        Service::Kms,
        "GetKeyLastUsage",
        Kind::Member,
        "",
        BEFORE,
        "KMS API Reference, GetKeyLastUsage",
        None,
    ),
    (
        Service::Kms,
        "GetKeyLastUsage",
        Kind::Outcome,
        "",
        BEFORE,
        "KMS API Reference, GetKeyLastUsage",
        None,
    ),
    (
        Service::Kms,
        "Encrypt",
        Kind::Member,
        "CiphertextBlob",
        "how long a ciphertext is depends on what KMS writes into it",
        "KMS API Reference, Encrypt",
        None,
    ),
    (
        Service::CloudTrail,
        "LookupEvents",
        Kind::Member,
        "",
        BEFORE,
        "CloudTrail API Reference, LookupEvents",
        None,
    ),
    (
        Service::S3,
        "CreateBucket",
        Kind::Outcome,
        "UnsupportedArgument",
        "S3 does not accept tags in CreateBucket everywhere",
        "hashicorp/terraform-provider-aws#45566",
        Some("no-tags-on-create"),
    ),
    (
        Service::S3,
        "HeadBucket",
        Kind::Outcome,
        "success",
        "a bucket that was just deleted may still answer",
        "go-to-k/cdkd#2227, aws/aws-sdk-java#2169",
        Some("stale-head"),
    ),
    (
        Service::S3,
        "HeadObject",
        Kind::Member,
        "absent",
        "the rule was not in force yet when the object was uploaded",
        "S3 API Reference, DeleteBucketReplication",
        Some("late-rules"),
    ),
    (
        Service::S3,
        "HeadObject",
        Kind::Member,
        "FAILED",
        "the role, or its policy, was not in force yet when the object was uploaded",
        "IAM User Guide, \"Changes that I make are not always immediately visible\"",
        Some("late-policy"),
    ),
    (
        Service::S3,
        "HeadObject",
        Kind::Member,
        "PENDING",
        "the replication of the object was still under way",
        "S3 User Guide, \"Getting replication status information\"",
        Some("slow-replication"),
    ),
    (
        Service::Kms,
        "DescribeKey",
        Kind::Outcome,
        "success",
        "an alias that was just deleted may still name its key",
        "KMS Developer Guide, \"Eventual consistency\"",
        Some("stale-alias"),
    ),
    (
        Service::Kms,
        "CreateKey",
        Kind::Member,
        "KeyMetadata.KeyState",
        CREATING,
        KEY_STATES,
        Some("creating-key"),
    ),
    (
        Service::Kms,
        "CreateKey",
        Kind::Member,
        "KeyMetadata.Enabled",
        CREATING,
        KEY_STATES,
        Some("creating-key"),
    ),
];

/// Codes of refusals that come from permissions (S3 and KMS API Reference, "Common errors").
const DENIED: [&str; 4] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"];

/// For how long a new rule, a new role or its new policy may not be in force (IAM User Guide, "Changes
/// that I make are not always immediately visible"; S3 User Guide, "Troubleshooting replication").
const IN_FORCE: Duration = Duration::from_mins(10);

/// What uploads an object.
const UPLOADS: [&str; 3] = ["PutObject", "CopyObject", "CompleteMultipartUpload"];

/// What changes what a role may do.
const ROLES: [&str; 4] =
    ["CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy"];

/// Returns why the answer of `run[at]` differs, if that is known.
pub fn known(run: &[Numbered], at: usize, unlike: &Unlike) -> Option<Known> {
    let (before, rest) = run.split_at(at);
    let exchange = &rest.first()?.exchange;
    let code = exchange.code.as_deref().unwrap_or_default();
    if matches!(unlike.kind, Kind::Outcome | Kind::Code) && DENIED.contains(&code) {
        return Some(Known::new(ROOT, IAM, None));
    }
    let is_it = |row: &&Row| {
        row.0 == exchange.service
            && row.1 == exchange.operation
            && row.2 == unlike.kind
            && (row.1 != "HeadObject" || unlike.member == "ReplicationStatus")
            && (row.3.is_empty() || [&*unlike.member, code, &*unlike.recorded].contains(&row.3))
    };
    let may_be = |_: &&Row| may_be((before, rest), exchange, unlike);
    let row = TABLE.iter().find(is_it).filter(may_be)?;
    Some(Known::new(row.4, row.5, row.6))
}

/// Returns whether the reason of the table can be the reason here.
fn may_be(
    (before, rest): (&[Numbered], &[Numbered]),
    exchange: &Exchange,
    unlike: &Unlike,
) -> bool {
    match exchange.operation.as_str() {
        "DescribeKey" => is_stale_alias(rest, exchange),
        "HeadObject" if unlike.recorded == "PENDING" => true,
        "CreateKey" => {
            let metadata = exchange.answer.get("KeyMetadata");
            metadata.and_then(|it| it.get("KeyState")).and_then(Value::as_str) == Some("Creating")
        }
        "HeadBucket" => before.iter().map(|it| &it.exchange).any(|it| {
            it.operation == "DeleteBucket" && it.succeeded() && is_same(it, exchange, "Bucket")
        }),
        "HeadObject" => was_new(before, exchange, &unlike.recorded),
        _ => true,
    }
}

/// Returns whether the read names a key by an alias that a later change of it did not find.
fn is_stale_alias(rest: &[Numbered], read: &Exchange) -> bool {
    let name = |of: &Exchange, member: &str| {
        let text = of.request.get(member).and_then(Value::as_str).unwrap_or_default();
        text.rsplit_once(":alias/")
            .map_or_else(|| text.to_owned(), |(_, name)| format!("alias/{name}"))
    };
    let named = name(read, "KeyId");
    named.starts_with("alias/")
        && rest.iter().map(|it| &it.exchange).any(|it| {
            it.is_of_no_alias() && it.region == read.region && name(it, "AliasName") == named
        })
}

fn is_same(one: &Exchange, other: &Exchange, member: &str) -> bool {
    one.request.get(member) == other.request.get(member)
}

/// Returns whether the rule, or what the role may do, was new when the object was uploaded. An object
/// from before the recording may be older than the rule.
fn was_new(before: &[Numbered], head: &Exchange, status: &str) -> bool {
    let done = || before.iter().map(|it| &it.exchange).filter(|it| it.succeeded());
    let upload = done().rfind(|it| {
        UPLOADS.contains(&it.operation.as_str())
            && is_same(it, head, "Bucket")
            && is_same(it, head, "Key")
    });
    let Some(upload) = upload else { return status == "absent" };
    done().any(|it| {
        let is_it = match it.operation.as_str() {
            "PutBucketReplication" => is_same(it, head, "Bucket"),
            operation => status == "FAILED" && ROLES.contains(&operation),
        };
        let age = Duration::try_from(upload.at.duration_since(it.at));
        is_it && age.is_ok_and(|age| age <= IN_FORCE)
    })
}
