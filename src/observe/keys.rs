//! Finds the keys of a pair: by alias, by tags if the alias is missing, and the existing keys that
//! the manifest names.
//! Not for: which keys the pair needs (see `plan`).

use super::Named;
use crate::aws::{Aws, Class};
use crate::failure::Failure;
use crate::joined;
use crate::manifest::{KeyKind, KeyWish, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::steps::find;
use crate::world::{Key, Keys, LastUse, World};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn keys(
    aws: &Aws,
    topology: &Topology,
    named: Named,
    removal: bool,
) -> Result<Keys, Failure> {
    let aliases = named.0.iter().map(|(region, key)| (region.clone(), key.id.clone())).collect();
    let mut keys = Keys { aliases, ..Keys::default() };
    let own = own_keys(aws, topology, &named, removal, &mut keys);
    let ((), (existing, untold)) = joined::both(own, existing_tagged(aws, topology)).await?;
    (keys.existing, keys.untold) = (existing, untold);
    Ok(keys)
}

/// Finds the existing keys with their policies and, for the keys of the side's account, their tags.
/// The tags show whether another pair created a key. The second set has the keys whose tags the
/// caller may not read.
async fn existing_tagged(
    aws: &Aws,
    topology: &Topology,
) -> Result<(BTreeMap<BucketName, Key>, BTreeSet<Arn>), Failure> {
    let (mut existing, mut untold) = (existing(aws, topology).await?, BTreeSet::new());
    let is_own = |key: &Key| key.arn.account() == topology.wanted.account_of(&key.region).as_str();
    let tags = existing.iter().filter(|(_, key)| is_own(key)).map(|(name, key)| async move {
        match find::key_tags(aws, &key.region, key.id.as_str()).await {
            Ok(tags) => Ok((name.clone(), Some(tags))),
            Err(error) if error.class == Class::Denied => Ok((name.clone(), None)),
            Err(error) => Err(error),
        }
    });
    for (name, tags) in joined::all(tags).await? {
        let Some(key) = existing.get_mut(&name) else { continue };
        match tags {
            Some(tags) => key.tags = tags,
            None => drop(untold.insert(key.arn.clone())),
        }
    }
    Ok((existing, untold))
}

/// Finds the existing keys with their policies.
pub(super) async fn existing(
    aws: &Aws,
    topology: &Topology,
) -> Result<BTreeMap<BucketName, Key>, Failure> {
    let given = topology.reached().filter_map(|side| match &side.key {
        KeyWish::Existing(given) => Some((side, given)),
        _ => None,
    });
    let found = given.map(|(side, given)| async move {
        let Some(key) = find::key(aws, &side.region, given.as_str()).await? else {
            return Ok::<_, Failure>(None);
        };
        Ok(Some((side.bucket.clone(), find::key_with_policy(aws, key).await?)))
    });
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}

/// Finds the keys that crrctl creates and, for a removal, the other grantees of their grants.
async fn own_keys(
    aws: &Aws,
    topology: &Topology,
    named: &Named,
    removal: bool,
    keys: &mut Keys,
) -> Result<(), Failure> {
    let granted: Vec<&Key> = if removal { named.0.values().collect() } else { Vec::new() };
    let grants = grantees(aws, granted.iter().copied());
    let uses = async { Ok(last_uses(aws, granted.iter().copied()).await) };
    let found = self::keys_found(aws, topology, named, removal, keys);
    let (grantees_of_named, uses, ()) = joined::three(grants, uses, found).await?;
    keys.grantees = grantees_of_named;
    keys.last_uses = uses;
    if removal {
        let known = keys.replicas.values().chain(&keys.primary);
        let others = known.filter(|key| granted.iter().all(|it| it.arn != key.arn));
        keys.grantees.extend(grantees(aws, others).await?);
    }
    Ok(())
}

/// Finds the keys that crrctl creates. The keys that the aliases name are read concurrently.
async fn keys_found(
    aws: &Aws,
    topology: &Topology,
    named: &Named,
    removal: bool,
    keys: &mut Keys,
) -> Result<(), Failure> {
    let mut regions = topology.key_regions();
    regions.retain(|region| !topology.wanted.is_handed_over(region));
    let Some((first, others)) = regions.split_first() else { return Ok(()) };
    let details = async {
        if topology.wanted.key.kind != KeyKind::PerRegion {
            return match named.0.get(first) {
                Some(primary) => Ok(Some(replicas(aws, topology, primary, named).await?)),
                None => Ok(None),
            };
        }
        let found = others.iter().filter_map(|region| named.0.get(region)).cloned();
        let found = joined::all(found.map(|key| find::key_details(aws, key))).await?;
        Ok::<_, Failure>(Some(found.into_iter().map(|key| (key.region.clone(), key)).collect()))
    };
    let (primary, beside) =
        joined::both(made(aws, topology, first, named, removal, keys), details).await?;
    keys.primary = primary;
    if topology.wanted.key.kind == KeyKind::PerRegion {
        keys.replicas = beside.unwrap_or_default();
        for region in others {
            let seen = named.0.get(region);
            if removal && let Some(seen) = seen {
                let unnamed = unnamed_keys(aws, topology, region, Some(&seen.id)).await?;
                unnamed.enter(keys);
            }
            if seen.is_none()
                && let Some(key) = without_alias(aws, topology, region, keys).await?
            {
                keys.replicas.insert((*region).clone(), key);
            }
        }
        if removal {
            pending_kin(aws, topology, keys).await?;
        }
        return Ok(());
    }
    if removal {
        pending_kin(aws, topology, keys).await?;
    }
    let Some(primary) = &keys.primary else { return Ok(()) };
    keys.replicas = match beside {
        Some(beside) => beside,
        None => replicas(aws, topology, primary, named).await?,
    };
    let unnamed = keys.replicas.keys().filter(|region| !regions.contains(region));
    let aliases = unnamed.map(|region| async move {
        let key = find::key(aws, region, topology.wanted.key.alias.as_str()).await?;
        Ok::<_, Failure>(key.map(|key| (region.clone(), key.id)))
    });
    let aliases = joined::all(aliases).await?;
    keys.aliases.extend(aliases.into_iter().flatten());
    if !removal {
        keys.pending.extend(named_and_going(aws, topology, named, &primary.id).await?);
    }
    Ok(())
}

/// Finds the pair's keys that are pending deletion and that an alias names in place of the key
/// `primary`: a run that gave the aliases another key was cut off between two of them.
async fn named_and_going(
    aws: &Aws,
    topology: &Topology,
    named: &Named,
    primary: &KeyId,
) -> Result<Vec<Key>, Failure> {
    let is_going = |key: &&Key| &key.id != primary && key.is_pending_deletion();
    let going = named.0.values().filter(is_going).map(|key| async move {
        let tags = find::key_tags(aws, &key.region, key.id.as_str()).await?;
        Ok::<_, Failure>(Key { tags, ..key.clone() })
    });
    let mut going = joined::all(going).await?;
    going.retain(|key| topology.wanted.owns(&key.tags));
    Ok(going)
}

/// Finds the pair's own keys in Regions that the manifest does not name and in which the pair has,
/// or had, buckets. The primary key lists the replicas of a multi-Region key. Nothing lists the
/// keys of a pair with one key per Region.
pub(super) async fn dropped(
    aws: &Aws,
    topology: &Topology,
    regions: BTreeSet<Region>,
    keys: &mut Keys,
) -> Result<(), Failure> {
    if topology.wanted.key.kind != KeyKind::PerRegion {
        return Ok(());
    }
    for region in regions {
        if keys.in_region(&region).is_some() {
            continue;
        }
        let named = find::key(aws, &region, topology.wanted.key.alias.as_str()).await?;
        let Some(key) = named else { continue };
        let key = find::key_details(aws, key).await?;
        if topology.wanted.owns(&key.tags) {
            keys.aliases.insert(region.clone(), key.id.clone());
            keys.replicas.insert(region, key);
        }
    }
    Ok(())
}

/// Returns the grantees of the grants on `keys`.
async fn grantees(aws: &Aws, keys: impl Iterator<Item = &Key>) -> Result<Vec<String>, Failure> {
    let usable = keys.filter(|it| !it.is_pending_deletion());
    let grants = usable.map(|key| find::key_grants(aws, &key.region, key.id.as_str()));
    Ok(joined::all(grants).await?.concat())
}

/// Returns when each of `keys` was last used, as far as KMS says it: the caller may not be allowed to
/// ask, and a stand-in may not know the call.
async fn last_uses(aws: &Aws, keys: impl Iterator<Item = &Key>) -> BTreeMap<Arn, LastUse> {
    let uses = keys.map(|key| async move {
        let last = find::key_last_use(aws, &key.region, key.id.as_str()).await;
        Some((key.arn.clone(), last.ok().flatten()?))
    });
    join_all(uses).await.into_iter().flatten().collect()
}

/// Finds the key created in `region`, by its alias, or by its tags if the alias is missing.
async fn made(
    aws: &Aws,
    topology: &Topology,
    region: &Region,
    named: &Named,
    removal: bool,
    keys: &mut Keys,
) -> Result<Option<Key>, Failure> {
    let Some(key) = named.0.get(region) else {
        return without_alias(aws, topology, region, keys).await;
    };
    let details = async { Ok(find::key_details(aws, key.clone()).await?) };
    if !removal {
        return details.await.map(Some);
    }
    let unnamed = unnamed_keys(aws, topology, region, Some(&key.id));
    let (key, unnamed) = joined::both(details, unnamed).await?;
    unnamed.enter(keys);
    Ok(Some(key))
}

/// Uses the newest key that is pending deletion as the pair's key, with its replicas, if the pair
/// has no other key.
pub async fn pending_key(aws: &Aws, topology: &Topology, world: &mut World) -> Result<(), Failure> {
    let keys = &mut world.keys;
    let newest = keys.pending.iter().enumerate().max_by_key(|(_, key)| key.created);
    let Some(index) = newest.map(|(index, _)| index).filter(|_| keys.primary.is_none()) else {
        return Ok(());
    };
    let primary = find::key_details(aws, keys.pending.remove(index)).await?;
    keys.replicas = replicas(aws, topology, &primary, &Named(BTreeMap::new())).await?;
    keys.primary = Some(primary);
    Ok(())
}

/// Uses a spare key, which no alias names, as the pair's key, in place of a key that was released.
pub async fn spare_key(aws: &Aws, topology: &Topology, world: &mut World) -> Result<(), Failure> {
    let known = std::mem::take(&mut world.keys.pending);
    world.keys.primary =
        without_alias(aws, topology, &topology.source.region, &mut world.keys).await?;
    let is_new = |key: &Key, all: &[Key]| all.iter().all(|other| other.id != key.id);
    for key in known {
        if is_new(&key, &world.keys.pending) {
            world.keys.pending.push(key);
        }
    }
    Ok(())
}

/// If the alias is missing, the oldest usable key with the pair's tags is the pair's key. The
/// others are spare.
async fn without_alias(
    aws: &Aws,
    topology: &Topology,
    region: &Region,
    keys: &mut Keys,
) -> Result<Option<Key>, Failure> {
    unnamed_keys(aws, topology, region, None).await?.enter(keys);
    let Some(oldest) = keys.spares.iter().position(|key| &key.region == region) else {
        return Ok(None);
    };
    let key = keys.spares.remove(oldest);
    Ok(Some(find::key_details(aws, key).await?))
}

/// Keys with the pair's tags that no alias names. Usable keys are spare, oldest first. The others
/// are pending deletion.
struct Unnamed {
    spares: Vec<Key>,
    pending: Vec<Key>,
}

impl Unnamed {
    fn enter(self, keys: &mut Keys) {
        keys.spares.extend(self.spares);
        keys.pending.extend(self.pending);
    }
}

/// Finds the keys of `region` with the pair's tags, except `named`.
async fn unnamed_keys(
    aws: &Aws,
    topology: &Topology,
    region: &Region,
    named: Option<&KeyId>,
) -> Result<Unnamed, Failure> {
    let (tags, kind) = (topology.wanted.owner_tags(), topology.wanted.key.kind);
    let ours = find::keys_by_tags(aws, region, &tags, kind, named).await?;
    let is_made = |key: &Key| key.multi_region.as_ref().is_none_or(|place| place.primary);
    let (pending, spares) = ours.into_iter().filter(is_made).partition(Key::is_pending_deletion);
    Ok(Unnamed { spares, pending })
}

/// Adds the replicas of keys that are pending deletion: replicas that are also pending deletion,
/// and replicas that an interrupted run left usable. A usable replica is the pair's own if the pair
/// has no other key, else it is spare.
async fn pending_kin(aws: &Aws, topology: &Topology, keys: &mut Keys) -> Result<(), Failure> {
    for key in replicas_of_pending(aws, keys).await? {
        if key.is_pending_deletion() {
            keys.pending.push(key);
            continue;
        }
        let key = find::key_details(aws, key).await?;
        if keys.primary.is_none() {
            keys.replicas.insert(key.region.clone(), key);
        } else if topology.wanted.owns(&key.tags) {
            keys.spares.push(key);
        }
    }
    Ok(())
}

/// Adds to the spare keys the usable replicas of keys that are pending deletion: a removal ended
/// before it scheduled them, and no alias may name them any more. A replica in a Region that the
/// manifest does not name is left out: the plan says nothing of that Region.
pub async fn left_replicas(
    aws: &Aws,
    topology: &Topology,
    world: &mut World,
) -> Result<(), Failure> {
    let wanted = topology.key_regions();
    for key in replicas_of_pending(aws, &world.keys).await? {
        if key.is_pending_deletion() || !wanted.contains(&&key.region) {
            continue;
        }
        let key = find::key_details(aws, key).await?;
        if topology.wanted.owns(&key.tags) {
            world.keys.spares.push(key);
        }
    }
    Ok(())
}

/// Finds the replicas of the keys that are pending deletion.
async fn replicas_of_pending(aws: &Aws, keys: &Keys) -> Result<Vec<Key>, Failure> {
    let listed = keys.pending.iter().flat_map(|key| {
        let place = key.multi_region.iter().filter(|place| place.primary);
        let regions = place.flat_map(|place| &place.replica_regions);
        regions.map(|region| replica(aws, region, &key.id))
    });
    Ok(joined::all(listed).await?.into_iter().flatten().collect())
}

/// Finds the replicas in the Regions that the manifest declares and that the primary key lists.
async fn replicas(
    aws: &Aws,
    topology: &Topology,
    primary: &Key,
    named: &Named,
) -> Result<BTreeMap<Region, Key>, Failure> {
    let listed = primary.multi_region.iter().flat_map(|place| &place.replica_regions);
    let wanted = topology.key_regions().into_iter().skip(1);
    let regions: BTreeSet<&Region> = listed.chain(wanted).collect();
    let found = regions.into_iter().map(|region| async move {
        let key = match named.0.get(region).filter(|key| key.id == primary.id) {
            Some(key) => Some(key.clone()),
            None => replica(aws, region, &primary.id).await?,
        };
        let Some(key) = key else { return Ok::<_, Failure>(None) };
        Ok(Some((region.clone(), find::key_details(aws, key).await?)))
    });
    Ok(joined::all(found).await?.into_iter().flatten().collect())
}

async fn replica(aws: &Aws, region: &Region, id: &KeyId) -> Result<Option<Key>, Failure> {
    Ok(find::key(aws, region, id.as_str()).await?)
}
