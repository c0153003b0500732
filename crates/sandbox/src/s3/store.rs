//! Buckets, objects and their versions as plain data. Not for: decoding requests or checking them.

use super::checksum::Checksum;
use super::encryption::Sse;
use super::lock::{Lock, ObjectLock};
use super::multipart::Upload;
use crate::documents::Stored;
use crate::lag::Spreading;
use bytes::Bytes;
use crrctl_iam::names::{AccountId, Arn, Region};
use s3s::dto::{
    LifecycleRules, ObjectOwnership, PublicAccessBlockConfiguration, ReplicationConfiguration,
    ServerSideEncryptionRule, Timestamp, TransitionDefaultMinimumObjectSize,
};
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

/// Tags in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// All buckets by name; names are unique across accounts and Regions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets(pub(crate) BTreeMap<String, Bucket>);

impl Buckets {
    /// Returns the ARNs of all buckets.
    pub(crate) fn arns(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(name, bucket)| {
                Arn::known(bucket.region.partition(), "s3", "", "", name).to_string()
            })
            .collect()
    }

    /// Returns the default encryption and the rules of each bucket, as texts to search.
    pub(crate) fn settings(&self) -> impl Iterator<Item = String> {
        let text = |bucket: &Bucket| format!("{:?} {:?}", *bucket.encryption, *bucket.replication);
        self.0.values().map(text)
    }
}

/// A general purpose bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(super) created: SystemTime,
    pub(super) tags: Spreading<Tags>,
    pub(crate) versioning: Spreading<Versioning>,
    /// Whether versions go only by the root user's device.
    pub(super) mfa_delete: bool,
    /// The one rule of the default encryption.
    pub(super) encryption: Spreading<ServerSideEncryptionRule>,
    pub(super) public_access_block: Option<PublicAccessBlockConfiguration>,
    pub(super) ownership: Option<ObjectOwnership>,
    /// Whether who sends a request pays for it.
    pub(super) requester_pays: bool,
    pub(super) policy: Option<Stored>,
    pub(super) lifecycle: Option<(LifecycleRules, Option<TransitionDefaultMinimumObjectSize>)>,
    /// Object Lock, where it is on.
    pub(crate) object_lock: Option<ObjectLock>,
    pub(crate) replication: Spreading<Option<ReplicationConfiguration>>,
    /// The versions of each key, oldest first; no key is without versions.
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    /// What all versions and parts count as (see `room`).
    pub(super) held: u64,
    /// Multipart uploads under way, by key and upload id.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

/// A bucket's versioning; once enabled it can only be suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versioning {
    Never,
    Enabled,
    Suspended,
}

/// The version id of what was written without versioning.
pub(super) const NULL: &str = "null";

/// One version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) written: SystemTime,
    pub(crate) content: Content,
}

/// What a version is.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Object(Box<Object>),
    DeleteMarker,
}

/// An object's data with all that is kept about it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) data: Bytes,
    pub(crate) etag: String,
    pub(crate) described: Described,
    pub(crate) tags: Tags,
    pub(crate) sse: Sse,
    pub(crate) lock: Lock,
    pub(super) checksum: Checksum,
    pub(crate) replicated: Replicated,
}

/// What an upload says about itself in its headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) expires: Option<Timestamp>,
    pub(super) metadata: HashMap<String, String>,
    pub(crate) storage_class: Option<String>,
}

/// Where a version stands in replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replicated {
    /// No rule applies to it.
    No,
    /// It is a source: the destination buckets, and how each went.
    Source(BTreeMap<String, Outcome>),
    /// It came from another bucket: where changes made to it here go back to, and how that went.
    Replica(BTreeMap<String, Outcome>),
}

/// How replicating to one destination went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Completed,
    Failed,
}

impl Replicated {
    /// Returns the `x-amz-replication-status` of a version: several destinations are PENDING until all are done, then FAILED if
    /// one failed (S3 User Guide, "Getting replication status information").
    pub(crate) fn status(&self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Source(outcomes) | Self::Replica(outcomes) => {
                let any = |wanted| outcomes.values().any(|outcome| *outcome == wanted);
                Some(match (any(Outcome::Pending), any(Outcome::Failed), self) {
                    (true, ..) => "PENDING",
                    (false, true, _) => "FAILED",
                    (false, false, Self::Replica(_)) => "REPLICA",
                    (false, false, _) => "COMPLETED",
                })
            }
        }
    }

    /// Returns how replicating to one destination went, if it was tried.
    pub(crate) fn outcome(&self, destination: &str) -> Option<Outcome> {
        match self {
            Self::Source(outcomes) | Self::Replica(outcomes) => outcomes.get(destination).copied(),
            Self::No => None,
        }
    }
}

