//! Replaces a key that is pending deletion while the alias still targets it, if no bucket needs the
//! key.
//! Not for: cancelling the deletion (see `build`).

use crate::manifest::Topology;
use crate::world::World;

/// Moves the pair's key in `world` from `primary` to `pending` if the key is pending deletion and
/// no bucket of the pair exists whose data may need the key. Returns whether it did. The pair then
/// uses a spare key or a new key.
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
