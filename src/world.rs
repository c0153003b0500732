//! The resources that exist on AWS, as plain data. `observe` reads them; `plan` compares them with
//! the manifest.
//! Not for: calling AWS (see `observe`) or deciding what to change (see `plan`).

mod alarm;
mod alerts;
mod fleet;
mod live;

pub use alarm::{Alarm, AlarmSays};
pub use alerts::{AlertKey, AlertTarget};
pub use fleet::{Found, Thing, Unread};
pub use live::{Live, LiveBucket};

use crate::names::{AccountId, Arn, BucketName, InvalidName, KeyId, Region};
use crate::settings::{Documents, Encryption, Expiry, Lock, Notifications};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The existing resources of a pair.
#[derive(Debug, Clone)]
pub struct World {
    /// Account of the caller's credentials.
    pub account: AccountId,
    /// The pair's keys and aliases.
    pub keys: Keys,
    /// Existing buckets of the pair: buckets of the manifest, and buckets that only live rules or
    /// key tags name.
    pub buckets: BTreeMap<BucketName, Bucket>,
    /// The replication role.
    pub role: Option<Role>,
    /// Roles of the reverse directions, by destination bucket.
    pub reverse_roles: BTreeMap<BucketName, Role>,
    /// Role of a replication configuration that has foreign rules. Read only if the pair's rules
    /// use that role.
    pub shared_role: Option<SharedRole>,
    /// The same for the reverse directions, by the bucket that replicates back.
    pub reverse_shared_roles: BTreeMap<BucketName, SharedRole>,
    /// Policies of the destinations of foreign rules. Read only if the pair's role takes over those
    /// rules.
    pub others: Others,
    /// Resources of batch jobs. Read only on request.
    pub batch: Batch,
    /// Targets of access logs, by bucket name; `None` for one that does not exist. Read only where
    /// logging is about to change.
    pub log_targets: BTreeMap<String, Option<LogTargetFound>>,
    /// Alarms whose names begin as those of the pair do. Read only where the manifest wants alarms, or
    /// the tags of a source record them.
    pub alarms: Vec<Alarm>,
    /// The topic or queue of `replication.alerts`. Read only where the entry of a bucket is about to
    /// change.
    pub alert_target: Option<AlertTarget>,
    /// Topics of `replication.alarm`. Read only where an alarm is about to change.
    pub alarm_topics: BTreeMap<Arn, AlertTarget>,
}

impl World {
    /// Returns how long before `now` the youngest of the pair's own keys and roles was made; `None` if
    /// there is none. Rules and settings of buckets have no dates.
    pub fn changed_ago(&self, now: Timestamp) -> Option<Duration> {
        let keys = self.keys.primary.iter().chain(self.keys.replicas.values());
        let roles = self.role.iter().chain(self.reverse_roles.values());
        let dates = keys.map(|key| key.created).chain(roles.filter_map(|role| role.created));
        let youngest = dates.max()?;
        Some(Duration::try_from(now.duration_since(youngest)).unwrap_or_default())
    }
}

/// A bucket that access logs are to go to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogTargetFound {
    /// Bucket policy.
    pub policy: Option<Value>,
    /// Whether the bucket has ACLs, which may let logs be written too.
    pub has_acls: bool,
}

/// A role that the pair uses but does not own, with every policy that affects its permissions.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedRole {
    /// Trust policy.
    pub trust: Value,
    /// Inline and attached policies, each with a name for messages.
    pub policies: Vec<(String, Value)>,
    /// Permissions boundary, with a name for messages.
    pub boundary: Option<(String, Value)>,
}

/// Policies of the destinations of foreign rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Others {
    /// Bucket policies, for the destination buckets that have one.
    pub buckets: BTreeMap<BucketName, Value>,
    /// Key policies of the replica keys, by ARN.
    pub keys: BTreeMap<String, Value>,
}

/// Resources of a pair's batch jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Role that S3 Batch Operations assumes.
    pub role: Option<Role>,
    /// Bucket that holds only completion reports.
    pub reports: Option<(BucketName, Bucket)>,
}