impl Object {
    /// Returns whether the object was uploaded in parts, which its `ETag` tells.
    pub(crate) fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }
}

impl Bucket {
    /// Returns the newest version of a key, which may be a delete marker.
    pub(crate) fn latest(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last()
    }

    /// Returns a version by its id.
    pub(crate) fn version(&self, key: &str, id: &str) -> Option<&Version> {
        self.objects.get(key)?.iter().find(|version| version.id == id)
    }

    /// Like [`Self::version`], to change it.
    pub(crate) fn version_mut(&mut self, key: &str, id: &str) -> Option<&mut Version> {
        self.objects.get_mut(key)?.iter_mut().find(|version| version.id == id)
    }

    /// Returns whether the bucket uses a Bucket Key by default.
    pub(crate) fn has_bucket_key(&self, now: SystemTime) -> bool {
        self.encryption.at(now).bucket_key_enabled == Some(true)
    }

    /// Returns the id that the next version written gets.
    pub(super) fn next_id(&self, now: SystemTime) -> String {
        match self.versioning.at(now) {
            Versioning::Enabled => new_version_id(now),
            Versioning::Never | Versioning::Suspended => NULL.to_owned(),
        }
    }

    /// Puts a version where its time belongs, in place of one of the same id.
    pub(crate) fn insert(&mut self, key: &str, version: Version) {
        let versions = self.objects.entry(key.to_owned()).or_default();
        let gone = versions.iter().filter(|other| other.id == version.id);
        let gone: u64 = gone.map(|other| other.weight(key)).sum();
        self.held = self.held.saturating_sub(gone).saturating_add(version.weight(key));
        versions.retain(|other| other.id != version.id);
        let at = versions.partition_point(|other| other.written <= version.written);
        versions.insert(at, version);
    }

    /// Takes a version out.
    pub(super) fn remove(&mut self, key: &str, id: &str) -> Option<Version> {
        let versions = self.objects.get_mut(key)?;
        let at = versions.iter().position(|version| version.id == id)?;
        let version = versions.remove(at);
        self.held = self.held.saturating_sub(version.weight(key));
        if versions.is_empty() {
            self.objects.remove(key);
        }
        Some(version)
    }
}

/// Letters, digits, dots and underscores, in the order of their bytes.
const ALPHABET: &[u8; 64] = b".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// Returns a new version id: 32 letters, digits, dots and underscores, opaque to all. Ids sort by the time of their making, so
/// that a listing can go on behind a version that is gone.
pub(super) fn new_version_id(now: SystemTime) -> String {
    let nanos = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let digit = |place: u32| {
        let index = usize::try_from((nanos >> (6 * place)) & 63).unwrap_or_default();
        char::from(ALPHABET[index])
    };
    let time: String = (0..11).rev().map(digit).collect();
    time + &random_text(21)
}

/// Returns random letters, digits, dots and underscores.
pub(super) fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_destinations_are_pending_until_all_are_done() {
        let status = |outcomes: &[Outcome]| {
            let named = outcomes.iter().enumerate().map(|(n, o)| (n.to_string(), *o));
            Replicated::Source(named.collect()).status().unwrap()
        };
        assert_eq!(status(&[Outcome::Completed, Outcome::Pending]), "PENDING");
        assert_eq!(status(&[Outcome::Failed, Outcome::Pending]), "PENDING");
        assert_eq!(status(&[Outcome::Failed, Outcome::Completed]), "FAILED");
        assert_eq!(status(&[Outcome::Completed, Outcome::Completed]), "COMPLETED");
    }

    #[test]
    fn version_ids_sort_by_time() {
        assert!(ALPHABET.is_sorted());
        let then = SystemTime::now();
        let earlier = new_version_id(then);
        let later = new_version_id(then + std::time::Duration::from_micros(1));
        assert!(earlier < later && earlier.len() == 32);
    }
}
