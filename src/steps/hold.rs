//! What holds the objects that crrctl itself uploads: where a bucket holds new versions by default, they ask for the shortest hold of
//! their own, which their clean-up may bypass.
//! Not for: what holds the objects of others (see `objects`).

use crate::manifest::Topology;
use aws_sdk_s3::types::ObjectLockMode;
use aws_smithy_types::DateTime;
use std::time::{Duration, SystemTime};

/// How long a probe is held.
const HELD_FOR: Duration = Duration::from_mins(1);

/// Returns the retention that an upload of ours asks for: it stands for the bucket's default
/// (S3 User Guide, "Object Lock retention periods").
pub(crate) fn retention(topology: &Topology) -> Option<(ObjectLockMode, DateTime)> {
    topology.buckets.retention()?;
    Some((ObjectLockMode::Governance, DateTime::from(SystemTime::now() + HELD_FOR)))
}

/// Returns whether the clean-up of probes must bypass their retention.
pub(crate) fn bypass(topology: &Topology) -> Option<bool> {
    topology.buckets.retention().map(|_| true)
}
