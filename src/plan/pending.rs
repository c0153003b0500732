//! Replaces a key that is pending deletion while the alias still targets it, if no bucket needs the
//! key.
//! Not for: cancelling the deletion (see `build`).

use crate::manifest::{KeyKind, Topology};
use crate::world::World;

/// Moves the pair's key in `world` from `primary` to `pending` if the key is pending deletion and
/// no bucket of the pair exists whose data may need the key. Returns whether it did. The pair then
/// uses a spare key or a new key. Its replicas go the same way; `observe::left_replicas` finds
/// those that are not pending deletion.
pub fn let_go(topology: &Topology, world: &mut World) -> bool {
    let is_going = world
        .keys
        .primary
        .as_ref()
        .is_some_and(|key| key.is_pending_deletion() && topology.wanted.owns(&key.tags));
    if !is_going || !world.buckets.is_empty() {
        return false;
    }
    world.keys.pending.extend(world.keys.primary.take());
    let wanted = topology.key_regions();
    for (region, key) in std::mem::take(&mut world.keys.replicas) {
        let is_wanted = topology.wanted.owns(&key.tags) && wanted.contains(&&region);
        if key.is_pending_deletion() {
            world.keys.pending.push(key);
        } else if topology.wanted.key.kind == KeyKind::PerRegion && is_wanted {
            // A key of its own, which the pair goes on with.
            world.keys.replicas.insert(region, key);
        }
    }
    true
}
