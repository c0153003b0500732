//! The variables of the templates: the topology's values, as plain JSON. `policies/README.md` lists
//! them.
//! Not for: checking values; the values of a topology are already valid.

use super::Document;
use crate::manifest::{KeyKind, KeyWish, PairKeys, Profile, Side, Topology};
use crate::names::{AccountId, Arn, Partition, Region, RoleName};
use crate::settings;
use serde_json::{Value, json};

/// Returns the variables of `document`.
pub(super) fn variables(document: &Document, topology: &Topology, keys: &PairKeys) -> Value {
    let back = topology.backward().find(|back| match document {
        Document::BackRole(region) | Document::BackRoleTrust(region) => {
            region == &back.source.region
        }
        _ => false,
    });
    let mut variables = of_pair(back.as_ref().unwrap_or(topology), keys);
    let mut add = |more: Value| {
        if let (Value::Object(all), Value::Object(more)) = (&mut variables, more) {
            all.extend(more);
        }
    };
    match document {
        Document::Key(region) => {
            // A single-Region key is its own primary.
            let is_primary = topology.key.kind == KeyKind::PerRegion
                || topology.key_regions().first() == Some(&region);
            let owner = topology.account_of(region);
            add(json!({"region": region, "primary": is_primary, "owner": owner}));
            add(json!({"users": users(region, topology, keys)}));
        }
        Document::SourceBucket => {
            add(of_bucket(&topology.home, topology, keys));
            add(json!({"writers": writers(&topology.home, topology)}));
        }
        Document::DestinationBucket(region) => {
            for side in topology.destinations.iter().filter(|side| &side.region == region) {
                add(of_bucket(side, topology, keys));
                add(json!({"writers": writers(side, topology)}));
            }
        }
        Document::BatchReplicationRole | Document::BatchReplicationRoleTrust => {
            add(json!({"reports": reports(topology)}));
        }
        Document::Operator(_) => {
            add(of_operator(topology, keys, &topology.account));
            add(of_roles(topology, &topology.directions_of(&topology.account), true));
        }
        Document::OperatorOf(_, account) => {
            add(of_operator(topology, keys, account));
            add(of_roles(topology, &topology.directions_of(account), false));
        }
        Document::ReplicationRole
        | Document::ReplicationRoleTrust
        | Document::BackRole(_)
        | Document::BackRoleTrust(_)
        | Document::ExistingKey(..) => {}
    }
    variables
}

fn of_pair(topology: &Topology, keys: &PairKeys) -> Value {
    let side = |it: &Side| side(it, topology, keys);
    let destinations = || topology.destinations.iter();
    let under = |prefixes: fn(&Topology, &Side) -> Vec<String>| -> Vec<String> {
        let of_side = |side| objects_under(topology, side, &prefixes(topology, side));
        destinations().flat_map(of_side).collect()
    };
    let foreign = destinations().filter(|side| topology.is_foreign(side));
    let foreign = foreign.map(|side| side.bucket.arn(topology.partition()).to_string());
    let accounts = |is_meant: &dyn Fn(&Side) -> bool| {
        let meant = destinations().filter(|side| is_meant(side));
        let mut all: Vec<String> =
            meant.map(|side| topology.account_of(&side.region).to_string()).collect();
        all.sort_unstable();
        all.dedup();
        one_or_all(all)
    };
    json!({
        "pair": topology.name,
        "account": topology.account,
        "partition": topology.partition(),
        "role_arn": topology.role_arn(),
        "assumed_role_arn": topology.assumed_role(),
        "own_role": topology.role_settings.is_ours(),
        "boundary": topology.role_settings.boundary,
        "source": side(&topology.source),
        "destinations": destinations().map(side).collect::<Vec<_>>(),
        "replica_arns": under(prefixes),
        "marker_arns": under(marker_prefixes),
        "owned_arns": under(owned_prefixes),
        "foreign_bucket_arns": one_or_all(foreign.collect()),
        "replica_accounts": accounts(&|_| true),
        "marker_accounts": accounts(&|side| !topology.marker_prefixes(side).is_empty()),
        "owned_accounts": accounts(&|side| !topology.owned_prefixes(side).is_empty()),
        "foreign_accounts": accounts(&|side| topology.is_foreign(side)),
        "bucket_key": topology.bucket_key,
        "object_lock": topology.buckets.lock.is_some(),
        "lifecycle": topology.buckets.lifecycle.is_wanted(),
        "default_retention": topology.buckets.retention().is_some(),
        "tls_only": topology.tls_only,
        "deny_other_keys": topology.deny_other_keys,
        "profile": match topology.profile {
            Profile::Compatible => "compatible",
            Profile::Strict => "strict",
        },
        "administrators": topology.key.administrators,
        "usable_by_accounts": topology.key.usable_by_accounts,
    })
}

