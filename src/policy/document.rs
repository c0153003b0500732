//! The policy documents of a pair: their names, their templates and the kind of policy of each.
//! Not for: their text (see `render`) or whether they have the intended effect (see `proof`).

use crate::manifest::{Side, Topology};
use crate::names::{AccountId, BucketName, Region};
use crrctl_iam::DocumentKind;
use std::collections::BTreeSet;

/// One policy document of a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// The trust policy of the replication role.
    ReplicationRoleTrust,
    /// The inline policy of the replication role.
    ReplicationRole,
    /// The trust policy of the role with which the destination in a Region replicates back.
    BackRoleTrust(Region),
    /// The inline policy of the role with which the destination in a Region replicates back.
    BackRole(Region),
    /// The key policy of the key in a Region.
    Key(Region),
    /// The key policy of an existing key, by the bucket that is encrypted under the key. It is read
    /// and never written.
    ExistingKey(Region, BucketName),
    /// The bucket policy of the source bucket.
    SourceBucket,
    /// The bucket policy of the destination bucket in a Region, by its name where the Region has
    /// several.
    DestinationBucket(Region, Option<BucketName>),
    /// What the policy of a target of access logs must have, by the target's name. It is proven and
    /// never written: the bucket is not the pair's.
    LogTarget(String),
    /// What the policy of the topic or queue of `replication.alerts` must have. It is proven and never
    /// written: the topic or queue is not the pair's.
    AlertTarget,
    /// What the policy of the key of that topic or queue must have, if it has a key of its own.
    AlertKey,
    /// What the policy of the topic of `replication.alarm` must have; of a reverse direction by the
    /// Region that replicates back. It is proven and never written: the topic is not the pair's.
    AlarmTopic(Option<Region>),
    /// What the policy of the key of that topic must have, if it has a key of its own.
    AlarmKey(Option<Region>),
    /// The trust policy of the batch job role.
    BatchReplicationRoleTrust,
    /// The inline policy of the batch job role.
    BatchReplicationRole,
    /// The permissions that the operator (the identity that runs crrctl) needs in the source's
    /// account.
    Operator(Part),
    /// The permissions that the operator needs in the account of other sides.
    OperatorOf(Part, AccountId),
}

/// The parts of the operator's permissions. A command needs one or more parts (see
/// [`Operation`](super::Operation)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Reading the pair's resources, which every command on a pair does first.
    Plan,
    /// Creating and changing resources, for `apply`.
    Apply,
    /// Uploading probes, reading their replicas, deleting both.
    Probe,
    /// Replicating existing objects, for `backfill`.
    Backfill,
    /// Deleting resources, for `destroy`.
    Destroy,
    /// Deleting objects that are not probes, for `destroy --purge-data`.
    Purge,
    /// Deleting objects under GOVERNANCE retention, for `destroy --bypass-governance`.
    Bypass,
    /// Finding the pairs of the whole account, for `list` and `gc`.
    Fleet,
    /// Canceling the deletion of keys and enabling them, for `apply --revive-keys`.
    Revive,
    /// Encrypting and decrypting a few bytes, for `check`: whether replicas share key material.
    Check,
    /// Reading what S3 says of objects that are not probes, for `check`, `status` and `wait`.
    Objects,
    /// Listing one object for a batch job, and deleting what that job took, for `check --with-batch`.
    Ask,
    /// Deleting what the manifest no longer names, for `apply --prune`.
    Prune,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 13] = [
        Self::Plan,
        Self::Apply,
        Self::Probe,
        Self::Backfill,
        Self::Destroy,
        Self::Purge,
        Self::Bypass,
        Self::Fleet,
        Self::Revive,
        Self::Check,
        Self::Objects,
        Self::Ask,
        Self::Prune,
    ];

    /// Returns whether this part also concerns what stands of a pair and its manifest no longer
    /// names.
    pub fn reaches_unnamed(self) -> bool {
        match self {
            Self::Plan | Self::Probe | Self::Destroy | Self::Purge | Self::Bypass | Self::Prune => {
                true
            }
            Self::Apply
            | Self::Backfill
            | Self::Fleet
            | Self::Revive
            | Self::Check
            | Self::Objects
            | Self::Ask => false,
        }
    }

    /// Returns whether this part applies to anything in `topology`. Keys of others are never
    /// revived.
    pub fn concerns(self, topology: &Topology) -> bool {
        self.concerns_in(topology, &topology.source.account)
    }

    /// Returns whether this part applies to anything that `topology` has in `account`. The role and
    /// the batch jobs are in the source's account, and pairs are searched for with the source's
    /// credentials.
    pub fn concerns_in(self, topology: &Topology, account: &AccountId) -> bool {
        match self {
            Self::Revive => topology.sides_in(account).any(Side::has_own_key),
            Self::Prune => topology.sides_in(account).any(|side| side != topology.wanted.home()),
            Self::Backfill | Self::Fleet | Self::Ask => account == &topology.source.account,
            _ => true,
        }
    }

    /// Returns the section of the proof that has the part's calls.
    pub fn section(self) -> &'static str {
        match self {
            Self::Plan => "operator plan",
            Self::Apply => "operator apply",
            Self::Probe => "operator probe",
            Self::Backfill => "operator backfill",
            Self::Destroy => "operator destroy",
            Self::Purge => "operator purge",
            Self::Bypass => "operator bypass",
            Self::Fleet => "operator fleet",
            Self::Revive => "operator revive",
            Self::Check => "operator check",
            Self::Objects => "operator objects",
            Self::Ask => "operator ask",
            Self::Prune => "operator prune",
        }
    }
}

