//! A side of a pair: one bucket, with its account, its key and its custody.
//! Not for: what exists of it (see `world`).

use super::keys::KeyWish;
use crate::names::{AccountId, BucketName, Region};
use std::cmp::Ordering;

/// Who creates a bucket, and who may delete it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// The pair creates and deletes it.
    Own,
    /// Somebody else created it. crrctl manages its settings and never deletes it.
    Adopted,
    /// It is in an account that crrctl has no credentials for: an operator of that account creates
    /// it, or adopts one that exists.
    HandedOver {
        /// Whether the manifest adopts the bucket.
        adopts: bool,
    },
}

/// A bucket and its Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BucketPlace {
    /// The bucket's Region.
    pub region: Region,
    /// Bucket name.
    pub bucket: BucketName,
}

/// A bucket of a pair. It reads like its place, and two sides are equal if their places are.
#[derive(Debug, Clone)]
pub struct Side {
    /// The bucket and its Region.
    pub place: BucketPlace,
    /// Account of the bucket and of the keys in its Region.
    pub account: AccountId,
    /// The key that the bucket is to be encrypted under.
    pub key: KeyWish,
    /// Who creates the bucket, and who may delete it.
    pub custody: Custody,
}

impl Side {
    /// Returns whether the bucket is encrypted under a key that crrctl creates.
    pub fn has_own_key(&self) -> bool {
        self.key == KeyWish::Ours
    }

    /// Returns whether the bucket is encrypted under a KMS key.
    pub fn has_key(&self) -> bool {
        self.key != KeyWish::Nothing
    }

    /// Returns whether the manifest adopts the bucket.
    pub fn is_adopted(&self) -> bool {
        matches!(self.custody, Custody::Adopted | Custody::HandedOver { adopts: true })
    }

    /// Returns whether an operator of another account creates the bucket.
    pub fn is_handed_over(&self) -> bool {
        matches!(self.custody, Custody::HandedOver { .. })
    }
}

impl std::ops::Deref for Side {
    type Target = BucketPlace;

    fn deref(&self) -> &BucketPlace {
        &self.place
    }
}

impl PartialEq for Side {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Side {}

impl PartialOrd for Side {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Side {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}
