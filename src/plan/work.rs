//! What an action does, as data: a variant for each kind of thing, each with its own change and with
//! the values that will be written. Steps run it, and reports make the text for people from it.
//! Not for: text (see `report::words`), or deciding what is to be done (see `build` and `removal`).

mod alarms;
mod buckets;
mod differs;
mod keys;
mod roles;
mod rules;

pub use alarms::{AlarmChange, AlarmDiffers, AlarmMade};
pub use buckets::{
    Adoption, BucketMade, BucketTagsWork, BucketWork, Holds, LifecycleDiffers, NotificationDiffers,
};
pub use differs::{PolicyDiffers, TagChange, TagsDiffer};
pub use keys::{KeyDiffers, KeyMade, Retargeted};
pub use roles::{BoundaryChange, RoleDiffers, RoleMade, RolePolicyDiffers};
pub use rules::{DroppedRuleWork, RuleChange, RuleRole, RulesBucket, RulesRemoved, RulesWritten};

use super::StatementChange;
use crate::events::{Kind, Verb};
use crate::names::{BucketName, KeyId, PairName};
use crate::settings::{Change, Expiry, Notification, Setting};

/// What an action does with its thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A key made with `CreateKey`: the multi-Region primary key, or a single-Region key.
    Key(Owned<KeyMade, KeyDiffers>),
    /// Another pair's key: it is tagged as shared with the pair of this name.
    SharedKey(PairName),
    /// A replica key.
    ReplicaKey(Owned<KeyMade, KeyDiffers>),
    /// An alias. A new alias gets the key that exists, or the key that the run makes.
    Alias(Owned<Option<KeyId>, Retargeted>),
    /// The rotation period of a key in days, or `None` without rotation.
    Rotation(Setting<Option<u32>>),
    /// A bucket.
    Bucket(BucketWork),
    /// The tags of a bucket.
    BucketTags(BucketTagsWork),
    /// A document of a bucket that holds nothing of other owners.
    Document(Change),
    /// The bucket policy.
    BucketPolicy(SharedDocument<Vec<StatementChange>, PolicyDiffers>),
    /// The pair's lifecycle rule.
    Lifecycle(SharedDocument<Expiry, LifecycleDiffers>),
    /// The pair's entry in the notification configuration.
    Notification(SharedDocument<Notification, NotificationDiffers>),
    /// The role of a direction, or of batch jobs.
    Role(Owned<RoleMade, RoleDiffers>),
    /// The inline policy of such a role.
    RolePolicy(Owned<Vec<StatementChange>, RolePolicyDiffers>),
    /// All rules of a direction.
    Rules(Owned<RulesWritten, RulesWritten, RulesRemoved>),
    /// One rule that the manifest no longer names.
    DroppedRule(DroppedRuleWork),
    /// The alarm on the failed replication of a rule.
    Alarm(Owned<AlarmMade, AlarmDiffers>),
}