/// The pair's keys and aliases.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Key in the source's Region: the target of the alias, or, without an alias, a key with the
    /// pair's tags.
    pub primary: Option<Key>,
    /// Keys in the other Regions: replica keys of the multi-Region key, or one single-Region key
    /// per Region.
    pub replicas: BTreeMap<Region, Key>,
    /// Existing keys that the manifest gives, by the bucket encrypted under each.
    pub existing: BTreeMap<BucketName, Key>,
    /// Existing keys whose tags the caller can't read, so it is unknown whether another pair owns
    /// them.
    pub untold: BTreeSet<Arn>,
    /// Id of the key that the alias targets, in each Region where the alias exists.
    pub aliases: BTreeMap<Region, KeyId>,
    /// Usable keys with the pair's tags that no alias targets. An interrupted run leaves such keys.
    pub spares: Vec<Key>,
    /// Keys with the pair's tags that are pending deletion.
    pub pending: Vec<Key>,
    /// Grantee principals of the grants on the pair's keys, in all Regions. Read only for a
    /// removal.
    pub grantees: Vec<String>,
    /// Last cryptographic use of the pair's keys, by ARN. Read only for a removal. Of a key that is
    /// not here the last use is unknown, which never means that it is unused.
    pub last_uses: BTreeMap<Arn, LastUse>,
}

/// The last cryptographic use of a key in one Region (KMS API Reference, `GetKeyLastUsage`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct LastUse {
    /// The operation, such as `Decrypt`.
    pub operation: String,
    /// When KMS performed it.
    pub at: Timestamp,
}

/// A KMS key in one Region.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Key id. A multi-Region key has the same id in all Regions.
    pub id: KeyId,
    /// ARN in this Region.
    pub arn: Arn,
    /// Region of the ARN.
    pub region: Region,
    /// Key state.
    pub state: KeyState,
    /// `None` for a single-Region key.
    pub multi_region: Option<MultiRegion>,
    /// Tags in this Region.
    pub tags: Tags,
    /// Key policy in this Region.
    pub policy: Value,
    /// Rotation period in days. `None` if rotation is off.
    pub rotation_days: Option<u32>,
    /// Whether the key is a symmetric encryption key, which S3 requires.
    pub encrypts: bool,
    /// Creation date.
    pub created: Timestamp,
    /// Deletion date, if deletion is scheduled.
    pub deletion_date: Option<Timestamp>,
    /// Waiting period in days of a primary key that is pending the deletion of its replica keys.
    pub pending_window_days: Option<i32>,
}

impl Keys {
    /// Returns the pair's key in `region`: the primary key or the key of that Region in `replicas`.
    pub fn in_region(&self, region: &Region) -> Option<&Key> {
        self.primary
            .as_ref()
            .filter(|key| &key.region == region)
            .or_else(|| self.replicas.get(region))
    }
}

impl Key {
    /// Returns whether the key is pending deletion and therefore unusable.
    pub fn is_pending_deletion(&self) -> bool {
        matches!(self.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    }

    /// Returns, for a replica key, the Region of the primary key and the command that moves the primary
    /// key to this Region (KMS API Reference, `UpdatePrimaryRegion`, which is called where it is).
    pub fn moved_primary(&self) -> Option<(&Region, String)> {
        let place = self.multi_region.as_ref().filter(|place| !place.primary)?;
        let (from, to) = (&place.primary_region, &self.region);
        let command = format!(
            "move the primary key back: `aws kms update-primary-region --region {from} --key-id {} --primary-region {to}`",
            self.id
        );
        Some((from, command))
    }
}

/// The place of a multi-Region key among the related keys that share its key material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    /// Whether this key is the primary key.
    pub primary: bool,
    /// Region of the primary key.
    pub primary_region: Region,
    /// Regions of the replica keys.
    pub replica_regions: Vec<Region>,
}

/// The states of a KMS key (KMS Developer Guide, "Key states of AWS KMS keys").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each variant is the state of that name")]
pub enum KeyState {
    Creating,
    Enabled,
    Disabled,
    PendingDeletion,
    PendingReplicaDeletion,
    #[serde(untagged)]
    Other(String),
}

impl std::fmt::Display for KeyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(name) => f.pad(name),
            known => f.pad(&format!("{known:?}")),
        }
    }
}

/// A bucket and its settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bucket {
    /// Region of the bucket: the Region that the pair expects, confirmed by the response to a
    /// request there.
    pub region: Option<Region>,
    /// The bucket's tags.
    pub tags: Tags,
    /// The documents that hold nothing of other owners.
    pub documents: Documents,
    /// Whether the bucket is a Requester Pays bucket. Read only for a destination in another
    /// account than the source.
    pub requester_pays: bool,
    /// Bucket policy.
    pub policy: Option<Value>,
    /// Replication configuration. Read only where it [matters](crate::manifest::Topology::matters);
    /// the same holds for `lifecycle` and Object Lock.
    pub replication: Option<Replication>,
    /// Lifecycle rules.
    pub lifecycle: Vec<Expiry>,
    /// Notification configuration. Read only where the manifest wants an entry or the tags record
    /// one.
    pub notifications: Notifications,
    /// Whether the bucket has no version and no delete marker. Read only for a bucket without tags.
    pub empty: Option<bool>,
    /// Objects in the bucket. Counted only for a removal.
    pub objects: Option<Objects>,
}

