//! What the objects that crrctl uploads ask for: an encryption, where the bucket needs it named, and
//! their Object Lock retention. If the bucket has a default retention,
//! an upload requests the shortest retention of its own, which the clean-up may bypass.
//! Not for: what holds the objects of other owners (see `objects`).

use crate::aws::Aws;
use crate::manifest::{NamedEncryption, Topology};
use aws_sdk_s3::types::{ObjectLockMode, ServerSideEncryption};
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

/// The encryption headers of an upload. None is set where the bucket's default encryption does.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncryptionHeaders {
    pub(crate) algorithm: Option<ServerSideEncryption>,
    /// ARN of the KMS key.
    pub(crate) key: Option<String>,
    pub(crate) bucket_key: Option<bool>,
}

impl EncryptionHeaders {
    /// Returns the headers that name `encryption`.
    pub(crate) fn of(encryption: Option<NamedEncryption>) -> Self {
        let Some(NamedEncryption { algorithm, key, bucket_key }) = encryption else {
            return Self::default();
        };
        Self {
            algorithm: Some(ServerSideEncryption::from(algorithm.as_str())),
            key: key.map(|arn| arn.to_string()),
            bucket_key,
        }
    }
}
