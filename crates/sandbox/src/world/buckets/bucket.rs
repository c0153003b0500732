//! Buckets, objects and their versions. Not for: the settings and attributes stored with them (see
//! the other files of this folder).

use super::acl::{Acl, disables_acls};
use super::checksum::Checksum;
use super::lock::{Lock, ObjectLock};
use super::sse::Sse;
use super::upload::Upload;
use crate::world::buckets::{BlockedEncryption, Described, Full, Tags, weight_of};
use crate::world::{Limits, Spreading, Stored};
use bytes::Bytes;
use crrctl_iam::names::{AccountId, Arn, Region};
use s3s::dto::{
    LifecycleRules, LoggingEnabled, NotificationConfiguration, ObjectOwnership,
    PublicAccessBlockConfiguration, ReplicationConfiguration, ServerSideEncryptionRule,
    TransitionDefaultMinimumObjectSize,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// All buckets by name. Names are unique across accounts and Regions.
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

    /// Returns the default encryption and the replication rules of each bucket as text to search.
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
    /// The location constraint `EU`, the old name of eu-west-1, where the bucket was created with
    /// it: `GetBucketLocation` keeps returning it.
    pub(crate) old_location: Option<String>,
    pub(crate) created: SystemTime,
    pub(crate) tags: Spreading<Tags>,
    pub(crate) versioning: Spreading<Versioning>,
    /// Whether MFA delete is on: deleting a version requires the MFA device of the root user.
    pub(crate) mfa_delete: bool,
    /// The rule of `PutBucketEncryption`. Without one, the default encryption is SSE-S3.
    pub(crate) encryption: Spreading<Option<ServerSideEncryptionRule>>,
    pub(crate) blocked_encryption: BlockedEncryption,
    pub(crate) public_access_block: Option<PublicAccessBlockConfiguration>,
    pub(crate) ownership: Option<ObjectOwnership>,
    /// The bucket's ACL. It has no effect while `ownership` disables ACLs.
    pub(crate) acl: Acl,
    /// Whether attribute-based access control (ABAC) is on: the bucket's tags control access.
    pub(crate) abac: bool,
    /// Whether Transfer Acceleration is on; `None` if it was never set.
    pub(crate) accelerated: Option<bool>,
    /// Whether Requester Pays is on: the requester pays for a request.
    pub(crate) requester_pays: bool,
    pub(crate) policy: Option<Stored>,
    pub(crate) lifecycle: Option<(LifecycleRules, Option<TransitionDefaultMinimumObjectSize>)>,
    pub(crate) notifications: Option<NotificationConfiguration>,
    /// The configuration of server access logging, if logging is on.
    pub(crate) logging: Option<LoggingEnabled>,
    /// The Object Lock configuration, if Object Lock is on.
    pub(crate) object_lock: Option<ObjectLock>,
    pub(crate) replication: Spreading<Option<ReplicationConfiguration>>,
    /// The versions of each key, oldest first. Keys without versions are not in the map.
    pub(crate) objects: BTreeMap<String, Vec<Version>>,
    /// The size of all versions and parts, in bytes, that counts toward the memory limits (see
    /// `room`).
    pub(crate) held: u64,
    /// The multipart uploads in progress, by key and upload id.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
}

/// The versioning state of a bucket. Once enabled, versioning can only be suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versioning {
    Never,
    Enabled,
    Suspended,
}

/// The id of a version that is written while versioning is not enabled.
pub(crate) const NULL: &str = "null";

/// One version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) written: SystemTime,
    pub(crate) content: Content,
}

/// The content of a version: an object or a delete marker.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Object(Box<Object>),
    DeleteMarker,
}

/// An object: its data and metadata.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) data: Bytes,
    pub(crate) etag: String,
    pub(crate) described: Described,
    pub(crate) tags: Tags,
    pub(crate) sse: Sse,
    pub(crate) lock: Lock,
    /// The object's owner and grants. They have no effect while the bucket disables ACLs.
    pub(crate) acl: Acl,
    pub(crate) checksum: Checksum,
    /// The parts of a multipart upload, in order; empty for any other object.
    pub(crate) parts: Vec<ObjectPart>,
    /// The multipart upload that created the object.
    pub(crate) upload: Option<String>,
    pub(crate) replicated: Replicated,
}

