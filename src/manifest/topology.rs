//! The user's configuration as validated types: [`Manifest`] before the account id is known,
//! [`Topology`] after.
//! Not for: validation (see `check`).

use super::keys::{KeyRef, KeySettings};
use super::login::{Accounts, Away, Login};
use super::role::RoleSettings;
use super::rules::{PlacedRule, RuleSettings, RuleWish};
use crate::names::{
    AccountId, Arn, BucketName, InvalidName, KeyAlias, PairName, Partition, Region, RoleName,
};
use crate::settings::BucketSettings;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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
    pub(super) replication: ReplicationSettings,
    pub(super) templates: Option<PathBuf>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) login: Login,
    pub(super) home_account: Option<AccountId>,
    pub(super) away: BTreeMap<Region, Away>,
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

    /// Returns the topology with the account of each side filled in. `check` validated every name
    /// with a placeholder id of the same length, so no name becomes invalid.
    pub fn topology_in(&self, accounts: &Accounts) -> Result<Topology, InvalidName> {
        let account = &accounts.home;
        let bucket = |placed: &Placed| {
            let account = accounts.of(&placed.region).as_str();
            BucketName::new(placed.bucket.replace("{account}", account))
        };
        let side = |placed: &Placed| {
            Ok::<_, InvalidName>(Side { region: placed.region.clone(), bucket: bucket(placed)? })
        };
        let adopted = std::iter::once(&self.source).chain(&self.destinations);
        let adopted = adopted.filter(|placed| self.adopted.contains(&placed.bucket));
        let logins = self.away.iter().map(|(region, it)| (region.clone(), it.login.clone()));
        let foreign = accounts.away.iter().filter(|(_, away)| *away != account);
        let source = side(&self.source)?;
        let rule = |rule: &PlacedRule| Ok((side(&rule.place)?, rule.settings.clone()));
        let rules: Vec<(Side, RuleSettings)> =
            self.rules.iter().map(rule).collect::<Result<_, InvalidName>>()?;
        let back = |(placed, name): (&Placed, &String)| {
            let account = accounts.of(&placed.region).as_str();
            Ok((side(placed)?, RoleName::new(name.replace("{account}", account))?))
        };
        let existing = |(placed, key): (&Placed, &KeyRef)| Ok((side(placed)?, key.clone()));
        let mut topology = Topology {
            name: self.name.clone(),
            account: account.clone(),
            base: account.clone(),
            id: format!("{account}/{}/{}", source.region, source.bucket),
            home: source.clone(),
            source,
            destinations: self.destinations.iter().map(side).collect::<Result<_, _>>()?,
            rules: Vec::new(),
            logins: (self.login.clone(), logins.collect()),
            away: foreign.map(|(region, away)| (region.clone(), away.clone())).collect(),
            handed_over: self.handed_over(accounts),
            adopted: adopted.map(bucket).collect::<Result<_, _>>()?,
            role: match &self.role_settings.given {
                Some(arn) => RoleName::new(arn.resource().rsplit('/').next().unwrap_or_default())?,
                None => RoleName::new(self.role.replace("{account}", account.as_str()))?,
            },
            reverse_roles: self
                .reverse_roles
                .iter()
                .map(back)
                .collect::<Result<_, InvalidName>>()?,
            role_settings: self.role_settings.clone(),
            buckets: self.buckets.clone(),
            shared_role: self.role_settings.given.clone(),
            key: self.key.clone(),
            existing_keys: self
                .existing_keys
                .iter()
                .map(existing)
                .collect::<Result<_, InvalidName>>()?,
            unencrypted: BTreeSet::new(),
            bucket_key: self.bucket_key,
            tls_only: self.tls_only,
            deny_other_keys: self.deny_other_keys,
            profile: self.profile,
            replication: self.replication.clone(),
            tags: self.tags.clone(),
            expires: None,
        };
        topology.rules = topology.named_rules(rules);
        Ok(topology)
    }
}

/// A bucket and its Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// The bucket's Region.
    pub region: Region,
    /// Bucket name.
    pub bucket: BucketName,
}

