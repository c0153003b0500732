//! Plans: what `apply` would do to a pair, after the policies that it would write have been proven.
//! Not for: deciding what to do (see `crate::plan`).

use super::{Session, drawn};
use crate::events::{Event, Kind, StepId};
use crate::failure::Failure;
use crate::manifest::{Side, Topology};
use crate::names::BucketName;
use crate::observe::{self, Depth};
use crate::plan::{self, Plan, expiry};
use crate::world::World;
use jiff::Timestamp;

/// What `apply` would do.
#[derive(Debug)]
pub struct Planned {
    /// What is wanted, and what was found of it.
    pub topology: Topology,
    /// What exists.
    pub world: World,
    /// The actions that lead from there to the manifest.
    pub plan: Plan,
}

/// Reads the existing resources and returns the plan, after proving the policies that the plan
/// would write.
///
/// # Errors
///
/// A read fails, the pair can't be built as it is wanted, or a proof fails.
pub async fn plan(session: &Session) -> Result<Planned, Failure> {
    // Settings that others made affect what may be removed, so all settings are read.
    let depth = if session.wish.prune { Depth::Settings } else { Depth::Wanted };
    plan_at(session, depth).await
}

/// Like [`plan`], but reads as much as `depth` says.
///
/// # Errors
///
/// As for [`plan`].
pub async fn plan_at(session: &Session, depth: Depth) -> Result<Planned, Failure> {
    let (mut topology, mut world) = session.observe(depth).await?;
    topology.found.expires =
        expiry::expires(&topology, &world, session.ephemeral, Timestamp::now())?;
    let more = read_more(session, &mut topology, &mut world);
    session.unless_ending(Box::pin(more)).await?;
    let plan = built(session, &topology, &mut world).await?;
    session.unless_ending(observe::acls(&session.aws, &world, &plan)).await?;
    let proof = plan::prove(&topology, &world, &session.templates)?;
    session.events.say(&Event::Proof { calls: drawn::calls(proof.rows.iter()) });
    Ok(Planned { topology, world, plan })
}

/// Reads what only some plans depend on: rules of others, keys that are pending deletion, and what the manifest no
/// longer names.
async fn read_more(
    session: &Session,
    topology: &mut Topology,
    world: &mut World,
) -> Result<(), Failure> {
    let (aws, wish) = (&session.aws, session.wish);
    observe::beside_others(aws, topology, world).await?;
    if wish.revive_keys {
        observe::pending_key(aws, topology, world).await?;
    } else {
        if plan::let_go(topology, world) {
            observe::spare_key(aws, topology, world).await?;
        }
        if world.buckets.is_empty() {
            observe::left_replicas(aws, topology, world).await?;
        }
    }
    if wish.prune {
        observe::orphans(aws, topology, world).await?;
        // Whether others write to the source decides how carefully its rules are removed.
        let source = topology.source.bucket.clone();
        observe::objects(aws, topology, world, &source).await?;
    }
    Ok(())
}

/// Builds the plan. Where a rule would become live on an existing bucket, the objects in the bucket are counted, since
/// their number decides whether the rule may become live, and the plan is built again.
async fn built(session: &Session, topology: &Topology, world: &mut World) -> Result<Plan, Failure> {
    let plan = plan::build_as(topology, world, &session.templates, session.wish)?;
    let goes_live = |side: &&Side| {
        let id = StepId::new(Kind::Replication, side.bucket.as_str());
        plan.actions.iter().any(|action| action.id == id && action.changes())
    };
    let sources = topology.sides().filter(|side| topology.replicates_from(side));
    let live: Vec<BucketName> = sources
        .filter(|side| world.buckets.contains_key(&side.bucket))
        .filter(goes_live)
        .map(|side| side.bucket.clone())
        .collect();
    if live.is_empty() {
        return Ok(plan);
    }
    for source in &live {
        let count = observe::objects(&session.aws, topology, world, source);
        session.unless_ending(count).await?;
    }
    plan::build_as(topology, world, &session.templates, session.wish)
}