/// A part of an object that was uploaded in parts.
#[derive(Debug, Clone)]
pub(crate) struct ObjectPart {
    pub(crate) number: i32,
    pub(crate) size: usize,
    /// The part's checksum, if the upload was created with an algorithm.
    pub(crate) checksum: Option<Checksum>,
}

/// The replication state of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replicated {
    /// No replication rule applies to the version.
    No,
    /// The version is a source. Contains the destination buckets and the outcome for each.
    Source(BTreeMap<String, Outcome>),
    /// The version is a replica. Contains the buckets to which changes made to this replica
    /// replicate back, and the outcome for each.
    Replica(BTreeMap<String, Outcome>),
}

/// The outcome of replication to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Completed,
    Failed,
}

impl Replicated {
    /// Returns the `x-amz-replication-status` of a version. With several destinations, the status
    /// is PENDING until all are finished, then FAILED if one failed (S3 User Guide, "Getting
    /// replication status information").
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

    /// Returns the outcome of replication to `destination`, if there is one.
    pub(crate) fn outcome(&self, destination: &str) -> Option<Outcome> {
        match self {
            Self::Source(outcomes) | Self::Replica(outcomes) => outcomes.get(destination).copied(),
            Self::No => None,
        }
    }
}

impl Object {
    /// Returns whether the object was uploaded in parts, which the format of its `ETag` shows.
    pub(crate) fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }
}

impl Bucket {
    /// Returns the versions of all objects, by key, newest version last. Delete markers are
    /// omitted.
    pub(crate) fn every_object(&self) -> impl Iterator<Item = (&str, &Version, &Object)> {
        self.objects.iter().flat_map(|(key, versions)| {
            versions.iter().filter_map(move |version| match &version.content {
                Content::Object(object) => Some((key.as_str(), version, &**object)),
                Content::DeleteMarker => None,
            })
        })
    }

    /// Returns the newest version of a key, which may be a delete marker.
    pub(crate) fn latest(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last()
    }

    /// Returns a version by its id.
    pub(crate) fn version(&self, key: &str, id: &str) -> Option<&Version> {
        self.objects.get(key)?.iter().find(|version| version.id == id)
    }

    /// Returns the object of a version, or of the newest version; `None` for a delete marker.
    pub(crate) fn object(&self, key: &str, version: Option<&str>) -> Option<&Object> {
        let found = version.map_or_else(|| self.latest(key), |id| self.version(key, id))?;
        match &found.content {
            Content::Object(object) => Some(object),
            Content::DeleteMarker => None,
        }
    }

    /// Returns a mutable version by its id.
    pub(crate) fn version_mut(&mut self, key: &str, id: &str) -> Option<&mut Version> {
        self.objects.get_mut(key)?.iter_mut().find(|version| version.id == id)
    }

    /// Returns whether the bucket uses a Bucket Key by default.
    pub(crate) fn has_bucket_key(&self, now: SystemTime) -> bool {
        let rule = self.encryption.at(now).as_ref();
        rule.is_some_and(|rule| rule.bucket_key_enabled == Some(true))
    }

    /// Returns the id for the next version that is written.
    pub(crate) fn next_id(&self, now: SystemTime) -> String {
        match self.versioning.at(now) {
            Versioning::Enabled => new_version_id(now),
            Versioning::Never | Versioning::Suspended => NULL.to_owned(),
        }
    }

    /// Inserts a version at the position of its time. It replaces a version with the same id.
    pub(crate) fn insert(&mut self, key: &str, version: Version) {
        self.disturb(key);
        let versions = self.objects.entry(key.to_owned()).or_default();
        let gone = versions.iter().filter(|other| other.id == version.id);
        let gone: u64 = gone.map(|other| other.weight(key)).sum();
        self.held = self.held.saturating_sub(gone).saturating_add(version.weight(key));
        versions.retain(|other| other.id != version.id);
        let at = versions.partition_point(|other| other.written <= version.written);
        versions.insert(at, version);
    }

