//! The plan of `destroy`: what goes, in AWS's order, and what stays and why.
//! Not for: emptying buckets or counting objects (see `steps` and `observe`).

mod adopted;

pub(super) use adopted::given_back;

use super::{Action, Plan};
use crate::events::{Kind, StepId, Verb};
use crate::failure::{self, Failure};
use crate::manifest::{KeyKind, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::policy::meaning;
use crate::world::{Bucket, Key, Objects, Role, Rule, World};
use serde::Serialize;

/// What the user allows and forbids.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the contract")]
pub struct Removal {
    /// Objects that are not ours go too.
    pub purge_data: bool,
    /// Keys that others may use go too.
    pub purge_keys: bool,
    /// Keys and aliases stay.
    pub keep_keys: bool,
    /// Buckets stay, and with them their keys.
    pub keep_buckets: bool,
    /// Versions under GOVERNANCE retention go too.
    pub bypass_governance: bool,
}

/// A resource that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The resource's kind.
    pub kind: Kind,
    /// The resource.
    pub arn: Arn,
    /// Why it stays.
    pub why: String,
    /// Whether a flag asked for it; such a resource does not make `destroy` fail.
    #[serde(skip)]
    pub because: Why,
}

/// Who decided that a resource stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The user, by a flag.
    Asked,
    /// crrctl, since taking it away would harm.
    Refused,
}

/// Returns what is to be removed, and what stays. Refuses as a whole (exit 10) where objects that are not ours lie in a
/// bucket that would go.
pub fn removal(
    topology: &Topology,
    world: &World,
    wish: Removal,
) -> Result<(Plan, Vec<Kept>), Failure> {
    let buckets = Buckets::of(topology, world, wish)?;
    let mut plan = Plan::default();
    let mut kept = buckets.kept.clone();
    let rules = rules(topology, world);
    let rule_step: Vec<StepId> = rules.iter().map(|action| action.id.clone()).collect();
    plan.actions.extend(rules);
    plan.actions.extend(
        buckets
            .going
            .iter()
            .map(|(name, bucket)| bucket_action(topology, name, bucket, &rule_step)),
    );
    for (name, bucket) in &buckets.adopted {
        plan.actions.extend(given_back(topology, name, bucket, &rule_step));
    }
    let buckets_gone: Vec<StepId> = buckets
        .going
        .iter()
        .map(|(name, _)| StepId::new(Kind::Bucket, name.as_str()))
        .chain(rule_step)
        .collect();
    let replicating = world.role.iter().map(|role| (topology.role.to_string(), role));
    for (name, role) in
        replicating.chain(world.batch.role.iter().map(|role| (topology.batch_role(), role)))
    {
        self::role(topology, &name, role, &buckets_gone, &mut plan, &mut kept);
    }
    match keys_stay(topology, world, wish, &buckets.kept) {
        Some((why, because)) => kept.extend(kept_keys(topology, world, &why, because)),
        None => keys(topology, world, &buckets_gone, &mut plan, &mut kept),
    }
    Ok((plan, kept))
}

/// The pair's buckets, sorted by what becomes of them.
struct Buckets<'a> {
    going: Vec<(&'a BucketName, &'a Bucket)>,
    /// Those that stay without our statements and tags.
    adopted: Vec<(&'a BucketName, &'a Bucket)>,
    kept: Vec<Kept>,
}

impl<'a> Buckets<'a> {
    fn of(topology: &Topology, world: &'a World, wish: Removal) -> Result<Self, Failure> {
        let mut buckets = Self { going: Vec::new(), adopted: Vec::new(), kept: Vec::new() };
        let mut foreign = Vec::new();
        let reports = world.batch.reports.iter().filter(|(_, bucket)| topology.owns(&bucket.tags));
        for (name, bucket) in
            world.buckets.iter().chain(reports.map(|(name, bucket)| (name, bucket)))
        {
            let keep = |why: &str, because| Kept {
                kind: Kind::Bucket,
                arn: name.arn(topology.partition()),
                why: why.to_owned(),
                because,
            };
            let objects = bucket.objects.as_ref().map_or(&[][..], |objects| &objects.foreign);
            if topology.is_adopted(name, &bucket.tags) {
                buckets.adopted.push((name, bucket));
                let why = "it was adopted: its settings stay, and crrctl never deletes it";
                buckets.kept.push(keep(why, Why::Asked));
            } else if wish.keep_buckets {
                buckets.kept.push(keep("--keep-buckets", Why::Asked));
            } else if !topology.owns(&bucket.tags) && !bucket.is_cut_off_creation() {
                buckets.kept.push(keep("it does not bear this pair's tags", Why::Refused));
            } else if bucket.mfa_delete && bucket.objects != Some(Objects::default()) {
                return Err(mfa_delete(name, bucket));
            } else if objects.is_empty() || wish.purge_data {
                buckets.going.push((name, bucket));
            } else {
                foreign.push(format!("s3://{name}: {}", objects.join(", ")));
            }
        }
        if foreign.is_empty() {
            return Ok(buckets);
        }
        let message = format!(
            "objects that are not probes of this pair lie in its buckets: {}",
            foreign.join("; ")
        );
        Err(Failure::new(failure::Kind::InTheWay, "foreign-objects", message)
            .hint("nothing was changed; to delete all versions of all objects too: `crrctl destroy --purge-data`")
            .hint("to keep the buckets and their keys: `crrctl destroy --keep-buckets`"))
    }
}

