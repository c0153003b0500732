//! What the user wants of a pair as a whole, whichever way it replicates.
//! Not for: what was found of it (see `Found`), or one way (see `Direction`).

use super::alarm::AlarmSettings;
use super::endpoints::Endpoints;
use super::keys::{KeyKind, KeySettings, KeyWish, PairKeys};
use super::login::{Accounts, Login};
use super::side::{BucketPlace, Custody, Side};
use super::topology::{Activation, Profile, Topology};
use crate::names::{AccountId, Arn, BucketName, PairName, Partition, Region};
use crate::settings::{BucketSettings, LogTarget, Optional};
use std::collections::BTreeMap;

/// What the manifest says of the pair as a whole. It never changes after the manifest is checked
/// and the accounts are known.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the manifest")]
pub struct Wanted {
    /// The pair's name.
    pub name: PairName,
    /// The pair's own source, and the destinations.
    pub(super) sides: (Side, Vec<Side>),
    /// Account of each Region whose side is in another account.
    pub(super) away: BTreeMap<Region, AccountId>,
    /// Credentials of the source, and of the Regions that use other credentials.
    pub(super) logins: (Login, BTreeMap<Region, Login>),
    /// Endpoints by Region.
    pub(super) endpoints: BTreeMap<Region, Endpoints>,
    /// Settings that apply to all buckets.
    pub buckets: BucketSettings,
    /// Settings of the keys.
    pub key: KeySettings,
    /// Whether buckets use S3 Bucket Keys.
    pub bucket_key: bool,
    /// Whether bucket policies deny requests without TLS.
    pub tls_only: bool,
    /// Whether bucket policies deny uploads that request another key than the pair's.
    pub deny_other_keys: bool,
    /// How much the replication role may do with the keys.
    pub profile: Profile,
    /// How rules go live.
    pub activation: Activation,
    /// Whether annotations of objects replicate.
    pub annotations: bool,
    /// Whether rules of schema V1 are converted to V2 where others are written.
    pub converts_v1: bool,
    /// Alarms on failed replication.
    pub alarm: Option<AlarmSettings>,
    /// The topic or queue that S3 publishes failures of replication to.
    pub alerts: Option<Arn>,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
}

impl Wanted {
    /// Returns the pair's own source, in every direction.
    pub fn home(&self) -> &Side {
        &self.sides.0
    }

    fn all_sides(&self) -> impl Iterator<Item = &Side> {
        std::iter::once(&self.sides.0).chain(&self.sides.1)
    }

    /// Returns the pair's partition.
    pub fn partition(&self) -> Partition {
        self.home().region.partition()
    }

    /// Returns the side of a bucket of the pair: the one of the manifest, or one with the key that
    /// the manifest configures in general.
    pub fn side(&self, place: BucketPlace) -> Side {
        if let Some(side) = self.all_sides().find(|side| side.place == place) {
            return side.clone();
        }
        let account = self.account_of(&place.region).clone();
        Side { place, account, key: self.usual_key(), custody: Custody::Own }
    }

    /// Returns the bucket of a destination that is not known by its Region alone: it is not the only
    /// destination of the manifest there.
    pub fn told_apart(&self, side: &Side) -> Option<BucketName> {
        let here = self.sides.1.iter().filter(|it| it.region == side.region);
        let is_alone = side == self.home() || here.collect::<Vec<_>>() == [side];
        (!is_alone).then(|| side.bucket.clone())
    }

    /// Returns the key of a side for which the manifest names no existing key.
    pub(super) fn usual_key(&self) -> KeyWish {
        if self.key.kind == KeyKind::None { KeyWish::Nothing } else { KeyWish::Ours }
    }

    /// Returns the value of [`Topology::ID_TAG`]: `<account>/<source-region>/<source-bucket>`.
    pub fn id(&self) -> String {
        let home = self.home();
        format!("{}/{}/{}", home.account, home.region, home.bucket)
    }

    /// Returns the two tags that mark a resource as the pair's.
    pub fn owner_tags(&self) -> [(&'static str, String); 2] {
        [(Topology::PAIR_TAG, self.name.to_string()), (Topology::ID_TAG, self.id())]
    }

    /// Returns whether a resource with these tags belongs to this pair.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.owner_tags().iter().all(|(key, value)| tags.get(*key) == Some(value))
    }

    /// Returns whether the manifest adopts `bucket`.
    pub fn adopts(&self, bucket: &BucketName) -> bool {
        self.all_sides().any(|side| &side.bucket == bucket && side.is_adopted())
    }

    /// Returns whether `bucket`, with the tags `tags`, is adopted: somebody else created it, and
    /// crrctl only manages it.
    pub fn is_adopted(&self, bucket: &BucketName, tags: &BTreeMap<String, String>) -> bool {
        self.adopts(bucket) || tags.contains_key(Topology::ADOPTED_TAG)
    }

    /// Returns the optional documents that must be read according to a bucket's tags: the recorded
    /// ones if the pair owns the bucket, otherwise all of them.
    pub fn matters_by(&self, tags: &BTreeMap<String, String>) -> Optional {
        let is_own = self.owns(tags) && !tags.contains_key(Topology::ADOPTED_TAG);
        let recorded = Optional::recorded_by(tags);
        if is_own { recorded } else { Optional::all().and(&recorded) }
    }

    /// Returns where the access logs of the bucket of `side` are to go.
    pub fn log_target(&self, side: &Side) -> Option<LogTarget> {
        self.buckets.logging.target(side.account.as_str(), side.region.as_str())
    }

    /// Returns the account of the pair's resources in `region`.
    pub fn account_of(&self, region: &Region) -> &AccountId {
        self.away.get(region).unwrap_or(&self.home().account)
    }

    /// Returns the accounts by Region.
    pub fn known_accounts(&self) -> Accounts {
        Accounts { home: self.home().account.clone(), away: self.away.clone() }
    }

    /// Returns the credentials of `region`.
    pub fn login_of(&self, region: &Region) -> &Login {
        self.logins.1.get(region).unwrap_or(&self.logins.0)
    }

    /// Returns whether the side in `region` is handed over: an operator of its account creates it.
    pub fn is_handed_over(&self, region: &Region) -> bool {
        self.sides.1.iter().any(|side| &side.region == region && side.is_handed_over())
    }

    /// Returns the ARN of the key that `side` is encrypted under. `None` for SSE-S3 and for a key
    /// that is not known yet.
    pub fn key_arn(&self, keys: &PairKeys, side: &Side) -> Option<Arn> {
        match &side.key {
            KeyWish::Nothing => None,
            KeyWish::Existing(given) => keys.existing(side).cloned().or_else(|| given.key_arn()),
            KeyWish::Ours => self.own_key_arn(keys, &side.region),
        }
    }

    /// Returns the ARN of the key that crrctl creates in `region`, if it is known.
    pub fn own_key_arn(&self, keys: &PairKeys, region: &Region) -> Option<Arn> {
        keys.id(region).map(|id| id.arn(region, self.account_of(region)))
    }

    /// Returns the description of the pair's keys.
    pub fn key_description(&self) -> String {
        format!("S3 replication of the pair {} (crrctl)", self.name)
    }

    /// Returns the description of the replication role.
    pub fn role_description(&self) -> String {
        format!("S3 replicates objects of the pair {} with it (crrctl)", self.name)
    }

    /// Returns the object metadata that, together with the key, identifies a probe of this pair.
    pub fn probe_metadata(&self) -> [(&'static str, String); 2] {
        [("crrctl-pair", self.name.to_string()), ("crrctl-id", self.id())]
    }
}