fn prefixes(topology: &Topology, side: &Side) -> Vec<String> {
    topology.prefixes(side).into_iter().map(str::to_owned).collect()
}

fn marker_prefixes(topology: &Topology, side: &Side) -> Vec<String> {
    topology.marker_prefixes(side).into_iter().map(str::to_owned).collect()
}

fn owned_prefixes(topology: &Topology, side: &Side) -> Vec<String> {
    topology.owned_prefixes(side).into_iter().map(str::to_owned).collect()
}

/// Returns the roles of other accounts that write replicas to `side`. Each role has the ARNs of the
/// objects that are replicas, that can be delete markers, and whose owner changes, and of the
/// probes on a handed-over side.
fn writers(side: &Side, topology: &Topology) -> Vec<Value> {
    let writer = |direction: &Topology| {
        let under = |prefixes: Vec<String>| one_or_all(objects_under(direction, side, &prefixes));
        json!({
            "account": direction.account,
            "role_arn": direction.assumed_role(),
            "objects_arns": under(prefixes(direction, side)),
            "marker_arns": under(marker_prefixes(direction, side)),
            "owned_arns": under(owned_prefixes(direction, side)),
            "proven_arns": under(proven_prefixes(direction, side)),
            "proven_prefixes": one_or_all(patterns(&proven_prefixes(direction, side))),
        })
    };
    topology.across_to(side).iter().map(writer).collect()
}

/// Returns the prefixes of the probes in the bucket of `side` that the source's account can read
/// and delete. Only a handed-over side has them, because no other account's operator checks its
/// probes.
fn proven_prefixes(direction: &Topology, side: &Side) -> Vec<String> {
    let is_handed_over = direction.is_handed_over(&side.region);
    if is_handed_over { direction.probe_prefixes(side) } else { Vec::new() }
}

/// Returns patterns of object keys that begin with one of `prefixes`.
fn patterns(prefixes: &[String]) -> Vec<String> {
    prefixes.iter().map(|prefix| format!("{}*", literal(prefix))).collect()
}

/// Returns the roles of other accounts for which S3 uses the key of `region`, each with its values
/// of `kms:ViaService` and its encryption contexts.
fn users(region: &Region, topology: &Topology, keys: &PairKeys) -> Vec<Value> {
    let here = topology.sides().filter(|it| &it.region == region && topology.has_own_key(it));
    let of_side = |it: &Side| {
        let user = |direction: &Topology| {
            let side = side(it, direction, keys);
            json!({
                "account": direction.account,
                "role_arn": direction.assumed_role(),
                "via_services": side["via_services"],
                "contexts": side["contexts"],
                "probe_contexts": direction.is_handed_over(region).then(|| side["probe_contexts"].clone()),
            })
        };
        topology.across_to(it).iter().map(user).collect::<Vec<_>>()
    };
    here.flat_map(of_side).collect()
}

/// Returns the ARN patterns of the objects in the bucket of `side` whose keys begin with one of
/// `prefixes`.
fn objects_under(topology: &Topology, side: &Side, prefixes: &[String]) -> Vec<String> {
    let bucket = side.bucket.arn(topology.partition());
    prefixes.iter().map(|prefix| objects(&bucket, prefix)).collect()
}

