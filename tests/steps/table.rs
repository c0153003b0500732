//! The table: a row for each kind of work, a cell for each thing that may become of it. A new
//! variant of `Work`, or a new document of a bucket, compiles only with a row of its own.
//! Not for: how a cell is run (see `stand` and the tests above).

use super::hands::{self, Hand};
use super::stand::{Aim, Base, DESTINATION, SOURCE};
use crrctl::events::{Kind, Verb};
use crrctl::plan::Work;
use crrctl::settings::Change;

macro_rules! rows {
    ($($name:ident,)*) => {
        /// The rows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Row { $($name,)* }

        pub(super) const ROWS: &[Row] = &[$(Row::$name,)*];
    };
}

rows! {
    Key, SharedKey, ReplicaKey, Alias, Rotation, Bucket, BucketTags, Ownership, PublicAccessBlock,
    Versioning, Encryption, Lock, Logging, BucketPolicy, Lifecycle, Notification, Role, RolePolicy, Rules,
    DroppedRule, Alarm,
}

/// Returns the row of an action.
pub(super) fn row_of(work: &Work) -> Row {
    match work {
        Work::Key(_) => Row::Key,
        Work::SharedKey(_) => Row::SharedKey,
        Work::ReplicaKey(_) => Row::ReplicaKey,
        Work::Alias(_) => Row::Alias,
        Work::Rotation(_) => Row::Rotation,
        Work::Bucket(_) => Row::Bucket,
        Work::BucketTags(_) => Row::BucketTags,
        Work::Document(Change::Ownership(_)) => Row::Ownership,
        Work::Document(Change::PublicAccessBlock(_)) => Row::PublicAccessBlock,
        Work::Document(Change::Versioning(_)) => Row::Versioning,
        Work::Document(Change::Encryption(_)) => Row::Encryption,
        Work::Document(Change::Lock(_)) => Row::Lock,
        Work::Document(Change::Logging(_)) => Row::Logging,
        Work::BucketPolicy(_) => Row::BucketPolicy,
        Work::Lifecycle(_) => Row::Lifecycle,
        Work::Notification(_) => Row::Notification,
        Work::Role(_) => Row::Role,
        Work::RolePolicy(_) => Row::RolePolicy,
        Work::Rules(_) => Row::Rules,
        Work::DroppedRule(_) => Row::DroppedRule,
        Work::Alarm(_) => Row::Alarm,
    }
}

/// What becomes of a thing.
pub(super) enum Cell {
    /// The action is run.
    Runs(Case),
    /// There is no such action, for this reason.
    Senseless(&'static str),
}

/// An action, and what must become of it.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) base: Base,
    pub(super) aim: Aim,
    /// What is done before the pair is observed.
    pub(super) before: Hand,
    /// What others do between the plan and the action.
    pub(super) meanwhile: Hand,
    /// What the plan says.
    pub(super) verb: Verb,
    /// The name in the step's id, if it is not the row's.
    pub(super) name: Option<&'static str>,
    /// The calls that write.
    pub(super) writes: &'static [(&'static str, u64)],
    /// Whether the plan says the same again: another action records that it is done.
    pub(super) planned_again: bool,
    /// Whether what was there is told (`replaced`).
    pub(super) replaced: bool,
    /// What of others must still be there.
    pub(super) theirs: &'static [Theirs],
}

/// What others own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Theirs {
    Tag,
    Statement,
    LifecycleRule,
    /// A rule that they wrote in the older form, and that means the same.
    OlderLifecycleRule,
    Notification,
    Rule,
    /// What default encryption blocks. What there was is told as a whole.
    BlockedTypes,
    /// The format of the keys of logs. What there was is told as a whole.
    KeyFormat,
    /// The key of this run is scheduled, and the other run's is used.
    Key,
}

/// The cells of a kind of work.
pub(super) struct Cells {
    pub(super) kind: Kind,
    /// The name in the step's id.
    pub(super) name: &'static str,
    pub(super) make: Cell,
    pub(super) change: Cell,
    pub(super) adopt: Cell,
    pub(super) remove: Cell,
    /// Where the thing stands and is left alone: the base, and the verb in its plan.
    pub(super) unchanged: Result<(Base, Verb), &'static str>,
}

type Writes = &'static [(&'static str, u64)];

const CASE: Case = Case {
    base: Base::Empty,
    aim: Aim::Build,
    before: hands::nothing,
    meanwhile: hands::nothing,
    verb: Verb::Create,
    name: None,
    writes: &[],
    planned_again: false,
    replaced: false,
    theirs: &[],
};

/// The thing is missing, as everything else is.
fn made(writes: Writes) -> Cell {
    Cell::Runs(Case { writes, ..CASE })
}

