//! Optional bucket settings: which ones the manifest configures, and which ones the bucket's tags
//! record as set by an earlier run. The tags show a setting that the manifest dropped without
//! reading every setting in every run.
//! Not for: the content of the settings (see `buckets` and `rules`).

use super::{Side, Topology};
use crate::names::BucketName;
use std::collections::BTreeMap;

/// A subset of the optional bucket settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Optional {
    /// Object Lock.
    pub lock: bool,
    /// The lifecycle configuration.
    pub lifecycle: bool,
    /// The replication configuration. Optional for destinations, which have one only in a two-way
    /// pair; a source always has one.
    pub replication: bool,
}

impl Optional {
    /// All optional settings.
    pub const ALL: Self = Self { lock: true, lifecycle: true, replication: true };
    /// Prefix of the bucket tags that record the settings.
    const TAG_PREFIX: &'static str = "crrctl:setting/";

    /// Returns the union with `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            lock: self.lock || other.lock,
            lifecycle: self.lifecycle || other.lifecycle,
            replication: self.replication || other.replication,
        }
    }

    /// Returns the settings that are not in `others`.
    #[must_use]
    pub fn but(self, others: Self) -> Self {
        Self {
            lock: self.lock && !others.lock,
            lifecycle: self.lifecycle && !others.lifecycle,
            replication: self.replication && !others.replication,
        }
    }

    fn named(self) -> [(&'static str, bool); 3] {
        [
            ("object-lock", self.lock),
            ("lifecycle", self.lifecycle),
            ("replication", self.replication),
        ]
    }

    /// Returns the tags that record the settings.
    pub(super) fn tags(self) -> impl Iterator<Item = (String, String)> {
        let meant = self.named().into_iter().filter(|(_, is_meant)| *is_meant);
        meant.map(|(name, _)| (format!("{}{name}", Self::TAG_PREFIX), "managed".to_owned()))
    }

    /// Returns the settings that a bucket's tags record.
    fn recorded(tags: &BTreeMap<String, String>) -> Self {
        let [lock, lifecycle, replication] = Self::ALL
            .named()
            .map(|(name, _)| tags.contains_key(&format!("{}{name}", Self::TAG_PREFIX)));
        Self { lock, lifecycle, replication }
    }
}

impl Topology {
    /// Returns the optional settings that the manifest configures for `bucket`.
    pub(super) fn optional(&self, bucket: &BucketName) -> Optional {
        // The separate bucket for reports has no optional settings.
        if self.sides().all(|side| side.bucket != *bucket) {
            return Optional::default();
        }
        Optional {
            lock: self.buckets.lock.is_some(),
            lifecycle: self.buckets.lifecycle.is_wanted(),
            replication: self.replication.two_way && *bucket != self.home.bucket,
        }
    }

    /// Returns the optional settings of `bucket` that must be read according to the manifest. For
    /// an adopted bucket, all of them.
    pub fn matters(&self, bucket: &BucketName) -> Optional {
        if self.adopts(bucket) {
            return Optional::ALL;
        }
        let gets_markers =
            |side: &Side| side.bucket == *bucket && !self.marker_prefixes(side).is_empty();
        self.optional(bucket).and(Optional {
            lock: false,
            // A lifecycle rule that expires noncurrent versions is dangerous where delete markers
            // are replicated.
            lifecycle: self.destinations.iter().any(gets_markers),
            replication: *bucket == self.home.bucket,
        })
    }

    /// Returns the optional settings that must be read according to a bucket's tags: the recorded
    /// settings if the pair owns the bucket, otherwise all of them.
    pub fn matters_by(&self, tags: &BTreeMap<String, String>) -> Optional {
        let is_own = self.owns(tags) && !tags.contains_key(Self::ADOPTED_TAG);
        if is_own { Optional::recorded(tags) } else { Optional::ALL }
    }
}
