//! Reads everything of a pair that exists, in two waves: reads that need only names, then reads
//! that need the account and the key. A third wave runs only if something is missing or unexpected.
//! Not for: reading single resources (see the `find` of each step) or judging them (see `plan`).

mod accounts;
mod acls;
mod alarms;
pub mod alert_target;
mod fleet;
mod keys;
mod live;
mod log_targets;
mod not_enabled;
mod objects;
mod shared_role;
mod twice;

pub(crate) use accounts::{AWAY, account, expect_owner, identified, identified_without};
pub use acls::acls;
pub use fleet::{Scope, SearchReport, fleet};
use keys::{existing, keys};
pub use keys::{left_replicas, pending_key, spare_key};
pub use live::{
    bucket_if_ours, foreign, live_all, live_destinations, live_source, place, place_if_there,
    source_if_there, whole_key, without_source,
};
use not_enabled::not_enabled;
pub use objects::{all_objects, objects, orphans};
use shared_role::shared_role;
pub use twice::settled;

use crate::aws::Aws;
use crate::aws::settle::shown;
use crate::events::{self, Events, StepId};
use crate::failure::{Failure, Kind};
use crate::joined::{self, Beside};
use crate::manifest::{Accounts, BucketPlace, Manifest, PairKeys, Topology};
use crate::names::{BucketName, KeyAlias, Region, RoleName};
use crate::plan::{others, rules};
use crate::settings::Optional;
use crate::steps::find;
use crate::units::format_duration;
use crate::world::{Batch, Bucket, Key, Others, Role, World};
use futures::future::join;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The settings that the manifest declares, and those that tags record as wanted earlier.
    Wanted,
    /// Every setting of the pair's buckets, whoever set it.
    Settings,
    /// Everything that remains, for a removal: also keys found only by tags, and batch jobs.
    Removal,
}

/// Reads the caller's identity and the alias in each Region, and sets the expected bucket owners.
pub async fn first_wave(aws: &Aws, manifest: &Manifest) -> Result<(Topology, Named), Failure> {
    let is_guest = |region: &&Region| aws.guest_of(region).is_some();
    let (guests, own): (Vec<_>, Vec<_>) = manifest.alias_regions().into_iter().partition(is_guest);
    let aliases = named(aws, manifest.alias(), own.into_iter());
    let (topology, named) = join(identified(aws, manifest), aliases).await;
    // If both fail, the identity's failure explains more.
    let (topology, mut named) = (topology?, named.map_err(|it| not_enabled(aws, it))?);
    // An account that the manifest names may be the caller's own.
    let own = guests.into_iter().filter(|it| !topology.wanted.is_handed_over(it));
    named.0.extend(self::named(aws, manifest.alias(), own).await?.0);
    Ok((topology, named))
}

/// Adds to a denial of the first wave which reads of roles and buckets are denied too; what they
/// find is dropped. Keys are left out: without an alias, the tags of all keys would be read.
pub async fn also_denied(
    aws: &Aws,
    manifest: &Manifest,
    depth: Depth,
    failure: Failure,
) -> Failure {
    if failure.kind != Kind::Denied {
        return failure;
    }
    let Ok(topology) = identified(aws, manifest).await else { return failure };
    let removal = depth == Depth::Removal;
    let role =
        async { Ok(find::role(aws, &topology.role, topology.role_region(), removal).await?) };
    let sides: Vec<BucketPlace> = topology.reached().map(|side| side.place.clone()).collect();
    let buckets = Box::pin(buckets_at(aws, &topology, &sides, depth));
    let backward: Vec<Topology> = topology.backward().collect();
    let batch = async {
        if removal { Box::pin(batch(aws, &topology, true)).await } else { Ok(Batch::default()) }
    };
    let roles = joined::three(role, reverse_roles(aws, &backward, removal), batch);
    match joined::both(roles, buckets).await {
        Ok(_) => failure,
        Err(other) => failure.beside(other),
    }
}

async fn named(
    aws: &Aws,
    alias: &KeyAlias,
    regions: impl Iterator<Item = &Region>,
) -> Result<Named, Failure> {
    let aliases = regions.map(|region| async move {
        let key = find::key(aws, region, alias.as_str()).await?;
        Ok::<_, Failure>(key.map(|key| (region.clone(), key)))
    });
    Ok(Named(joined::all(aliases).await?.into_iter().flatten().collect()))
}

