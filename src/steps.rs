//! Creates, changes and removes AWS resources. One file per resource, each in the same order: find,
//! apply, confirm, remove.
//! Not for: deciding what to do (see `plan`) or in which order (see `engine`).

#![deny(clippy::wildcard_enum_match_arm)]

mod acl;
mod alarm;
mod alias;
mod beginning;
mod bucket;
mod bucket_region;
mod dropped;
mod gone;
pub(crate) mod hold;
mod key;
mod key_book;
mod meanwhile;
mod objects;
mod prover;
mod quiet;
mod recent;
mod record;
mod replica_key;
mod request_payer;
mod replication;
mod revive;
mod role;
mod role_in_force;
mod role_policy;
mod rotation;
mod run;
mod scope;
pub(crate) mod settings;
mod standing;

pub use meanwhile::changed;
pub(crate) use objects::{delete_together, deletion};
pub use prover::Prover;
pub use record::{Replaced, Scheduled};
pub use standing::changed_meanwhile;

use crate::aws::Aws;
use crate::engine::Runner;
use crate::events::{Progress, Verb};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use crate::names::Arn;
use crate::plan::{Action, Kept, Removal, Work};
use crate::policy::{self, Document, Templates};
use crate::stop::Stop;
use crate::world::World;
use beginning::Beginning;
use key_book::KeyBook;
use record::Record;
use run::Run;
use scope::Scope;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

pub(crate) mod find {
    //! The `find` of each resource, for `observe` and `check`.
    pub(crate) use super::acl::grantees as acl_grantees;
    pub(crate) use super::alarm::{every as every_alarm, find as alarms};
    pub(crate) use super::bucket::{find as bucket, find_more, is_empty, stands};
    pub(crate) use super::bucket_region::{find as bucket_region, look as bucket_region_if_there};
    pub(crate) use super::key::{
        aliases, all_ids as key_ids, by_tags as keys_by_tags, describe as key,
        details as key_details, details_of_others as key_details_of_others, grants as key_grants,
        last_use as key_last_use, tags as key_tags, with_policy as key_with_policy,
    };
    pub(crate) use super::objects::count as objects;
    pub(crate) use super::replication::find as replication;
    pub(crate) use super::request_payer::find as requester_pays;
    pub(crate) use super::role::{find as role, tags as role_tags};
    pub(crate) use super::role_in_force::{RoleInForce, find as role_in_force};
    pub(crate) use super::settings::{
        Stored, find_notifications as notifications, find_policy as bucket_policy,
        find_tags as bucket_tags,
    };
}

