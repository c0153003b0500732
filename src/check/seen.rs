//! Reads each resource of a pair separately: a resource that can't be read yields its own error and
//! hides no other resource.
//! Not for: judging the resources (see the checks).

use crate::aws::{At, Aws, Error};
use crate::manifest::{KeyKind, KeyWish, Manifest, PairKeys, Side, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::plan::{others, rules};
use crate::settings::{Encryption, Lock, Versioning};
use crate::steps::find::{self, Stored};
use crate::world::{Alarm, Key, Replication, Tags};
use futures::future::{join, join_all};
use serde_json::Value;
use std::collections::BTreeMap;

/// The value that was read, or the error of the read.
pub(super) type Read<T> = Result<T, Error>;

/// Everything of a pair that the checks use.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) topology: Topology,
    /// The pair's keys, each found by its alias or, if the alias is missing, by the bucket's
    /// default encryption.
    pub(super) pair_keys: PairKeys,
    /// By bucket.
    pub(super) keys: BTreeMap<BucketName, KeySeen>,
    /// The source bucket comes first.
    pub(super) buckets: Vec<(Side, BucketSeen)>,
    pub(super) role: Read<Option<RoleSeen>>,
    /// The alarms in the source's Region. Not read if the manifest wants none.
    pub(super) alarms: Read<Vec<Alarm>>,
}

/// The key in one Region.
#[derive(Clone)]
pub(super) struct KeySeen {
    /// The key that the alias names.
    pub(super) named: Read<Option<Key>>,
    /// The pair's key; `details` holds its policy, tags and rotation.
    pub(super) key: Read<Option<Key>>,
    /// The key with its policy, tags and rotation; `None` if there is no key.
    pub(super) details: Option<Read<Key>>,
}

/// A bucket and its settings.
#[derive(Clone)]
pub(super) struct BucketSeen {
    pub(super) head: Read<()>,
    pub(super) tags: Read<Tags>,
    pub(super) versioning: Read<Option<Versioning>>,
    pub(super) encryption: Read<Option<Encryption>>,
    pub(super) policy: Read<Option<Value>>,
    pub(super) lock: Read<Option<Lock>>,
    pub(super) replication: Read<Option<Replication>>,
}

/// The replication role with every policy that applies to it.
#[derive(Clone)]
pub(super) struct RoleSeen {
    pub(super) tags: Tags,
    pub(super) trust: Value,
    /// Inline and attached policies, by policy name.
    pub(super) policies: Read<Vec<(String, Value)>>,
    pub(super) boundary: Read<Option<(String, Value)>>,
}

impl Seen {
    /// Reads every resource of the pair.
    pub(super) async fn look(aws: &Aws, manifest: &Manifest, mut topology: Topology) -> Self {
        let sides: Vec<Side> = topology.sides().cloned().collect();
        let alias = manifest.alias().as_str();
        let named = join_all(sides.iter().map(|side| {
            let name = match &side.key {
                KeyWish::Ours => Some(alias),
                KeyWish::Existing(given) => Some(given.as_str()),
                KeyWish::Nothing => None,
            };
            async move {
                match name {
                    Some(name) => find::key(aws, &side.region, name).await,
                    None => Ok(None),
                }
            }
        }));
        let buckets = join_all(sides.iter().map(|side| bucket(aws, side)));
        let own_role = role(aws, &topology);
        let alarms = async {
            match topology.alarm_topic() {
                Some(_) => find::alarms(aws, &topology, &topology.source.region).await,
                None => Ok(Vec::new()),
            }
        };
        let others = join(own_role, alarms);
        let ((named, buckets), (own_role, alarms)) = join(join(named, buckets), others).await;
        let live = buckets.first().and_then(|source| source.replication.as_ref().ok()?.as_ref());
        topology.found.shared_role = others::shared_role(&topology, live);
        rules::keep_ids(&mut topology, live);
        let is_shared = topology.shared_role().is_some();
        let role = if is_shared { role(aws, &topology).await } else { own_role };
        let buckets: Vec<_> = sides.iter().cloned().zip(buckets).collect();
        topology.found.kept_encryption = kept(&topology, &buckets);
        let shared = pairs_key(named.first(), buckets.first());
        let mut pair_keys = PairKeys::default();
        for ((side, named), bucket) in sides.iter().zip(&named).zip(&buckets) {
            let is_shared = topology.wanted.key.kind == KeyKind::MultiRegion;
            let own = if is_shared { shared.clone() } else { pairs_key(Some(named), Some(bucket)) };
            match (&side.key, own, named) {
                (KeyWish::Ours, Some(id), _) => {
                    pair_keys.enter(topology.wanted.key.kind, &side.region, id);
                }
                (KeyWish::Existing(_), _, Ok(Some(key))) => {
                    pair_keys.enter_existing(side, key.arn.clone());
                }
                _ => {}
            }
        }
        let has_key = |(side, _): &(&Side, _)| side.has_key();
        let keys = join_all(sides.iter().zip(named).filter(has_key).map(|(side, named)| {
            let id = match &side.key {
                KeyWish::Ours => pair_keys.id(&side.region).cloned(),
                _ => named.as_ref().ok().and_then(|key| key.as_ref()).map(|key| key.id.clone()),
            };
            async move { (side.bucket.clone(), key_in(aws, side, named, id).await) }
        }));
        let keys = keys.await.into_iter().collect();
        Self { topology, pair_keys, keys, buckets, role, alarms }
    }