/// Reads, for a removal, all that remains of a pair that is known only by its tags. The account is
/// already identified.
pub async fn remains(aws: &Aws, topology: &Topology, events: &Events) -> Result<World, Failure> {
    let look = || async { Ok((topology.clone(), remains_once(aws, topology, events).await?)) };
    Ok(settled(Depth::Removal, look).await?.1)
}

async fn remains_once(aws: &Aws, topology: &Topology, events: &Events) -> Result<World, Failure> {
    let regions: BTreeSet<&Region> = topology.sides().map(|side| &side.region).collect();
    let named = named(aws, &topology.wanted.key.alias, regions.into_iter()).await?;
    let mut world = second_wave(aws, topology, named, Depth::Removal).await?;
    late_tags(aws, topology, Depth::Removal, events, &mut world).await?;
    all_objects(aws, topology, &mut world).await?;
    Ok(world)
}

/// Reads only what policy documents name: the account, the keys that the alias names, and the keys
/// that the manifest names.
pub async fn names(aws: &Aws, manifest: &Manifest) -> Result<(Accounts, PairKeys), Failure> {
    let (topology, named) = first_wave(aws, manifest).await?;
    let mut keys = PairKeys::default();
    for region in topology.key_regions() {
        if let Some(key) = named.0.get(region) {
            keys.enter(topology.wanted.key.kind, region, key.id.clone());
        }
    }
    for (bucket, key) in existing(aws, &topology).await? {
        if let Some(side) = topology.sides().find(|side| side.bucket == bucket) {
            keys.enter_existing(side, key.arn);
        }
    }
    Ok((topology.wanted.known_accounts(), keys))
}

/// The keys that the alias names, by Region.
#[derive(Debug)]
pub struct Named(BTreeMap<Region, Key>);

/// If other owners have rules in the source's configuration, reads what decides whether the pair
/// can share it: their role, or what their rules lead to.
pub async fn beside_others(
    aws: &Aws,
    topology: &mut Topology,
    world: &mut World,
) -> Result<(), Failure> {
    let source = world.buckets.get(&topology.source.bucket);
    let live = source.and_then(|bucket| bucket.replication.as_ref());
    topology.found.shared_role = others::shared_role(topology, live);
    if let Some(arn) = &topology.shared_role() {
        world.shared_role = shared_role(aws, topology, arn).await?;
    }
    for back in topology.backward() {
        let Some(arn) = &back.shared_role() else { continue };
        let same = topology.shared_role().as_ref() == Some(arn);
        let found =
            if same { world.shared_role.clone() } else { shared_role(aws, &back, arn).await? };
        world.reverse_shared_roles.extend(found.map(|role| (back.source.bucket.clone(), role)));
    }
    let Some(live) = live else { return Ok(()) };
    if !topology.role_settings.take_over || live.role == topology.role_arn().as_str() {
        return Ok(());
    }
    for (side, key) in others::places(topology, world) {
        if topology.sides().any(|known| known == &side) {
            continue;
        }
        let region = find::bucket_region(aws, &side.bucket).await?;
        if let Some(policy) = find::bucket_policy(aws, &side.bucket, &region).await? {
            world.others.buckets.insert(side.bucket.clone(), policy);
        }
        let Some(key) = key else { continue };
        if let Some(found) = find::key(aws, &side.region, &key).await? {
            let found = find::key_with_policy(aws, found).await?;
            world.others.keys.insert(key, found.policy);
        }
    }
    Ok(())
}

