//! The settings that a bucket of a pair may do without: which the manifest wants, and how a bucket's tags record those that were
//! set once, so that one that was dropped is found without being asked for in every run.
//! Not for: what is in them (see `buckets` and `rules`).

use super::{Side, Topology};
use crate::names::BucketName;
use std::collections::BTreeMap;

/// Which of a bucket's optional settings are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Optional {
    /// Object Lock.
    pub lock: bool,
    /// The lifecycle configuration.
    pub lifecycle: bool,
    /// The replication configuration, which a source always has and a destination of a two-way pair.
    pub replication: bool,
}

impl Optional {
    /// Every one of them.
    pub const ALL: Self = Self { lock: true, lifecycle: true, replication: true };
    /// Begins the tags of a bucket that record them.
    const TAG_PREFIX: &'static str = "crrctl:setting/";

    /// Returns those of either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            lock: self.lock || other.lock,
            lifecycle: self.lifecycle || other.lifecycle,
            replication: self.replication || other.replication,
        }
    }

    /// Returns those that are not among `others`.
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

    /// Returns the tags that record them.
    pub(super) fn tags(self) -> impl Iterator<Item = (String, String)> {
        let meant = self.named().into_iter().filter(|(_, is_meant)| *is_meant);
        meant.map(|(name, _)| (format!("{}{name}", Self::TAG_PREFIX), "managed".to_owned()))
    }

    /// Returns those that a bucket's tags record.
    fn recorded(tags: &BTreeMap<String, String>) -> Self {
        let [lock, lifecycle, replication] = Self::ALL
            .named()
            .map(|(name, _)| tags.contains_key(&format!("{}{name}", Self::TAG_PREFIX)));
        Self { lock, lifecycle, replication }
    }
}

impl Topology {
    /// Returns the optional settings that the manifest wants in `bucket`.
    pub(super) fn optional(&self, bucket: &BucketName) -> Optional {
        // The bucket of reports has none of them.
        if self.sides().all(|side| side.bucket != *bucket) {
            return Optional::default();
        }
        Optional {
            lock: self.buckets.lock.is_some(),
            lifecycle: self.buckets.lifecycle.is_wanted(),
            replication: self.replication.two_way && *bucket != self.home.bucket,
        }
    }

    /// Returns the optional settings of `bucket` that matter to the pair as the manifest has it: those of a bucket that somebody
    /// else made all do.
    pub fn matters(&self, bucket: &BucketName) -> Optional {
        if self.adopts(bucket) {
            return Optional::ALL;
        }
        let gets_markers =
            |side: &Side| side.bucket == *bucket && !self.marker_prefixes(side).is_empty();
        self.optional(bucket).and(Optional {
            lock: false,
            // What expires old versions is dangerous where markers arrive.
            lifecycle: self.destinations.iter().any(gets_markers),
            replication: *bucket == self.home.bucket,
        })
    }

    /// Returns the optional settings that matter by what the tags of a bucket say: all of them, unless it is the pair's own.
    pub fn matters_by(&self, tags: &BTreeMap<String, String>) -> Optional {
        let is_own = self.owns(tags) && !tags.contains_key(Self::ADOPTED_TAG);
        if is_own { Optional::recorded(tags) } else { Optional::ALL }
    }
}
