//! Reads again where one reading proves nothing: parts of it contradict each other, or, for a
//! removal, a thing of the pair was not found. KMS and IAM do not find for a while what was just
//! created (KMS Developer Guide, "AWS KMS eventual consistency"; IAM User Guide, "Changes that I make
//! are not always immediately visible").
//! Not for: tags of a bucket that show late (see `observe::late_tags`).

use super::Depth;
use crate::aws::settle::{shown, wait};
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::steps::changed;
use crate::world::World;
use std::time::Duration;

/// How long reads may contradict each other: a bucket that one read finds, and another one does not.
const AGREES_WITHIN: Duration = Duration::from_secs(20);
/// The pause before the second reading of a pair that a removal did not find whole.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads a pair by `look`, again while its parts contradict each other and, for a removal, once more
/// where a part of the pair was not found. Of two readings, the one that found more counts: a removal
/// looks at each thing again before it removes it.
pub async fn settled<F>(
    depth: Depth,
    mut look: impl FnMut() -> F,
) -> Result<(Topology, World), Failure>
where
    F: Future<Output = Result<(Topology, World), Failure>>,
{
    let (topology, world) = agreed(&mut look).await?;
    if depth != Depth::Removal || is_whole(&topology, &world) {
        return Ok((topology, world));
    }
    wait(PAUSE).await;
    let second = agreed(&mut look).await?;
    Ok(if found(&second.1) > found(&world) { second } else { (topology, world) })
}

/// Reads until no part of the reading contradicts another one.
pub(super) async fn agreed<T, F>(mut look: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let agrees = |read: &Result<T, Failure>| {
        !read.as_ref().is_err_and(|failure| failure.not_found_by.is_some())
    };
    let looks = || {
        let read = look();
        async { Ok::<_, Failure>(read.await) }
    };
    shown(AGREES_WITHIN, agrees, looks).await?.map_err(changed)
}

/// Returns whether every kind of thing that a pair has was found where the pair has one.
pub(super) fn is_whole(topology: &Topology, world: &World) -> bool {
    let keys = &world.keys;
    let mut regions = topology.key_regions();
    regions.retain(|region| !topology.wanted.is_handed_over(region));
    let has_keys = !topology.wanted.key.kind.is_ours()
        || regions
            .iter()
            .all(|region| keys.aliases.contains_key(*region) && keys.in_region(region).is_some());
    let listed = keys.primary.iter().filter_map(|key| key.multi_region.as_ref());
    let has_replicas = listed
        .flat_map(|place| &place.replica_regions)
        .all(|region| keys.replicas.contains_key(region));
    let has_buckets = topology.reached().all(|side| world.buckets.contains_key(&side.bucket));
    let has_roles = !topology.role_settings.is_ours()
        || world.role.is_some() && world.reverse_roles.len() >= topology.backward().count();
    has_keys && has_replicas && has_buckets && has_roles
}

/// Returns how many things were found.
pub(super) fn found(world: &World) -> usize {
    let keys = &world.keys;
    keys.aliases.len()
        + usize::from(keys.primary.is_some())
        + keys.replicas.len()
        + keys.spares.len()
        + keys.pending.len()
        + world.buckets.len()
        + usize::from(world.role.is_some())
        + world.reverse_roles.len()
        + usize::from(world.batch.role.is_some())
        + usize::from(world.batch.reports.is_some())
}