/// The thing of a pair that stands was changed by hand.
fn changed(before: Hand, writes: Writes) -> Case {
    Case { base: Base::Whole, before, verb: Verb::Update, writes, ..CASE }
}

/// The thing is in a bucket that somebody else made.
fn adopted(verb: Verb, writes: Writes) -> Case {
    Case { base: Base::Theirs, verb, writes, replaced: true, ..CASE }
}

/// The pair goes.
fn removed(writes: Writes) -> Case {
    Case { base: Base::Whole, aim: Aim::Remove, verb: Verb::Delete, writes, ..CASE }
}

/// The pair goes from buckets that somebody else made, which takes until S3 has forgotten its rules.
fn given_back(writes: Writes) -> Case {
    Case { base: Base::Adopted, ..removed(writes) }
}

const GOES_WITH_ITS_BUCKET: Cell =
    Cell::Senseless("S3 deletes it with the bucket, and an adopted bucket keeps it");
const STANDS: Result<(Base, Verb), &str> = Ok((Base::Whole, Verb::None));

/// Returns the cells of a document of a bucket, which one call writes.
fn document(kind: Kind, change: Hand, writes: Writes, adopted: Case) -> Cells {
    Cells {
        kind,
        name: SOURCE,
        make: made(writes),
        change: Cell::Runs(changed(change, writes)),
        adopt: Cell::Runs(adopted),
        remove: GOES_WITH_ITS_BUCKET,
        unchanged: STANDS,
    }
}

/// Returns more cases of a row: rare forms of what others own.
pub(super) fn more(row: Row) -> Vec<Case> {
    match row {
        // S3 takes no whole set of tags of a bucket with ABAC: it is refused, and single tags are set.
        Row::BucketTags => vec![
            Case {
                before: hands::abac,
                theirs: &[Theirs::Tag],
                ..adopted(Verb::Update, &[("s3:PutBucketTagging", 1), ("s3control:TagResource", 1)])
            },
            Case {
                before: hands::abac,
                theirs: &[Theirs::Tag],
                ..given_back(&[("s3:PutBucketTagging", 1), ("s3control:UntagResource", 1)])
            },
        ],
        // S3 refuses the older `Prefix` beside a filter.
        Row::Lifecycle => vec![Case {
            before: hands::older_lifecycle_rule,
            replaced: false,
            theirs: &[Theirs::OlderLifecycleRule],
            ..adopted(Verb::Create, &[("s3:PutBucketLifecycleConfiguration", 1)])
        }],
        Row::Encryption => vec![Case {
            before: hands::no_blocked_types,
            theirs: &[Theirs::BlockedTypes],
            ..adopted(Verb::Update, &[("s3:PutBucketEncryption", 1)])
        }],
        Row::Logging => vec![Case {
            before: hands::logs_by_date,
            theirs: &[Theirs::KeyFormat],
            ..adopted(Verb::Update, &[("s3:PutBucketLogging", 1)])
        }],
        _ => Vec::new(),
    }
}

