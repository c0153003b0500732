//! The user's configuration as validated types: [`Manifest`] before the account id is known,
//! [`Topology`] after.
//! Not for: validation (see `check`).

use super::alarm::AlarmSettings;
use super::directions::Direction;
use super::endpoints::Endpoints;
use super::keys::{KeyKind, KeyRef, KeySettings, KeyWish};
use super::login::{Accounts, Away, Login};
use super::role::RoleSettings;
use super::rules::{PlacedRule, RuleSettings};
use super::side::{BucketPlace, Custody, Side};
use super::wanted::Wanted;
use crate::names::{AccountId, Arn, BucketName, InvalidName, KeyAlias, PairName, Region, RoleName};
use crate::settings::{BucketSettings, Encryption};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A validated manifest. Placeholders are replaced, except `{account}`.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(super) name: PairName,
    pub(super) source: Placed,
    pub(super) destinations: Vec<Placed>,
    pub(super) rules: Vec<PlacedRule>,
    pub(super) adopted: BTreeSet<String>,
    pub(super) role: String,
    pub(super) reverse_roles: BTreeMap<Placed, String>,
    pub(super) role_settings: RoleSettings,
    pub(super) buckets: BucketSettings,
    pub(super) key: KeySettings,
    pub(super) existing_keys: BTreeMap<Placed, KeyRef>,
    pub(super) bucket_key: bool,
    pub(super) tls_only: bool,
    pub(super) deny_other_keys: bool,
    pub(super) profile: Profile,
    pub(super) alerts: Option<Arn>,
    pub(super) replication: ReplicationSettings,
    pub(super) alarm: Option<AlarmSettings>,
    pub(super) templates: Option<PathBuf>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) login: Login,
    pub(super) home_account: Option<AccountId>,
    pub(super) away: BTreeMap<Region, Away>,
    pub(super) endpoints: BTreeMap<Region, Endpoints>,
}

/// A bucket and its Region. The bucket's name may contain `{account}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    pub(super) region: Region,
    pub(super) bucket: String,
}

/// How much the replication role may do with the keys (`policy.profile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Permissions that work for every uploader. A Bucket Key is set per object, so any uploader
    /// can enable one (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
    #[default]
    Compatible,
    /// The minimum that AWS documents for objects without a Bucket Key: only `kms:Encrypt` on the
    /// destination's key.
    Strict,
}

/// Settings that apply to all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationSettings {
    /// How rules go live.
    pub activation: Activation,
    /// Whether every destination replicates back to the source.
    pub two_way: bool,
    /// Whether annotations of objects replicate.
    pub annotations: bool,
    /// Whether rules of schema V1 are converted to V2 where others are written.
    pub converts_v1: bool,
}

/// How rules go live (`replication.activation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// At once if the pair owns the source bucket and the bucket has no foreign objects. Otherwise
    /// after the rules are proven on probes.
    Auto,
    /// Only after the rules are proven on probes, whatever the source bucket contains.
    ProvenFirst,
    /// At once.
    Direct,
}

impl Manifest {
    /// Returns the pair's name.
    pub fn name(&self) -> &PairName {
        &self.name
    }

    /// Returns the source's Region, where IAM and STS are called too.
    pub fn source_region(&self) -> &Region {
        &self.source.region
    }

    /// Returns the key's alias.
    pub fn alias(&self) -> &KeyAlias {
        &self.key.alias
    }

    /// Returns the folder with the user's policy templates. Each file there replaces one built-in
    /// template.
    pub fn templates(&self) -> Option<&Path> {
        self.templates.as_deref()
    }

