//! What the user wants, as checked types. A [`Manifest`] does not know the account yet; a [`Topology`] does.
//! Not for: checking (see `check`).

use super::buckets::BucketSettings;
use super::keys::{KeyRef, KeySettings};
use super::login::{Accounts, Away, Login};
use super::role::RoleSettings;
use super::rules::{PlacedRule, RuleSettings, RuleWish};
use crate::names::{
    AccountId, Arn, BucketName, InvalidName, KeyAlias, PairName, Partition, Region, RoleName,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A checked manifest. Placeholders other than `{account}` are filled in.
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

/// A bucket's place, its name still with `{account}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    pub(super) region: Region,
    pub(super) bucket: String,
}

/// How much the replication role may do with the key (`policy.profile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// What works whatever uploaders do: Bucket Keys are per object, so any uploader can switch one on
    /// (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
    #[default]
    Compatible,
    /// What AWS documents as the least for objects without Bucket Keys: `kms:Encrypt` alone at the destination.
    Strict,
}

/// What holds of all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationSettings {
    /// How a rule goes live.
    pub activation: Activation,
    /// Whether every destination replicates back to the source.
    pub two_way: bool,
}

/// How a rule goes live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// At once where the source is ours and nobody else has objects in it; else not before it is proven.
    Auto,
    /// Not before it is proven, whatever the source holds.
    ProvenFirst,
    /// At once.
    Direct,
}

impl Manifest {
    /// Returns the pair's name.
    pub fn name(&self) -> &PairName {
        &self.name
    }

    /// Returns the source's Region, in which IAM and STS are called too.
    pub fn source_region(&self) -> &Region {
        &self.source.region
    }

    /// Returns the key's alias.
    pub fn alias(&self) -> &KeyAlias {
        &self.key.alias
    }

    /// Returns the folder whose files take the place of single policy templates.
    pub fn templates(&self) -> Option<&Path> {
        self.templates.as_deref()
    }

    /// Returns every Region of the pair, the source's first.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        std::iter::once(&self.source).chain(&self.destinations).map(|placed| &placed.region)
    }

    /// Returns the Regions in which the alias names a key of the pair, the source's first.
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

    /// Fills in the source's account, and those of other sides as far as the manifest tells them.
    pub fn topology(&self, account: &AccountId) -> Result<Topology, InvalidName> {
        self.topology_in(&self.some_accounts(account))
    }

    /// Fills in the accounts, of each side its own. `check` has tried this with a placeholder of the same length, so no name
    /// can become invalid by it.
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
    /// The bucket.
    pub bucket: BucketName,
}

/// What the user wants, complete: every name is the one AWS will see.
#[derive(Debug, Clone)]
pub struct Topology {
    /// The pair's name.
    pub name: PairName,
    /// The account of the source and the role.
    pub account: AccountId,
    /// The account of every Region that is not away: that of the pair's own source, whichever direction is looked at.
    pub(super) base: AccountId,
    /// The accounts of Regions whose side is in another one.
    pub(super) away: BTreeMap<Region, AccountId>,
    /// Those of them whose credentials are not at hand.
    pub(super) handed_over: BTreeSet<Region>,
    /// What the source's credentials come from, and those of Regions that have others.
    pub(super) logins: (Login, BTreeMap<Region, Login>),
    /// Where objects are written.
    pub source: Side,
    /// The pair's own source, whichever direction is looked at.
    pub home: Side,
    /// Tells pairs of one name apart: `<account>/<source-region>/<source-bucket>`.
    pub(super) id: String,
    /// Where replicas go, one bucket a Region.
    pub destinations: Vec<Side>,
    /// The rules, one or more to each destination.
    pub rules: Vec<RuleWish>,
    /// Buckets that are managed and never deleted: somebody else made them.
    pub adopted: BTreeSet<BucketName>,
    /// The pair's own replication role.
    pub role: RoleName,
    /// The roles by which destinations replicate back, where the pair is two-way.
    pub(super) reverse_roles: BTreeMap<Side, RoleName>,
    /// What else the manifest says of the role.
    pub role_settings: RoleSettings,
    /// What holds of all buckets.
    pub buckets: BucketSettings,
    /// The role of a configuration in which others have rules: it stays, and the pair's rules go by it.
    pub shared_role: Option<Arn>,
    /// The key's settings.
    pub key: KeySettings,
    /// What names the keys of the sides that have one of their own.
    pub(super) existing_keys: BTreeMap<Side, KeyRef>,
    /// Destinations of others' rules that name no key.
    pub(super) unencrypted: BTreeSet<Side>,
    /// Whether buckets use S3 Bucket Keys.
    pub bucket_key: bool,
    /// Whether bucket policies deny requests without TLS.
    pub tls_only: bool,
    /// Whether bucket policies deny uploads that ask for another key than the pair's.
    pub deny_other_keys: bool,
    /// How much the replication role may do with the key.
    pub profile: Profile,
    /// What holds of all rules.
    pub replication: ReplicationSettings,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
    /// Until when an ephemeral pair is to stand; `None` for one that stays.
    pub expires: Option<Timestamp>,
}

