//! The keys that a manifest wants, and those that a pair has, by side.
//! Not for: what exists on AWS (see `world`).

use super::topology::{Side, Topology};
use crate::names::{AccountId, Arn, BucketName, KeyAlias, KeyId, Region};
use std::collections::BTreeMap;
use std::time::Duration;

/// Whose the keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// One multi-Region key of crrctl's, with a replica in each destination's Region.
    MultiRegion,
    /// A key of crrctl's in each Region.
    PerRegion,
    /// Keys that exist already.
    Existing,
    /// SSE-S3.
    None,
}

impl KeyKind {
    /// Returns whether crrctl makes the keys.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::MultiRegion | Self::PerRegion)
    }
}

/// How objects are encrypted under a KMS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SSE-KMS.
    Kms,
    /// DSSE-KMS, in two layers.
    Dsse,
}

impl Algorithm {
    /// Returns S3's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kms => "aws:kms",
            Self::Dsse => "aws:kms:dsse",
        }
    }
}

/// The key's settings; lengths of time are checked against KMS's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// Whose the keys are.
    pub kind: KeyKind,
    /// How objects are encrypted under them.
    pub algorithm: Algorithm,
    /// The alias, the same in every Region.
    pub alias: KeyAlias,
    /// Days between rotations (90..=2560), or `None` for none.
    pub rotation_days: Option<u16>,
    /// Days between scheduling and deletion (7..=30).
    pub deletion_window_days: u8,
    /// Principals that may administer the key.
    pub administrators: Vec<Arn>,
    /// Other accounts that may use the key.
    pub usable_by_accounts: Vec<AccountId>,
    /// How long a replica key may stay `Creating`.
    pub replica_timeout: Duration,
}

/// What names an existing key: its ARN, the ARN of an alias, or an alias in the account of the side that uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRef(String);

impl KeyRef {
    /// Takes a text that `check` found to be one.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is the key that S3 makes in each account that asks for KMS and names no key
    /// (S3 User Guide, "Using server-side encryption with AWS KMS keys", on AWS managed keys).
    pub fn is_managed_by_aws(&self) -> bool {
        self.0 == "alias/aws/s3"
    }

    /// Returns the ARN, where it is that of a key and not of an alias.
    fn key_arn(&self) -> Option<Arn> {
        Arn::new(self.0.clone()).ok().filter(|arn| arn.resource().starts_with("key/"))
    }
}

/// Which key a side wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWish<'a> {
    /// One that crrctl makes.
    Ours,
    /// One that exists.
    Existing(&'a KeyRef),
    /// None: SSE-S3.
    Nothing,
}

/// The keys that a pair has, as far as they are known. What is encrypted under which follows from [`Topology::key_arn`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairKeys {
    /// The id of the multi-Region key, the same in all Regions.
    multi_region: Option<KeyId>,
    /// The ids of crrctl's own keys of one Region each.
    by_region: BTreeMap<Region, KeyId>,
    /// The ARNs of keys that exist already, by the bucket that is encrypted under each.
    existing: BTreeMap<BucketName, Arn>,
}

impl PairKeys {
    /// Makes those of a pair with a multi-Region key.
    pub fn multi_region(id: KeyId) -> Self {
        Self { multi_region: Some(id), ..Self::default() }
    }

    /// Enters crrctl's own key in `region`.
    pub fn enter(&mut self, kind: KeyKind, region: &Region, id: KeyId) {
        if kind == KeyKind::MultiRegion {
            self.multi_region = Some(id);
        } else {
            self.by_region.insert(region.clone(), id);
        }
    }

    /// Enters the existing key of a side.
    pub fn enter_existing(&mut self, side: &Side, arn: Arn) {
        self.existing.insert(side.bucket.clone(), arn);
    }

    /// Returns the id of crrctl's own key in `region`.
    pub fn id(&self, region: &Region) -> Option<&KeyId> {
        self.multi_region.as_ref().or_else(|| self.by_region.get(region))
    }
}

