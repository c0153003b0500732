//! Reads the alarms of a pair: in the Regions in which the manifest wants alarms, and in those of
//! buckets whose tags record that there were some.
//! Not for: which alarms a pair wants (see `plan::alarms`).

use crate::aws::Aws;
use crate::failure::Failure;
use crate::joined;
use crate::manifest::Topology;
use crate::names::Region;
use crate::steps::find;
use crate::world::{Alarm, Bucket, World};
use std::collections::BTreeSet;

/// Returns the alarms in `regions` whose names begin as those of the pair do.
pub(super) async fn alarms(
    aws: &Aws,
    topology: &Topology,
    regions: &[Region],
) -> Result<Vec<Alarm>, Failure> {
    let found = regions.iter().map(|region| find::alarms(aws, topology, region));
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}

/// Returns the Regions of the pair's buckets whose tags record alarms, without those in `read`.
pub(super) fn recorded(topology: &Topology, world: &World, read: &[Region]) -> Vec<Region> {
    let has_alarms = |bucket: &&Bucket| {
        topology.wanted.owns(&bucket.tags) && bucket.tags.contains_key(Topology::ALARM_TAG)
    };
    let regions = world.buckets.values().filter(has_alarms);
    let regions: BTreeSet<&Region> = regions.filter_map(|it| it.region.as_ref()).collect();
    regions.into_iter().filter(|region| !read.contains(region)).cloned().collect()
}