    /// Returns every Region of the pair, the source's first.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        std::iter::once(&self.source).chain(&self.destinations).map(|placed| &placed.region)
    }

    /// Returns the Regions in which the alias targets a key that crrctl creates, the source's
    /// first.
    pub fn alias_regions(&self) -> Vec<&Region> {
        if !self.key.kind.is_ours() {
            return Vec::new();
        }
        let mut regions: Vec<&Region> = Vec::new();
        for placed in std::iter::once(&self.source).chain(&self.destinations) {
            if !self.existing_keys.contains_key(placed) && !regions.contains(&&placed.region) {
                regions.push(&placed.region);
            }
        }
        regions
    }

    /// Returns the topology for the source's account `account`. Other accounts are filled in as far
    /// as the manifest names them.
    pub fn topology(&self, account: &AccountId) -> Result<Topology, InvalidName> {
        self.topology_in(&self.some_accounts(account))
    }

    /// Returns the topology with the account of each side filled in.
    pub fn topology_in(&self, accounts: &Accounts) -> Result<Topology, InvalidName> {
        self.topology_with(accounts, &self.handed_over(accounts))
    }

    /// Like [`Self::topology_in`], with the Regions whose sides are handed over. `check` validated
    /// every name with a placeholder id of the same length, so no name becomes invalid.
    pub fn topology_with(
        &self,
        accounts: &Accounts,
        handed_over: &BTreeSet<Region>,
    ) -> Result<Topology, InvalidName> {
        let side = |placed: &Placed| self.side(placed, accounts, handed_over);
        let home = side(&self.source)?;
        let destinations: Vec<Side> =
            self.destinations.iter().map(side).collect::<Result<_, _>>()?;
        let logins = self.away.iter().map(|(region, it)| (region.clone(), it.login.clone()));
        let foreign = accounts.away.iter().filter(|(_, away)| **away != accounts.home);
        let wanted = Wanted {
            name: self.name.clone(),
            sides: (home.clone(), destinations.clone()),
            away: foreign.map(|(region, away)| (region.clone(), away.clone())).collect(),
            logins: (self.login.clone(), logins.collect()),
            endpoints: self.endpoints.clone(),
            buckets: self.buckets.clone(),
            key: self.key.clone(),
            bucket_key: self.bucket_key,
            tls_only: self.tls_only,
            deny_other_keys: self.deny_other_keys,
            profile: self.profile,
            activation: self.replication.activation,
            annotations: self.replication.annotations,
            converts_v1: self.replication.converts_v1,
            alarm: self.alarm.clone(),
            alerts: self.alerts.clone(),
            tags: self.tags.clone(),
        };
        let rule = |rule: &PlacedRule| Ok((side(&rule.place)?, rule.settings.clone()));
        let rules: Vec<(Side, RuleSettings)> =
            self.rules.iter().map(rule).collect::<Result<_, InvalidName>>()?;
        let direction = Direction {
            rules: wanted.named_rules(rules),
            source: home,
            destinations,
            role: match &self.role_settings.given {
                Some(arn) => RoleName::new(arn.resource().rsplit('/').next().unwrap_or_default())?,
                None => RoleName::new(self.role.replace("{account}", accounts.home.as_str()))?,
            },
            role_settings: self.role_settings.clone(),
        };
        let mut topology = Topology::new(wanted, direction);
        for placed in self.destinations.iter().filter(|_| self.replication.two_way) {
            let Some(name) = self.reverse_roles.get(placed) else { continue };
            let side = side(placed)?;
            let name = RoleName::new(name.replace("{account}", side.account.as_str()))?;
            topology.give_back_role(&side, name);
        }
        Ok(topology)
    }

    /// Returns the topology for removing what remains of a pair whose manifest is not at hand.
    pub fn topology_of_remains(
        &self,
        account: &AccountId,
        remains: Remains,
    ) -> Result<Topology, InvalidName> {
        let base = self.topology(account)?;
        let mut wanted = Wanted::clone(&base.wanted);
        wanted.key.kind = remains.key_kind;
        wanted.key.alias = remains.alias.unwrap_or(wanted.key.alias);
        let destinations: Vec<Side> =
            remains.destinations.into_iter().map(|place| wanted.side(place)).collect();
        wanted.sides.1.clone_from(&destinations);
        let role = remains.role.unwrap_or_else(|| base.role.clone());
        let mut topology =
            Topology::new(wanted, Direction { destinations, role, ..base.direction });
        for (place, role) in remains.reverse_roles {
            let side = topology.wanted.side(place);
            topology.give_back_role(&side, role);
        }
        Ok(topology)
    }

    fn side(
        &self,
        placed: &Placed,
        accounts: &Accounts,
        handed_over: &BTreeSet<Region>,
    ) -> Result<Side, InvalidName> {
        let account = accounts.of(&placed.region);
        let adopts = self.adopted.contains(&placed.bucket);
        let is_away = *placed != self.source && *account != accounts.home;
        Ok(Side {
            place: BucketPlace {
                region: placed.region.clone(),
                bucket: BucketName::new(placed.bucket.replace("{account}", account.as_str()))?,
            },
            account: account.clone(),
            key: match self.existing_keys.get(placed) {
                Some(key) => KeyWish::Existing(key.clone()),
                // An adopted source may keep SSE-S3 beside destinations that have existing keys.
                None if !self.key.kind.is_ours() => KeyWish::Nothing,
                None => KeyWish::Ours,
            },
            custody: match (is_away && handed_over.contains(&placed.region), adopts) {
                (true, adopts) => Custody::HandedOver { adopts },
                (false, true) => Custody::Adopted,
                (false, false) => Custody::Own,
            },
        })
    }
}

/// What remains of a pair, as the tags of its resources tell.
#[derive(Debug)]
pub struct Remains {
    /// The buckets of the destinations.
    pub destinations: Vec<BucketPlace>,
    /// Kind of the keys.
    pub key_kind: KeyKind,
    /// Alias of the keys, if there is one.
    pub alias: Option<KeyAlias>,
    /// The replication role, if there is one.
    pub role: Option<RoleName>,
    /// The roles of the reverse directions, by the bucket that each replicates from.
    pub reverse_roles: Vec<(BucketPlace, RoleName)>,
}

