//! Which of the documents that matter only sometimes are read for a bucket of the pair.
//! Not for: the documents (see `settings`).

use super::{Side, Topology};
use crate::events::Kind;
use crate::names::BucketName;
use crate::settings::Optional;

impl Topology {
    /// Returns the optional documents that the manifest configures for `bucket`.
    pub(super) fn optional(&self, bucket: &BucketName) -> Optional {
        // The separate bucket for reports has none of them.
        if self.sides().all(|side| side.bucket != *bucket) {
            return Optional::default();
        }
        let replicates_back = self.is_two_way() && *bucket != self.wanted.home().bucket;
        let is_source = *bucket == self.wanted.home().bucket || self.is_two_way();
        Optional::wanted(&self.wanted.buckets, replicates_back)
            .with(Kind::Notification, is_source && self.wanted.alerts.is_some())
    }

    /// Returns the optional documents of `bucket` that must be read according to the manifest. For
    /// an adopted bucket, all of them.
    pub fn matters(&self, bucket: &BucketName) -> Optional {
        if self.wanted.adopts(bucket) {
            return Optional::all().and(&self.optional(bucket));
        }
        let gets_markers =
            |side: &Side| side.bucket == *bucket && !self.marker_prefixes(side).is_empty();
        self.optional(bucket)
            // A lifecycle rule that expires noncurrent versions is dangerous where delete markers
            // are replicated.
            .with(Kind::Lifecycle, self.destinations.iter().any(gets_markers))
            .with(Kind::Replication, *bucket == self.wanted.home().bucket)
    }
}
