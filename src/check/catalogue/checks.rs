//! The checks of `crrctl check`, in the order of the report: an earlier check is the cause of a
//! later one.
//! Not for: running the checks (see `check`).

use super::{About, Entry};

const fn check(
    code: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    mends: &'static [&'static str],
) -> Entry {
    Entry { code, about: About::Check, means, causes, mends }
}

const APPLY: &[&str] = &["`crrctl plan` shows the difference; `crrctl apply` puts it right"];
const MEND: &[&str] = &[
    "the check's own remedy names document, statement and element",
    "`crrctl apply` puts the pair's own documents back",
];

pub(super) const ALL: &[Entry] = &[
    check(
        "identity",
        "The credentials are usable, and whose they are.",
        &["credentials expired, or the wrong profile"],
        &["log in, or choose other credentials with `--profile`"],
    ),
    check(
        "pair.exists",
        "Something of the pair exists.",
        &["it was never built, or somebody deleted it", "the manifest or the account is another"],
        &[
            "`crrctl apply` builds it",
            "`crrctl check --before-apply` says whether it could be built",
        ],
    ),
    check(
        "region.enabled",
        "Every Region of the pair answers for this account.",
        &["an opt-in Region is not enabled for the account", "a slip in the Region's name"],
        &[
            "enable the Region in the account's settings: the source's owner needs both, the destination's owner its own",
        ],
    ),
    check(
        "bucket.exists",
        "The bucket exists in its Region.",
        &["somebody deleted it", "a bucket of that name lies in another Region"],
        &["`crrctl apply` makes it"],
    ),
    check(
        "bucket.owner",
        "The bucket belongs to this account and bears this pair's tags.",
        &[
            "a bucket of that name belongs to another account, pair, or nobody's pair",
            "the tags were overwritten",
        ],
        &["use another bucket name, or tag it as the pair's"],
    ),
    check(
        "role.exists",
        "The replication role exists.",
        &["somebody deleted it", "the configuration names another role"],
        APPLY,
    ),
    check(
        "role.trust",
        "The trust policy lets S3 assume the role.",
        &["`s3.amazonaws.com` is not named, or a condition demands what S3 does not send"],
        MEND,
    ),
    check(
        "replication.rules",
        "The live configuration has the rules and the role that the manifest wants.",
        &[
            "rules were deleted, disabled or changed by hand, or by another tool that owns the whole configuration",
        ],
        APPLY,
    ),
    check(
        "bucket.versioning",
        "Versioning is on.",
        &["it was suspended at the destination, which S3 does not refuse"],
        APPLY,
    ),
    check(
        "bucket.lock",
        "Where the source has Object Lock, every destination has it.",
        &["the destination was made without Object Lock"],
        &[
            "`aws s3api put-object-lock-configuration` turns it on for a versioned bucket; it can't be turned off again",
        ],
    ),
    check(
        "key.exists",
        "The pair's key exists in the Region, and the alias names it.",
        &["the replica key was deleted", "the alias was deleted or names another key"],
        APPLY,
    ),
    check(
        "key.state",
        "The key is Enabled.",
        &[
            "somebody disabled it or scheduled its deletion",
            "a replica key stays Creating for minutes",
        ],
        &["`aws kms cancel-key-deletion` and `aws kms enable-key` bring it back"],
    ),
    check(
        "bucket.encryption",
        "New objects are encrypted under the Region's key of the pair.",
        &["the bucket's default encryption was changed"],
        APPLY,
    ),
    check(
        "bucket.bucket-key",
        "Bucket Keys are as the manifest says.",
        &[
            "the setting was changed: it decides the encryption context and the KMS calls that S3 makes",
        ],
        APPLY,
    ),
    check(
        "role.boundary",
        "The role's permissions boundary allows every call that S3 makes.",
        &["a boundary was set that leaves out KMS or the destination"],
        &["widen the boundary, or remove it: `aws iam delete-role-permissions-boundary`"],
    ),
    check(
        "role.policy",
        "The role's own policies allow every call that S3 makes.",
        &["an action, resource or condition was changed", "a policy beside ours denies it"],
        MEND,
    ),
    check(
        "key.policy",
        "The key's policy lets the role in for every call that S3 makes.",
        &[
            "the delegation to the account was removed",
            "a statement denies the role, a source address or a VPC endpoint",
        ],
        MEND,
    ),
    check(
        "bucket.policy",
        "The bucket's policy denies none of the calls that S3 makes.",
        &[
            "a statement denies replication, a source address, a VPC endpoint, everyone outside an organisation",
        ],
        MEND,
    ),
    check(
        "organisation",
        "Service and resource control policies allow every call, as far as they are given.",
        &[
            "they bind the replication role too, and the caller can't read them: only `--scp` and `--rcp` let them take part",
        ],
        &[
            "ask who administers the organisation for its policies, and give them with `--scp FILE` and `--rcp FILE`",
        ],
    ),
    check(
        "principals.stale",
        "No statement names a principal that no longer exists.",
        &[
            "a user or role was deleted: its ARN in the policy became `AROA…` or `AIDA…`, and one of the same name does not match it",
        ],
        &["write the statement again with the ARN"],
    ),
    check(
        "kms.shared-material",
        "What is encrypted in one Region can be decrypted in the other: the keys share their material.",
        &["the destination's key is no replica of the source's", "the caller may not use the keys"],
        &["only `ReplicateKey` shares material: `crrctl apply` makes the replica"],
    ),
    check(
        "key.rotation",
        "Rotation is as the manifest says.",
        &["it was turned off, or has another period"],
        APPLY,
    ),
    check(
        "bucket.mfa-delete",
        "MFA delete is off: with it no version can be deleted, so probes stay and `destroy` can't empty the bucket.",
        &["the account's root user turned it on"],
        &[
            "the root user turns it off, with the device",
            "`crrctl probe --keep` does not try to clean up",
        ],
    ),
    check(
        "bucket.holds",
        "The bucket holds no version back by default retention.",
        &["Object Lock has a default retention: probes can't be removed before it ends"],
        &[
            "`crrctl destroy --bypass-governance` for governance mode; compliance mode has to run out",
        ],
    ),
    check(
        "aws.denied",
        "What AWS itself logged (CloudTrail, minutes late) of calls that the replication role was denied; only with `--ask-aws`.",
        &[
            "a policy that crrctl read, and then the proof says the same",
            "a policy that it did not read, such as an SCP or RCP, or one that was fixed since",
        ],
        &["the check's own remedy says whether the proof agrees"],
    ),
    check(
        "aws.reason",
        "What S3 itself says of one object, in the report of a batch job of that object alone; only with `--with-batch`.",
        &[
            "the cause that the other checks name; this check then says so",
            "a policy that crrctl did not read, such as an SCP or RCP",
        ],
        &["`crrctl explain REASON` says what the reason means; the check's own remedy says more"],
    ),
    check(
        "alerts.target",
        "The topic or queue of `replication.alerts` exists.",
        &["somebody deleted it", "the caller may not read it"],
        &["make it, or name another one in the manifest: crrctl makes no topic and no queue"],
    ),
    check(
        "alerts.policy",
        "The policy of the topic or queue, and that of its key, let S3 publish.",
        &[
            "the statement for `s3.amazonaws.com` is gone, or is for another bucket",
            "its messages are under a key that AWS manages",
        ],
        &[
            "add the statement that the check prints; `crrctl policy render alert-target` and `alert-key` print it too",
        ],
    ),
    check(
        "alerts.entry",
        "The notification configuration of the source has the pair's entry, as the manifest wants it.",
        &["another tool that owns the whole configuration overwrote it"],
        APPLY,
    ),
    check(
        "alerts.metrics",
        "The rules have metrics on: S3 sends the events of other rules to nobody.",
        &["metrics of a rule were turned off by hand"],
        APPLY,
    ),
    check(
        "alarm.topic",
        "The topic that the alarms notify exists; only with `replication.alarm`.",
        &["somebody deleted it, or nobody made it yet", "the caller may not read it"],
        &["make it, or name another one in the manifest: crrctl makes no topic"],
    ),
    check(
        "alarm.policy",
        "The policy of the alarms' topic, and that of its key, let CloudWatch publish.",
        &[
            "the topic is another account's, or its policy has neither a statement for `cloudwatch.amazonaws.com` nor the one of a new topic",
            "its messages are under `alias/aws/sns`, a key that AWS manages",
        ],
        &[
            "add the statement that the check prints; `crrctl policy render alarm-topic` and `alarm-key` print it too",
        ],
    ),
    check(
        "alarm.exists",
        "The alarm of each rule exists, bears this pair's tags and is as the manifest says; only with `replication.alarm`.",
        &[
            "somebody deleted the alarm, changed its threshold or switched its actions off",
            "an alarm of that name is somebody else's",
        ],
        APPLY,
    ),
    check(
        "alarm.state",
        "No alarm of the pair is in the state ALARM.",
        &["objects failed to replicate within the last minutes"],
        &[
            "`crrctl check s3://BUCKET/KEY` says why an object failed",
            "fix the cause, then `crrctl backfill --status failed`",
        ],
    ),
    check(
        "objects.failed",
        "None of the newest objects of the source is FAILED.",
        &[
            "replication failed when they were written; FAILED is final for a version, so it says nothing of now",
        ],
        &["fix what the other checks name, then `crrctl backfill --status failed`"],
    ),
];