/// Where the completion reports of batch jobs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The bucket.
    pub bucket: String,
    /// The key prefix, with a slash at its end.
    pub prefix: String,
    /// Whether that is the source bucket, so that reports are encrypted under the pair's key.
    pub with_data: bool,
}

impl Topology {
    /// Begins the keys of all of crrctl's own tags.
    pub const TAG_PREFIX: &'static str = "crrctl:";
    /// Names the pair on every resource.
    pub const PAIR_TAG: &'static str = "crrctl:pair";
    /// Tells pairs of one name apart.
    pub const ID_TAG: &'static str = "crrctl:id";
    /// The tag of the batch jobs' role that says which job's end was told last.
    pub const JOB_TAG: &'static str = "crrctl:job";
    /// Says until when an ephemeral pair stands, in RFC 3339; what stays does not bear it.
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

    /// Returns the two tags that make a resource ours.
    pub fn owner_tags(&self) -> [(&'static str, String); 2] {
        [(Self::PAIR_TAG, self.name.to_string()), (Self::ID_TAG, self.id())]
    }

    /// Returns whether a resource with these tags is this pair's.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.owner_tags().iter().all(|(key, value)| tags.get(*key) == Some(value))
    }

    /// Returns every tag a resource of the pair should bear.
    pub fn all_tags(&self) -> BTreeMap<String, String> {
        let owner = self.owner_tags().map(|(key, value)| (key.to_owned(), value));
        let expires = self.expires.map(|time| (Self::EXPIRES_TAG.to_owned(), time.to_string()));
        self.tags.clone().into_iter().chain(owner).chain(expires).collect()
    }

    /// Marks a bucket that crrctl manages and never deletes, whatever a later manifest says.
    pub const ADOPTED_TAG: &'static str = "crrctl:adopted";

    /// Returns whether the manifest adopts `bucket`.
    pub fn adopts(&self, bucket: &BucketName) -> bool {
        self.adopted.contains(bucket)
    }

    /// Returns whether `bucket`, which bears `tags`, is somebody else's and only managed.
    pub fn is_adopted(&self, bucket: &BucketName, tags: &BTreeMap<String, String>) -> bool {
        self.adopts(bucket) || tags.contains_key(Self::ADOPTED_TAG)
    }

    /// Returns every tag that `bucket` should bear.
    pub fn bucket_tags(&self, bucket: &BucketName) -> BTreeMap<String, String> {
        let mark = self.adopts(bucket).then(|| (Self::ADOPTED_TAG.to_owned(), "true".to_owned()));
        self.all_tags().into_iter().chain(mark).chain(self.optional(bucket).tags()).collect()
    }

    /// The tag by which a key says that a pair that did not make it uses it too: the name of the last one that said so. A key has room
    /// for 50 tags (KMS Developer Guide, "Resource quotas"), and for more pairs than that.
    pub const SHARED_TAG: &'static str = "crrctl:shared";
    /// The condition key for the value that [`Self::SHARED_TAG`] is to have.
    pub const SHARED_REQUEST: &'static str = "aws:RequestTag/crrctl:shared";

