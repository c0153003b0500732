//! The documents of a pair: their names, their templates and what each is attached to.
//! Not for: their text (see `render`) or whether they do what is wanted (see `proof`).

use crate::manifest::{Side, Topology};
use crate::names::{AccountId, BucketName, Region};
use crrctl_iam::DocumentKind;

/// One policy document of a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// Who may assume the replication role.
    ReplicationRoleTrust,
    /// What the replication role may do.
    ReplicationRole,
    /// Who may assume the role by which the destination in a Region replicates back.
    BackRoleTrust(Region),
    /// What the role by which the destination in a Region replicates back may do.
    BackRole(Region),
    /// The policy of the key in a Region.
    Key(Region),
    /// The policy of a key that exists already, by the bucket that is encrypted under it: read, never written.
    ExistingKey(Region, BucketName),
    /// The source bucket's policy.
    SourceBucket,
    /// The policy of the destination bucket in a Region.
    DestinationBucket(Region),
    /// Who may assume the role of batch jobs.
    BatchReplicationRoleTrust,
    /// What the role of batch jobs may do.
    BatchReplicationRole,
    /// What whoever runs crrctl needs in the source's account.
    Operator(Part),
    /// What whoever runs crrctl needs in the account of other sides.
    OperatorOf(Part, AccountId),
}

/// The parts of what whoever runs crrctl needs; a command takes one or more (see [`Part::COMMANDS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Looking at everything, which every command begins with.
    Plan,
    /// Making and changing.
    Apply,
    /// Uploading probes, reading replicas, cleaning up.
    Probe,
    /// Replicating what is there already, for `backfill`.
    Backfill,
    /// Taking away.
    Destroy,
    /// Deleting objects that are not probes, for `destroy --purge-data`.
    Purge,
    /// Deleting what is under GOVERNANCE retention, for `destroy --bypass-governance`.
    Bypass,
    /// Finding the pairs of the whole account, for `list` and `gc`.
    Fleet,
    /// Bringing keys back, for `apply --revive-keys`.
    Revive,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::Plan,
        Self::Apply,
        Self::Probe,
        Self::Backfill,
        Self::Destroy,
        Self::Purge,
        Self::Bypass,
        Self::Fleet,
        Self::Revive,
    ];

    /// The commands with the parts that each needs.
    pub const COMMANDS: [(&'static str, &'static [Self]); 11] = [
        ("plan", &[Self::Plan]),
        ("import", &[Self::Plan]),
        ("apply", &[Self::Plan, Self::Apply, Self::Probe]),
        ("probe", &[Self::Plan, Self::Probe]),
        ("backfill", &[Self::Plan, Self::Backfill]),
        ("destroy", &[Self::Plan, Self::Destroy]),
        ("destroy --purge-data", &[Self::Plan, Self::Destroy, Self::Purge]),
        ("destroy --bypass-governance", &[Self::Plan, Self::Destroy, Self::Purge, Self::Bypass]),
        ("list", &[Self::Fleet]),
        ("gc", &[Self::Fleet, Self::Plan, Self::Destroy]),
        ("apply --revive-keys", &[Self::Plan, Self::Apply, Self::Probe, Self::Revive]),
    ];

    /// Returns whether there is anything in `topology` that this part is about: keys of others are never brought back.
    pub fn concerns(self, topology: &Topology) -> bool {
        self.concerns_in(topology, &topology.account)
    }

    /// Returns whether this part is about anything that `topology` has in `account`: role and jobs are in the source's, and
    /// pairs are looked for with the source's credentials.
    pub fn concerns_in(self, topology: &Topology, account: &AccountId) -> bool {
        match self {
            Self::Revive => topology.sides_in(account).any(|side| topology.has_own_key(side)),
            Self::Backfill | Self::Fleet => account == &topology.account,
            _ => true,
        }
    }
}

