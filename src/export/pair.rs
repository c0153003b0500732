//! The live pair, sorted for an export: each resource with its label.
//! Not for: the output format (see `terraform` and `cloudformation`).

use crate::manifest::Topology;
use crate::names::{BucketName, Region};
use crate::settings::{ExportedLifecycle, Notifications};
use crate::world::{Alarm, Bucket, Key, Replication, Role, World};

/// The label of the batch jobs' role.
pub(super) const BATCH: &str = "batch";

/// The resources to export.
pub(super) struct Pair<'a> {
    pub(super) topology: &'a Topology,
    pub(super) world: &'a World,
    /// Keys, the primary key first.
    pub(super) keys: Vec<&'a Key>,
    /// The pair's buckets: the source first, then the destinations, the buckets that only live
    /// rules name, and the report bucket.
    pub(super) buckets: Vec<Placed<'a>>,
}

/// A bucket with its label and its Region.
pub(super) struct Placed<'a> {
    /// `source`, `reports`, or the Region, with a number from the second bucket there on:
    /// `us-west-2`, `us-west-2-2`.
    pub(super) label: String,
    pub(super) name: &'a BucketName,
    pub(super) region: &'a Region,
    pub(super) live: &'a Bucket,
}

impl<'a> Placed<'a> {
    /// Returns the lifecycle rules if all of them can be expressed in full.
    pub(super) fn lifecycle(&self) -> Option<ExportedLifecycle<'a>> {
        ExportedLifecycle::of(&self.live.lifecycle)
    }

    /// Returns the notification configuration, where it has an entry of the pair. Both formats have
    /// the whole of it in one place, so the entries of others are exported too.
    pub(super) fn notifications(&self, topology: &Topology) -> Option<&'a Notifications> {
        let live = &self.live.notifications;
        live.own(&topology.wanted.name).map(|_| live)
    }
}

impl<'a> Pair<'a> {
    pub(super) fn of(topology: &'a Topology, world: &'a World) -> Self {
        let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
        let keys = keys.filter(|key| topology.wanted.owns(&key.tags) && !key.is_pending_deletion());
        let is_side = |name: &BucketName| topology.sides().any(|side| &side.bucket == name);
        let named = topology.sides().filter_map(|side| world.buckets.get_key_value(&side.bucket));
        let others = world.buckets.iter().filter(|(name, _)| !is_side(name));
        let mut buckets: Vec<Placed<'a>> = Vec::new();
        for (name, live) in named.chain(others).filter(|(_, live)| topology.wanted.owns(&live.tags))
        {
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
        let reports =
            world.batch.reports.iter().filter(|(_, live)| topology.wanted.owns(&live.tags));
        buckets.extend(reports.map(|(name, live)| Placed {
            label: "reports".to_owned(),
            name,
            region: &topology.source.region,
            live,
        }));
        Self { topology, world, keys: keys.collect(), buckets }
    }

    /// Returns the pair's alarms on a metric. An alarm of the pair that somebody changed to an
    /// expression is left out.
    pub(super) fn alarms(&self) -> impl Iterator<Item = &'a Alarm> {
        let (topology, alarms) = (self.topology, &self.world.alarms);
        alarms.iter().filter(|it| topology.wanted.owns(&it.tags) && !it.says.metric.is_empty())
    }

    /// Returns every Region with resources, the source's Region first.
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

    /// Returns every direction in which the pair replicates, the one from the source first, and the
    /// batch jobs' role last.
    pub(super) fn ways(&self) -> Vec<Way<'_>> {
        let (topology, world) = (self.topology, self.world);
        let of_bucket = |placed| {
            let placed: &Placed<'_> = placed;
            let is_source = placed.label == "source";
            let live = placed.live.replication.as_ref();
            let role =
                if is_source { world.role.as_ref() } else { world.reverse_roles.get(placed.name) };
            if !is_source && live.is_none() && role.is_none() {
                return None;
            }
            // The export names a role that is not the pair's, but does not include it.
            let role = role.filter(|role| topology.wanted.owns(&role.tags));
            let resource = role.map_or("", |role| role.arn.resource());
            Some(Way {
                label: &placed.label,
                bucket: placed.name,
                region: placed.region,
                role_name: resource.rsplit('/').next().unwrap_or_default(),
                replication: live,
                role,
            })
        };
        let batch = world.batch.role.as_ref().filter(|role| topology.wanted.owns(&role.tags));
        let batch = batch.map(|role| Way {
            label: BATCH,
            bucket: &topology.source.bucket,
            region: &topology.source.region,
            role_name: role.arn.resource().rsplit('/').next().unwrap_or_default(),
            replication: None,
            role: Some(role),
        });
        self.buckets.iter().filter_map(of_bucket).chain(batch).collect()
    }
}

/// One direction in which a pair replicates.
pub(super) struct Way<'a> {
    /// The label of the direction's source bucket, or [`BATCH`].
    pub(super) label: &'a str,
    pub(super) bucket: &'a BucketName,
    pub(super) region: &'a Region,
    pub(super) role: Option<&'a Role>,
    pub(super) role_name: &'a str,
    pub(super) replication: Option<&'a Replication>,
}

impl Way<'_> {
    /// Returns the path of the role.
    pub(super) fn role_path(&self) -> String {
        let resource = self.role.map_or("role/", |role| role.arn.resource());
        let path = resource.strip_prefix("role").unwrap_or(resource);
        path.strip_suffix(self.role_name).unwrap_or(path).to_owned()
    }
}
