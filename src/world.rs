//! What exists on AWS, as plain data: what `observe` found and `plan` compares with what the user wants.
//! Not for: asking AWS, or deciding anything.

mod fleet;
mod live;

pub use fleet::{Found, Thing, Unread};
pub use live::{Live, LiveBucket};

use crate::names::{AccountId, Arn, BucketName, KeyId, Region};
use crate::units::counted;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Everything of a pair that exists.
#[derive(Debug, Clone)]
pub struct World {
    /// The account the caller's credentials belong to.
    pub account: AccountId,
    /// The pair's keys and aliases.
    pub keys: Keys,
    /// Existing buckets of the pair: those of the manifest and those that only its live rules name.
    pub buckets: BTreeMap<BucketName, Bucket>,
    /// The replication role.
    pub role: Option<Role>,
    /// The roles by which destinations replicate back, by the destination's bucket.
    pub reverse_roles: BTreeMap<BucketName, Role>,
    /// The role of a configuration in which others have rules; known only where the pair's rules are to go by it.
    pub shared_role: Option<SharedRole>,
    /// The same of directions back, by the bucket that they lead from.
    pub reverse_shared_roles: BTreeMap<BucketName, SharedRole>,
    /// Policies of what the rules of others lead to; known only where they are to get the pair's role.
    pub others: Others,
    /// What batch jobs stand on; known only where it was looked for.
    pub batch: Batch,
}

/// A role that is not the pair's, with every policy that has a say.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedRole {
    /// Its trust policy.
    pub trust: Value,
    /// Inline and attached policies, by the names that people know them by.
    pub policies: Vec<(String, Value)>,
    /// Its permissions boundary.
    pub boundary: Option<(String, Value)>,
}

/// Policies of what the rules of others lead to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Others {
    /// Of the destination buckets that have one.
    pub buckets: BTreeMap<BucketName, Value>,
    /// Of the keys that replicas are encrypted under, by ARN.
    pub keys: BTreeMap<String, Value>,
}

/// What the batch jobs of a pair stand on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The role that S3 Batch Operations assumes.
    pub role: Option<Role>,
    /// The bucket that is there for completion reports alone.
    pub reports: Option<(BucketName, Bucket)>,
}

/// The pair's keys and aliases, by Region where there may be one in each.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// The key in the source's Region that the alias names, or, where there is no alias, that bears our tags.
    pub primary: Option<Key>,
    /// Its replicas; where each Region has a key of its own, those of the other Regions.
    pub replicas: BTreeMap<Region, Key>,
    /// Keys that existed before the pair, by the bucket that is encrypted under each.
    pub existing: BTreeMap<BucketName, Key>,
    /// Those of them whose tags the caller may not read, so that nobody knows whether another pair made them.
    pub untold: BTreeSet<Arn>,
    /// The id of the key that the alias names, in each Region that has the alias.
    pub aliases: BTreeMap<Region, KeyId>,
    /// Usable keys that bear our tags and that no alias names: left by a run that was cut off.
    pub spares: Vec<Key>,
    /// Keys that bear our tags and are pending deletion.
    pub pending: Vec<Key>,
    /// Whom grants let use the pair's key, in any Region; known only for a removal.
    pub grantees: Vec<String>,
}

/// A KMS key in one Region.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key's id: the same in all Regions of a multi-Region key.
    pub id: KeyId,
    /// The key's ARN in its Region.
    pub arn: Arn,
    /// The Region this ARN is in.
    pub region: Region,
    /// The key's state.
    pub state: KeyState,
    /// `None` for a key that is not multi-Region.
    pub multi_region: Option<MultiRegion>,
    /// The key's tags in this Region.
    pub tags: Tags,
    /// The key's policy in this Region.
    pub policy: Value,
    /// Days between rotations; `None` where rotation is off.
    pub rotation_days: Option<u32>,
    /// Whether it is symmetric and for encryption, as S3 needs it.
    pub encrypts: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it goes, where its deletion is scheduled.
    pub deletion_date: Option<Timestamp>,
    /// The days of its own window, for a primary that waits for its replicas to go.
    pub pending_window_days: Option<i32>,
}

impl Keys {
    /// Returns the pair's key in `region`: the primary, or the one that belongs to it there.
    pub fn in_region(&self, region: &Region) -> Option<&Key> {
        self.primary
            .as_ref()
            .filter(|key| &key.region == region)
            .or_else(|| self.replicas.get(region))
    }
}