/// Reads everything else, to the given depth.
pub async fn second_wave(
    aws: &Aws,
    topology: &Topology,
    named: Named,
    depth: Depth,
) -> Result<World, Failure> {
    let removal = depth == Depth::Removal;
    let role =
        async { Ok(find::role(aws, &topology.role, topology.role_region(), removal).await?) };
    let sides: Vec<BucketPlace> = topology.reached().map(|side| side.place.clone()).collect();
    let buckets = Box::pin(buckets_at(aws, topology, &sides, depth));
    let keys = Box::pin(keys(aws, topology, named, removal));
    let backward: Vec<Topology> = topology.backward().collect();
    let batch = async {
        if removal { Box::pin(batch(aws, topology, true)).await } else { Ok(Batch::default()) }
    };
    let roles = joined::three(role, reverse_roles(aws, &backward, removal), batch);
    let wanted = topology.alarm_regions();
    let alarms = alarms::alarms(aws, topology, &wanted);
    let roles = joined::both(roles, alarms);
    let found = joined::three(keys, roles, buckets).await;
    let found = found.map_err(|failure| not_enabled(aws, failure))?;
    let (keys, ((role, reverse_roles, batch), alarms), buckets) = found;
    let mut world = World {
        account: topology.source.account.clone(),
        keys,
        buckets,
        role,
        reverse_roles,
        shared_role: None,
        reverse_shared_roles: BTreeMap::new(),
        others: Others::default(),
        batch,
        log_targets: BTreeMap::new(),
        alarms,
        alert_target: None,
        alarm_topics: BTreeMap::new(),
    };
    world.log_targets = log_targets::log_targets(aws, topology, &world.buckets).await?;
    world.alert_target = alert_target::about_to_change(aws, topology, &world, removal).await?;
    world.alarm_topics = alert_target::of_alarms(aws, topology, &world, removal).await?;
    let unnamed = unnamed(aws, topology, &world).await?;
    world.buckets.extend(unnamed);
    let recorded = alarms::recorded(topology, &world, &wanted);
    world.alarms.extend(alarms::alarms(aws, topology, &recorded).await?);
    let told = rules::unnamed(topology, &world).into_iter().map(|side| side.place.region);
    let stand = world.buckets.values().filter_map(|bucket| bucket.region.clone());
    let regions = told.chain(stand).collect();
    keys::dropped(aws, topology, regions, &mut world.keys).await?;
    let told =
        self::reverse_roles(aws, &rules::reverse_directions_in_force(topology, &world), removal)
            .await?;
    world.reverse_roles.extend(told);
    Ok(world)
}

/// How long new tags may take to appear. S3 names no bound (S3 User Guide,
/// "Amazon S3 data consistency model").
const TAGS_SHOW_WITHIN: Duration = Duration::from_secs(20);

/// Reads again each bucket without tags that may still be the pair's: a key of the pair records it,
/// or it is empty. An earlier run may have just created it, and one read without tags does not
/// prove that there are none.
pub async fn late_tags(
    aws: &Aws,
    topology: &Topology,
    depth: Depth,
    events: &Events,
    world: &mut World,
) -> Result<(), Failure> {
    let recorded: BTreeSet<BucketName> = recorded(world).map(|side| side.bucket).collect();
    let may_be_ours = |(name, bucket): &(&BucketName, &Bucket)| {
        bucket.tags.is_empty()
            && !topology.wanted.adopts(name)
            && !bucket.is_cut_off_creation()
            && (bucket.empty == Some(true) || recorded.contains(*name))
    };
    let side = |(bucket, found): (&BucketName, &Bucket)| {
        let region = found.region.clone()?;
        Some(BucketPlace { region, bucket: bucket.clone() })
    };
    let sides: Vec<BucketPlace> =
        world.buckets.iter().filter(may_be_ours).filter_map(side).collect();
    let shown = joined::all(sides.iter().map(|side| tagged_late(aws, events, side))).await?;
    let tagged = sides.into_iter().zip(shown).filter(|(_, is_tagged)| *is_tagged);
    let tagged: Vec<BucketPlace> = tagged.map(|(side, _)| side).collect();
    world.buckets.extend(buckets_at(aws, topology, &tagged, depth).await?);
    Ok(())
}

/// Polls the tags of a bucket until some appear. Returns whether any did.
async fn tagged_late(aws: &Aws, events: &Events, side: &BucketPlace) -> Result<bool, Failure> {
    let progress = events.step(&StepId::new(events::Kind::BucketTags, side.bucket.as_str()));
    let at_most = format_args!("at most {}", format_duration(TAGS_SHOW_WITHIN));
    let reason = format!("it shows no tags and may be this pair's: waiting for them, {at_most}");
    progress.waiting(reason, Duration::ZERO);
    let look = || find::bucket_tags(aws, &side.bucket, &side.region);
    Ok(!shown(TAGS_SHOW_WITHIN, |tags| !tags.is_empty(), look).await?.is_empty())
}

/// Finds the roles of the directions back to the source.
async fn reverse_roles(
    aws: &Aws,
    backward: &[Topology],
    removal: bool,
) -> Result<BTreeMap<BucketName, Role>, Failure> {
    let found = backward.iter().map(|back| async move {
        let role = find::role(aws, &back.role, back.role_region(), removal).await?;
        Ok::<_, Failure>(role.map(|role| (back.source.bucket.clone(), role)))
    });
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}