fn side(side: &Side, topology: &Topology, keys: &PairKeys) -> Value {
    let bucket_arn = side.bucket.arn(topology.partition());
    let objects = objects_under(topology, side, &prefixes(topology, side));
    let probes = objects_under(topology, side, &topology.probe_prefixes(side));
    json!({
        "region": side.region,
        "account": topology.account_of(&side.region),
        "bucket": side.bucket,
        "key_arn": topology.key_arn(keys, side),
        "via_services": via_services(&side.region),
        "contexts": contexts(topology, &bucket_arn, &objects),
        "probe_contexts": contexts(topology, &bucket_arn, &probes),
        "bucket_arn": bucket_arn,
        "objects_arns": one_or_all(objects),
        "probes_arns": one_or_all(probes),
    })
}

/// Writes a list of one item as that item, as is usual in policies.
fn one_or_all(mut list: Vec<String>) -> Value {
    if list.len() == 1 { json!(list.remove(0)) } else { json!(list) }
}

fn of_bucket(side: &Side, topology: &Topology, keys: &PairKeys) -> Value {
    json!({
        "bucket_arn": side.bucket.arn(topology.partition()),
        "key_arn": topology.key_arn(keys, side),
    })
}

fn reports(topology: &Topology) -> Value {
    let reports = topology.reports();
    let bucket_arn = Arn::known(topology.partition(), "s3", "", "", &reports.bucket);
    let objects_arn = objects(&bucket_arn, &reports.prefix);
    json!({
        "with_data": reports.with_data,
        "contexts": contexts(topology, &bucket_arn, std::slice::from_ref(&objects_arn)),
        "bucket_arn": bucket_arn,
        "objects_arn": objects_arn,
    })
}

/// Returns the variables of `directions`, whose roles are in one account, for that account's
/// operator, with the permissions on the documents of buckets.
fn of_roles(topology: &Topology, directions: &[Topology], is_home: bool) -> Value {
    let batch = is_home.then(|| topology.batch_role_arn());
    let roles = || directions.iter().map(Topology::role_arn);
    let own = directions.iter().filter(|it| it.role_settings.is_ours()).map(Topology::role_arn);
    let text = |arns: Vec<Arn>| arns.iter().map(ToString::to_string).collect::<Vec<_>>();
    let boundaries = directions.iter().filter_map(|it| it.role_settings.boundary.clone());
    let boundaries = distinct(boundaries);
    let mut metric_regions = Vec::new();
    for region in directions.iter().flat_map(Topology::metric_regions) {
        if !metric_regions.contains(&region) {
            metric_regions.push(region);
        }
    }
    json!({
        "document_reads": settings::reads(),
        "document_writes": settings::writes(&topology.buckets),
        "role_arns": one_or_all(text(roles().collect())),
        "deleted_role_arns": own.chain(batch.clone()).collect::<Vec<_>>(),
        "every_role_arns": roles().chain(batch).collect::<Vec<_>>(),
        "boundary": if boundaries.is_empty() { Value::Null } else { one_or_all(text(boundaries)) },
        "metric_regions": metric_regions,
    })
}

