//! Which of the documents that matter only sometimes are read for a bucket of the pair.
//! Not for: the documents (see `settings`).

use super::{Side, Topology};
use crate::events::Kind;
use crate::names::BucketName;
use crate::settings::{LogTarget, Optional};
use std::collections::BTreeMap;

impl Topology {
    /// Returns the optional documents that the manifest configures for `bucket`.
    pub(super) fn optional(&self, bucket: &BucketName) -> Optional {
        // The separate bucket for reports has none of them.
        if self.sides().all(|side| side.bucket != *bucket) {
            return Optional::default();
        }
        let replicates_back = self.replication.two_way && *bucket != self.home.bucket;
        Optional::wanted(&self.buckets, replicates_back)
    }

    /// Returns where the access logs of the bucket of `side` are to go.
    pub fn log_target(&self, side: &Side) -> Option<LogTarget> {
        let account = self.account_of(&side.region);
        self.buckets.logging.target(account.as_str(), side.region.as_str())
    }

    /// Returns the optional documents of `bucket` that must be read according to the manifest. For
    /// an adopted bucket, all of them.
    pub fn matters(&self, bucket: &BucketName) -> Optional {
        if self.adopts(bucket) {
            return Optional::all();
        }
        let gets_markers =
            |side: &Side| side.bucket == *bucket && !self.marker_prefixes(side).is_empty();
        self.optional(bucket)
            // A lifecycle rule that expires noncurrent versions is dangerous where delete markers
            // are replicated.
            .with(Kind::Lifecycle, self.destinations.iter().any(gets_markers))
            .with(Kind::Replication, *bucket == self.home.bucket)
    }

    /// Returns the optional documents that must be read according to a bucket's tags: the recorded
    /// ones if the pair owns the bucket, otherwise all of them.
    pub fn matters_by(&self, tags: &BTreeMap<String, String>) -> Optional {
        let is_own = self.owns(tags) && !tags.contains_key(Self::ADOPTED_TAG);
        if is_own { Optional::recorded_by(tags) } else { Optional::all() }
    }
}
