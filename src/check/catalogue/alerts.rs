//! Error codes about the topic or queue of `replication.alerts`, and about notifications.
//! Not for: the checks of alerts (see `checks`).

use super::Entry;
use super::errors::error;

pub(super) const ALL: &[Entry] = &[
    error(
        "alert-target-missing",
        "The topic or queue of `replication.alerts` does not exist.",
        &["the ARN is wrong, or nobody made it yet"],
        &[
            "make it in the Region of the source; `crrctl policy render alert-target` prints its policy",
        ],
    ),
    error(
        "alert-target-denies",
        "The policy of the topic or queue of `replication.alerts` does not let S3 publish.",
        &["it has no statement for `s3.amazonaws.com`, or one for other buckets or accounts"],
        &["`crrctl policy render alert-target` prints the statement"],
    ),
    error(
        "alert-target-key",
        "The messages of the topic or queue are under a key that AWS manages, which S3 can't use.",
        &["it is encrypted under `alias/aws/sns` or `alias/aws/sqs`"],
        &["encrypt it under a key of your own, or under none"],
    ),
    error(
        "alert-key-denies",
        "The policy of the key of the topic or queue does not let S3 use the key.",
        &["it has no statement for `s3.amazonaws.com`"],
        &["`crrctl policy render alert-key` prints the statement"],
    ),
    error(
        "notification-overlaps",
        "Another notification of the source sends the same events already.",
        &["somebody, or another pair, has a notification of failed replication on this bucket"],
        &["take the event types out of that notification, or leave `replication.alerts` out"],
    ),
];
