//! How buckets and those of their documents are changed that need more than a value.
//! Not for: the replication rules of a bucket (see `rules`).

use super::{TagsDiffer, WhyLeft, WhyRemoved};
use crate::events::Verb;
use crate::settings::{Expiry, Notification};
use crate::world::Tags;

/// The change of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketWork {
    /// It is missing.
    Create(BucketMade),
    /// It exists, and becomes the pair's.
    Adopt(Adoption),
    /// It is emptied and deleted.
    Remove {
        /// Why it goes.
        why: WhyRemoved,
        /// What it holds, if its objects were counted.
        holds: Option<Holds>,
    },
    /// The manifest no longer names it, and it stays.
    Leave(WhyLeft),
    /// It stands.
    Unchanged,
}

impl BucketWork {
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Adopt(_) => Verb::Adopt,
            Self::Remove { .. } => Verb::Delete,
            Self::Leave(_) => Verb::Orphan,
            Self::Unchanged => Verb::None,
        }
    }
}

/// A bucket that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketMade {
    /// Its tags.
    pub tags: Tags,
    /// Whether it has Object Lock from the beginning.
    pub object_lock: bool,
}

/// Why a bucket that exists becomes the pair's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// An interrupted run made it and did not get to tag it.
    CutOffCreation,
    /// Somebody else made it, and the manifest adopts it. It is never deleted.
    Existing,
}

/// What a bucket holds that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// No version and no delete marker.
    Nothing,
    /// So many versions and delete markers of reports of batch jobs, in the bucket for them.
    Reports(u64),
    /// So many versions and delete markers of probes.
    Probes(u64),
    /// Objects that are not probes, which are deleted on request.
    Objects,
}

/// The change of a bucket's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketTagsWork {
    /// `CreateBucket` sets these tags; they are confirmed.
    Create(Tags),
    /// An interrupted run made the bucket and did not get to tag it.
    Adopt(Tags),
    /// They differ.
    Update(TagsDiffer),
    /// The pair's tags are taken off a bucket that stays.
    Remove,
    /// They stand.
    Unchanged,
}

impl BucketTagsWork {
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Adopt(_) => Verb::Adopt,
            Self::Update(_) => Verb::Update,
            Self::Remove => Verb::Delete,
            Self::Unchanged => Verb::None,
        }
    }
}

/// How the pair's lifecycle rule differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleDiffers {
    /// The rule that is found.
    pub from: Expiry,
    /// The rule that is written, or `None` if the manifest wants none.
    pub to: Option<Expiry>,
}

/// How the pair's entry in the notification configuration differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationDiffers {
    /// The entry that is found.
    pub from: Notification,
    /// The entry that is written, or `None` if the manifest wants none.
    pub to: Option<Notification>,
}