    /// Returns the same as if the source were encrypted under the key `arn`, which is read.
    pub(super) async fn with_source_key(mut self, aws: &Aws, arn: &str) -> Self {
        self.topology.direction.source.key = KeyWish::of_rule(Some(arn));
        let side = self.topology.source.clone();
        let named = find::key(aws, &side.region, arn).await;
        let key = named.as_ref().ok().and_then(Option::as_ref);
        if let Some(key) = key {
            self.pair_keys.enter_existing(&side, key.arn.clone());
        }
        let id = key.map(|key| key.id.clone());
        let key = key_in(aws, &side, named, id).await;
        self.keys.insert(side.bucket.clone(), key);
        if let Some((first, _)) = self.buckets.first_mut() {
            *first = side;
        }
        self
    }

    /// Returns whether any resource of the pair exists, so that a missing resource is a defect.
    pub(super) fn stands(&self) -> bool {
        let source = self.buckets.first();
        source.is_some_and(|(_, bucket)| !is_absent(&bucket.head))
            || matches!(self.role, Ok(Some(_)))
            || self.keys.values().any(|key| matches!(key.named, Ok(Some(_))))
    }

    /// Returns the failed read of what would show that the pair exists, if one failed otherwise than
    /// by an absence.
    pub(super) fn unread(&self) -> Option<&Error> {
        let role = self.role.as_ref().err();
        let keys = self.keys.values().filter_map(|key| key.named.as_ref().err());
        role.into_iter().chain(keys).find(|error| !error.is_absent())
    }

    /// Returns the remedy for a missing resource in `region`: `apply`, or the other account's
    /// operator if that side is handed over.
    pub(super) fn maker(&self, region: &Region, apply: &str) -> String {
        if self.topology.wanted.is_handed_over(region) {
            let account = self.topology.wanted.account_of(region);
            format!(
                "the owner of account {account} makes it; `crrctl apply` prints the documents for it"
            )
        } else {
            apply.to_owned()
        }
    }

    /// Adds the keys of destinations that can't be read because the caller has no credentials for
    /// their account. The keys are those that the live rules name.
    pub(super) fn believe_rules(&mut self) {
        let live = self.source().and_then(|source| source.replication.as_ref().ok()?.clone());
        for side in &self.topology.destinations {
            if self.topology.wanted.key_arn(&self.pair_keys, side).is_some() {
                continue;
            }
            let arn = side.bucket.arn(self.topology.wanted.partition());
            let rules = live.iter().flat_map(|live| &live.rules);
            let rule = rules.filter(|rule| rule.destination == arn.as_str());
            let named = rule.filter_map(|rule| Arn::new(rule.replica_key.clone()?).ok());
            let account = side.account.as_str();
            let is_there =
                |key: &Arn| key.region() == side.region.as_str() && key.account() == account;
            let id = |key: Arn| KeyId::new(key.resource().strip_prefix("key/")?).ok();
            if let Some(id) = named.filter(is_there).find_map(id) {
                self.pair_keys.enter(self.topology.wanted.key.kind, &side.region, id);
            }
        }
    }

    /// Returns whether `side` is the source of this direction.
    pub(super) fn is_source(&self, side: &Side) -> bool {
        side == &self.topology.source
    }

