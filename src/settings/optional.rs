//! The documents that a run reads only where they matter: where the manifest configures them, or
//! where the bucket's tags record that an earlier run set them. The tags show a setting that the
//! manifest dropped without reading every document in every run.
//! Not for: the content of the documents.

use super::recorded;
use super::wish::BucketSettings;
use crate::events::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A set of such documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Optional(BTreeSet<Kind>);

/// Those that hold parts of other owners: the kind of each, and its name in the bucket's tags.
const SHARED: [(Kind, &str); 3] = [
    (Kind::Lifecycle, "lifecycle"),
    (Kind::Notification, "notification"),
    (Kind::Replication, "replication"),
];

impl Optional {
    /// Prefix of the bucket tags that record them.
    const TAG_PREFIX: &'static str = "crrctl:setting/";

    fn names() -> impl Iterator<Item = (Kind, &'static str)> {
        let own = recorded(&BucketSettings::default()).into_iter();
        own.map(|(kind, name, _)| (kind, name)).chain(SHARED)
    }

    /// Returns all of them but the notification configuration: of its entries only the pair's own
    /// matters, which the tags record of every bucket.
    pub fn all() -> Self {
        let all = Self::names().map(|(kind, _)| kind);
        Self(all.filter(|kind| *kind != Kind::Notification).collect())
    }

    /// Returns those that the manifest configures. `replicates` says that the bucket has replication
    /// rules besides those of a source.
    pub fn wanted(settings: &BucketSettings, replicates: bool) -> Self {
        let own = recorded(settings).into_iter().filter(|(_, _, is_managed)| *is_managed);
        Self(own.map(|(kind, _, _)| kind).collect())
            .with(Kind::Lifecycle, settings.lifecycle.is_wanted())
            .with(Kind::Replication, replicates)
    }

    /// Adds a document if `matters`.
    #[must_use]
    pub fn with(mut self, kind: Kind, matters: bool) -> Self {
        self.0.extend(matters.then_some(kind));
        self
    }

    /// Adds those in `others`.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self
    }

    /// Returns whether a document is among them.
    pub fn has(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }

    /// Returns those that are not in `others`.
    #[must_use]
    pub fn but(&self, others: &Self) -> Self {
        Self(self.0.difference(&others.0).copied().collect())
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the tags that record them.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let meant = Self::names().filter(|(kind, _)| self.has(*kind));
        meant
            .map(|(_, name)| (format!("{}{name}", Self::TAG_PREFIX), "managed".to_owned()))
            .collect()
    }

    /// Returns those that a bucket's tags record.
    pub fn recorded_by(tags: &BTreeMap<String, String>) -> Self {
        let is_there =
            |(_, name): &(Kind, &str)| tags.contains_key(&format!("{}{name}", Self::TAG_PREFIX));
        Self(Self::names().filter(is_there).map(|(kind, _)| kind).collect())
    }
}