/// Stands for a key until it is known, multi-Region and not.
const SOME_KEYS: [(&str, &str); 2] = [
    ("mrk-00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
    ("mrk-ffffffffffffffffffffffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
];

impl Topology {
    /// Returns which key `side` wants.
    pub fn key_wish(&self, side: &Side) -> KeyWish<'_> {
        match self.existing_keys.get(side) {
            Some(key) => KeyWish::Existing(key),
            None if self.key.kind == KeyKind::None || self.unencrypted.contains(side) => {
                KeyWish::Nothing
            }
            None => KeyWish::Ours,
        }
    }

    /// Returns whether `side` is encrypted under a key that crrctl makes.
    pub fn has_own_key(&self, side: &Side) -> bool {
        self.key_wish(side) == KeyWish::Ours
    }

    /// Returns the Regions in which crrctl makes a key, the source's first: with a multi-Region key that is where the primary is.
    pub fn key_regions(&self) -> Vec<&Region> {
        if !self.key.kind.is_ours() {
            return Vec::new();
        }
        let mut regions: Vec<&Region> = Vec::new();
        for side in self.sides().filter(|side| self.has_own_key(side)) {
            if !regions.contains(&&side.region) {
                regions.push(&side.region);
            }
        }
        regions
    }

    /// Returns the ARN of the key that `side` is encrypted under; `None` for SSE-S3, and for a key that is not known yet.
    pub fn key_arn(&self, keys: &PairKeys, side: &Side) -> Option<Arn> {
        match self.key_wish(side) {
            KeyWish::Nothing => None,
            KeyWish::Existing(given) => {
                keys.existing.get(&side.bucket).cloned().or_else(|| given.key_arn())
            }
            KeyWish::Ours => self.own_key_arn(keys, &side.region),
        }
    }

    /// Returns the ARN of crrctl's own key in `region`, where it is known.
    pub fn own_key_arn(&self, keys: &PairKeys, region: &Region) -> Option<Arn> {
        keys.id(region).map(|id| id.arn(region, self.account_of(region)))
    }

    /// Returns the pair as whoever has the accounts that are handed over sees it: a key that they name is theirs to write to.
    #[must_use]
    pub fn of_others(&self) -> Self {
        let mut others = self.clone();
        others.existing_keys.retain(|side, _| !self.is_handed_over(&side.region));
        others
    }

    /// Returns whether every side's key is known.
    pub fn knows_keys(&self, keys: &PairKeys) -> bool {
        let knows = |side: &Side| {
            self.key_wish(side) == KeyWish::Nothing || self.key_arn(keys, side).is_some()
        };
        self.sides().all(knows)
    }

    /// Fills in what is not known of `keys` with ids of the right shape that stand for them.
    pub fn or_some_keys(&self, keys: &PairKeys) -> PairKeys {
        self.filled(keys, SOME_KEYS[0])
    }

    /// Returns other ids than [`Self::or_some_keys`] does, for all that is not given by the manifest.
    pub fn other_keys(&self) -> PairKeys {
        self.filled(&PairKeys::default(), SOME_KEYS[1])
    }

    fn filled(&self, keys: &PairKeys, (multi, single): (&str, &str)) -> PairKeys {
        let mut keys = keys.clone();
        for side in self.sides() {
            if self.key_arn(&keys, side).is_some() {
                continue;
            }
            match self.key_wish(side) {
                KeyWish::Nothing => {}
                KeyWish::Existing(_) => {
                    let resource = format!("key/{single}");
                    let account = self.account_of(&side.region).as_str();
                    let region = side.region.as_str();
                    let arn = Arn::known(self.partition(), "kms", region, account, &resource);
                    keys.enter_existing(side, arn);
                }
                KeyWish::Ours => {
                    let text = if self.key.kind == KeyKind::MultiRegion { multi } else { single };
                    if let Ok(id) = KeyId::new(text) {
                        keys.enter(self.key.kind, &side.region, id);
                    }
                }
            }
        }
        keys
    }
}
