//! Object Lock retention of the objects that crrctl uploads. If the bucket has a default retention,
//! an upload requests the shortest retention of its own, which the clean-up may bypass.
//! Not for: what holds the objects of other owners (see `objects`).

use crate::aws::Aws;
use crate::manifest::Topology;
use aws_sdk_s3::types::ObjectLockMode;
use aws_smithy_types::DateTime;

/// The retention period of a probe, in seconds.
const HELD_FOR: i64 = 60;

/// Returns the retention that an upload requests. It takes the place of the bucket's default
/// retention (S3 User Guide, "Object Lock retention periods"). It ends in whole seconds after S3's
/// time, which S3 compares it with.
pub(crate) fn retention(aws: &Aws, topology: &Topology) -> Option<(ObjectLockMode, DateTime)> {
    topology.wanted.buckets.retention()?;
    Some((ObjectLockMode::Governance, DateTime::from_secs(aws.now().secs() + HELD_FOR)))
}

/// Returns whether the clean-up of probes must bypass their retention.
pub(crate) fn bypass(topology: &Topology) -> Option<bool> {
    topology.wanted.buckets.retention().map(|_| true)
}