impl Bucket {
    /// Returns the versioning status: `Enabled`, `Suspended`, or `None` if versioning was never
    /// enabled.
    pub fn versioning(&self) -> Option<&str> {
        self.documents.versioning.as_ref().and_then(|it| it.status.as_deref())
    }

    /// Returns whether MFA delete is on.
    pub fn has_mfa_delete(&self) -> bool {
        self.documents.versioning.as_ref().is_some_and(|it| it.mfa_delete)
    }

    /// Returns the default encryption.
    pub fn encryption(&self) -> Option<&Encryption> {
        self.documents.encryption.as_ref()
    }

    /// Returns the Object Lock configuration, if Object Lock is on.
    pub fn lock(&self) -> Option<&Lock> {
        self.documents.object_lock.as_ref()
    }

    /// Returns whether the bucket was created by a run that was interrupted before it set the tags.
    /// Such a bucket is empty and has no tags and no other settings.
    pub fn is_cut_off_creation(&self) -> bool {
        self.tags.is_empty()
            && self.empty == Some(true)
            // Object Lock enables versioning when the bucket is created.
            && (self.versioning().is_none() || self.lock().is_some())
            && self.policy.is_none()
            && self.replication.is_none()
            && self.lifecycle.is_empty()
    }
}

/// A bucket's replication configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// Role of all rules.
    pub role: String,
    /// The rules.
    pub rules: Vec<Rule>,
}

impl Replication {
    /// Returns the ARN of the role, or `None` if `role` is not an ARN.
    pub fn role_arn(&self) -> Option<Arn> {
        Arn::new(&*self.role).ok()
    }
}

/// A replication rule, reduced to the settings that a pair uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of S3's")]
pub struct Rule {
    /// The rule's id.
    pub id: String,
    /// Priority. Among rules to the same destination, the highest priority wins.
    pub priority: i32,
    /// Whether the rule's status is `Enabled`.
    pub enabled: bool,
    /// Whether it is a rule of schema V1, which has no Filter and no priority, and replicates delete
    /// markers (S3 User Guide, "Replication configuration file elements", on backward
    /// compatibility).
    #[serde(skip)]
    pub is_v1: bool,
    /// Prefix of the filter.
    pub prefix: Option<String>,
    /// Tags of the filter. An object must have all of them.
    pub tags: BTreeMap<String, String>,
    /// Whether delete markers replicate.
    pub delete_markers: bool,
    /// ARN of the destination bucket.
    pub destination: String,
    /// Replica key: the key that encrypts the replicas.
    pub replica_key: Option<String>,
    /// ARN of the alias by which the rule names the replica key, if it does. Until the alias is
    /// resolved, `replica_key` is the same.
    #[serde(skip)]
    pub replica_alias: Option<String>,
    /// Whether the rule replicates SSE-KMS objects.
    pub kms_objects: bool,
    /// Storage class of the replicas. `None` keeps the source object's class.
    pub storage_class: Option<String>,
    /// Whether S3 Replication metrics are enabled.
    pub metrics: bool,
    /// Whether S3 Replication Time Control is enabled, with S3's standard threshold.
    pub time_control: bool,
    /// Account that becomes the owner of the replicas. `None` keeps the source object's owner.
    pub new_owner: Option<String>,
    /// Whether replica modification sync is enabled: metadata changes of replicas are replicated.
    pub replica_modifications: bool,
    /// Settings of this rule that a pair does not use.
    pub others: Vec<String>,
}

impl Rule {
    /// Returns the bucket that the rule replicates to.
    ///
    /// # Errors
    /// The destination is no ARN of a bucket.
    pub fn bucket(&self) -> Result<BucketName, InvalidName> {
        BucketName::new(Arn::new(&*self.destination)?.resource())
    }
}

/// The objects in a bucket that a removal deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// Number of versions and delete markers that are probes of this pair.
    pub probes: u64,
    /// Some of the other versions and delete markers; there may be more.
    pub foreign: Vec<String>,
    /// When the newest version was written, by S3's clock. `None` if there is none, or if not all
    /// were looked at.
    pub newest: Option<Timestamp>,
}

/// An IAM role that S3 or S3 Batch Operations assumes.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// The role's ARN.
    pub arn: Arn,
    /// The role's tags.
    pub tags: Tags,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Trust policy.
    pub trust: Value,
    /// Inline policy `replication`.
    pub policy: Option<Value>,
    /// Names of the other inline and attached policies. Read only for a removal.
    pub other_policies: Vec<String>,
    /// Creation date.
    pub created: Option<Timestamp>,
}