/// Returns the cells of a row.
#[expect(clippy::too_many_lines, reason = "it is the table")]
pub(super) fn cells(row: Row) -> Cells {
    match row {
        Row::Key => Cells {
            kind: Kind::Key,
            name: "us-east-1",
            make: made(&[("kms:CreateKey", 1)]),
            change: Cell::Runs(changed(hands::key_policy, &[("kms:PutKeyPolicy", 1)])),
            adopt: Cell::Senseless("a key has no name to meet at: the alias decides whose is used"),
            remove: Cell::Runs(removed(&[("kms:ScheduleKeyDeletion", 1)])),
            unchanged: STANDS,
        },
        Row::SharedKey => Cells {
            kind: Kind::Key,
            name: "us-east-1/KEY",
            make: Cell::Senseless("another pair made the key"),
            change: Cell::Runs(Case {
                base: Base::Second,
                verb: Verb::Update,
                writes: &[("kms:TagResource", 1)],
                ..CASE
            }),
            adopt: Cell::Senseless("the mark is one tag, whoever wrote it before"),
            remove: Cell::Senseless("the mark stays, and keeps the key when its own pair goes"),
            unchanged: Err("a key that is marked has no action"),
        },
        Row::ReplicaKey => Cells {
            kind: Kind::ReplicaKey,
            name: "us-west-2",
            make: made(&[("kms:ReplicateKey", 1), ("kms:CreateAlias", 1)]),
            change: Cell::Runs(changed(hands::replica_policy, &[("kms:PutKeyPolicy", 1)])),
            adopt: Cell::Runs(Case {
                meanwhile: hands::replica_of_another_run,
                // It has no policy and no tags of buckets yet, which the next run writes.
                planned_again: true,
                writes: &[("kms:ReplicateKey", 1), ("kms:CreateAlias", 1)],
                ..CASE
            }),
            remove: Cell::Runs(removed(&[("kms:ScheduleKeyDeletion", 1)])),
            unchanged: STANDS,
        },
        Row::Alias => Cells {
            kind: Kind::Alias,
            name: "us-east-1",
            make: made(&[("kms:CreateAlias", 1)]),
            change: Cell::Runs(changed(hands::alias_to_a_key_that_goes, &[("kms:UpdateAlias", 1)])),
            adopt: Cell::Runs(Case {
                meanwhile: hands::alias_of_another_run,
                writes: &[("kms:CreateAlias", 1), ("kms:ScheduleKeyDeletion", 1)],
                theirs: &[Theirs::Key],
                ..CASE
            }),
            remove: Cell::Runs(removed(&[("kms:DeleteAlias", 1)])),
            unchanged: STANDS,
        },
        Row::Rotation => Cells {
            kind: Kind::Rotation,
            name: "us-east-1",
            make: made(&[("kms:EnableKeyRotation", 1)]),
            change: Cell::Runs(changed(hands::rotation, &[("kms:EnableKeyRotation", 1)])),
            adopt: Cell::Senseless("the call sets the period, whatever it was before"),
            remove: Cell::Senseless("it goes with its key"),
            unchanged: STANDS,
        },
        Row::Bucket => Cells {
            kind: Kind::Bucket,
            name: SOURCE,
            make: made(&[("s3:CreateBucket", 1)]),
            change: Cell::Senseless("each of its documents has a row"),
            // Its tags record it.
            adopt: Cell::Runs(Case {
                planned_again: true,
                replaced: false,
                ..adopted(Verb::Adopt, &[])
            }),
            remove: Cell::Runs(removed(&[("s3:DeleteBucket", 1)])),
            unchanged: STANDS,
        },
        Row::BucketTags => Cells {
            kind: Kind::BucketTags,
            name: SOURCE,
            make: made(&[]),
            change: Cell::Runs(Case {
                replaced: true,
                theirs: &[Theirs::Tag],
                ..changed(hands::tag, &[("s3:PutBucketTagging", 1)])
            }),
            adopt: Cell::Runs(Case {
                theirs: &[Theirs::Tag],
                ..adopted(Verb::Update, &[("s3:PutBucketTagging", 1)])
            }),
            remove: Cell::Runs(Case {
                theirs: &[Theirs::Tag],
                ..given_back(&[("s3:PutBucketTagging", 1)])
            }),
            unchanged: STANDS,
        },
        Row::Ownership => {
            let writes = &[("s3:PutBucketOwnershipControls", 1)];
            let adopted = adopted(Verb::Update, writes);
            let cells = document(Kind::Ownership, hands::ownership, writes, adopted);
            // `CreateBucket` sets it.
            Cells { make: made(&[]), ..cells }
        }
        Row::PublicAccessBlock => {
            let writes = &[("s3:PutPublicAccessBlock", 1)];
            let adopted = adopted(Verb::Update, writes);
            let cells =
                document(Kind::PublicAccessBlock, hands::public_access_block, writes, adopted);
            // S3 sets it for a new bucket.
            Cells { make: made(&[]), ..cells }
        }
        Row::Versioning => {
            let writes = &[("s3:PutBucketVersioning", 1)];
            let adopted = adopted(Verb::Update, writes);
            let cells = document(Kind::Versioning, hands::versioning, writes, adopted);
            // A bucket with Object Lock is made with it, and keeps it.
            let changed = Case { base: Base::Dropped, ..changed(hands::versioning, writes) };
            Cells {
                make: Cell::Runs(Case { base: Base::Plain, writes, ..CASE }),
                change: Cell::Runs(Case { name: Some(DESTINATION), ..changed }),
                ..cells
            }
        }
        Row::Encryption => {
            let writes = &[("s3:PutBucketEncryption", 1)];
            let adopted = adopted(Verb::Update, writes);
            document(Kind::Encryption, hands::encryption, writes, adopted)
        }
        Row::Lock => {
            let writes = &[("s3:PutObjectLockConfiguration", 1)];
            let cells = document(Kind::ObjectLock, hands::object_lock, writes, CASE);
            let adopt = "it is never set on a bucket that others made";
            Cells { adopt: Cell::Senseless(adopt), ..cells }
        }
        Row::Logging => {
            let writes = &[("s3:PutBucketLogging", 1)];
            document(Kind::Logging, hands::logging, writes, adopted(Verb::Update, writes))
        }
        Row::BucketPolicy => Cells {
            kind: Kind::BucketPolicy,
            name: SOURCE,
            make: made(&[("s3:PutBucketPolicy", 1)]),
            change: Cell::Runs(Case {
                replaced: true,
                theirs: &[Theirs::Statement],
                ..changed(hands::bucket_policy, &[("s3:PutBucketPolicy", 1)])
            }),
            adopt: Cell::Runs(Case {
                theirs: &[Theirs::Statement],
                ..adopted(Verb::Update, &[("s3:PutBucketPolicy", 1)])
            }),
            remove: Cell::Runs(Case {
                theirs: &[Theirs::Statement],
                ..given_back(&[("s3:PutBucketPolicy", 1)])
            }),
            unchanged: STANDS,
        },
        Row::Lifecycle => {
            let writes: Writes = &[("s3:PutBucketLifecycleConfiguration", 1)];
            let theirs: &[Theirs] = &[Theirs::LifecycleRule];
            Cells {
                kind: Kind::Lifecycle,
                name: SOURCE,
                make: made(writes),
                change: Cell::Runs(Case { theirs, ..changed(hands::lifecycle_rules, writes) }),
                adopt: Cell::Runs(Case {
                    replaced: false,
                    theirs,
                    ..adopted(Verb::Create, writes)
                }),
                remove: Cell::Runs(Case { theirs, ..given_back(writes) }),
                unchanged: STANDS,
            }
        }
        Row::Notification => {
            let writes: Writes = &[("s3:PutBucketNotificationConfiguration", 1)];
            let theirs: &[Theirs] = &[Theirs::Notification];
            Cells {
                kind: Kind::Notification,
                name: SOURCE,
                make: made(writes),
                change: Cell::Runs(Case { theirs, ..changed(hands::notifications, writes) }),
                adopt: Cell::Runs(Case {
                    replaced: false,
                    theirs,
                    ..adopted(Verb::Create, writes)
                }),
                remove: Cell::Runs(Case { theirs, ..given_back(writes) }),
                unchanged: STANDS,
            }
        }
        Row::Role => Cells {
            kind: Kind::Role,
            name: "crrctl-demo-us-east-1",
            make: made(&[("iam:CreateRole", 1)]),
            change: Cell::Runs(changed(hands::role_trust, &[("iam:UpdateAssumeRolePolicy", 1)])),
            adopt: Cell::Runs(Case {
                meanwhile: hands::role_of_another_run,
                writes: &[("iam:CreateRole", 1)],
                ..CASE
            }),
            remove: Cell::Runs(removed(&[("iam:DeleteRole", 1)])),
            unchanged: STANDS,
        },
        Row::RolePolicy => Cells {
            kind: Kind::RolePolicy,
            name: "crrctl-demo-us-east-1",
            make: made(&[("iam:PutRolePolicy", 1)]),
            change: Cell::Runs(changed(hands::role_policy, &[("iam:PutRolePolicy", 1)])),
            adopt: Cell::Senseless("the call sets the document, whatever it was before"),
            remove: Cell::Runs(removed(&[("iam:DeleteRolePolicy", 1)])),
            unchanged: STANDS,
        },
        Row::Rules => Cells {
            kind: Kind::Replication,
            name: SOURCE,
            make: made(&[("s3:PutBucketReplication", 1)]),
            change: Cell::Runs(Case {
                replaced: true,
                theirs: &[Theirs::Rule],
                ..changed(hands::rules, &[("s3:PutBucketReplication", 1)])
            }),
            adopt: Cell::Runs(Case {
                replaced: false,
                ..adopted(Verb::Create, &[("s3:PutBucketReplication", 1)])
            }),
            remove: Cell::Runs(Case {
                before: hands::probe,
                ..removed(&[("s3:DeleteBucketReplication", 1)])
            }),
            unchanged: STANDS,
        },
        Row::DroppedRule => Cells {
            kind: Kind::Replication,
            name: "crrctl.demo.eu-west-1",
            make: Cell::Senseless("the manifest no longer names it"),
            change: Cell::Senseless("the manifest no longer names it"),
            adopt: Cell::Senseless("the manifest no longer names it"),
            remove: Cell::Runs(Case {
                base: Base::Dropped,
                aim: Aim::Prune,
                ..removed(&[("s3:PutBucketReplication", 1)])
            }),
            unchanged: Ok((Base::Dropped, Verb::Orphan)),
        },
        Row::Alarm => Cells {
            kind: Kind::Alarm,
            name: "us-east-1/crrctl.demo.us-west-2",
            make: made(&[("cloudwatch:PutMetricAlarm", 1)]),
            change: Cell::Runs(changed(hands::alarm, &[("cloudwatch:PutMetricAlarm", 1)])),
            adopt: Cell::Senseless("an alarm without the pair's tags is in the way"),
            remove: Cell::Runs(removed(&[("cloudwatch:DeleteAlarms", 1)])),
            unchanged: STANDS,
        },
    }
}
