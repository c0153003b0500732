//! Counts the objects of the pair's buckets.
//! Not for: listing them (see `steps::objects`).

use crate::aws::Aws;
use crate::failure::Failure;
use crate::joined;
use crate::manifest::{BucketPlace, Topology};
use crate::names::BucketName;
use crate::steps::find;
use crate::world::{Objects, World};

/// Counts, for a removal, the objects of each bucket that was not counted before.
pub async fn all_objects(aws: &Aws, topology: &Topology, world: &mut World) -> Result<(), Failure> {
    let uncounted = world.buckets.iter().filter(|(_, bucket)| bucket.objects.is_none());
    let names: Vec<BucketName> = uncounted.map(|(name, _)| name.clone()).collect();
    for (name, objects) in
        joined::all(names.iter().map(|name| counted(aws, topology, world, name))).await?
    {
        enter(world, &name, objects);
    }
    if let Some((name, bucket)) = &mut world.batch.reports {
        let side = BucketPlace { region: topology.source.region.clone(), bucket: name.clone() };
        bucket.objects = Some(find::objects(aws, topology, &side).await?);
    }
    Ok(())
}

/// Counts the objects of the buckets that the manifest does not name.
pub async fn orphans(aws: &Aws, topology: &Topology, world: &mut World) -> Result<(), Failure> {
    let is_named = |name: &BucketName| topology.sides().any(|side| &side.bucket == name);
    let names: Vec<BucketName> =
        world.buckets.keys().filter(|name| !is_named(name)).cloned().collect();
    for name in names {
        objects(aws, topology, world, &name).await?;
    }
    Ok(())
}

/// Counts the objects of the bucket `name`.
pub async fn objects(
    aws: &Aws,
    topology: &Topology,
    world: &mut World,
    name: &BucketName,
) -> Result<(), Failure> {
    let (name, objects) = counted(aws, topology, world, name).await?;
    enter(world, &name, objects);
    Ok(())
}

async fn counted(
    aws: &Aws,
    topology: &Topology,
    world: &World,
    name: &BucketName,
) -> Result<(BucketName, Option<Objects>), Failure> {
    let Some(region) = world.buckets.get(name).and_then(|bucket| bucket.region.clone()) else {
        return Ok((name.clone(), None));
    };
    let side = BucketPlace { region, bucket: name.clone() };
    Ok((name.clone(), Some(find::objects(aws, topology, &side).await?)))
}

fn enter(world: &mut World, name: &BucketName, objects: Option<Objects>) {
    if let Some(bucket) = world.buckets.get_mut(name) {
        bucket.objects = objects;
    }
}
