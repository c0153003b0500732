//! Plans the removal of keys and aliases.
//! Not for: the keys of dropped destinations (see `build::orphans`).

use super::{Kept, Removal, Why};
use crate::events::{Kind, StepId};
use crate::manifest::{KeyKind, Topology};
use crate::names::{Arn, KeyId, Region};
use crate::plan::work::{Owned, WhyRemoved};
use crate::plan::{Action, Plan, Work};
use crate::policy::meaning;
use crate::world::{Key, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Returns why all keys are kept, or `None`.
pub(super) fn keys_stay(
    topology: &Topology,
    world: &World,
    wish: Removal,
    buckets: &[Kept],
) -> Option<(String, Why)> {
    if wish.keep_keys {
        return Some(("--keep-keys".to_owned(), Why::Asked));
    }
    if let Some(bucket) = buckets.first() {
        return Some((format!("{} stays, and its data needs the key", bucket.arn), bucket.because));
    }
    let all = world.keys.primary.iter().chain(world.keys.replicas.values());
    let mut others: Vec<String> = all.flat_map(|key| other_users(topology, key)).collect();
    others.extend(world.keys.grantees.iter().map(|grantee| format!("a grant to {grantee}")));
    others.sort();
    others.dedup();
    if others.is_empty() || wish.purge_keys {
        return None;
    }
    let why = format!(
        "others may use it ({}); `--purge-keys` schedules it all the same",
        others.join(", ")
    );
    Some((why, Why::Refused))
}

/// How long after an object was written its replication may still use the key.
const REPLICATES_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// Warns of each key that goes and was used later than the pair's newest object of its Region was
/// written: somebody reads, or uses it for something else. Nothing is said of a key whose last use,
/// or whose newest object, is unknown.
pub(super) fn used_later(topology: &Topology, world: &World, plan: &Plan) -> Vec<String> {
    let goes = |key: &&Key| plan.actions.iter().any(|it| it.arn.as_ref() == Some(&key.arn));
    let all = world.keys.primary.iter().chain(world.keys.replicas.values());
    let warning = |key: &Key| {
        let last = world.keys.last_uses.get(&key.arn)?;
        let newest = newest_object(topology, world, &key.region)?;
        (last.at.duration_since(newest) > REPLICATES_WITHIN).then(|| {
            format!(
                "{} was last used ({}) at {}, and the newest object of the pair in {} is of {newest}: something reads there, or uses \
                 the key for other data; once the key is deleted, nobody can read what is under it",
                key.arn, last.operation, last.at, key.region
            )
        })
    };
    all.filter(goes).filter_map(warning).collect()
}

/// Returns when the newest object of the pair's buckets in `region` was written; `None` if unknown.
fn newest_object(topology: &Topology, world: &World, region: &Region) -> Option<Timestamp> {
    let there = topology.reached().filter(|side| &side.region == region);
    let dates = there.map(|side| world.buckets.get(&side.bucket)?.objects.as_ref()?.newest);
    dates.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Returns the other users of a key: principals of other accounts, and pairs that share the key.
pub(in crate::plan) fn other_users(topology: &Topology, key: &Key) -> Vec<String> {
    let pair = key.tags.get(Topology::SHARED_TAG);
    let pairs = pair.map(|name| format!("pairs that share it, such as `{name}`"));
    other_accounts(topology, key).into_iter().chain(pairs).collect()
}

/// Returns the principals of other accounts that the key policy allows.
fn other_accounts(topology: &Topology, key: &Key) -> Vec<String> {
    let ours = topology.accounts();
    let mut found: Vec<String> = meaning::statements(&key.policy)
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| match &statement["Principal"]["AWS"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(list) => {
                list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        })
        .filter(|principal| !ours.iter().any(|account| principal.contains(account.as_str())))
        .collect();
    found.sort();
    found.dedup();
    found
}

pub(super) fn kept_keys(topology: &Topology, world: &World, why: &str, because: Why) -> Vec<Kept> {
    let keep = |kind, arn: Arn| Kept { kind, arn, why: why.to_owned(), because };
    let aliases = world.keys.aliases.keys();
    let alias = |region| topology.wanted.key.alias.arn(region, topology.wanted.account_of(region));
    let replicas = world.keys.replicas.values().filter(|key| !key.is_pending_deletion());
    world
        .keys
        .primary
        .iter()
        .map(|key| keep(Kind::Key, key.arn.clone()))
        .chain(replicas.map(|key| keep(kind_beside(topology), key.arn.clone())))
        .chain(aliases.map(|region| keep(Kind::Alias, alias(region))))
        .collect()
}

/// Returns the kind of the keys outside the source's Region.
fn kind_beside(topology: &Topology) -> Kind {
    match topology.wanted.key.kind {
        KeyKind::PerRegion => Kind::Key,
        KeyKind::MultiRegion | KeyKind::Existing | KeyKind::None => Kind::ReplicaKey,
    }
}

/// Returns the removal of a key or an alias with the pair.
fn goes<Made, Differs>() -> Owned<Made, Differs> {
    Owned::Remove(WhyRemoved::PairGoes)
}

/// Adds the removal of aliases before keys, both after all buckets. A primary key may be scheduled
/// for deletion before its replica keys: KMS waits until the replica keys are deleted (KMS
/// Developer Guide, "Deleting multi-Region keys").
pub(super) fn keys(
    topology: &Topology,
    world: &World,
    buckets: &[StepId],
    plan: &mut Plan,
    kept: &mut Vec<Kept>,
) {
    let alias = &topology.wanted.key.alias;
    // Role policies name a key until they are deleted, so keys wait for them.
    let policies = plan.actions.iter().filter(|action| action.kind() == Kind::RolePolicy);
    let free: Vec<StepId> =
        buckets.iter().cloned().chain(policies.map(|action| action.id.clone())).collect();
    let mut foreign_replica = false;
    let is_primary = |id: &KeyId| world.keys.primary.as_ref().is_some_and(|key| &key.id == id);
    let is_ours = |(region, id): (&Region, &KeyId)| {
        let here = world.keys.in_region(region).is_some_and(|key| &key.id == id);
        here || is_primary(id) || world.keys.pending.iter().any(|key| &key.id == id)
    };
    for (region, target) in &world.keys.aliases {
        let arn = alias.arn(region, topology.wanted.account_of(region));
        if is_ours((region, target)) {
            let (work, needs) = (Work::Alias(goes()), buckets.to_vec());
            let (id, name) = (region.as_str(), alias.as_str());
            plan.actions.push(Action::new(work, id, region, name, Some(arn), needs));
        } else {
            let why = format!("it names the key {target}, which is not this pair's");
            kept.push(Kept { kind: Kind::Alias, arn, why, because: Why::Refused });
        }
    }
    let alias_gone = |region: &Region| {
        let gone = world.keys.aliases.get_key_value(region).is_some_and(is_ours);
        gone.then(|| StepId::new(Kind::Alias, region.as_str()))
    };
    for (region, key) in &world.keys.replicas {
        if key.is_pending_deletion() {
            continue;
        }
        if !topology.wanted.owns(&key.tags) {
            foreign_replica = kind_beside(topology) == Kind::ReplicaKey;
            let why = "it does not bear this pair's tags".to_owned();
            kept.push(Kept {
                kind: kind_beside(topology),
                arn: key.arn.clone(),
                why,
                because: Why::Refused,
            });
            continue;
        }
        let needs = free.iter().cloned().chain(alias_gone(region)).collect();
        let work = match topology.wanted.key.kind {
            KeyKind::PerRegion => Work::Key(goes()),
            KeyKind::MultiRegion | KeyKind::Existing | KeyKind::None => Work::ReplicaKey(goes()),
        };
        let (id, name, arn) = (region.as_str(), alias.as_str(), Some(key.arn.clone()));
        plan.actions.push(Action::new(work, id, region, name, arn, needs));
    }
    for key in
        world.keys.primary.iter().chain(&world.keys.spares).filter(|key| !key.is_pending_deletion())
    {
        let is_primary = is_primary(&key.id);
        if !topology.wanted.owns(&key.tags) || (is_primary && foreign_replica) {
            let why = if foreign_replica {
                "a replica of it is not ours".to_owned()
            } else {
                "it does not bear this pair's tags".to_owned()
            };
            kept.push(Kept { kind: Kind::Key, arn: key.arn.clone(), why, because: Why::Refused });
            continue;
        }
        let id = if is_primary { key.region.as_str() } else { key.id.as_str() };
        let needs = free.iter().cloned().chain(alias_gone(&key.region)).collect();
        let (work, name, arn) = (Work::Key(goes()), alias.as_str(), Some(key.arn.clone()));
        plan.actions.push(Action::new(work, id, &key.region, name, arn, needs));
    }
}