/// The pair that the manifest describes, with final names for all resources.
#[derive(Debug, Clone)]
pub struct Topology {
    /// The pair's name.
    pub name: PairName,
    /// Account of the source and the role, in this direction.
    pub account: AccountId,
    /// Account of the pair's own source, in every direction. It applies to every Region that is not
    /// in `away`.
    pub(super) base: AccountId,
    /// Account of each Region whose side is in another account.
    pub(super) away: BTreeMap<Region, AccountId>,
    /// Regions in `away` whose sides are handed over: crrctl has no credentials for their account,
    /// and an operator of that account creates the resources.
    pub(super) handed_over: BTreeSet<Region>,
    /// Credentials of the source, and of the Regions that use other credentials.
    pub(super) logins: (Login, BTreeMap<Region, Login>),
    /// Source bucket of this direction.
    pub source: Side,
    /// The pair's own source, in every direction.
    pub home: Side,
    /// Id that distinguishes pairs of the same name: `<account>/<source-region>/<source-bucket>`.
    pub(super) id: String,
    /// Destinations, one bucket per Region.
    pub destinations: Vec<Side>,
    /// The rules, at least one per destination.
    pub rules: Vec<RuleWish>,
    /// Adopted buckets: buckets that somebody else created. crrctl manages their settings and never
    /// deletes them.
    pub adopted: BTreeSet<BucketName>,
    /// The pair's own replication role.
    pub role: RoleName,
    /// Roles of the reverse directions, if the pair is two-way.
    pub(super) reverse_roles: BTreeMap<Side, RoleName>,
    /// Other settings of the role.
    pub role_settings: RoleSettings,
    /// Settings that apply to all buckets.
    pub buckets: BucketSettings,
    /// Role that the pair's rules use instead of the pair's own: the role from `role.arn`, or the
    /// live role of a replication configuration with foreign rules.
    pub shared_role: Option<Arn>,
    /// Settings of the keys.
    pub key: KeySettings,
    /// Existing keys, by side.
    pub(super) existing_keys: BTreeMap<Side, KeyRef>,
    /// Destinations of foreign rules without a replica key.
    pub(super) unencrypted: BTreeSet<Side>,
    /// Whether buckets use S3 Bucket Keys.
    pub bucket_key: bool,
    /// Whether bucket policies deny requests without TLS.
    pub tls_only: bool,
    /// Whether bucket policies deny uploads that request another key than the pair's.
    pub deny_other_keys: bool,
    /// How much the replication role may do with the keys.
    pub profile: Profile,
    /// Settings that apply to all rules.
    pub replication: ReplicationSettings,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
    /// Expiry date of an ephemeral pair. `None` for a permanent pair.
    pub expires: Option<Timestamp>,
}

impl Topology {
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

    /// Returns the pair's partition.
    pub fn partition(&self) -> Partition {
        self.source.region.partition()
    }

    /// Returns the source and the destinations.
    pub fn sides(&self) -> impl Iterator<Item = &Side> {
        std::iter::once(&self.source).chain(&self.destinations)
    }

    /// Returns the value of [`Self::ID_TAG`]: `<account>/<source-region>/<source-bucket>`.
    pub fn id(&self) -> String {
        self.id.clone()
    }

    /// Returns the two tags that mark a resource as the pair's.
    pub fn owner_tags(&self) -> [(&'static str, String); 2] {
        [(Self::PAIR_TAG, self.name.to_string()), (Self::ID_TAG, self.id())]
    }

    /// Returns whether a resource with these tags belongs to this pair.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.owner_tags().iter().all(|(key, value)| tags.get(*key) == Some(value))
    }

    /// Returns the tags that every resource of the pair must have.
    pub fn all_tags(&self) -> BTreeMap<String, String> {
        let owner = self.owner_tags().map(|(key, value)| (key.to_owned(), value));
        let expires = self.expires.map(|time| (Self::EXPIRES_TAG.to_owned(), time.to_string()));
        self.tags.clone().into_iter().chain(owner).chain(expires).collect()
    }

    /// Tag of an adopted bucket. crrctl never deletes such a bucket, even if a later manifest no
    /// longer adopts it.
    pub const ADOPTED_TAG: &'static str = "crrctl:adopted";

    /// Returns whether the manifest adopts `bucket`.
    pub fn adopts(&self, bucket: &BucketName) -> bool {
        self.adopted.contains(bucket)
    }

    /// Returns whether `bucket`, with the tags `tags`, is adopted: somebody else created it, and
    /// crrctl only manages it.
    pub fn is_adopted(&self, bucket: &BucketName, tags: &BTreeMap<String, String>) -> bool {
        self.adopts(bucket) || tags.contains_key(Self::ADOPTED_TAG)
    }

    /// Returns the tags that `bucket` must have.
    pub fn bucket_tags(&self, bucket: &BucketName) -> BTreeMap<String, String> {
        let mark = self.adopts(bucket).then(|| (Self::ADOPTED_TAG.to_owned(), "true".to_owned()));
        self.all_tags().into_iter().chain(mark).chain(self.optional(bucket).tags()).collect()
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
        let here = self.sides().filter(|side| &side.region == region && self.has_own_key(side));
        let record = |side: &Side| {
            (format!("{}{}", Self::BUCKET_TAG_PREFIX, side.bucket), "encrypted".to_owned())
        };
        self.all_tags().into_iter().chain(here.map(record)).collect()
    }

    /// Returns the object metadata that, together with the key, identifies a probe of this pair.
    pub fn probe_metadata(&self) -> [(&'static str, String); 2] {
        [("crrctl-pair", self.name.to_string()), ("crrctl-id", self.id())]
    }
}
