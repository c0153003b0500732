//! Builds the plan of `apply`: compares the manifest with the existing resources, resource by
//! resource.
//! Not for: removals (see `removal`).

mod activation;
pub(super) mod alarms;
mod alerts;
mod batch;
mod buckets;
mod keys;
mod lock;
mod orphans;
mod quotas;
mod reach;
mod replication;
mod role;

pub(super) use buckets::document_changes;

use super::work::{TagChange, TagsDiffer};
use super::{Action, Plan, StatementChange, Work, known_keys, statements};
use crate::events::StepId;
use crate::failure::{self, Failure};
use crate::manifest::{PairKeys, Side, Topology, unknown_region};
use crate::names::{Arn, Region};
use crate::policy::{self, Document, Templates, meaning};
use crate::world::{Bucket, Tags, World};
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns the actions that change `world` to match `topology`. Fails (exit code 10) if a resource
/// with a required name does not belong to the pair.
pub fn build(topology: &Topology, world: &World, templates: &Templates) -> Result<Plan, Failure> {
    build_as(topology, world, templates, Wish::default())
}

/// Optional behavior of `apply`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Delete resources of the pair that the manifest no longer names (`--prune`).
    pub prune: bool,
    /// Cancel the deletion of keys that are pending deletion, and enable disabled keys
    /// (`--revive-keys`).
    pub revive_keys: bool,
}

/// Like [`build`], with the optional behavior in `wish`.
pub fn build_as(
    topology: &Topology,
    world: &World,
    templates: &Templates,
    wish: Wish,
) -> Result<Plan, Failure> {
    let keys = known_keys(topology, world);
    let mut builder = Builder { topology, world, templates, keys, wish, plan: Plan::default() };
    builder.keys()?;
    for side in topology.sides() {
        builder.bucket(side)?;
    }
    builder.locks()?;
    builder.lifecycles();
    builder.alerts()?;
    builder.role()?;
    builder.replication()?;
    builder.alarms()?;
    for back in topology.backward() {
        let plan = std::mem::take(&mut builder.plan);
        let keys = builder.keys.clone();
        let mut way = Builder { topology: &back, world, templates, keys, wish, plan };
        way.role()?;
        way.replication()?;
        way.alarms()?;
        builder.plan = way.plan;
    }
    builder.quotas()?;
    builder.orphans();
    builder.orphaned_alarms();
    builder.hand_over();
    let warnings = super::log_targets::check(topology, world, templates)?;
    builder.plan.warnings.extend(warnings);
    builder.plan.warnings.extend(super::alert_target::check(topology, world, templates)?);
    builder.plan.warnings.extend(super::alert_target::alarm_warnings(topology, world, templates)?);
    let regions = topology.sides().map(|side| &side.region).collect::<BTreeSet<_>>();
    builder.plan.warnings.extend(regions.into_iter().filter_map(unknown_region));
    builder.plan.warnings.extend(super::lifecycle::warnings(topology, world));
    builder.plan.warnings.extend(super::kept::warnings(topology, world));
    let notes = super::proof::notes(topology, world, templates)?;
    builder.plan.warnings.extend(notes);
    builder.plan.warnings.extend(kept_by_mfa(topology, world));
    builder.plan.warnings.extend(world.keys.untold.iter().map(|arn| {
        format!(
            "the tags of {arn} can't be read (`kms:ListResourceTags`): if another pair of crrctl made it, nothing tells that pair's \
             `destroy` that this one uses it too"
        )
    }));
    Ok(builder.plan)
}

/// Returns a warning for each bucket with MFA delete, whose versions only the root user can delete
/// (S3 User Guide, "Configuring MFA delete").
fn kept_by_mfa(topology: &Topology, world: &World) -> Vec<String> {
    let is_on = |side: &&Side| world.buckets.get(&side.bucket).is_some_and(Bucket::has_mfa_delete);
    let warn = |side: &Side| {
        format!(
            "`{}` has MFA delete: no probe can be deleted from it, nor can `destroy` empty it",
            side.bucket
        )
    };
    topology.sides().filter(is_on).map(warn).collect()
}

/// Returns the actions needed before a batch job can replicate existing objects: the job's role and
/// the bucket for its completion reports.
pub fn batch(topology: &Topology, world: &World, templates: &Templates) -> Result<Plan, Failure> {
    let keys = known_keys(topology, world);
    let wish = Wish::default();
    let mut builder = Builder { topology, world, templates, keys, wish, plan: Plan::default() };
    builder.batch_role()?;
    builder.report_bucket()?;
    Ok(builder.plan)
}

struct Builder<'a> {
    topology: &'a Topology,
    world: &'a World,
    templates: &'a Templates,
    /// Keys that exist.
    keys: PairKeys,
    wish: Wish,
    plan: Plan,
}

impl Builder<'_> {
    /// Renders `document` with placeholders for keys that don't exist yet. The document is written
    /// after the keys are created.
    fn render(&self, document: &Document) -> Result<Value, Failure> {
        let keys = self.topology.or_some_keys(&self.keys);
        Ok(policy::render(document, self.topology, &keys, self.templates)?)
    }

    fn is_ours(&self, tags: &Tags) -> bool {
        self.topology.wanted.owns(tags)
    }

    /// Compares the tags `live` with the `wanted` tags. Foreign tags are kept. The expiry date is
    /// removed from a pair that is no longer ephemeral.
    fn tags_differ(&self, live: &Tags, wanted: Tags) -> TagsDiffer {
        let expires = live.get(Topology::EXPIRES_TAG);
        let expires = expires.filter(|_| self.topology.found.expires.is_none()).cloned();
        let change = |(key, to): (String, String)| {
            let from = live.get(&key).cloned();
            (from.as_ref() != Some(&to)).then_some((key, TagChange { from, to }))
        };
        TagsDiffer { set: wanted.into_iter().filter_map(change).collect(), expires }
    }

    /// Returns the trust policy that differs from `live`.
    fn trust_differs(
        &self,
        live: &Value,
        document: &Document,
    ) -> Result<Option<Vec<StatementChange>>, Failure> {
        let wanted = self.render(document)?;
        let differs = !meaning::same(live, &wanted);
        Ok(differs.then(|| statements::changes(Some(live), Some(&wanted))))
    }

    fn add(
        &mut self,
        work: Work,
        id: &str,
        region: &Region,
        name: &str,
        arn: Option<Arn>,
        needs: &[&StepId],
    ) {
        let needs = needs.iter().map(|&need| need.clone()).collect();
        self.plan.actions.push(Action::new(work, id, region, name, arn, needs));
    }
}

fn in_the_way(code: &str, message: String, region: &Region) -> Failure {
    Failure::new(failure::Kind::InTheWay, code, message).in_region(region)
}