    /// Begins the keys of tags by which a KMS key records the buckets whose data it encrypts, each under its name: they are
    /// found again by it, whatever becomes of the manifest and the rules.
    pub const BUCKET_TAG_PREFIX: &'static str = "crrctl:bucket/";

    /// Returns every tag the pair's key in `region` should bear.
    pub fn key_tags(&self, region: &Region) -> BTreeMap<String, String> {
        let here = self.sides().filter(|side| &side.region == region && self.has_own_key(side));
        let record = |side: &Side| {
            (format!("{}{}", Self::BUCKET_TAG_PREFIX, side.bucket), "encrypted".to_owned())
        };
        self.all_tags().into_iter().chain(here.map(record)).collect()
    }

    /// Returns the name of the role that S3 Batch Operations assumes for this pair, beside the replication role.
    pub fn batch_role(&self) -> String {
        // A role's name has at most 64 characters (see `RoleName`), all of them ASCII.
        let stem: String = self.role.as_str().chars().take(58).collect();
        format!("{stem}-batch")
    }

    /// Returns the ARN of [`Self::batch_role`].
    pub fn batch_role_arn(&self) -> Arn {
        let resource = format!("role{}{}", self.role_settings.path, self.batch_role());
        Arn::known(self.partition(), "iam", "", self.account.as_str(), &resource)
    }

    /// Returns where completion reports and manifests of batch jobs go: a report inside a rule's prefix would itself be
    /// replicated, so it lies beside the data only where the rule leaves room, else in a bucket of its own.
    pub fn reports(&self) -> Reports {
        let prefix = format!("_crrctl-batch/{}/", self.name);
        let source = &self.source;
        let replicates = |rule: &RuleWish| prefix.starts_with(&rule.settings.prefix);
        // Nor does it lie where new versions are held.
        let is_held = self.buckets.retention().is_some();
        if is_held || self.rules.iter().any(replicates) {
            let rest = format!("-reports-{}-{}", self.account, source.region);
            // A bucket's name has at most 63 characters, all of them ASCII.
            let room = 63_usize.saturating_sub(rest.len());
            let stem: String = self.name.as_str().chars().take(room).collect();
            Reports { bucket: format!("{stem}{rest}"), prefix, with_data: false }
        } else {
            Reports { bucket: source.bucket.to_string(), prefix, with_data: true }
        }
    }

    /// Returns the side of the bucket that is there for reports alone, if there is one.
    pub fn report_side(&self) -> Result<Option<Side>, crate::names::InvalidName> {
        let reports = self.reports();
        if reports.with_data {
            return Ok(None);
        }
        let region = self.source.region.clone();
        Ok(Some(Side { region, bucket: BucketName::new(reports.bucket)? }))
    }

    /// Returns whether the object `key` of `side` is a completion report of this pair's batch jobs, by the place that S3 gives
    /// reports (S3 User Guide, "Examples: S3 Batch Operations completion reports").
    pub fn is_report(&self, side: &Side, key: &str) -> bool {
        let reports = self.reports();
        let job = || key.strip_prefix(&reports.prefix)?.strip_prefix("job-")?.split_once('/');
        let is_id =
            |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let is_part = |part: &str| {
            let name =
                |part: &'_ str| part.strip_prefix("results/")?.strip_suffix(".csv").map(str::len);
            ["manifest.json", "manifest.json.md5"].contains(&part) || name(part).is_some()
        };
        side.bucket.as_str() == reports.bucket
            && job().is_some_and(|(id, part)| is_id(id) && is_part(part))
    }

    /// Returns the metadata that, beside its key, makes an object a probe of this pair.
    pub fn probe_metadata(&self) -> [(&'static str, String); 2] {
        [("crrctl-pair", self.name.to_string()), ("crrctl-id", self.id())]
    }
}
