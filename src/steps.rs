//! Creates, changes and removes AWS resources. One file per resource, each in the same order: find,
//! apply, confirm, remove.
//! Not for: deciding what to do (see `plan`) or in which order (see `engine`).

#![deny(clippy::wildcard_enum_match_arm)]

mod alias;
mod bucket;
mod bucket_region;
mod dropped;
mod gone;
pub(crate) mod hold;
mod key;
mod objects;
mod prover;
mod quiet;
mod recent;
mod replaced;
mod replica_key;
mod request_payer;
mod replication;
mod revive;
mod role;
mod role_in_force;
mod role_policy;
mod rotation;
pub(crate) mod settings;
mod standing;

pub use key::Scheduled;
pub use prover::Prover;
pub use replaced::Replaced;

use crate::aws::Aws;
use crate::engine::Runner;
use crate::events::{Progress, StepId};
use crate::failure::Failure;
use crate::manifest::{KeyKind, PairKeys, Side, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::plan::{Action, Kept, Removal, Work, known_keys, rules};
use crate::policy::{self, Document, Templates};
use crate::stop::Stop;
use crate::world::{Bucket, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) mod find {
    //! The `find` of each resource, for `observe` and `check`.
    pub(crate) use super::bucket::{find as bucket, find_more, is_empty, stands};
    pub(crate) use super::bucket_region::find as bucket_region;
    pub(crate) use super::key::{
        aliases, all_ids as key_ids, by_tags as keys_by_tags, describe as key,
        details as key_details, details_of_others as key_details_of_others, grants as key_grants,
        tags as key_tags, with_policy as key_with_policy,
    };
    pub(crate) use super::objects::count as objects;
    pub(crate) use super::replication::find as replication;
    pub(crate) use super::request_payer::find as requester_pays;
    pub(crate) use super::role::{find as role, tags as role_tags};
    pub(crate) use super::role_in_force::{RoleInForce, find as role_in_force};
    pub(crate) use super::settings::{
        Stored, find_policy as bucket_policy, find_tags as bucket_tags,
    };
}

/// Runs the actions of one pair.
#[derive(Debug)]
pub struct Steps {
    aws: Arc<Aws>,
    topology: Topology,
    /// The topology plus the destinations that only live rules name. The role serves these too.
    served: Topology,
    /// Every direction that is wanted or live, the forward direction first.
    directions: Vec<Topology>,
    /// The bucket that holds only reports of batch jobs, if there is one.
    reports: Option<Side>,
    templates: Templates,
    stop: Stop,
    removal: Removal,
    keys: Mutex<KeyBook>,
    /// The buckets that did not exist when this run began.
    fresh: BTreeSet<BucketName>,
    /// The Regions in which an alias of the pair's name existed when this run began.
    aliased: BTreeSet<Region>,
    seen: Mutex<standing::Seen>,
    /// Notified whenever a key is created or named. The value is `true` once everything is built.
    keys_moved: watch::Sender<bool>,
    /// The buckets that this run deleted, with the time of each deletion.
    deleted: Mutex<BTreeMap<BucketName, Instant>>,
    scheduled: Mutex<BTreeMap<Arn, Scheduled>>,
    held: Mutex<Vec<Kept>>,
    activated_at: OnceLock<jiff::Timestamp>,
    prover: Option<Box<dyn Prover>>,
    /// The content that each step found before it first overwrote a setting or document shared with
    /// other owners.
    replaced: Mutex<Vec<(StepId, Option<Value>)>>,
    /// The buckets that existed before the pair, as this run found them.
    adopted: BTreeMap<BucketName, Bucket>,
    /// What existed when this run began, if the rules use another owner's role. That role must
    /// still be proven for keys that this run creates.
    beside_others: Option<World>,
}

impl Steps {
    /// Prepares to build or remove the resources of `topology`, starting from `world`.
    pub fn new(
        aws: Arc<Aws>,
        topology: Topology,
        templates: Templates,
        world: &World,
        stop: Stop,
        removal: Removal,
    ) -> Self {
        let keys = Mutex::new(KeyBook::new(&topology, world));
        let served = rules::served(&topology, world);
        let directions = rules::directions(&topology, world);
        // Every function that needs the report bucket has validated its name before.
        let reports = topology.report_side().ok().flatten();
        let is_fresh = |side: &&Side| !world.buckets.contains_key(&side.bucket);
        let is_adopted =
            |(name, it): &(&BucketName, &Bucket)| topology.wanted.is_adopted(name, &it.tags);
        let adopted = world.buckets.iter().filter(is_adopted);
        let adopted = adopted.map(|(name, it)| (name.clone(), it.clone())).collect();
        let fresh = topology.sides().filter(is_fresh).map(|side| side.bucket.clone()).collect();
        Self {
            fresh,
            aliased: world.keys.aliases.keys().cloned().collect(),
            seen: Mutex::default(),
            keys_moved: watch::Sender::new(false),
            deleted: Mutex::default(),
            reports,
            aws,
            served,
            directions,
            templates,
            stop,
            removal,
            keys,
            scheduled: Mutex::default(),
            held: Mutex::default(),
            activated_at: OnceLock::new(),
            prover: None,
            beside_others: topology.shared_role().is_some().then(|| world.clone()),
            topology,
            replaced: Mutex::default(),
            adopted,
        }
    }

    /// Has `prover` prove rules before they go live.
    #[must_use]
    pub fn proving_first(self, prover: Option<Box<dyn Prover>>) -> Self {
        Self { prover, ..self }
    }

    /// Returns the keys whose deletion was scheduled, by ARN.
    pub fn scheduled(&self) -> BTreeMap<Arn, Scheduled> {
        self.going().clone()
    }

    fn going(&self) -> MutexGuard<'_, BTreeMap<Arn, Scheduled>> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the object versions that S3 did not delete, and what holds each.
    pub fn held(&self) -> Vec<Kept> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns when the rules were confirmed to be live, if this run wrote them.
    pub fn activated_at(&self) -> Option<jiff::Timestamp> {
        self.activated_at.get().copied()
    }

    /// Returns the pair's keys that other resources may name: keys that an alias names, and keys
    /// that existed before the pair.
    pub fn keys(&self) -> PairKeys {
        self.book().committed.clone()
    }

    fn book(&self) -> MutexGuard<'_, KeyBook> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns crrctl's own key in `region`. Fails until the alias names the key.
    fn committed_key(&self, region: &Region) -> Result<KeyId, Failure> {
        let key = self.book().committed.id(region).cloned();
        key.ok_or_else(|| Failure::bug("no alias names the key yet, so nothing may use it"))
    }

    /// Returns the keys of the sides of `direction`. Fails until an alias names each of them.
    fn committed_keys(&self, direction: &Topology) -> Result<PairKeys, Failure> {
        let keys = self.keys();
        if direction.knows_keys(&keys) {
            return Ok(keys);
        }
        Err(Failure::bug("no alias names a key of the pair yet, so nothing may use it"))
    }

    /// Returns the key for an action on the key itself: the committed key, or the key about to be
    /// committed.
    fn any_key(&self, region: &Region) -> Result<KeyId, Failure> {
        let book = self.book();
        let key = book.committed.id(region);
        let key = key.or_else(|| book.made.get(region)).or_else(|| book.found.get(region)).cloned();
        key.ok_or_else(|| Failure::bug("there is no key yet"))
    }

    /// Renders a document. Placeholders replace keys that are not named yet, because documents that
    /// name them are written later.
    fn render(&self, document: &Document) -> Result<Value, Failure> {
        let keys = self.topology.or_some_keys(&self.keys());
        Ok(policy::render(document, &self.topology, &keys, &self.templates)?)
    }

    /// Returns the side with the bucket `name`, which may be the report bucket.
    fn side(&self, name: &str) -> Result<&Side, Failure> {
        let mut sides = self.topology.sides().chain(&self.reports);
        let side = sides.find(|side| side.bucket.as_str() == name);
        side.ok_or_else(|| Failure::bug(&format!("`{name}` is no bucket of this pair")))
    }

    /// Returns the direction whose source is the bucket `name`.
    fn direction_from(&self, name: &str) -> Result<&Topology, Failure> {
        let direction = self.directions.iter().find(|it| it.source.bucket.as_str() == name);
        direction.ok_or_else(|| Failure::bug(&format!("`{name}` replicates nothing of this pair")))
    }

    /// Returns the direction of the role `name` in the account whose IAM is called in `home`.
    fn direction_of_role(&self, name: &str, home: &Region) -> Result<&Topology, Failure> {
        let is_it = |it: &&Topology| it.role.as_str() == name && it.role_region() == home;
        let direction = self.directions.iter().find(is_it);
        direction.ok_or_else(|| Failure::bug(&format!("`{name}` is no role of this pair")))
    }

    fn is_batch_role(&self, name: &str) -> bool {
        name == self.topology.batch_role()
    }

    fn bucket_arn(&self, name: &BucketName) -> Arn {
        name.arn(self.topology.wanted.partition())
    }

    fn key_arn(&self, key: &KeyId, region: &Region) -> Arn {
        key.arn(region, self.topology.wanted.account_of(region))
    }
}

/// The keys that a run has found or created, by how far the run may use them.
#[derive(Debug, Default)]
struct KeyBook {
    /// Keys that an alias names, and keys that existed before the pair. Other resources may name
    /// only these.
    committed: PairKeys,
    /// Keys that were found by their tags and that no alias names yet.
    found: BTreeMap<Region, KeyId>,
    /// Keys that this run created. After a lost race for the alias, only these may be scheduled for
    /// deletion.
    made: BTreeMap<Region, KeyId>,
}

impl KeyBook {
    fn new(topology: &Topology, world: &World) -> Self {
        let mut book = Self::default();
        for side in topology.sides() {
            if let Some(key) = world.keys.existing.get(&side.bucket) {
                book.committed.enter_existing(side, key.arn.clone());
            }
        }
        let known = known_keys(topology, world);
        for region in topology.key_regions() {
            let Some(id) = known.id(region) else { continue };
            if world.keys.aliases.get(commit_region(topology, region)) == Some(id) {
                book.committed.enter(topology.wanted.key.kind, region, id.clone());
            } else {
                book.found.insert(region.clone(), id.clone());
            }
        }
        book
    }
}

/// Returns the Region whose alias is the record of the key in `region`.
fn commit_region<'a>(topology: &'a Topology, region: &'a Region) -> &'a Region {
    match topology.wanted.key.kind {
        KeyKind::MultiRegion => &topology.source.region,
        KeyKind::PerRegion | KeyKind::Existing | KeyKind::None => region,
    }
}

/// Converts an error of an SDK builder to a failure. All required values are set, so an error is a
/// bug.
pub(crate) fn built<T>(
    result: Result<T, aws_smithy_types::error::operation::BuildError>,
) -> Result<T, Failure> {
    result.map_err(|error| Failure::bug(&error.to_string()))
}

impl Runner for Steps {
    async fn run(&self, action: &Action, progress: &Progress) -> Result<Arn, Failure> {
        self.replaces_setting(action);
        match &action.work {
            Work::Key(work) => self.run_key(action, work, progress).await,
            Work::SharedKey(pair) => self.mark_shared(action, pair, progress).await,
            Work::Alias(work) => self.run_alias(action, work, progress).await,
            Work::Rotation(work) => self.run_rotation(action, work, progress).await,
            Work::ReplicaKey(work) => self.run_replica_key(action, work, progress).await,
            Work::Bucket(work) => self.run_bucket(action, work, progress).await,
            Work::BucketTags(work) => self.run_bucket_tags(action, work, progress).await,
            Work::Document(change) => self.run_document(action, change, progress).await,
            Work::BucketPolicy(work) => self.run_bucket_policy(action, work, progress).await,
            Work::Lifecycle(work) => self.run_lifecycle(action, work, progress).await,
            Work::Role(work) => self.run_role(action, work, progress).await,
            Work::RolePolicy(work) => self.run_role_policy(action, work, progress).await,
            Work::Rules(work) => self.run_rules(action, work, progress).await,
            Work::DroppedRule(work) => self.run_dropped_rule(action, work, progress).await,
        }
    }
}

/// Returns the ARN of the thing that `action` changes or removes. It exists, so the plan knows it.
fn known_arn(action: &Action) -> Result<Arn, Failure> {
    let missing = || Failure::bug(&format!("{} names no resource", action.id));
    action.arn.clone().ok_or_else(missing)
}

/// Returns the failure of an action that changes nothing: the engine runs only those that do.
fn nothing_to_do(action: &Action) -> Failure {
    Failure::bug(&format!("{} has nothing to do", action.id))
}