impl Key {
    /// Returns whether the key is on its way out and can't be used.
    pub fn is_pending_deletion(&self) -> bool {
        matches!(self.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    }
}

/// A multi-Region key's place among the keys that share its material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    /// Whether this is the primary.
    pub primary: bool,
    /// The Region of the primary.
    pub primary_region: Region,
    /// The Regions of the replicas.
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

/// A bucket of this account and its settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bucket {
    /// The Region that the pair wants it in and in which it answered.
    pub region: Option<Region>,
    /// The bucket's tags.
    pub tags: Tags,
    /// `Enabled`, `Suspended`, or `None` where versioning was never on.
    pub versioning: Option<String>,
    /// Whether versions can be deleted only with the root user's MFA device.
    pub mfa_delete: bool,
    /// Its default encryption.
    pub encryption: Option<Encryption>,
    /// Its public access block.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Whether who sends a request pays for it; known only of a destination in another account than the source's.
    pub requester_pays: bool,
    /// Its object ownership, such as `BucketOwnerEnforced`.
    pub ownership: Option<String>,
    /// Its policy.
    pub policy: Option<Value>,
    /// Its replication configuration; known where it [matters](crate::manifest::Topology::matters), as are the next two.
    pub replication: Option<Replication>,
    /// Its Object Lock, where that is on.
    pub lock: Option<Lock>,
    /// Its lifecycle rules.
    pub lifecycle: Vec<Expiry>,
    /// Whether it holds any version or delete marker; known only where the bucket bears no tags.
    pub empty: Option<bool>,
    /// Objects found in it; known only where they were counted, for a removal.
    pub objects: Option<Objects>,
}

impl Bucket {
    /// Returns whether all four settings of its public access block are on.
    pub fn blocks_public_access(&self) -> bool {
        self.public_access_block == Some(PublicAccessBlock::WHOLE)
    }

    /// Returns whether this is a creation that was cut off before its tags stood: ours only if nobody has used it or set
    /// anything up.
    pub fn is_cut_off_creation(&self) -> bool {
        self.tags.is_empty()
            && self.empty == Some(true)
            // Object Lock turns versioning on from birth.
            && (self.versioning.is_none() || self.lock.is_some())
            && self.policy.is_none()
            && self.replication.is_none()
            && self.lifecycle.is_empty()
    }
}

/// The four settings of a public access block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on.
    pub const WHOLE: Self =
        Self { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };
}

/// Object Lock that is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// What new versions get that ask for nothing else.
    pub retention: Option<DefaultRetention>,
}

/// A default retention, as S3 tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRetention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Its days, where it was given in days.
    pub days: Option<i32>,
    /// Its years, where it was given in years.
    pub years: Option<i32>,
}

impl std::fmt::Display for DefaultRetention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.days, self.years) {
            (Some(days), _) => write!(f, "{} for {}", self.mode, counted(days, "day")),
            (_, Some(years)) => write!(f, "{} for {}", self.mode, counted(years, "year")),
            _ => f.write_str(&self.mode),
        }
    }
}

/// A lifecycle rule, reduced to what a pair looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The rule's id.
    pub id: String,
    /// Whether it is Enabled.
    pub enabled: bool,
    /// Days after which a version that is not the newest goes.
    pub noncurrent_days: Option<i32>,
    /// Days after which an upload that was never completed goes.
    pub incomplete_upload_days: Option<i32>,
    /// The class to which it moves objects and from which they must be restored to be read again, if there is one.
    pub archive: Option<String>,
    /// Whether it has a filter or an action that a pair does not use.
    pub has_more: bool,
}

/// A bucket's default encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// Such as `aws:kms`.
    pub algorithm: String,
    /// The key, as it was given.
    pub key: Option<String>,
    /// Whether Bucket Keys are on.
    pub bucket_key: bool,
}

/// A bucket's replication configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// The one role of all rules.
    pub role: String,
    /// The rules.
    pub rules: Vec<Rule>,
}

impl Replication {
    /// Returns the ARN of the role, where it is one.
    pub fn role_arn(&self) -> Option<Arn> {
        Arn::new(&*self.role).ok()
    }
}

/// A replication rule, reduced to what a pair uses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of S3's")]
pub struct Rule {
    /// The rule's id.
    pub id: String,
    /// Higher wins, among rules to one destination.
    pub priority: i32,
    /// Whether it is Enabled.
    pub enabled: bool,
    /// The filter's prefix; `None` for a rule without Filter (schema V1).
    pub prefix: Option<String>,
    /// The tags that the filter wants, all of them.
    pub tags: BTreeMap<String, String>,
    /// Whether delete markers replicate.
    pub delete_markers: bool,
    /// ARN of the destination bucket.
    pub destination: String,
    /// The key replicas are encrypted under.
    pub replica_key: Option<String>,
    /// Whether SSE-KMS objects are selected.
    pub kms_objects: bool,
    /// The storage class of replicas; `None` for that of the source.
    pub storage_class: Option<String>,
    /// Whether S3 measures how replication gets on.
    pub metrics: bool,
    /// Whether time control is on, with its threshold.
    pub time_control: bool,
    /// The account that replicas are given to; `None` where they stay their source's.
    pub new_owner: Option<String>,
    /// Whether changes of replicas' metadata replicate too.
    pub replica_modifications: bool,
    /// Settings that a pair does not use but this rule has.
    pub others: Vec<String>,
}

/// What lies in a bucket that is to be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// Versions and delete markers that are probes of this pair.
    pub probes: u64,
    /// Some of the versions and markers that are not; more may exist.
    pub foreign: Vec<String>,
}

/// The replication role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// The role's ARN.
    pub arn: Arn,
    /// The role's tags.
    pub tags: Tags,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// Its trust policy.
    pub trust: Value,
    /// Its inline policy `replication`.
    pub policy: Option<Value>,
    /// Names of other inline policies.
    pub other_policies: Vec<String>,
}
