//! Error codes about a resource or an object: keys, buckets, roles, rules, probes, replicas.
//! Not for: codes of the command line, the manifest and a run (see `errors`).

use super::Entry;
use super::errors::{AGAIN, RENAME, error};

pub(super) const ALL: &[Entry] = &[
    error(
        "activation-unproven",
        "A rule would meet objects of others before it is proven.",
        &["others write to the source bucket, and FAILED is final for an object version"],
        &[
            "without `--no-probe` it is proven on probes alone, then goes live",
            "`replication.activation: direct` lets it go live at once",
        ],
    ),
    error(
        "alias-missing",
        "A key of the pair exists and its alias does not.",
        &["somebody deleted the alias"],
        &["the hint says which alias to create for which key"],
    ),
    error(
        "alias-not-ours",
        "The alias names a key that is not this pair's.",
        &["another pair or tool uses the alias"],
        &["use another `key.alias`"],
    ),
    error(
        "other-side-missing",
        "The source's half of a pair stands, and what another account has to make for it does not yet; nothing replicates.",
        &["that account's credentials are not named, so its owner makes its bucket and key"],
        &[
            "the owner of that account puts the documents in place that are printed; `crrctl check --side destination` looks whether they are",
            "then `crrctl apply` again, with the ARN of the key as `key` of that destination",
        ],
    ),
    error(
        "two-way-handed-over",
        "A pair is to replicate back from an account whose credentials are not named.",
        &["the role and the rules of the way back are made in that account"],
        &["give the destination a `profile` or `assume_role`, or leave `two_way` out"],
    ),
    error(
        "bucket-elsewhere",
        "A bucket of that name exists in another Region.",
        &["bucket names are shared by all Regions"],
        RENAME,
    ),
    error(
        "bucket-missing",
        "The manifest adopts a bucket, and there is none of that name.",
        &["the name is wrong, or the bucket was deleted"],
        &["make it first, or leave out `adopt`: crrctl then makes it"],
    ),
    error(
        "log-target-missing",
        "The bucket that access logs are to go to does not exist.",
        &["the name in `buckets.logging` is wrong, or nobody made the bucket yet"],
        &["make it in the Region and the account of the bucket that is logged"],
    ),
    error(
        "log-target-denies",
        "The bucket that access logs are to go to does not let S3 write them.",
        &["its policy has no statement for `logging.s3.amazonaws.com`, or one for other buckets"],
        &["`crrctl policy render log-target.BUCKET` prints the statement"],
    ),
    error(
        "pair-not-found",
        "No resource of the account bears the tags of a pair of this name.",
        &["the name, the account or the profile is another, or the pair was removed"],
        &["`crrctl list` lists the pairs of the account"],
    ),
    error(
        "pair-ambiguous",
        "Several pairs of the account have this name.",
        &["names are unique by source bucket and account alone"],
        &["a manifest says which, or `--source REGION:BUCKET` and `--destination`"],
    ),
    error(
        "pair-in-part",
        "A part of the pair is in another account, and nothing says by which credentials it is seen.",
        &["the name alone does not name credentials"],
        &["give the pair's manifest, which names them"],
    ),
    error(
        "bucket-not-ours",
        "A bucket of that name exists and is not this pair's.",
        &["it belongs to another account, or bears no tags of the pair"],
        RENAME,
    ),
    error(
        "bucket-stands",
        "A key stays, since a bucket of the pair stands again.",
        &["an `apply` at work beside this `destroy` has made it"],
        &["end that run, then `crrctl destroy` again"],
    ),
    error(
        "changed-meanwhile",
        "The pair does not stand any more as this run left it.",
        &["a `destroy` or another `apply` at work beside this one changed it"],
        &["`crrctl plan` shows what stands once that run is done"],
    ),
    error(
        "foreign-objects",
        "A bucket holds objects that are no probes of this pair; nothing was changed.",
        &["the bucket is in use"],
        &["`crrctl destroy --purge-data` deletes all versions of all objects too"],
    ),
    error(
        "mfa-delete",
        "A bucket has MFA delete and holds versions; nothing was changed.",
        &["versions go only by the root user, with its MFA device"],
        &[
            "switch MFA delete off as the root user: the hint has the command",
            "`crrctl destroy --keep-buckets` keeps the buckets and their keys",
        ],
    ),
    error(
        "object-lock-missing",
        "A bucket that the manifest adopts has no Object Lock, and the manifest wants it.",
        &["turning it on can't be undone, so crrctl does it only for buckets that it makes"],
        &["`aws s3api put-object-lock-configuration` turns it on for a versioned bucket"],
    ),
    error(
        "object-lock-on",
        "A bucket has Object Lock, and the manifest wants none.",
        &["Object Lock can't be taken off"],
        &["`buckets.object_lock` in the manifest keeps it; else use another bucket"],
    ),
    error(
        "probe-held",
        "A probe could stay for as long as the bucket holds new versions, and nobody could delete it.",
        &["the default retention is in COMPLIANCE mode"],
        &[
            "`crrctl apply --no-probe` builds the pair without proof",
            "`mode: governance` lets it be proven",
        ],
    ),
    error(
        "wrong-account",
        "The credentials of a side are of another account than the manifest says.",
        &["a `profile` or `assume_role` of another account", "`account` is misspelt"],
        &["choose the credentials of that account, or correct `account`"],
    ),
    error(
        "key-across-accounts",
        "The key that a side in another account would be encrypted under can't be used there.",
        &[
            "replicas of a multi-Region key stay in its account",
            "`aws/s3` serves its own account alone",
        ],
        &[
            "`key: {kind: per-region}`, a `key` of that account for the destination, or `key: {kind: none}`",
        ],
    ),
    error(
        "region-not-enabled",
        "AWS does not take the credentials in a Region, and takes them in the source's.",
        &["the account has not enabled the Region", "its name is misspelt"],
        &["enable the Region for the account, or use another"],
    ),
    error(
        "role-lacks",
        "The role of `role.arn` can't serve the pair.",
        &[
            "it does not exist, or its policies lack a statement, or a boundary or Deny is in the way",
        ],
        &["add the statements that the error prints; crrctl never changes that role"],
    ),
    error(
        "objects-held",
        "S3 will not delete some versions.",
        &[
            "COMPLIANCE retention: nobody can delete them before their date",
            "GOVERNANCE retention, a legal hold or an event hold",
            "the caller lacks `s3:DeleteObjectVersion`",
        ],
        &[
            "the list `left` says for each version what holds it and until when",
            "`crrctl destroy --bypass-governance` deletes what is under GOVERNANCE retention",
        ],
    ),
    error(
        "no-pair",
        "Something bears a tag of crrctl, and its tags name no pair.",
        &["one of `crrctl:pair` and `crrctl:id` was removed or changed"],
        &["put the tag back, or remove the other too"],
    ),
    error(
        "key-in-use",
        "A spare key stays, since a bucket is encrypted under it.",
        &["another run or somebody else has begun to use it"],
        &["`crrctl plan` shows what stands"],
    ),
    error(
        "key-not-ours",
        "The key does not bear this pair's tags.",
        &["the alias names a key that something else made"],
        &["use another `key.alias`"],
    ),
    error(
        "key-not-primary",
        "The key in the source's Region is not the primary of a multi-Region key.",
        &[
            "the primary key was moved to another Region (`UpdatePrimaryRegion`)",
            "the alias names a key of one Region, which is fixed when a key is made",
        ],
        &[
            "move the primary key back: `aws kms update-primary-region`",
            "where the key has one Region, use another `key.alias`",
        ],
    ),
    error(
        "key-multi-region",
        "The alias names a multi-Region key, and the manifest wants a key of one Region.",
        &["`key.kind` was changed; which one a key is, is fixed when it is made"],
        &["use another `key.alias`"],
    ),
    error(
        "key-missing",
        "A key that the manifest gives does not exist in its Region.",
        &["the ARN or alias is of another Region or account, or the key is gone"],
        &["give the ARN of a key in the bucket's own Region"],
    ),
    error(
        "key-unfit",
        "A key that the manifest gives can't encrypt for S3.",
        &["it is asymmetric, or made for signatures or codes"],
        &["give a key with the spec SYMMETRIC_DEFAULT and the usage ENCRYPT_DECRYPT"],
    ),
    error(
        "file-exists",
        "The manifest is there already; nothing was written.",
        &["`crrctl init` never writes over a file unasked"],
        &["`--force` writes over it, `--file` names another"],
    ),
    error(
        "key-pending-deletion",
        "The pair's key waits for its deletion.",
        &["`crrctl destroy` or somebody scheduled it"],
        &[
            "`crrctl apply --revive-keys` brings it back; everything under it is unreadable until then",
        ],
    ),
    error(
        "key-unusable",
        "The pair's key can't be used in its state.",
        &["somebody disabled it"],
        &["`crrctl apply --revive-keys` enables it"],
    ),
    error(
        "not-eligible",
        "S3 gives the object no replication status: no rule selects it.",
        &[
            "the rule is disabled, or its prefix or tags do not fit",
            "the configuration has not spread yet",
        ],
        &["`crrctl check` compares the rules with the manifest; `crrctl apply` puts them right"],
    ),
    error(
        "pair-missing",
        "The pair does not stand.",
        &[
            "it was never applied, or was destroyed",
            "name, source Region or source bucket were changed in the manifest",
        ],
        &["`crrctl apply` builds it"],
    ),
    error(
        "object-missing",
        "There is no such object.",
        &["the bucket, key or version is misspelt, or the version was deleted"],
        &["`aws s3api list-object-versions` shows what is there"],
    ),
    error(
        "object-elsewhere",
        "The object is in no bucket that the pair replicates from.",
        &["it is a replica, or an object of another pair"],
        &["name an object of the source; without a manifest its bucket tells the pair"],
    ),
    error(
        "object-unreadable",
        "S3 does not show the object, though it exists.",
        &["the object is encrypted under a key of its owner's (SSE-C)"],
        &["S3 does not replicate such an object's status to others: ask its owner"],
    ),
    error(
        "no-replication-status",
        "The object has no replication status: no rule selected it when it was written.",
        &["it is older than the rule, or the rule does not select it"],
        &["`crrctl backfill` replicates what is older than the rule"],
    ),
    error(
        "marker-not-replicated",
        "A delete marker did not replicate, and the manifest wants it to.",
        &[
            "the live rule has delete markers off",
            "the role lacks `s3:ReplicateDelete` or `s3:ListBucket`",
        ],
        &["`crrctl check` names which; `crrctl apply` puts rule and role right"],
    ),
    error(
        "marker-replicated",
        "A delete marker replicated, and the manifest does not want it to.",
        &["the live rule has delete markers on"],
        &["`crrctl apply` puts the rule right"],
    ),
    error(
        "replica-differs",
        "The replica is not what was sent.",
        &["the destination encrypts under another key", "an emulator or proxy changes objects"],
        &["the differences stand in the evidence"],
    ),
    error(
        "replica-missing",
        "S3 says COMPLETED and the destination has no such object.",
        &["a lifecycle rule or somebody deleted the replica at once"],
        &["look at the destination's lifecycle rules"],
    ),
    error("replica-unreadable", "The replica's body broke off.", &["the connection broke"], AGAIN),
    error(
        "replication-failed",
        "S3 says that replication FAILED, which is final for the object version.",
        &[
            "`failure_reasons` ranks what the live policies and settings say; AWS tells the reason in its events alone",
        ],
        &[
            "fix what `crrctl check` names first, then upload again or `crrctl backfill --status failed`",
        ],
    ),
    error(
        "replication-not-ours",
        "Rules of others stand in the source's replication configuration, with a role of theirs that can't serve the pair.",
        &["a configuration has one role for all its rules, and that of others is never changed"],
        &[
            "give their role the statements that the error prints, then `crrctl apply` again",
            "or `role.take_over: true`, which gives all rules the pair's role once it is proven for theirs too",
        ],
    ),
    error(
        "requester-pays",
        "The destination is a Requester Pays bucket of another account, into which S3 does not replicate.",
        &["its owner lets those pay who read from it"],
        &["let the owner pay: `aws s3api put-bucket-request-payment` with `Payer=BucketOwner`"],
    ),
    error(
        "rule-v1",
        "A rule has no Filter (schema V1); S3 takes no rules beside it that have one.",
        &["it was made before 2019, or by a tool that still writes such rules"],
        &[
            "`replication: {v1_rules: convert}` in the manifest",
            "its owner gives it a Filter, a Priority and DeleteMarkerReplication",
        ],
    ),
    error(
        "take-over-unproven",
        "The pair's role can't serve a rule of others, so it does not take over; nothing was changed.",
        &["its destination lies in another account, or a policy there keeps the pair's role out"],
        &["let those policies name the pair's role, or leave `role.take_over` out"],
    ),
    error(
        "replication-pending",
        "The object is still PENDING.",
        &["most objects replicate within 15 minutes, large ones in hours"],
        &["wait longer with `--timeout`"],
    ),
    error(
        "alarm-not-ours",
        "A CloudWatch alarm of that name exists in the Region and is not this pair's.",
        &[
            "an alarm's name is unique in its account and Region, and somebody made or untagged this one",
        ],
        &["give the pair another name, or delete that alarm: `aws cloudwatch delete-alarms`"],
    ),
    error(
        "role-not-ours",
        "A role of that name exists and is not this pair's.",
        &["IAM is global: two pairs can't share a role's name"],
        &["give the pair another `role.name`"],
    ),
    error(
        "source-drifted",
        "The object that was uploaded can't replicate.",
        &["the source's versioning or encryption was changed"],
        &["`crrctl plan` shows what drifted; `crrctl apply` puts it right"],
    ),
    error(
        "pair-stays",
        "The pair stands for good, and `--ephemeral` would give it a date; nothing was changed.",
        &["it was applied without `--ephemeral`"],
        &["`crrctl destroy` removes it; or apply it without `--ephemeral`"],
    ),
    error(
        "not-applied",
        "The pair is not as the manifest says, so it can't be handed over as it stands.",
        &["it was never applied, or drifted"],
        &["`crrctl apply` first, then export again"],
    ),
    error(
        "rule-not-exportable",
        "A replication rule has settings that can't be written for the other tool.",
        &["a rule of others lies beside the pair's"],
        &["move that rule, or hand the pair over by hand"],
    ),
    error(
        "not-written",
        "A file could not be written.",
        &["the folder does not exist or is not writable"],
        &["name another place"],
    ),
];
