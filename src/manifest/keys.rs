//! The keys that a manifest configures, and the known keys of a pair, by side.
//! Not for: keys that exist on AWS (see `world`).

use super::directions::Direction;
use super::side::Side;
use super::topology::Topology;
use crate::names::{AccountId, Arn, BucketName, KeyAlias, KeyId, Region};
use std::collections::BTreeMap;
use std::time::Duration;

/// Kind of the keys (`key.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// One multi-Region key that crrctl creates, with a replica key in each destination's Region.
    MultiRegion,
    /// One single-Region key per Region, which crrctl creates.
    PerRegion,
    /// Existing keys, which the manifest names.
    Existing,
    /// No KMS keys: SSE-S3.
    None,
}

impl KeyKind {
    /// Returns whether crrctl creates the keys.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::MultiRegion | Self::PerRegion)
    }
}

/// Encryption algorithm of objects under a KMS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SSE-KMS.
    Kms,
    /// DSSE-KMS: dual-layer encryption.
    Dsse,
}

impl Algorithm {
    /// Returns S3's name of the algorithm.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kms => "aws:kms",
            Self::Dsse => "aws:kms:dsse",
        }
    }
}

/// Settings of the keys. Periods are validated against the limits of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// Kind of the keys.
    pub kind: KeyKind,
    /// Encryption algorithm of objects under the keys.
    pub algorithm: Algorithm,
    /// Alias, the same in every Region.
    pub alias: KeyAlias,
    /// Rotation period in days (90..=2560). `None` disables rotation.
    pub rotation_days: Option<u16>,
    /// Waiting period in days before a scheduled deletion (7..=30).
    pub deletion_window_days: u8,
    /// Principals that may administer the keys.
    pub administrators: Vec<Arn>,
    /// Other accounts that may use the keys.
    pub usable_by_accounts: Vec<AccountId>,
    /// Time that a replica key may take to leave the state `Creating`.
    pub replica_timeout: Duration,
}

/// Reference to an existing key: a key ARN, an alias ARN, or an alias name in the account of the
/// side that uses the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRef(String);

impl KeyRef {
    /// Creates a reference from text that `check` validated.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the reference is the AWS managed key for S3, which S3 uses if KMS encryption
    /// is requested without a key (S3 User Guide, "Using server-side encryption with AWS KMS keys",
    /// on AWS managed keys).
    pub fn is_managed_by_aws(&self) -> bool {
        self.0 == "alias/aws/s3"
    }

    /// Returns the key ARN, or `None` if the reference is an alias.
    pub fn key_arn(&self) -> Option<Arn> {
        Arn::new(self.0.clone()).ok().filter(|arn| arn.resource().starts_with("key/"))
    }
}

/// The key that the manifest configures for a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyWish {
    /// A key that crrctl creates.
    Ours,
    /// An existing key.
    Existing(KeyRef),
    /// No KMS key: SSE-S3.
    Nothing,
}

impl KeyWish {
    /// Returns whether it is the AWS managed key for S3.
    pub fn is_managed_by_aws(&self) -> bool {
        matches!(self, Self::Existing(key) if key.is_managed_by_aws())
    }

    /// Returns the key of replicas that a live rule names.
    pub fn of_rule(key: Option<&str>) -> Self {
        key.map_or(Self::Nothing, |key| Self::Existing(KeyRef::new(key)))
    }
}

/// The known keys of a pair. [`super::Wanted::key_arn`] returns the key of each side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairKeys {
    /// Id of the multi-Region key, the same in all Regions.
    multi_region: Option<KeyId>,
    /// Ids of the single-Region keys that crrctl creates.
    by_region: BTreeMap<Region, KeyId>,
    /// ARNs of existing keys, by the bucket encrypted under each.
    existing: BTreeMap<BucketName, Arn>,
}

impl PairKeys {
    /// Returns `text` with `words` for each placeholder of [`Topology::or_some_keys`] in it, or
    /// `None` if there is none.
    pub fn without_placeholders(text: &str, words: &str) -> Option<String> {
        let (multi, single) = SOME_KEYS[0];
        let has_any = text.contains(multi) || text.contains(single);
        has_any.then(|| text.replace(multi, words).replace(single, words))
    }