impl Document {
    /// Returns every document of `topology` that `apply` writes.
    pub fn written(topology: &Topology) -> impl Iterator<Item = Self> {
        let keys = topology.key_regions().into_iter().map(|region| Self::Key(region.clone()));
        let buckets = topology.destinations.iter().map(|side| Self::of_bucket(side, topology));
        let back = topology.backward().flat_map(|back| {
            let region = back.source.region.clone();
            [Self::BackRoleTrust(region.clone()), Self::BackRole(region)]
        });
        [Self::of_role_trust(topology), Self::of_role(topology), Self::SourceBucket]
            .into_iter()
            .chain(back)
            .chain(keys)
            .chain(buckets)
    }

    /// Returns the documents of the targets of access logs.
    pub fn log_targets(topology: &Topology) -> impl Iterator<Item = Self> {
        let targets = topology.sides().filter_map(|side| topology.wanted.log_target(side));
        targets.map(|it| it.bucket).collect::<BTreeSet<_>>().into_iter().map(Self::LogTarget)
    }

    /// Returns the documents of the topic or queue of `replication.alerts`.
    pub fn alerts(topology: &Topology) -> impl Iterator<Item = Self> {
        let all = [Self::AlertTarget, Self::AlertKey].into_iter();
        all.filter(|_| topology.wanted.alerts.is_some())
    }

    /// Returns the documents of the topics of alarms.
    pub fn alarms(topology: &Topology) -> impl Iterator<Item = Self> {
        let mut directions = topology.directions();
        directions.retain(|direction| direction.alarm_topic().is_some());
        let of = |direction: Topology| [Self::alarm_topic(&direction), Self::alarm_key(&direction)];
        directions.into_iter().flat_map(of)
    }

    /// Returns the document of the topic of the alarms of one direction.
    pub fn alarm_topic(direction: &Topology) -> Self {
        Self::AlarmTopic(direction.is_back().then(|| direction.source.region.clone()))
    }

    /// Returns the document of the key of the topic of the alarms of one direction.
    pub fn alarm_key(direction: &Topology) -> Self {
        Self::AlarmKey(direction.is_back().then(|| direction.source.region.clone()))
    }

