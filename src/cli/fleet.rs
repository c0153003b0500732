//! Code that `list` and `gc` share: opening a run without a manifest, the Regions to read, and the
//! pairs in the resources that are found.
//! Not for: the search itself (see `ops::fleet`), or its text (see `report::fleet`).

use super::Global;
use super::objects::{FleetBucket, FleetPair, FleetResource, FleetSource};
use super::output::Printer;
use super::session::{Inputs, begin};
use crate::aws;
use crate::events::millis;
use crate::failure::Failure;
use crate::names::{KeyAlias, Region};
use crate::observe::Scope;
use crate::ops::{self, Fleet, RunContext};
use crate::plan::expiry::Expiry;
use crate::plan::fleet::Pair;
use crate::world::Thing;
use crrctl_sandbox::Sandbox;
use jiff::Timestamp;
use std::collections::BTreeSet;

#[derive(Debug, clap::Args)]
pub(super) struct RegionArgs {
    /// The Regions to look at [default: every Region that a bucket of the account, a role of ours or the manifest here tells
    /// of, and the one that the environment names]
    ///
    /// A pair that is found is followed to its other Regions. A key that is all that remains of a pair is found only where
    /// its Region is looked at.
    #[arg(long, value_name = "REGION", value_delimiter = ',', env = "CRRCTL_REGIONS")]
    regions: Vec<Region>,
}

/// Reads the account.
pub(super) async fn look(opened: &Opened, args: &RegionArgs) -> Result<Fleet, Failure> {
    let scope = Scope { only: args.regions.iter().cloned().collect(), also: opened.also.clone() };
    ops::fleet(&opened.context, scope).await
}

/// Returns the Regions that were looked at.
pub(super) fn regions(fleet: &Fleet) -> Vec<String> {
    fleet.regions.iter().map(Region::to_string).collect()
}

/// Returns the pairs as the JSON output object has them.
pub(super) fn lines(fleet: &Fleet) -> Vec<FleetPair> {
    fleet.pairs.iter().map(|pair| line(pair, fleet.now)).collect()
}

/// A run about the account.
pub(super) struct Opened {
    pub(super) context: RunContext,
    /// The Regions to read beside those that the account tells of.
    pub(super) also: BTreeSet<Region>,
    /// Serves as long as it is held.
    _sandbox: Option<Sandbox>,
}

/// Opens a run about the account. If there is a manifest, its Regions are read too and its source
/// Region is the home Region.
pub(super) async fn open(
    global: &Global,
    args: &RegionArgs,
    printer: &Printer,
) -> Result<Opened, Failure> {
    let inputs = match Inputs::read(global, false) {
        Ok(inputs) => Some(inputs),
        Err(failure) if global.names_a_pair() => return Err(failure),
        // The default manifest is optional here: if it is missing or invalid, it is ignored.
        Err(_) => None,
    };
    let manifests = inputs.as_ref().map(Inputs::manifests).unwrap_or_default();
    let also: BTreeSet<Region> =
        manifests.iter().flat_map(|manifest| manifest.regions().cloned()).collect();
    let told = manifests.first().map(|manifest| manifest.source_region().clone());
    let home = match told.or_else(|| args.regions.first().cloned()) {
        Some(home) => home,
        None if global.sandbox => Region::new("us-east-1")?,
        None => match aws::region(global.profile.as_deref()).await {
            Some(home) => home,
            None => Region::new("us-east-1")?,
        },
    };
    let (context, sandbox) = begin(global, printer, &home, "*", None, global.sandbox).await?;
    Ok(Opened { context, also: also.into_iter().chain([home]).collect(), _sandbox: sandbox })
}

/// Returns a pair as the JSON output object has it.
fn line(pair: &Pair, now: Timestamp) -> FleetPair {
    let source = &pair.source;
    FleetPair {
        name: pair.name.to_string(),
        id: pair.id(),
        source: FleetSource { region: source.region.clone(), bucket: source.bucket.clone() },
        destinations: pair
            .destinations()
            .into_iter()
            .map(|(region, bucket)| FleetBucket { region, bucket })
            .collect(),
        state: pair.state(now),
        expires: pair.expiry().date(),
        resources: pair.things.iter().map(resource).collect(),
    }
}

fn resource(thing: &Thing) -> FleetResource {
    FleetResource {
        kind: thing.kind,
        region: thing.region.clone(),
        arn: thing.arn.clone(),
        expires: Expiry::of([&thing.tags]).date(),
        state: thing.key.as_ref().map(|key| key.state.clone()),
        deletes_not_before: thing.key.as_ref().and_then(|key| key.deletion_date),
        aliases: thing.aliases.iter().map(KeyAlias::to_string).collect(),
    }
}

/// Emits `run.done`; returns the number of calls and the duration in milliseconds.
pub(super) fn figures(context: &RunContext, ok: bool, changed: bool) -> (u64, u64) {
    context.done(ok, changed);
    (context.aws.count().total(), millis(context.started.elapsed()))
}