/// Only the root user, with the device, can delete versions or switch this off (S3 User Guide, "Configuring MFA delete").
fn mfa_delete(name: &BucketName, bucket: &Bucket) -> Failure {
    let message =
        format!("the bucket `{name}` has MFA delete, and holds versions: crrctl can't delete them");
    let failure = Failure::new(failure::Kind::InTheWay, "mfa-delete", message);
    let failure = match &bucket.region {
        Some(region) => failure.in_region(region),
        None => failure,
    };
    failure
        .hint("nothing was changed; as the root user, switch it off: `aws s3api put-bucket-versioning --versioning-configuration Status=Enabled,MFADelete=Disabled --mfa 'SERIAL CODE'`")
        .hint("to keep the buckets and their keys: `crrctl destroy --keep-buckets`")
}

fn delete(
    kind: Kind,
    id: &str,
    region: &Region,
    name: &str,
    arn: Arn,
    needs: Vec<StepId>,
) -> Action {
    Action {
        id: StepId::new(kind, id),
        kind,
        region: region.clone(),
        name: name.to_owned(),
        arn: Some(arn),
        verb: Verb::Delete,
        reason: "ours".to_owned(),
        fields: Vec::new(),
        needs,
    }
}

fn rules(topology: &Topology, world: &World) -> Option<Action> {
    let source = &topology.source;
    let bucket = world.buckets.get(&source.bucket)?;
    let is_ours = |rule: &Rule| super::rules::region_of(topology, &rule.id).is_some();
    let ours = bucket.replication.as_ref().is_some_and(|live| live.rules.iter().any(is_ours));
    // A run that was cut off may have taken the rules away and not waited until S3 forgot them.
    let role_waits = topology.is_adopted(&source.bucket, &bucket.tags)
        && world.role.as_ref().is_some_and(|role| topology.owns(&role.tags));
    (ours || role_waits).then(|| {
        let arn = source.bucket.arn(topology.partition());
        delete(
            Kind::Replication,
            source.bucket.as_str(),
            &source.region,
            source.bucket.as_str(),
            arn,
            Vec::new(),
        )
    })
}

fn bucket_action(
    topology: &Topology,
    name: &BucketName,
    bucket: &Bucket,
    rules: &[StepId],
) -> Action {
    let region = bucket.region.as_ref().unwrap_or(&topology.source.region);
    let arn = name.arn(topology.partition());
    let mut action =
        delete(Kind::Bucket, name.as_str(), region, name.as_str(), arn, rules.to_vec());
    if let Some(objects) = &bucket.objects {
        action.reason = match (objects.probes, objects.foreign.is_empty()) {
            (0, true) => "ours, empty".to_owned(),
            (probes, true) => format!("ours, holds {probes} versions of probes"),
            (_, false) => "ours, and --purge-data deletes what is in it".to_owned(),
        };
    }
    action
}

fn role(
    topology: &Topology,
    name: &str,
    role: &Role,
    buckets: &[StepId],
    plan: &mut Plan,
    kept: &mut Vec<Kept>,
) {
    let stays = |why: &str| Kept {
        kind: Kind::Role,
        arn: role.arn.clone(),
        why: why.to_owned(),
        because: Why::Refused,
    };
    if !topology.owns(&role.tags) {
        kept.push(stays("it does not bear this pair's tags"));
        return;
    }
    let region = &topology.source.region;
    let mut needs = buckets.to_vec();
    if role.policy.is_some() {
        plan.actions.push(delete(Kind::RolePolicy, name, region, name, role.arn.clone(), needs));
        needs = vec![StepId::new(Kind::RolePolicy, name)];
    }
    if role.other_policies.is_empty() {
        plan.actions.push(delete(Kind::Role, name, region, name, role.arn.clone(), needs));
    } else {
        kept.push(stays(&format!(
            "it has policies that are not ours: {}",
            role.other_policies.join(", ")
        )));
    }
}