impl Work {
    /// Returns the kind of the thing.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Key(_) | Self::SharedKey(_) => Kind::Key,
            Self::ReplicaKey(_) => Kind::ReplicaKey,
            Self::Alias(_) => Kind::Alias,
            Self::Rotation(_) => Kind::Rotation,
            Self::Bucket(_) => Kind::Bucket,
            Self::BucketTags(_) => Kind::BucketTags,
            Self::Document(change) => change.kind(),
            Self::BucketPolicy(_) => Kind::BucketPolicy,
            Self::Lifecycle(_) => Kind::Lifecycle,
            Self::Notification(_) => Kind::Notification,
            Self::Role(_) => Kind::Role,
            Self::RolePolicy(_) => Kind::RolePolicy,
            Self::Rules(_) | Self::DroppedRule(_) => Kind::Replication,
            Self::Alarm(_) => Kind::Alarm,
        }
    }

    /// Returns the operation.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Key(work) | Self::ReplicaKey(work) => work.verb(),
            Self::SharedKey(_) => Verb::Update,
            Self::Alias(work) => work.verb(),
            Self::Rotation(work) => work.verb(),
            Self::Bucket(work) => work.verb(),
            Self::BucketTags(work) => work.verb(),
            Self::Document(change) => change.verb(),
            Self::BucketPolicy(work) => work.verb(),
            Self::Lifecycle(work) => work.verb(),
            Self::Notification(work) => work.verb(),
            Self::Role(work) => work.verb(),
            Self::RolePolicy(work) => work.verb(),
            Self::Rules(work) => work.verb(),
            Self::DroppedRule(work) => work.verb(),
            Self::Alarm(work) => work.verb(),
        }
    }

    /// Returns whether the work writes nothing but tags. The adoption of a bucket is itself recorded
    /// only in tags.
    pub fn is_only_tags(&self) -> bool {
        match self {
            Self::BucketTags(_) | Self::Bucket(BucketWork::Adopt(_)) => true,
            Self::Key(Owned::Update(differs)) | Self::ReplicaKey(Owned::Update(differs)) => {
                let KeyDiffers { state, policy, tags } = differs;
                state.is_none() && policy.is_none() && tags.is_only_set()
            }
            Self::Role(Owned::Update(differs)) => {
                let RoleDiffers { trust, boundary, tags } = differs;
                trust.is_none() && boundary.is_none() && tags.is_only_set()
            }
            Self::Alarm(Owned::Update(differs)) => {
                let AlarmDiffers { says, tags } = differs;
                says.is_none() && tags.is_only_set()
            }
            Self::Key(_)
            | Self::SharedKey(_)
            | Self::ReplicaKey(_)
            | Self::Alias(_)
            | Self::Rotation(_)
            | Self::Bucket(_)
            | Self::Document(_)
            | Self::BucketPolicy(_)
            | Self::Lifecycle(_)
            | Self::Notification(_)
            | Self::Role(_)
            | Self::RolePolicy(_)
            | Self::Rules(_)
            | Self::DroppedRule(_)
            | Self::Alarm(_) => false,
        }
    }
}

/// The change of the pair's part of a document that a bucket shares with other owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedDocument<Made, Differs> {
    /// There is no such document, or no part of the pair in it.
    Create(Made),
    /// The part differs.
    Update(Differs),
    /// The part is taken out of the document of a bucket that stays.
    Remove,
    /// The part stands.
    Unchanged,
}

impl<Made, Differs> SharedDocument<Made, Differs> {
    fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update(_) => Verb::Update,
            Self::Remove => Verb::Delete,
            Self::Unchanged => Verb::None,
        }
    }
}

/// The change of a thing that the pair makes, changes and removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned<Made, Differs, Removed = WhyRemoved> {
    /// It is missing.
    Create(Made),
    /// It differs.
    Update(Differs),
    /// It is removed.
    Remove(Removed),
    /// The manifest no longer names it, and it stays.
    Leave(WhyLeft),
    /// It stands.
    Unchanged,
}

impl<Made, Differs, Removed> Owned<Made, Differs, Removed> {
    fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update(_) => Verb::Update,
            Self::Remove(_) => Verb::Delete,
            Self::Leave(_) => Verb::Orphan,
            Self::Unchanged => Verb::None,
        }
    }
}

impl<Made, Differs: Default + PartialEq, Removed> Owned<Made, Differs, Removed> {
    /// Returns the change of a thing that exists and differs in this.
    pub fn differing(differs: Differs) -> Self {
        if differs == Differs::default() { Self::Unchanged } else { Self::Update(differs) }
    }
}

/// Why a thing is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyRemoved {
    /// The pair is removed.
    PairGoes,
    /// The manifest no longer names it.
    Dropped,
    /// A key that an interrupted run made, and that nothing uses.
    Spare,
}

/// Why a thing stays that the manifest no longer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyLeft {
    /// Nobody asked for its removal (`--prune`).
    NotPruned,
    /// It does not bear the pair's tags.
    NotOurs,
    /// A bucket that somebody else made.
    Adopted,
    /// A bucket that holds these objects, which are not probes.
    Holds(Vec<String>),
    /// A key, which the data of this bucket needs.
    BucketStays(BucketName),
    /// A key that others may use.
    UsedByOthers,
    /// A role that has policies of others.
    OtherPolicies,
}