/// What was found of a pair, or told by a flag, and that changes what is done with it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Live role of the source's replication configuration, if it has foreign rules: the pair's
    /// rules use it instead of the pair's own.
    pub shared_role: Option<Arn>,
    /// Expiry date of an ephemeral pair. `None` for a permanent pair.
    pub expires: Option<Timestamp>,
    /// Waiting period in days of this run's scheduled deletions, instead of the manifest's.
    pub deletion_window_days: Option<u8>,
    /// Default encryption of the buckets whose encryption the pair does not manage.
    pub kept_encryption: BTreeMap<BucketName, Encryption>,
    /// Tags of adopted buckets that record what this run changes in them.
    pub remembered: BTreeMap<BucketName, BTreeMap<String, String>>,
    /// The buckets whose policy denies uploads without encryption headers.
    pub demands_headers: BTreeSet<BucketName>,
}

/// A pair, or one direction of it: what the user wants, with final names for all resources, and
/// what was found of it.
#[derive(Debug, Clone)]
pub struct Topology {
    /// What the user wants of the pair as a whole.
    pub wanted: Arc<Wanted>,
    /// The forward direction of a pair, or the one direction that this is.
    pub direction: Direction,
    /// The reverse directions of a two-way pair. None where this is one direction.
    pub(super) reverse: Vec<Direction>,
    /// What was found.
    pub found: Found,
}

/// A topology reads like its direction: whoever has one has the source, the destinations, the rules
/// and the role at hand.
impl std::ops::Deref for Topology {
    type Target = Direction;

    fn deref(&self) -> &Direction {
        &self.direction
    }
}

impl Topology {
    /// Returns a one-way pair of which nothing was found.
    pub(super) fn new(wanted: Wanted, direction: Direction) -> Self {
        let (wanted, reverse) = (Arc::new(wanted), Vec::new());
        Self { wanted, direction, reverse, found: Found::default() }
    }

    /// Prefix of the keys of all tags that crrctl defines.
    pub const TAG_PREFIX: &'static str = "crrctl:";
    /// Tag with the pair's name, on every resource.
    pub const PAIR_TAG: &'static str = "crrctl:pair";
    /// Tag with the pair's id, which distinguishes pairs of the same name.
    pub const ID_TAG: &'static str = "crrctl:id";
    /// Tag of the batch jobs' role with the last job whose end was reported.
    pub const JOB_TAG: &'static str = "crrctl:job";
    /// Tag with the expiry date of an ephemeral pair, in RFC 3339. Resources of a permanent pair
    /// don't have it.
    pub const EXPIRES_TAG: &'static str = "crrctl:expires";

    /// Returns the waiting period in days before a scheduled deletion.
    pub fn deletion_window_days(&self) -> u8 {
        self.found.deletion_window_days.unwrap_or(self.wanted.key.deletion_window_days)
    }

    /// Returns the tags that every resource of the pair must have.
    pub fn all_tags(&self) -> BTreeMap<String, String> {
        let owner = self.wanted.owner_tags().map(|(key, value)| (key.to_owned(), value));
        let expires =
            self.found.expires.map(|time| (Self::EXPIRES_TAG.to_owned(), time.to_string()));
        self.wanted.tags.clone().into_iter().chain(owner).chain(expires).collect()
    }

    /// Tag of an adopted bucket. crrctl never deletes such a bucket, even if a later manifest no
    /// longer adopts it.
    pub const ADOPTED_TAG: &'static str = "crrctl:adopted";

    /// Returns the tags that `bucket` must have.
    pub fn bucket_tags(&self, bucket: &BucketName) -> BTreeMap<String, String> {
        let mark =
            self.wanted.adopts(bucket).then(|| (Self::ADOPTED_TAG.to_owned(), "true".to_owned()));
        let was = self.found.remembered.get(bucket).cloned().unwrap_or_default();
        let has_alarms = self.directions().iter().any(|direction| {
            direction.source.bucket == *bucket && direction.alarm_topic().is_some()
        });
        let alarms = has_alarms.then(|| (Self::ALARM_TAG.to_owned(), "managed".to_owned()));
        let tags = self.all_tags().into_iter().chain(mark).chain(alarms);
        tags.chain(self.optional(bucket).tags()).chain(was).collect()
    }

    /// Tag that marks a key as used by a pair that did not create it. The value is the name of the
    /// last pair that set it: one tag is used for all pairs, because a key can have at most 50 tags
    /// (KMS Developer Guide, "Resource quotas").
    pub const SHARED_TAG: &'static str = "crrctl:shared";
    /// Condition key for the requested value of [`Self::SHARED_TAG`].
    pub const SHARED_REQUEST: &'static str = "aws:RequestTag/crrctl:shared";

    /// Prefix of the tags that record on a KMS key the buckets whose data it encrypts, one tag per
    /// bucket. crrctl finds the buckets by these tags even if the manifest and the rules no longer
    /// name them.
    pub const BUCKET_TAG_PREFIX: &'static str = "crrctl:bucket/";

    /// Returns the tags that the pair's key in `region` must have.
    pub fn key_tags(&self, region: &Region) -> BTreeMap<String, String> {
        let here = self.sides().filter(|side| &side.region == region && side.has_own_key());
        let record = |side: &Side| {
            (format!("{}{}", Self::BUCKET_TAG_PREFIX, side.bucket), "encrypted".to_owned())
        };
        self.all_tags().into_iter().chain(here.map(record)).collect()
    }
}