/// Runs the actions of one pair.
#[derive(Debug)]
pub struct Steps {
    aws: Arc<Aws>,
    stop: Stop,
    templates: Templates,
    removal: Removal,
    prover: Option<Box<dyn Prover>>,
    scope: Scope,
    beginning: Beginning,
    keys: KeyBook,
    record: Record,
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
        Self {
            aws,
            stop,
            templates,
            removal,
            prover: None,
            beginning: Beginning::new(&topology, world),
            keys: KeyBook::new(&topology, world),
            scope: Scope::new(topology, world),
            record: Record::default(),
        }
    }

    /// Has `prover` prove rules before they go live.
    #[must_use]
    pub fn proving_first(self, prover: Option<Box<dyn Prover>>) -> Self {
        Self { prover, ..self }
    }

    /// Returns the keys whose deletion was scheduled, by ARN.
    pub fn scheduled(&self) -> BTreeMap<Arn, Scheduled> {
        self.record.noted().scheduled.all().clone()
    }

    /// Returns the object versions that S3 did not delete, and what holds each.
    pub fn held(&self) -> Vec<Kept> {
        self.record.noted().held.clone()
    }

    /// Returns the shared documents that this run overwrote.
    pub fn replaced(&self) -> Vec<Replaced> {
        self.record.noted().overwritten.replaced()
    }

    /// Returns when the rules were confirmed to be live, if this run wrote them.
    pub fn activated_at(&self) -> Option<jiff::Timestamp> {
        self.record.noted().activated_at
    }

    /// Returns the pair's keys that other resources may name: keys that an alias names, and keys
    /// that existed before the pair.
    pub fn keys(&self) -> PairKeys {
        self.keys.committed()
    }

    /// Signals that no more keys are created.
    pub fn is_built(&self) {
        self.keys.complete();
    }

    /// Checks every alias and rule that was not verified since `since`. `fresh` means that this run
    /// created some of them, so reads may be stale.
    pub async fn still_stands(
        &self,
        since: Instant,
        fresh: bool,
        progress: &Progress,
    ) -> Result<(), Failure> {
        standing::still_stands(Run { steps: self, progress }, since, fresh).await
    }

    /// Schedules spare keys that appear late, beside everything else. Returns the time of the last
    /// search, once everything is built.
    pub async fn schedule_late_spares(&self, progress: &Progress) -> Result<Instant, Failure> {
        key::schedule_late_spares(Run { steps: self, progress }).await
    }

    /// Renders a document. Placeholders replace keys that are not named yet, because documents that
    /// name them are written later.
    fn render(&self, document: &Document) -> Result<Value, Failure> {
        let topology = &self.scope.topology;
        let keys = topology.or_some_keys(&self.keys());
        Ok(policy::render(document, topology, &keys, &self.templates)?)
    }

    /// Runs `write`, by which `action` overwrites a document that others share, and records the content before it;
    /// `None` if there is no such document. A write that AWS refused overwrote nothing.
    async fn replacing<T>(
        &self,
        action: &Action,
        document: Option<Value>,
        write: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let is_first = self.record.noted().overwritten.add(&action.id, document);
        let written = write.await;
        if is_first && written.as_ref().err().is_some_and(is_refusal) {
            self.record.noted().overwritten.take_back(&action.id);
        }
        written
    }
}

/// Returns whether AWS certainly did not do what it was asked for: of an error of its own, nobody knows.
fn is_refusal(failure: &Failure) -> bool {
    let of_its_own = ["InternalError", "InternalFailure", "ServiceUnavailable", "SlowDown"];
    failure.aws_code.as_deref().is_some_and(|code| !of_its_own.contains(&code))
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
        let run = Run { steps: self, progress };
        if action.verb() == Verb::Delete {
            return work(run, action).await;
        }
        let work = async {
            match self.beginning.overwritten_by(action) {
                Some(was) => self.replacing(action, Some(was), work(run, action)).await,
                None => work(run, action).await,
            }
        };
        let done = tokio::select! {
            done = work => done,
            failure = self.until_going(Some(action)) => Err(failure),
        };
        done.map_err(meanwhile::told)
    }
}

async fn work(run: Run<'_>, action: &Action) -> Result<Arn, Failure> {
    match &action.work {
        Work::Key(work) => key::run(run, action, work).await,
        Work::SharedKey(pair) => key::mark_shared(run, action, pair).await,
        Work::Alias(work) => alias::run(run, action, work).await,
        Work::Rotation(work) => rotation::run(run, action, work).await,
        Work::ReplicaKey(work) => replica_key::run(run, action, work).await,
        Work::Bucket(work) => bucket::run(run, action, work).await,
        Work::BucketTags(work) => settings::tags::run(run, action, work).await,
        Work::Document(change) => settings::run(run, action, change).await,
        Work::BucketPolicy(work) => settings::policy::run(run, action, work).await,
        Work::Lifecycle(work) => settings::lifecycle::run(run, action, work).await,
        Work::Notification(work) => settings::notification::run(run, action, work).await,
        Work::Role(work) => role::run(run, action, work).await,
        Work::RolePolicy(work) => role_policy::run(run, action, work).await,
        Work::Rules(work) => replication::run(run, action, work).await,
        Work::DroppedRule(work) => replication::run_dropped(run, action, work).await,
        Work::Alarm(work) => alarm::run(run, action, work).await,
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