    /// Returns the keys of a pair with a multi-Region key.
    pub fn multi_region(id: KeyId) -> Self {
        Self { multi_region: Some(id), ..Self::default() }
    }

    /// Adds the key that crrctl created in `region`.
    pub fn enter(&mut self, kind: KeyKind, region: &Region, id: KeyId) {
        if kind == KeyKind::MultiRegion {
            self.multi_region = Some(id);
        } else {
            self.by_region.insert(region.clone(), id);
        }
    }

    /// Adds the existing key of a side.
    pub fn enter_existing(&mut self, side: &Side, arn: Arn) {
        self.existing.insert(side.bucket.clone(), arn);
    }

    /// Returns the existing key of a side.
    pub(super) fn existing(&self, side: &Side) -> Option<&Arn> {
        self.existing.get(&side.bucket)
    }

    /// Returns the id of the key that crrctl created in `region`.
    pub fn id(&self, region: &Region) -> Option<&KeyId> {
        self.multi_region.as_ref().or_else(|| self.by_region.get(region))
    }
}

/// Two sets of placeholder key ids. Each set has a multi-Region id and a single-Region id.
const SOME_KEYS: [(&str, &str); 2] = [
    ("mrk-00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
    ("mrk-ffffffffffffffffffffffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
];

impl Topology {
    /// Returns the Regions in which crrctl creates a key, the source's first. The primary key of a
    /// multi-Region key is in the first Region.
    pub fn key_regions(&self) -> Vec<&Region> {
        if !self.wanted.key.kind.is_ours() {
            return Vec::new();
        }
        let mut regions: Vec<&Region> = Vec::new();
        for side in self.sides().filter(|side| side.has_own_key()) {
            if !regions.contains(&&side.region) {
                regions.push(&side.region);
            }
        }
        regions
    }

    /// Returns the topology for the operators of handed-over accounts. Existing keys of handed-over
    /// sides are removed from it, so that the key policies are rendered too: those operators write
    /// them.
    #[must_use]
    pub fn of_others(&self) -> Self {
        let mut others = self.clone();
        let directions = std::iter::once(&mut others.direction).chain(&mut others.reverse);
        for side in directions.flat_map(Direction::sides_mut) {
            if self.wanted.is_handed_over(&side.region) && matches!(side.key, KeyWish::Existing(_))
            {
                side.key = self.wanted.usual_key();
            }
        }
        others
    }

    /// Returns whether the key of every side is known.
    pub fn knows_keys(&self, keys: &PairKeys) -> bool {
        let knows = |side: &Side| !side.has_key() || self.wanted.key_arn(keys, side).is_some();
        self.sides().all(knows)
    }

    /// Returns `keys` with well-formed placeholder ids for unknown keys.
    pub fn or_some_keys(&self, keys: &PairKeys) -> PairKeys {
        self.filled(keys, SOME_KEYS[0])
    }

    /// Returns placeholder ids other than those of [`Self::or_some_keys`], for all keys that the
    /// manifest does not give by ARN.
    pub fn other_keys(&self) -> PairKeys {
        self.filled(&PairKeys::default(), SOME_KEYS[1])
    }

    fn filled(&self, keys: &PairKeys, (multi, single): (&str, &str)) -> PairKeys {
        let mut keys = keys.clone();
        for side in self.sides() {
            if self.wanted.key_arn(&keys, side).is_some() {
                continue;
            }
            match side.key {
                KeyWish::Nothing => {}
                KeyWish::Existing(_) => {
                    let resource = format!("key/{single}");
                    let (account, region) = (side.account.as_str(), side.region.as_str());
                    let partition = side.region.partition();
                    let arn = Arn::known(partition, "kms", region, account, &resource);
                    keys.enter_existing(side, arn);
                }
                KeyWish::Ours => {
                    let kind = self.wanted.key.kind;
                    let text = if kind == KeyKind::MultiRegion { multi } else { single };
                    if let Ok(id) = KeyId::new(text) {
                        keys.enter(kind, &side.region, id);
                    }
                }
            }
        }
        keys
    }
}
