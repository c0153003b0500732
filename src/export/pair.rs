//! The pair as it stands, sorted for an export: each thing with the name that it bears there.

use crate::manifest::{Side, Topology};
use crate::names::{BucketName, Region};
use crate::world::{Bucket, Key, Replication, World};

/// What is exported.
pub(super) struct Pair<'a> {
    pub(super) topology: &'a Topology,
    pub(super) world: &'a World,
    /// Keys, the primary first.
    pub(super) keys: Vec<&'a Key>,
    /// Buckets that are ours, the source first; those that only live rules name come last.
    pub(super) buckets: Vec<Placed<'a>>,
}

/// A bucket and its place.
pub(super) struct Placed<'a> {
    /// `source`, or the Region and, for the second one there, a number: `us-west-2`, `us-west-2-2`.
    pub(super) label: String,
    pub(super) name: &'a BucketName,
    pub(super) region: &'a Region,
    pub(super) live: &'a Bucket,
}

impl<'a> Pair<'a> {
    pub(super) fn of(topology: &'a Topology, world: &'a World) -> Self {
        let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
        let keys = keys.filter(|key| topology.owns(&key.tags) && !key.is_pending_deletion());
        let is_side = |name: &BucketName| topology.sides().any(|side| &side.bucket == name);
        let named =
            topology.sides().filter_map(|Side { bucket, .. }| world.buckets.get_key_value(bucket));
        let others = world.buckets.iter().filter(|(name, _)| !is_side(name));
        let mut buckets: Vec<Placed<'a>> = Vec::new();
        for (name, live) in named.chain(others).filter(|(_, live)| topology.owns(&live.tags)) {
            let Some(region) = &live.region else { continue };
            let label = if name == &topology.source.bucket {
                "source".to_owned()
            } else {
                let is_there =
                    |placed: &&Placed<'_>| placed.label != "source" && placed.region == region;
                match buckets.iter().filter(is_there).count() {
                    0 => region.to_string(),
                    before => format!("{region}-{}", before + 1),
                }
            };
            buckets.push(Placed { label, name, region, live });
        }
        Self { topology, world, keys: keys.collect(), buckets }
    }

    /// Returns every Region in which something stands, the source's first.
    pub(super) fn regions(&self) -> Vec<&'a Region> {
        let mut regions = vec![&self.topology.source.region];
        for region in
            self.keys.iter().map(|key| &key.region).chain(self.buckets.iter().map(|it| it.region))
        {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        regions
    }

    /// Returns the source bucket's replication configuration.
    pub(super) fn replication(&self) -> Option<&'a Replication> {
        self.world.buckets.get(&self.topology.source.bucket)?.replication.as_ref()
    }
}