/// Returns the variables of the operator's documents in `account`. Lists follow the order of the
/// sides, without duplicates: the source first, then the destinations in the manifest's order.
fn of_operator(topology: &Topology, keys: &PairKeys, account: &AccountId) -> Value {
    let (partition, is_home) = (topology.partition(), account == &topology.account);
    let sides = || topology.sides_in(account);
    let replicas = || sides().filter(|side| *side != &topology.source);
    let buckets = || sides().map(|side| side.bucket.arn(partition));
    let in_region = |region: &Region, resource: &str| {
        Arn::known(partition, "kms", region.as_str(), account.as_str(), resource)
    };
    let probes_of = |side| objects_under(topology, side, &topology.probe_prefixes(side));
    let probes = || sides().flat_map(probes_of);
    let sources = || sides().filter(|side| topology.replicates_from(side));
    let replicated = || sides().filter(|side| topology.replicates_to(side));
    let mut own = topology.key_regions();
    own.retain(|region| topology.account_of(region) == account);
    let own_pattern = if topology.key.kind == KeyKind::MultiRegion { "key/mrk-*" } else { "key/*" };
    let own_keys: Vec<Arn> = own.iter().map(|region| in_region(region, own_pattern)).collect();
    let existing = sides().filter(|side| !topology.has_own_key(side));
    let existing: Vec<Arn> = existing.filter_map(|side| topology.key_arn(keys, side)).collect();
    // A key of another account can't be tagged, nor can its tags be read (KMS API Reference,
    // `TagResource`, `ListResourceTags`).
    let is_of_account = |arn: &Arn| arn.account() == account.as_str();
    let of_account: Vec<Arn> = existing.iter().filter(|arn| is_of_account(arn)).cloned().collect();
    // Of multi-Region keys, one rotates and can be the primary; of single-Region keys, each can.
    let primaries = if topology.key.kind == KeyKind::MultiRegion { 1 } else { own_keys.len() };
    let key_of = |side: &Side| match topology.key_wish(side) {
        KeyWish::Ours => Some(in_region(&side.region, own_pattern)),
        KeyWish::Existing(_) => topology.key_arn(keys, side),
        KeyWish::Nothing => None,
    };
    // The service-linked role that KMS creates with the first multi-Region key of an account
    // (KMS Developer Guide, "Authorizing AWS KMS to synchronize multi-Region keys").
    let service_role = "role/aws-service-role/mrk.kms.amazonaws.com/*";
    let service_role = Arn::known(partition, "iam", "", account.as_str(), service_role);
    let region = topology.source.region.as_str();
    let reports = reports(topology);
    let own_reports = |what: &str| {
        if topology.reports().with_data || !is_home { vec![] } else { vec![reports[what].clone()] }
    };
    let adopted = sides().filter(|side| topology.adopts(&side.bucket));
    let adopted = adopted.map(|side| side.bucket.arn(partition));
    let reads = replicas().filter_map(|it| {
        let (key_arn, side) = (key_of(it)?, side(it, topology, keys));
        let (services, contexts) = (&side["via_services"], &side["probe_contexts"]);
        Some(json!({"key_arn": key_arn, "via_services": services, "contexts": contexts}))
    });
    // Probes on handed-over sides are read and deleted with the source's credentials.
    let shared = || topology.handed_over().filter(|_| is_home);
    let reads = reads.chain(shared().filter_map(|it| {
        let own = || {
            Arn::known(
                partition,
                "kms",
                it.region.as_str(),
                topology.account_of(&it.region).as_str(),
                own_pattern,
            )
        };
        let key_arn = match topology.key_wish(it) {
            KeyWish::Ours => Some(own()),
            KeyWish::Existing(_) => topology.key_arn(keys, it),
            KeyWish::Nothing => None,
        }?;
        let side = side(it, topology, keys);
        let (services, contexts) = (&side["via_services"], &side["probe_contexts"]);
        Some(json!({"key_arn": key_arn, "via_services": services, "contexts": contexts}))
    }));
    json!({
        "batch_role_arn": topology.batch_role_arn(),
        "jobs_arn": Arn::known(partition, "s3", region, account.as_str(), "job/*"),
        "own_report_bucket_arns": own_reports("bucket_arn"),
        "own_report_objects_arns": own_reports("objects_arn"),
        "report_objects_arns": if is_home { vec![reports["objects_arn"].clone()] } else { vec![] },
        "reports": reports,
        "home": is_home,
        "across": sides().any(|side| !topology.across_to(side).is_empty()),
        "id": topology.id(),
        "source_bucket_arns": one_or_all(sources().map(|it| it.bucket.arn(partition).to_string()).collect()),
        "source_probes_arns": one_or_all(sources().flat_map(probes_of).collect()),
        "sources": sources().map(|it| side(it, topology, keys)).collect::<Vec<_>>(),
        "source_key_arns": sources().map(key_of).collect::<Vec<_>>(),
        "all_policy_arns": [
            Arn::known(partition, "iam", "", account.as_str(), "policy/*"),
            Arn::known(partition, "iam", "", "aws", "policy/*"),
        ],
        "two_way": topology.replication.two_way,
        "rotation_days": topology.key.rotation_days,
        "multi_region": is_home && topology.key.kind == KeyKind::MultiRegion,
        "replica_regions": own.iter().skip(primaries).collect::<Vec<_>>(),
        "primary_regions": one_or_all(own.iter().take(primaries).map(ToString::to_string).collect()),
        "bucket_arns": buckets().collect::<Vec<_>>(),
        "adopted_arns": adopted.collect::<Vec<_>>(),
        "probes_arns": probes().collect::<Vec<_>>(),
        "lent_bucket_arns": one_or_all(shared().map(|it| it.bucket.arn(partition).to_string()).collect()),
        "lent_prefixes": one_or_all(shared().flat_map(|it| patterns(&topology.probe_prefixes(it))).collect()),
        "lent_probes_arns": shared().flat_map(probes_of).collect::<Vec<_>>(),
        "replica_probes_arns": replicated().chain(shared()).flat_map(probes_of).collect::<Vec<_>>(),
        "replica_reads": reads.collect::<Vec<_>>(),
        "every_object_arns": buckets().map(|arn| objects(&arn, "")).collect::<Vec<_>>(),
        "primary_key_arn": own_keys.first(),
        "primary_key_arns": one_or_all(own_keys.iter().take(primaries).map(Arn::to_string).collect()),
        "every_key_arns": own.iter().map(|region| in_region(region, "key/*")).collect::<Vec<_>>(),
        "alias_arns": own.iter().map(|it| topology.key.alias.arn(it, account)).collect::<Vec<_>>(),
        "source_key_arn": key_of(&topology.source),
        "destination_key_arns": topology.destinations.iter().map(key_of).collect::<Vec<_>>(),
        "existing_key_arns": distinct(existing.into_iter()),
        "account_key_arns": distinct(of_account.into_iter()),
        "key_arns": own_keys,
        "multi_region_role_arn": service_role,
        "all_bucket_arns": Arn::known(partition, "s3", "", "", "*"),
        "all_key_arns": Arn::known(partition, "kms", "*", account.as_str(), "key/*"),
        "all_role_arns": Arn::known(partition, "iam", "", account.as_str(), &format!("role{}*", RoleName::PATH)),
    })
}

