//! `status`: reads a pair with what differs from the manifest, its metrics and its newest objects.
//! Not for: the text about them (see `report`).

use super::Session;
use crate::check::{self, Sample};
use crate::events::RuleMetrics;
use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::observe::{self, Depth};
use crate::plan::{self, Plan};
use crate::world::World;

/// What exists of a pair.
#[derive(Debug)]
pub struct Status {
    /// What is wanted, and what was found of it.
    pub topology: Topology,
    /// What exists.
    pub world: World,
    /// What `apply` would do, or why it would refuse.
    pub plan: Result<Plan, Failure>,
    /// The metrics of the rules that have S3 Replication metrics enabled.
    pub metrics: Vec<RuleMetrics>,
    /// The newest objects of the source, if they were asked for and the bucket exists.
    pub sample: Option<Sample>,
}

impl Status {
    /// Returns whether anything of the pair exists.
    pub fn stands(&self) -> bool {
        self.world.buckets.contains_key(&self.topology.source.bucket) || self.world.role.is_some()
    }

    /// Returns the failure for a pair of which nothing exists.
    pub fn absence(&self) -> Option<Failure> {
        let World { buckets, role, reverse_roles, keys, .. } = &self.world;
        let is_there = !buckets.is_empty()
            || role.is_some()
            || !reverse_roles.is_empty()
            || keys.primary.is_some()
            || !keys.replicas.is_empty();
        (!is_there).then(|| {
            let message = format!(
                "nothing of the pair `{}` exists: no bucket, no role, no key",
                self.topology.wanted.name
            );
            Failure::new(Kind::Manifest, "pair-missing", message)
                .hint("`crrctl apply` builds it; the account or the profile may be another")
        })
    }
}

/// Reads the pair and the `newest` objects of its source.
///
/// # Errors
///
/// A read fails, or the run is to end.
pub async fn status(session: &Session, newest: usize) -> Result<Status, Failure> {
    let (mut topology, mut world) = session.observe(Depth::Settings).await?;
    let more = observe::beside_others(&session.aws, &mut topology, &mut world);
    session.unless_ending(Box::pin(more)).await?;
    let plan = plan::build(&topology, &world, &session.templates);
    let look = async { Ok(check::metrics(&session.aws, &topology, &world).await) };
    let metrics = session.unless_ending(Box::pin(look)).await?;
    let sample = sample(session, &topology, &world, newest).await?;
    Ok(Status { topology, world, plan, metrics, sample })
}

async fn sample(
    session: &Session,
    topology: &Topology,
    world: &World,
    newest: usize,
) -> Result<Option<Sample>, Failure> {
    if newest == 0 || !world.buckets.contains_key(&topology.source.bucket) {
        return Ok(None);
    }
    let sample = async { Ok(check::sample(&session.aws, topology, newest).await?) };
    session.unless_ending(Box::pin(sample)).await.map(Some)
}