    /// Removes a version and returns it.
    pub(crate) fn remove(&mut self, key: &str, id: &str) -> Option<Version> {
        self.disturb(key);
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

impl Bucket {
    /// Returns whether ACLs are enabled in the bucket.
    pub(crate) fn has_acls(&self) -> bool {
        !disables_acls(self.ownership.as_ref())
    }
}

impl Bucket {
    /// Returns the default Object Lock settings of a new version in this bucket.
    pub(crate) fn default_lock(&self, now: SystemTime) -> Lock {
        let default = self.object_lock.and_then(|lock| lock.default);
        default.map(|default| default.from(now)).unwrap_or_default()
    }
}

impl Bucket {
    /// Notes in the uploads of a key that the key has changed since they began.
    fn disturb(&mut self, key: &str) {
        let from = (key.to_owned(), String::new());
        let uploads = self.uploads.range_mut(from..).take_while(|((other, _), _)| other == key);
        uploads.for_each(|(_, upload)| upload.is_disturbed = true);
    }

    /// Removes an upload with all of its parts.
    pub(crate) fn end_upload(&mut self, key: &str, id: &str) -> Option<Upload> {
        let upload = self.uploads.remove(&(key.to_owned(), id.to_owned()))?;
        self.held = self.held.saturating_sub(upload.weight(key));
        Some(upload)
    }
}

impl Version {
    /// Returns the size of the version, in bytes, that counts toward the memory limits (see
    /// `room`).
    pub(crate) fn weight(&self, key: &str) -> u64 {
        let data = match &self.content {
            Content::Object(object) => {
                let metadata = object.described.metadata.iter();
                object.data.len()
                    + metadata.map(|(name, value)| name.len() + value.len()).sum::<usize>()
            }
            Content::DeleteMarker => 0,
        };
        weight_of(data + key.len())
    }
}

impl Buckets {
    /// Checks that a bucket can hold `more` bytes within the memory limits. A bucket that does not
    /// exist counts as empty.
    pub(crate) fn check_room(&self, limits: &Limits, name: &str, more: u64) -> Result<(), Full> {
        let full = |what: &str, most: u64| {
            Full(format!(
                "The sandbox keeps objects in memory: {what} would hold more than {most} bytes. Delete versions, abort uploads, or raise the limit (`--max-bytes`, `Options::limits`)."
            ))
        };
        let held = self.0.get(name).map_or(0, |bucket| bucket.held);
        if held.saturating_add(more) > limits.bucket {
            return Err(full(&format!("bucket {name}"), limits.bucket));
        }
        let total: u64 = self.0.values().map(|bucket| bucket.held).sum();
        if total.saturating_add(more) > limits.total {
            return Err(full("all buckets together", limits.total));
        }
        Ok(())
    }
}

/// Letters, digits, dots and underscores, sorted by byte value.
const ALPHABET: &[u8; 64] = b".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// Returns a new version id: 32 letters, digits, dots and underscores, opaque to clients. Ids sort
/// by creation time, so that a listing can continue after a version that was deleted. The last
/// characters check the others: S3 tells an id that it never gave out from one that is gone.
pub(crate) fn new_version_id(now: SystemTime) -> String {
    let nanos = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let digit = |place: u32| {
        let index = usize::try_from((nanos >> (6 * place)) & 63).unwrap_or_default();
        char::from(ALPHABET[index])
    };
    let time: String = (0..11).rev().map(digit).collect();
    let id = time + &random_text(17);
    let check = check_characters(&id);
    id + &check
}

/// Returns whether a text can be a version id: `null`, or one of [`new_version_id`].
pub(crate) fn is_version_id(text: &str) -> bool {
    text == NULL
        || text.is_char_boundary(28)
            && text.len() == 32
            && check_characters(&text[..28]) == text[28..]
}

fn check_characters(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().take(4).map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}

/// Creates a multipart upload id of 64 characters. Ids sort by creation time, as S3 lists them.
pub(crate) fn new_upload_id(now: SystemTime) -> String {
    new_version_id(now) + &random_text(32)
}

/// Returns random letters, digits, dots and underscores.
pub(crate) fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).collect()
}

/// Returns a random `ETag`, which is independent of the data.
pub(crate) fn random_etag() -> String {
    uuid::Uuid::new_v4().simple().to_string()
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
        assert!(is_version_id(&later) && is_version_id(NULL));
        assert!(!is_version_id(&format!("{}ABCD", &later[..28])));
        assert!(!is_version_id("x") && !is_version_id(&"é".repeat(16)));
    }
}