impl Document {
    /// Returns every document of `topology` that `apply` writes.
    pub fn written(topology: &Topology) -> impl Iterator<Item = Self> {
        let keys = topology.key_regions().into_iter().map(|region| Self::Key(region.clone()));
        let buckets =
            topology.destinations.iter().map(|side| Self::DestinationBucket(side.region.clone()));
        let back = topology.backward().flat_map(|back| {
            let region = back.source.region;
            [Self::BackRoleTrust(region.clone()), Self::BackRole(region)]
        });
        [Self::of_role_trust(topology), Self::of_role(topology), Self::SourceBucket]
            .into_iter()
            .chain(back)
            .chain(keys)
            .chain(buckets)
    }

    /// Returns the documents of the role of batch jobs.
    pub fn batch() -> impl Iterator<Item = Self> {
        [Self::BatchReplicationRoleTrust, Self::BatchReplicationRole].into_iter()
    }

    /// Returns the documents for whoever runs crrctl.
    pub fn operator(topology: &Topology) -> impl Iterator<Item = Self> {
        let accounts = topology.accounts().into_iter();
        accounts.flat_map(|account| Self::operator_in(topology, account, &Part::ALL))
    }

    /// Returns those of the documents for whoever runs crrctl that are about `parts` of what `topology` has in `account`.
    pub fn operator_in(topology: &Topology, account: &AccountId, parts: &[Part]) -> Vec<Self> {
        let parts = parts.iter().filter(|part| part.concerns_in(topology, account));
        let is_home = account == &topology.account;
        let document = |part: &Part| {
            if is_home { Self::Operator(*part) } else { Self::OperatorOf(*part, account.clone()) }
        };
        parts.map(document).collect()
    }

    /// Returns every document of `topology`.
    pub fn all(topology: &Topology) -> impl Iterator<Item = Self> {
        Self::written(topology).chain(Self::batch()).chain(Self::operator(topology))
    }

    /// Returns what the replication role of one direction of a pair may do.
    pub fn of_role(direction: &Topology) -> Self {
        if direction.is_back() {
            Self::BackRole(direction.source.region.clone())
        } else {
            Self::ReplicationRole
        }
    }

    /// Returns who may assume the replication role of one direction of a pair.
    pub fn of_role_trust(direction: &Topology) -> Self {
        if direction.is_back() {
            Self::BackRoleTrust(direction.source.region.clone())
        } else {
            Self::ReplicationRoleTrust
        }
    }

    /// Returns the policy document of the bucket of `side`.
    pub fn of_bucket(side: &Side, topology: &Topology) -> Self {
        if side == &topology.home {
            Self::SourceBucket
        } else {
            Self::DestinationBucket(side.region.clone())
        }
    }

    /// Returns the policy document of the key of `side`.
    pub fn of_key(side: &Side, topology: &Topology) -> Self {
        if topology.has_own_key(side) {
            Self::Key(side.region.clone())
        } else {
            Self::ExistingKey(side.region.clone(), side.bucket.clone())
        }
    }

    /// Returns the name that users give it, such as `key.us-east-1`.
    pub fn name(&self) -> String {
        match self {
            Self::Key(region)
            | Self::DestinationBucket(region)
            | Self::BackRole(region)
            | Self::BackRoleTrust(region) => {
                format!("{}.{region}", self.stem())
            }
            Self::ExistingKey(_, bucket) => format!("{}.{bucket}", self.stem()),
            Self::OperatorOf(_, account) => format!("{}.{account}", self.stem()),
            _ => self.stem().to_owned(),
        }
    }

    /// Returns the name of its template.
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
            Self::DestinationBucket(_) => "destination-bucket",
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
        }
    }

    /// Returns what it is attached to, which decides what AWS accepts.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::ReplicationRoleTrust
            | Self::BackRoleTrust(_)
            | Self::BatchReplicationRoleTrust => DocumentKind::TrustPolicy,
            Self::ReplicationRole | Self::BackRole(_) | Self::BatchReplicationRole => {
                DocumentKind::RolePolicy
            }
            Self::Key(_) | Self::ExistingKey(..) => DocumentKind::KeyPolicy,
            Self::SourceBucket | Self::DestinationBucket(_) => DocumentKind::BucketPolicy,
            Self::Operator(_) | Self::OperatorOf(..) => DocumentKind::ManagedPolicy,
        }
    }
}