fn distinct(arns: impl Iterator<Item = Arn>) -> Vec<Arn> {
    let mut distinct = Vec::new();
    for arn in arns {
        if !distinct.contains(&arn) {
            distinct.push(arn);
        }
    }
    distinct
}

/// Returns the ARN pattern of the objects of a bucket whose keys begin with `prefix`.
fn objects(bucket: &Arn, prefix: &str) -> String {
    format!("{bucket}/{}*", literal(prefix))
}

/// Returns the encryption contexts that S3 can send to KMS: the object's ARN and, with a Bucket
/// Key, the bucket's ARN.
fn contexts(topology: &Topology, bucket: &Arn, objects: &[String]) -> Vec<String> {
    let bucket = match topology.profile {
        Profile::Compatible => Some(bucket.to_string()),
        Profile::Strict => None,
    };
    bucket.into_iter().chain(objects.iter().cloned()).collect()
}

/// Escapes the characters that a policy reads as a wildcard or a variable
/// (IAM User Guide, "IAM policy elements: Variables and tags", special characters).
fn literal(text: &str) -> String {
    text.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}")
}

/// Returns the values that `kms:ViaService` can have for S3 in `region`. The form outside `aws` and
/// `aws-us-gov` is not documented, so both forms are allowed there.
fn via_services(region: &Region) -> Vec<String> {
    let partition = region.partition();
    let usual = format!("s3.{region}.amazonaws.com");
    match partition {
        Partition::Aws | Partition::AwsUsGov => vec![usual],
        other => vec![format!("s3.{region}.{}", other.dns_suffix()), usual],
    }
}