/// Returns the buckets of the pair that only its live rules and the tags of its keys name. A bucket
/// that a key records counts even without the pair's tags: its data may be under the pair's key.
async fn unnamed(
    aws: &Aws,
    topology: &Topology,
    world: &World,
) -> Result<BTreeMap<BucketName, Bucket>, Failure> {
    let recorded: BTreeSet<BucketPlace> = recorded(world).collect();
    let told = rules::unnamed(topology, world).into_iter().map(|side| side.place);
    let told = told.chain(recorded.iter().cloned());
    let unknown = told.filter(|side| !world.buckets.contains_key(&side.bucket));
    let sides: BTreeSet<BucketPlace> = unknown.collect();
    let recorded = &recorded;
    let found = sides.iter().map(|side| async move {
        let is_heeded =
            |bucket: &Bucket| topology.wanted.owns(&bucket.tags) || recorded.contains(side);
        match find::bucket(aws, side, &Optional::all()).await {
            Ok(bucket) => {
                let Some(mut bucket) = bucket.filter(is_heeded) else { return Ok(None) };
                let more = Optional::recorded_by(&bucket.tags).but(&Optional::all());
                find::find_more(aws, side, &more, &mut bucket).await?;
                Ok(Some((side.bucket.clone(), bucket)))
            }
            // Another owner uses the name now.
            Err(failure) if failure.kind == Kind::InTheWay => Ok(None),
            Err(failure) => Err(failure),
        }
    });
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}

/// Returns the buckets that the tags of the keys record as encrypted under them.
fn recorded(world: &World) -> impl Iterator<Item = BucketPlace> {
    world.keys.primary.iter().chain(world.keys.replicas.values()).flat_map(|key| {
        let names = key.tags.keys().filter_map(|tag| tag.strip_prefix(Topology::BUCKET_TAG_PREFIX));
        let names = names.filter_map(|name| BucketName::new(name).ok());
        names.map(|bucket| BucketPlace { region: key.region.clone(), bucket })
    })
}

/// Finds the resources of batch jobs. For a removal, a bucket with the name of the report bucket that another owner has
/// is none of them.
pub async fn batch(aws: &Aws, topology: &Topology, removal: bool) -> Result<Batch, Failure> {
    let name = RoleName::new(topology.batch_role())?;
    let role = async { Ok(find::role(aws, &name, aws.home(), removal).await?) };
    let (role, reports) = joined::both(role, report_bucket(aws, topology, removal)).await?;
    Ok(Batch { role, reports })
}

async fn report_bucket(
    aws: &Aws,
    topology: &Topology,
    removal: bool,
) -> Result<Option<(BucketName, Bucket)>, Failure> {
    let Some(side) = topology.report_side()? else { return Ok(None) };
    let every = |_: &BucketPlace| Optional::all();
    match found_buckets(aws, topology, std::slice::from_ref(&side), every, false).await {
        Err(failure) if removal && failure.kind == Kind::InTheWay => Ok(None),
        found => Ok(found?.into_iter().next()),
    }
}

/// Finds buckets and reads their settings to the given depth.
async fn buckets_at(
    aws: &Aws,
    topology: &Topology,
    sides: &[BucketPlace],
    depth: Depth,
) -> Result<BTreeMap<BucketName, Bucket>, Failure> {
    let matter = |side: &BucketPlace| match depth {
        Depth::Wanted => topology.matters(&side.bucket),
        Depth::Settings | Depth::Removal => Optional::all().and(&topology.matters(&side.bucket)),
    };
    found_buckets(aws, topology, sides, matter, depth == Depth::Removal).await
}

/// Finds buckets with the optional settings that `matter` returns and those that their tags record.
/// For a removal, counts the objects at the same time.
async fn found_buckets(
    aws: &Aws,
    topology: &Topology,
    sides: &[BucketPlace],
    matter: impl Fn(&BucketPlace) -> Optional,
    removal: bool,
) -> Result<BTreeMap<BucketName, Bucket>, Failure> {
    let asked = sides.iter().map(|side| (side, matter(side)));
    let found = asked.map(|(side, matter)| async move {
        let objects = async {
            if removal { find::objects(aws, topology, side).await.map(Some) } else { Ok(None) }
        };
        let (bucket, objects) = join(Box::pin(find::bucket(aws, side, &matter)), objects).await;
        let mut bucket = bucket?;
        if let Some(bucket) = &mut bucket {
            bucket.objects = objects?;
            let more = topology.wanted.matters_by(&bucket.tags).but(&matter);
            find::find_more(aws, side, &more, bucket).await?;
            if !topology.across_to(side).is_empty() {
                bucket.requester_pays = find::requester_pays(aws, side).await?;
            }
            if bucket.tags.is_empty() {
                bucket.empty = Some(find::is_empty(aws, side).await?);
            }
        }
        Ok::<_, Failure>(bucket.map(|bucket| (side.bucket.clone(), bucket)))
    });
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}