    /// Returns the failure reasons that S3 gives for `side`: `as_source`, `as_destination`, or both
    /// in a two-way pair.
    pub(super) fn reasons(
        &self,
        side: &Side,
        as_source: &'static str,
        as_destination: &'static str,
    ) -> Vec<&'static str> {
        let directions = self.topology.directions();
        let is = |other: &Side| other.bucket == side.bucket;
        let is_source = directions.iter().any(|it| is(&it.source));
        let is_destination = directions.iter().any(|it| it.destinations.iter().any(is));
        let source = is_source.then_some(as_source);
        source.into_iter().chain(is_destination.then_some(as_destination)).collect()
    }

    /// Returns the source bucket.
    pub(super) fn source(&self) -> Option<&BucketSeen> {
        self.buckets.first().map(|(_, bucket)| bucket)
    }
}

/// Returns the default encryption of the buckets that keep theirs.
fn kept(topology: &Topology, buckets: &[(Side, BucketSeen)]) -> BTreeMap<BucketName, Encryption> {
    let wanted = &topology.wanted;
    let keeps = |side: &Side, bucket: &BucketSeen| {
        let none = Tags::new();
        let tags = bucket.tags.as_ref().unwrap_or(&none);
        wanted.is_adopted(&side.bucket, tags) && !wanted.buckets.manages_encryption(true)
    };
    let kept =
        buckets.iter().filter(|(side, bucket)| keeps(side, bucket)).filter_map(|(side, it)| {
            let live = it.encryption.as_ref().ok()?.clone();
            Some((side.bucket.clone(), live.unwrap_or_else(Encryption::by_default)))
        });
    kept.collect()
}

/// Returns whether a read failed because the resource does not exist.
pub(super) fn is_absent<T>(read: &Read<T>) -> bool {
    read.as_ref().is_err_and(Error::is_absent)
}

/// Returns the key that the alias names. If the alias is missing, returns the key of the bucket's
/// default encryption.
fn pairs_key(
    named: Option<&Read<Option<Key>>>,
    bucket: Option<&(Side, BucketSeen)>,
) -> Option<KeyId> {
    if let Some(Ok(Some(key))) = named {
        return Some(key.id.clone());
    }
    let encryption = bucket?.1.encryption.as_ref().ok()?.as_ref()?;
    let id = encryption.key()?.rsplit('/').next()?;
    KeyId::new(id).ok()
}

async fn key_in(aws: &Aws, side: &Side, named: Read<Option<Key>>, id: Option<KeyId>) -> KeySeen {
    let is_named = |key: &Key| Some(&key.id) == id.as_ref();
    let key = match (&named, &id) {
        (Ok(Some(key)), _) if is_named(key) => Ok(Some(key.clone())),
        (_, Some(id)) => find::key(aws, &side.region, id.as_str()).await,
        (Err(error), None) => Err(error.clone()),
        (Ok(_), None) => Ok(None),
    };
    let details = match &key {
        Ok(Some(key)) if side.has_own_key() => Some(find::key_details(aws, key.clone()).await),
        Ok(Some(key)) => Some(find::key_details_of_others(aws, key.clone()).await),
        _ => None,
    };
    KeySeen { named, key, details }
}

async fn bucket(aws: &Aws, side: &Side) -> BucketSeen {
    let (bucket, region) = (&side.bucket, &side.region);
    let head = async {
        let request = aws.s3(region).head_bucket().bucket(bucket.as_str());
        request.send().await.at("s3:HeadBucket", region).map(drop)
    };
    let (head, tags, versioning, encryption, policy, lock, replication) = tokio::join!(
        head,
        find::bucket_tags(aws, bucket, region),
        Versioning::find(aws, bucket, region),
        Encryption::find(aws, bucket, region),
        find::bucket_policy(aws, bucket, region),
        Lock::find(aws, bucket, region),
        find::replication(aws, bucket, region),
    );
    BucketSeen { head, tags, versioning, encryption, policy, lock, replication }
}

async fn role(aws: &Aws, topology: &Topology) -> Read<Option<RoleSeen>> {
    let found = find::role_in_force(aws, &topology.assumed_role(), topology.role_region()).await?;
    Ok(found.map(|it| RoleSeen {
        tags: it.tags,
        trust: it.trust,
        policies: it.policies,
        boundary: it.boundary,
    }))
}
