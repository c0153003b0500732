//! The replication statuses of an object, as `HeadObject` and a probe return them.
//! Source: S3 User Guide, "Getting replication status information".
//! Not for: why an object is FAILED (see `reasons`).

use super::{About, Entry};

const fn status(
    code: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    mends: &'static [&'static str],
) -> Entry {
    Entry { code, about: About::Status, means, causes, mends }
}

pub(super) const ALL: &[Entry] = &[
    status(
        "PENDING",
        "S3 has not replicated the object to every destination of its rules yet.",
        &[
            "most objects replicate within 15 minutes; large ones and many at once take longer",
            "of several destinations one has not got it yet",
        ],
        &["`crrctl wait s3://BUCKET/KEY` waits for it"],
    ),
    status(
        "COMPLETED",
        "S3 has replicated the object to every destination of its rules.",
        &["the replica bears the status REPLICA"],
        &["`crrctl probe` compares replicas with their sources"],
    ),
    status(
        "FAILED",
        "S3 has given up on the object for one destination at least. It never tries again by itself.",
        &["S3 does not say why on the object; `crrctl explain` lists its reasons"],
        &[
            "`crrctl check` proves which call is denied, and names the cause first",
            "once that is fixed: upload the object again, or `crrctl backfill --status failed`",
        ],
    ),
    status(
        "REPLICA",
        "The object is a replica: S3 wrote it, from a source in another bucket.",
        &["a rule of the other bucket leads here"],
        &["rules do not replicate it further, unless to make two-way changes of its metadata"],
    ),
];
