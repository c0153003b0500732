//! Collects the existing keys of a pair.
//! Not for: creating or changing keys (see `build`).

use crate::manifest::{PairKeys, Topology};
use crate::world::World;

/// Returns the keys of `topology` that exist in `world`.
pub fn known_keys(topology: &Topology, world: &World) -> PairKeys {
    let mut keys = PairKeys::default();
    for region in topology.key_regions() {
        // A multi-Region key has the same id in every Region.
        let key = world.keys.in_region(region).or(world.keys.primary.as_ref());
        let shared = topology.wanted.key.kind == crate::manifest::KeyKind::MultiRegion;
        if let Some(key) = key.filter(|key| shared || &key.region == region) {
            let id = if shared {
                world.keys.primary.as_ref().map_or(&key.id, |it| &it.id)
            } else {
                &key.id
            };
            keys.enter(topology.wanted.key.kind, region, id.clone());
        }
    }
    for side in topology.sides() {
        if let Some(key) = world.keys.existing.get(&side.bucket) {
            keys.enter_existing(side, key.arn.clone());
        }
    }
    keys
}