/// Returns why all keys stay, if they do.
fn keys_stay(
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
    let mut others: Vec<String> = all.flat_map(|key| other_accounts(topology, key)).collect();
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

/// Returns the principals of other accounts that the key's policy lets in.
pub(super) fn other_accounts(topology: &Topology, key: &Key) -> Vec<String> {
    let mut found: Vec<String> = meaning::statements(&key.policy)
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| match &statement["Principal"]["AWS"] {
            serde_json::Value::String(one) => vec![one.clone()],
            serde_json::Value::Array(list) => {
                list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        })
        .filter(|principal| !principal.contains(topology.account.as_str()))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn kept_keys(topology: &Topology, world: &World, why: &str, because: Why) -> Vec<Kept> {
    let keep = |kind, arn: Arn| Kept { kind, arn, why: why.to_owned(), because };
    let account = &topology.account;
    let aliases = world.keys.aliases.keys();
    let replicas = world.keys.replicas.values().filter(|key| !key.is_pending_deletion());
    world
        .keys
        .primary
        .iter()
        .map(|key| keep(Kind::Key, key.arn.clone()))
        .chain(replicas.map(|key| keep(kind_beside(topology), key.arn.clone())))
        .chain(aliases.map(|region| keep(Kind::Alias, topology.key.alias.arn(region, account))))
        .collect()
}

/// Returns what the keys of the other Regions are, beside that of the source's.
fn kind_beside(topology: &Topology) -> Kind {
    match topology.key.kind {
        KeyKind::PerRegion => Kind::Key,
        _ => Kind::ReplicaKey,
    }
}

/// Aliases before keys, replicas before the primary, and all of it after every bucket.
fn keys(
    topology: &Topology,
    world: &World,
    buckets: &[StepId],
    plan: &mut Plan,
    kept: &mut Vec<Kept>,
) {
    let alias = &topology.key.alias;
    let mut scheduled = buckets.to_vec();
    let mut foreign_replica = false;
    let is_primary = |id: &KeyId| world.keys.primary.as_ref().is_some_and(|key| &key.id == id);
    let is_ours = |(region, id): (&Region, &KeyId)| {
        let here = world.keys.in_region(region).is_some_and(|key| &key.id == id);
        here || is_primary(id) || world.keys.pending.iter().any(|key| &key.id == id)
    };
    for (region, target) in &world.keys.aliases {
        let arn = alias.arn(region, &topology.account);
        if is_ours((region, target)) {
            plan.actions.push(delete(
                Kind::Alias,
                region.as_str(),
                region,
                alias.as_str(),
                arn,
                buckets.to_vec(),
            ));
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
        if !topology.owns(&key.tags) {
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
        let needs = buckets.iter().cloned().chain(alias_gone(region)).collect();
        let arn = key.arn.clone();
        plan.actions.push(delete(
            kind_beside(topology),
            region.as_str(),
            region,
            alias.as_str(),
            arn,
            needs,
        ));
        if kind_beside(topology) == Kind::ReplicaKey {
            scheduled.push(StepId::new(Kind::ReplicaKey, region.as_str()));
        }
    }
    for key in
        world.keys.primary.iter().chain(&world.keys.spares).filter(|key| !key.is_pending_deletion())
    {
        let is_primary = is_primary(&key.id);
        if !topology.owns(&key.tags) || (is_primary && foreign_replica) {
            let why = if foreign_replica {
                "a replica of it is not ours".to_owned()
            } else {
                "it does not bear this pair's tags".to_owned()
            };
            kept.push(Kept { kind: Kind::Key, arn: key.arn.clone(), why, because: Why::Refused });
            continue;
        }
        let id = if is_primary { key.region.as_str() } else { key.id.as_str() };
        let needs = scheduled.iter().cloned().chain(alias_gone(&key.region)).collect();
        plan.actions.push(delete(
            Kind::Key,
            id,
            &key.region,
            alias.as_str(),
            key.arn.clone(),
            needs,
        ));
    }
}
