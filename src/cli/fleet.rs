//! Code that `list` and `gc` share: opening a run without a manifest, the Regions to read, and the
//! pairs in the resources that are found.
//! Not for: the search itself (see `ops::fleet`), or its text (see `report::fleet`).

use super::Global;
use super::output::Printer;
use super::session::{Inputs, begin};
use crate::aws;
use crate::events::millis;
use crate::failure::Failure;
use crate::names::{BucketName, KeyAlias, Region};
use crate::observe::Scope;
use crate::ops::{self, Fleet, RunContext};
use crate::plan::expiry::Expiry;
use crate::plan::fleet::{Pair, State};
use crate::world::KeyState;
use crrctl_sandbox::Sandbox;
use jiff::Timestamp;
use serde::Serialize;
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

/// Reads the account, and adds the result to the JSON output object.
pub(super) async fn look(
    opened: &Opened,
    args: &RegionArgs,
    printer: &Printer,
) -> Result<Fleet, Failure> {
    let scope = Scope { only: args.regions.iter().cloned().collect(), also: opened.also.clone() };
    let fleet = ops::fleet(&opened.context, scope).await?;
    printer.put("account", &fleet.account);
    printer.put("regions", &fleet.regions);
    printer.put("pairs", fleet.pairs.iter().map(|pair| line(pair, fleet.now)).collect::<Vec<_>>());
    printer.put("unread", &fleet.unread);
    Ok(fleet)
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

/// An item of `pairs` in the JSON output object.
#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'a str,
    id: String,
    source: Place<'a>,
    destinations: Vec<Place<'a>>,
    state: State,
    expires: Option<Timestamp>,
    resources: Vec<Resource<'a>>,
}

#[derive(Debug, Serialize)]
struct Place<'a> {
    region: &'a str,
    bucket: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    kind: crate::events::Kind,
    region: Option<&'a str>,
    arn: &'a str,
    expires: Option<Timestamp>,
    state: Option<&'a KeyState>,
    deletes_not_before: Option<Timestamp>,
    aliases: Vec<&'a str>,
}

fn line(pair: &Pair, now: Timestamp) -> serde_json::Value {
    let destinations = pair.destinations();
    let line = Line {
        name: pair.name.as_str(),
        id: pair.id(),
        source: Place {
            region: pair.source.region.as_str(),
            bucket: Some(pair.source.bucket.as_str()),
        },
        destinations: destinations
            .iter()
            .map(|(region, bucket)| Place {
                region: region.as_str(),
                bucket: bucket.as_ref().map(BucketName::as_str),
            })
            .collect(),
        state: pair.state(now),
        expires: pair.expiry().date(),
        resources: pair
            .things
            .iter()
            .map(|thing| Resource {
                kind: thing.kind,
                region: thing.region.as_ref().map(Region::as_str),
                arn: thing.arn.as_str(),
                expires: Expiry::of([&thing.tags]).date(),
                state: thing.key.as_ref().map(|key| &key.state),
                deletes_not_before: thing.key.as_ref().and_then(|key| key.deletion_date),
                aliases: thing.aliases.iter().map(KeyAlias::as_str).collect(),
            })
            .collect(),
    };
    // An owned value, since the caller removes pairs afterwards.
    serde_json::to_value(line).unwrap_or_default()
}

/// Adds the number of calls and the duration to the JSON output object, and emits `run.done`.
pub(super) fn figures(context: &RunContext, printer: &Printer, ok: bool, changed: bool) {
    context.done(ok, changed);
    printer.put("api_calls", context.aws.count().total());
    printer.put("elapsed_ms", millis(context.started.elapsed()));
}