    /// Returns the part of the operator's permissions that this is the document of.
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::Operator(part) | Self::OperatorOf(part, _) => Some(*part),
            _ => None,
        }
    }

    /// Returns the documents of the batch job role.
    pub fn batch() -> impl Iterator<Item = Self> {
        [Self::BatchReplicationRoleTrust, Self::BatchReplicationRole].into_iter()
    }

    /// Returns the operator's documents.
    pub fn operator(topology: &Topology) -> impl Iterator<Item = Self> {
        let accounts = topology.accounts().into_iter();
        accounts.flat_map(|account| Self::operator_in(topology, account, &Part::ALL))
    }

    /// Returns the operator's documents for `parts` that apply to anything that `topology` has in
    /// `account`.
    pub fn operator_in(topology: &Topology, account: &AccountId, parts: &[Part]) -> Vec<Self> {
        let parts = parts.iter().filter(|part| part.concerns_in(topology, account));
        let is_home = account == &topology.source.account;
        let document = |part: &Part| {
            if is_home { Self::Operator(*part) } else { Self::OperatorOf(*part, account.clone()) }
        };
        parts.map(document).collect()
    }

    /// Returns every document of `topology`.
    pub fn all(topology: &Topology) -> impl Iterator<Item = Self> {
        Self::written(topology)
            .chain(Self::log_targets(topology))
            .chain(Self::alerts(topology))
            .chain(Self::alarms(topology))
            .chain(Self::batch())
            .chain(Self::operator(topology))
    }

    /// Returns the document of the replication role's inline policy, for one direction of a pair.
    pub fn of_role(direction: &Topology) -> Self {
        if direction.is_back() {
            Self::BackRole(direction.source.region.clone())
        } else {
            Self::ReplicationRole
        }
    }

    /// Returns the document of the replication role's trust policy, for one direction of a pair.
    pub fn of_role_trust(direction: &Topology) -> Self {
        if direction.is_back() {
            Self::BackRoleTrust(direction.source.region.clone())
        } else {
            Self::ReplicationRoleTrust
        }
    }

    /// Returns the document of the bucket policy of `side`.
    pub fn of_bucket(side: &Side, topology: &Topology) -> Self {
        if side == topology.wanted.home() {
            Self::SourceBucket
        } else {
            Self::DestinationBucket(side.region.clone(), topology.wanted.told_apart(side))
        }
    }

    /// Returns the document of the key policy of `side`.
    pub fn of_key(side: &Side) -> Self {
        if side.has_own_key() {
            Self::Key(side.region.clone())
        } else {
            Self::ExistingKey(side.region.clone(), side.bucket.clone())
        }
    }

    /// Returns the name by which users refer to the document, such as `key.us-east-1`.
    pub fn name(&self) -> String {
        match self {
            Self::DestinationBucket(region, Some(bucket)) => {
                format!("{}.{region}.{bucket}", self.stem())
            }
            Self::Key(region)
            | Self::DestinationBucket(region, None)
            | Self::BackRole(region)
            | Self::BackRoleTrust(region)
            | Self::AlarmTopic(Some(region))
            | Self::AlarmKey(Some(region)) => {
                format!("{}.{region}", self.stem())
            }
            Self::ExistingKey(_, bucket) => format!("{}.{bucket}", self.stem()),
            Self::LogTarget(bucket) => format!("{}.{bucket}", self.stem()),
            Self::OperatorOf(_, account) => format!("{}.{account}", self.stem()),
            _ => self.stem().to_owned(),
        }
    }

    /// Returns the name of the document's template.
    pub fn template(&self) -> String {
        format!("{}.json.j2", self.stem())
    }

    fn stem(&self) -> &'static str {
        match self {
            Self::ReplicationRoleTrust | Self::BackRoleTrust(_) => "replication-role-trust",
            Self::ReplicationRole | Self::BackRole(_) => "replication-role",
            Self::Key(_) => "key",
            Self::ExistingKey(..) => "existing-key",
            Self::SourceBucket => "source-bucket",
            Self::DestinationBucket(..) => "destination-bucket",
            Self::LogTarget(_) => "log-target",
            Self::AlertTarget => "alert-target",
            Self::AlertKey => "alert-key",
            Self::AlarmTopic(_) => "alarm-topic",
            Self::AlarmKey(_) => "alarm-key",
            Self::BatchReplicationRoleTrust => "batch-replication-role-trust",
            Self::BatchReplicationRole => "batch-replication-role",
            Self::Operator(Part::Plan) | Self::OperatorOf(Part::Plan, _) => "operator-plan",
            Self::Operator(Part::Apply) | Self::OperatorOf(Part::Apply, _) => "operator-apply",
            Self::Operator(Part::Probe) | Self::OperatorOf(Part::Probe, _) => "operator-probe",
            Self::Operator(Part::Backfill) | Self::OperatorOf(Part::Backfill, _) => {
                "operator-backfill"
            }
            Self::Operator(Part::Destroy) | Self::OperatorOf(Part::Destroy, _) => {
                "operator-destroy"
            }
            Self::Operator(Part::Purge) | Self::OperatorOf(Part::Purge, _) => "operator-purge",
            Self::Operator(Part::Bypass) | Self::OperatorOf(Part::Bypass, _) => "operator-bypass",
            Self::Operator(Part::Fleet) | Self::OperatorOf(Part::Fleet, _) => "operator-fleet",
            Self::Operator(Part::Revive) | Self::OperatorOf(Part::Revive, _) => "operator-revive",
            Self::Operator(Part::Prune) | Self::OperatorOf(Part::Prune, _) => "operator-prune",
            Self::Operator(Part::Check) | Self::OperatorOf(Part::Check, _) => "operator-check",
            Self::Operator(Part::Objects) | Self::OperatorOf(Part::Objects, _) => {
                "operator-objects"
            }
            Self::Operator(Part::Ask) | Self::OperatorOf(Part::Ask, _) => "operator-ask",
        }
    }

    /// Returns the kind of policy, which decides what AWS accepts.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::ReplicationRoleTrust
            | Self::BackRoleTrust(_)
            | Self::BatchReplicationRoleTrust => DocumentKind::TrustPolicy,
            Self::ReplicationRole | Self::BackRole(_) | Self::BatchReplicationRole => {
                DocumentKind::RolePolicy
            }
            Self::Key(_) | Self::ExistingKey(..) | Self::AlertKey | Self::AlarmKey(_) => {
                DocumentKind::KeyPolicy
            }
            Self::AlertTarget | Self::AlarmTopic(_) => DocumentKind::ChannelPolicy,
            Self::SourceBucket | Self::DestinationBucket(..) | Self::LogTarget(_) => {
                DocumentKind::BucketPolicy
            }
            Self::Operator(_) | Self::OperatorOf(..) => DocumentKind::ManagedPolicy,
        }
    }
}
