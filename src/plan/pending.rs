//! A key of ours that is pending deletion while the alias still names it: another takes its place where nothing needs it.
//! Not for: bringing it back (see `build`).

use crate::manifest::Topology;
use crate::world::World;

/// Takes the pair's key out of its place in `world` where it is on its way out and no bucket of the pair stands whose data may
/// need it. Returns whether it did: then a spare key, or else a new one, is the pair's.
pub fn let_go(topology: &Topology, world: &mut World) -> bool {
    let is_going = world
        .keys
        .primary
        .as_ref()
        .is_some_and(|key| key.is_pending_deletion() && topology.owns(&key.tags));
    if !is_going || !world.buckets.is_empty() {
        return false;
    }
    world.keys.pending.extend(world.keys.primary.take());
    world.keys.replicas.clear();
    true
}
