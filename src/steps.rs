//! What AWS is asked to make, change and take away: one file a thing, each in the same order: find, apply, confirm, remove.
//! Not for: deciding what is to be done (see `plan`) or in which order (see `engine`).

mod alias;
mod bucket;
mod bucket_policy;
mod bucket_tags;
mod encryption;
mod key;
mod objects;
mod ownership;
mod prover;
mod public_access_block;
mod replica_key;
mod replication;
mod role;
mod role_policy;
mod rotation;
mod versioning;

pub use key::Scheduled;
pub use prover::Prover;

use crate::aws::Aws;
use crate::engine::Runner;
use crate::events::{Kind, Progress, Verb};
use crate::failure::{self, Failure};
use crate::manifest::{Side, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::plan::{Action, Kept, Removal, rules};
use crate::policy::{self, Document, Templates};
use crate::stop::Stop;
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub(crate) mod find {
    //! The `find` of each thing, for `observe` and `check`.
    pub(crate) use super::bucket::{find as bucket, is_empty};
    pub(crate) use super::bucket_policy::find as bucket_policy;
    pub(crate) use super::bucket_tags::find as bucket_tags;
    pub(crate) use super::encryption::find as encryption;
    pub(crate) use super::key::{
        aliases, all_ids as key_ids, by_tags as keys_by_tags, describe as key,
        details as key_details, grants as key_grants, tags as key_tags,
    };
    pub(crate) use super::objects::count as objects;
    pub(crate) use super::replication::find as replication;
    pub(crate) use super::role::{document, find as role, tags as role_tags};
}

/// Does what actions say, for one pair.
#[derive(Debug)]
pub struct Steps {
    aws: Arc<Aws>,
    topology: Topology,
    /// The topology with the destinations that only live rules name: the role serves these too.
    served: Topology,
    templates: Templates,
    stop: Stop,
    removal: Removal,
    /// The key that the alias names: only after it is set may anything name the key.
    key: OnceLock<KeyId>,
    /// A key that was found by its tags and that no alias names yet.
    found: Option<KeyId>,
    /// The key that this very run made: no other may be scheduled for having lost the race for the alias.
    made: OnceLock<KeyId>,
    scheduled: Mutex<BTreeMap<Arn, Scheduled>>,
    held: Mutex<Vec<Kept>>,
    activated_at: OnceLock<jiff::Timestamp>,
    prover: Option<Box<dyn Prover>>,
}

impl Steps {
    /// Prepares to build or remove what `topology` says, starting from `world`.
    pub fn new(
        aws: Arc<Aws>,
        topology: Topology,
        templates: Templates,
        world: &World,
        stop: Stop,
        removal: Removal,
    ) -> Self {
        let primary = world.keys.primary.as_ref().map(|key| key.id.clone());
        let named = world
            .keys
            .aliases
            .get(&topology.source.region)
            .is_some_and(|id| Some(id) == primary.as_ref());
        let (key, found) = if named { (primary, None) } else { (None, primary) };
        let key = key.map_or_else(OnceLock::new, OnceLock::from);
        let served = rules::served(&topology, world);
        Self {
            aws,
            topology,
            served,
            templates,
            stop,
            removal,
            key,
            found,
            made: OnceLock::new(),
            scheduled: Mutex::default(),
            held: Mutex::default(),
            activated_at: OnceLock::new(),
            prover: None,
        }
    }

    /// Has rules proven by `prover` before they go live.
    #[must_use]
    pub fn proving_first(self, prover: Option<Box<dyn Prover>>) -> Self {
        Self { prover, ..self }
    }

    /// Returns the keys whose deletion was scheduled, by ARN.
    pub fn scheduled(&self) -> BTreeMap<Arn, Scheduled> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the versions of objects that S3 would not delete, and what holds each.
    pub fn held(&self) -> Vec<Kept> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns when the rules were seen live as they were written, if this run wrote them.
    pub fn activated_at(&self) -> Option<jiff::Timestamp> {
        self.activated_at.get().copied()
    }

    /// Returns the pair's key, once the alias names it.
    pub fn key(&self) -> Option<&KeyId> {
        self.key.get()
    }

    fn committed_key(&self) -> Result<&KeyId, Failure> {
        self.key
            .get()
            .ok_or_else(|| unexpected("no alias names the key yet, so nothing may use it"))
    }

    /// Returns the key that an action about the key itself works on: the committed one, or the one about to be.
    fn any_key(&self) -> Result<KeyId, Failure> {
        let key = self.key.get().or_else(|| self.made.get()).or(self.found.as_ref()).cloned();
        key.ok_or_else(|| unexpected("there is no key yet"))
    }

    fn render(&self, document: &Document, key: &KeyId) -> Result<Value, Failure> {
        Ok(policy::render(document, &self.topology, key, &self.templates)?)
    }

    /// Returns the side whose bucket `name` is.
    fn side(&self, name: &str) -> Result<&Side, Failure> {
        let side = self.topology.sides().find(|side| side.bucket.as_str() == name);
        side.ok_or_else(|| unexpected(&format!("`{name}` is no bucket of this pair")))
    }

    fn bucket_arn(&self, name: &BucketName) -> Arn {
        name.arn(self.topology.partition())
    }

    fn key_arn(&self, key: &KeyId, region: &Region) -> Arn {
        self.topology.key_arn(key, region)
    }
}

fn unexpected(message: &str) -> Failure {
    Failure::new(failure::Kind::Unexpected, "bug", format!("{message}: this is a bug in crrctl"))
}

/// Turns an SDK builder's refusal into a failure; our values are complete, so it is a bug if it ever shows.
fn built<T>(
    result: Result<T, aws_smithy_types::error::operation::BuildError>,
) -> Result<T, Failure> {
    result.map_err(|error| unexpected(&error.to_string()))
}

impl Runner for Steps {
    async fn run(&self, action: &Action, progress: &Progress) -> Result<Arn, Failure> {
        if action.verb == Verb::Delete {
            return self.remove(action, progress).await;
        }
        match action.kind {
            Kind::Key => self.apply_key(action, progress).await,
            Kind::Alias => self.apply_alias(action, progress).await,
            Kind::Rotation => self.apply_rotation(action, progress).await,
            Kind::ReplicaKey => self.apply_replica_key(action, progress).await,
            Kind::Bucket => self.apply_bucket(action, progress).await,
            Kind::BucketTags => self.apply_bucket_tags(action, progress).await,
            Kind::Ownership => self.apply_ownership(action, progress).await,
            Kind::PublicAccessBlock => self.apply_public_access_block(action, progress).await,
            Kind::Versioning => self.apply_versioning(action, progress).await,
            Kind::Encryption => self.apply_encryption(action, progress).await,
            Kind::BucketPolicy => self.apply_bucket_policy(action, progress).await,
            Kind::Role => self.apply_role(action, progress).await,
            Kind::RolePolicy => self.apply_role_policy(action, progress).await,
            Kind::Replication => self.apply_replication(action, progress).await,
            Kind::Object => Err(unexpected("objects are not made by a step")),
        }
    }
}

impl Steps {
    async fn remove(&self, action: &Action, progress: &Progress) -> Result<Arn, Failure> {
        let arn = action.arn.clone().ok_or_else(|| unexpected("a removal names no resource"))?;
        match action.kind {
            Kind::Key | Kind::ReplicaKey => {
                self.schedule_key(&arn, &action.region, progress).await?;
            }
            Kind::Alias => self.remove_alias(&action.region, progress).await?,
            Kind::Bucket => self.remove_bucket(&action.name, &action.region, progress).await?,
            Kind::Role => self.remove_role(progress).await?,
            Kind::RolePolicy => self.remove_role_policy(progress).await?,
            Kind::Replication => self.remove_replication(progress).await?,
            other => return Err(unexpected(&format!("{other} is not removed by itself"))),
        }
        Ok(arn)
    }
}
