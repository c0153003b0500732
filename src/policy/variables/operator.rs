//! The variables of the operator's documents.
//! Not for: those that every document gets (see `variables`).

use super::{objects, objects_under, one_or_all, patterns, reports, side};
use crate::manifest::{KeyKind, KeyWish, PairKeys, Side, Topology};
use crate::names::{AccountId, Arn, Region, RoleName};
use crate::settings;
use serde_json::{Value, json};

/// Returns the variables of `directions`, whose roles are in one account, for that account's
/// operator.
pub(super) fn of_roles(topology: &Topology, directions: &[Topology], is_home: bool) -> Value {
    let batch = is_home.then(|| topology.batch_role_arn());
    let roles = || directions.iter().map(|direction| direction.role_arn());
    let own = directions
        .iter()
        .filter(|it| it.role_settings.is_ours())
        .map(|direction| direction.role_arn());
    let text = |arns: Vec<Arn>| arns.iter().map(ToString::to_string).collect::<Vec<_>>();
    let back = directions.iter().filter(|it| it.is_back() && it.role_settings.is_ours());
    let boundaries = directions.iter().filter_map(|it| it.role_settings.boundary.clone());
    let boundaries = distinct(boundaries);
    let mut metric_regions = Vec::new();
    for region in directions.iter().flat_map(|direction| direction.metric_regions()) {
        if !metric_regions.contains(&region) {
            metric_regions.push(region);
        }
    }
    let sources = directions.iter().filter(|it| it.alarm_topic().is_some());
    let sources: Vec<&Side> = sources.map(|direction| &direction.source).collect();
    let alarms = |pattern: &str| -> Vec<Arn> {
        let resource = format!("alarm:{pattern}");
        let partition = topology.wanted.partition();
        let arn = |side: &&Side| {
            let (region, account) = (side.region.as_str(), side.account.as_str());
            Arn::known(partition, "cloudwatch", region, account, &resource)
        };
        sources.iter().map(arn).collect()
    };
    let topics = directions.iter().filter_map(|it| it.alarm_topic().cloned());
    let all_alarms = sources.first().map(|side| {
        let (partition, account) = (topology.wanted.partition(), side.account.as_str());
        Arn::known(partition, "cloudwatch", "*", account, "alarm:*")
    });
    json!({
        "all_alarm_arns": all_alarms,
        "every_alarm_arns": alarms("*"),
        "alarm_arns": alarms(&format!("{}*", topology.wanted.rule_prefix())),
        "alarm_topic_arns": distinct(topics),
        "role_arns": one_or_all(text(roles().collect())),
        "deleted_role_arns": own.chain(batch.clone()).collect::<Vec<_>>(),
        "dropped_role_arns": back.map(|direction| direction.role_arn()).collect::<Vec<_>>(),
        "every_role_arns": roles().chain(batch).collect::<Vec<_>>(),
        "boundary": if boundaries.is_empty() { Value::Null } else { one_or_all(text(boundaries)) },
        "metric_regions": metric_regions,
    })
}

/// Returns the permissions on the documents of buckets, and the targets of access logs, for the
/// operator of `account`.
pub(super) fn of_documents(topology: &Topology, account: &AccountId) -> Value {
    let adopted: Vec<bool> =
        topology.sides_in(account).map(|side| topology.wanted.adopts(&side.bucket)).collect();
    let is_source = |side: &&Side| topology.replicates_from(side);
    let alerting = || {
        let alerts = topology.wanted.alerts.iter();
        alerts.flat_map(|_| topology.sides_in(account).filter(is_source))
    };
    let arns = |sides: Vec<&Side>| {
        let arn = |side: &&Side| side.bucket.arn(topology.wanted.partition());
        sides.iter().map(arn).collect::<Vec<_>>()
    };
    let is_adopted = |side: &&Side| topology.wanted.adopts(&side.bucket);
    let is_dropped = |side: &&Side| *side != topology.wanted.home();
    let alert_target = alerting().next().and(topology.wanted.alerts.as_ref());
    let reads: &[&str] = match alert_target.map(Arn::service) {
        Some("sns") => &["sns:GetTopicAttributes"],
        _ => &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
    };
    let targets = topology.sides_in(account).filter_map(|side| topology.wanted.log_target(side));
    json!({
        "alert_bucket_arns": arns(alerting().collect()),
        "alert_adopted_arns": arns(alerting().filter(is_adopted).collect()),
        "alert_dropped_arns": arns(alerting().filter(is_dropped).collect()),
        "alert_target_arn": alert_target,
        "alert_target_reads": reads,
        "document_reads": settings::reads(),
        "document_writes": settings::writes(&topology.wanted.buckets, &adopted),
        "own_user_arn": format!(
            "arn:{}:iam::{account}:user/${{aws:username}}",
            topology.wanted.partition(),
        ),
        "log_target_arns": distinct(targets.map(|target| target.arn(topology.wanted.partition()))),
    })
}

/// Returns the variables of what a later manifest may no longer name in `account`: the destinations
/// with their keys. A key in the source's Region always stays.
pub(super) fn of_dropped(topology: &Topology, account: &AccountId) -> Value {
    let partition = topology.wanted.partition();
    let home = topology.wanted.home();
    let sides: Vec<&Side> = topology.sides_in(account).filter(|side| *side != home).collect();
    let mut regions = topology.key_regions();
    regions.retain(|it| *it != &home.region && topology.wanted.account_of(it) == account);
    let pattern = own_key_pattern(topology);
    let key =
        |region: &Region| Arn::known(partition, "kms", region.as_str(), account.as_str(), pattern);
    let buckets = || sides.iter().map(|side| side.bucket.arn(partition));
    let probes_of = |side: &&Side| objects_under(topology, side, &topology.probe_prefixes(side));
    json!({
        "dropped_bucket_arns": buckets().collect::<Vec<_>>(),
        "dropped_object_arns": buckets().map(|arn| objects(&arn, "")).collect::<Vec<_>>(),
        "dropped_probes_arns": sides.iter().flat_map(probes_of).collect::<Vec<_>>(),
        "dropped_key_arns": regions.iter().map(|it| key(it)).collect::<Vec<_>>(),
        "dropped_alias_arns": regions.iter().map(|it| topology.wanted.key.alias.arn(it, account)).collect::<Vec<_>>(),
    })
}

/// Returns the pattern of the keys that crrctl makes: an id is not known before its key exists.
fn own_key_pattern(topology: &Topology) -> &'static str {
    if topology.wanted.key.kind == KeyKind::MultiRegion { "key/mrk-*" } else { "key/*" }
}

/// Returns the variables of the operator's documents in `account`. Lists follow the order of the
/// sides, without duplicates: the source first, then the destinations in the manifest's order.
pub(super) fn of_operator(topology: &Topology, keys: &PairKeys, account: &AccountId) -> Value {
    let (partition, is_home) = (topology.wanted.partition(), account == &topology.source.account);
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
    own.retain(|region| topology.wanted.account_of(region) == account);
    let own_pattern = own_key_pattern(topology);
    let own_keys: Vec<Arn> = own.iter().map(|region| in_region(region, own_pattern)).collect();
    let existing = sides().filter(|side| !side.has_own_key());
    let existing: Vec<Arn> =
        existing.filter_map(|side| topology.wanted.key_arn(keys, side)).collect();
    // A key of another account can't be tagged, nor can its tags be read (KMS API Reference,
    // `TagResource`, `ListResourceTags`).
    let is_of_account = |arn: &Arn| arn.account() == account.as_str();
    let of_account: Vec<Arn> = existing.iter().filter(|arn| is_of_account(arn)).cloned().collect();
    // Of multi-Region keys, one rotates and can be the primary; of single-Region keys, each can.
    let primaries =
        if topology.wanted.key.kind == KeyKind::MultiRegion { 1 } else { own_keys.len() };
    let key_of = |side: &Side| match &side.key {
        KeyWish::Ours => Some(in_region(&side.region, own_pattern)),
        KeyWish::Existing(_) => topology.wanted.key_arn(keys, side),
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
    let adopted = sides().filter(|side| topology.wanted.adopts(&side.bucket));
    let adopted = adopted.map(|side| side.bucket.arn(partition));
    let reads = replicas().filter_map(|it| {
        let (key_arn, side) = (key_of(it)?, side(it, topology, keys));
        let (services, contexts) = (&side["via_services"], &side["probe_contexts"]);
        Some(json!({"key_arn": key_arn, "via_services": services, "contexts": contexts}))
    });
    // Probes on handed-over sides are read and deleted with the source's credentials.
    let shared = || topology.handed_over().filter(|_| is_home);
    let reads = reads.chain(shared().filter_map(|it| {
        let own =
            || Arn::known(partition, "kms", it.region.as_str(), it.account.as_str(), own_pattern);
        let key_arn = match &it.key {
            KeyWish::Ours => Some(own()),
            KeyWish::Existing(_) => topology.wanted.key_arn(keys, it),
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
        "id": topology.wanted.id(),
        "source_bucket_arns": one_or_all(sources().map(|it| it.bucket.arn(partition).to_string()).collect()),
        "source_probes_arns": one_or_all(sources().flat_map(probes_of).collect()),
        "sources": sources().map(|it| side(it, topology, keys)).collect::<Vec<_>>(),
        "source_key_arns": sources().map(key_of).collect::<Vec<_>>(),
        "all_policy_arns": [
            Arn::known(partition, "iam", "", account.as_str(), "policy/*"),
            Arn::known(partition, "iam", "", "aws", "policy/*"),
        ],
        "two_way": topology.is_two_way(),
        "rotation_days": topology.wanted.key.rotation_days,
        "multi_region": is_home && topology.wanted.key.kind == KeyKind::MultiRegion,
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
        "alias_arns": own.iter().map(|it| topology.wanted.key.alias.arn(it, account)).collect::<Vec<_>>(),
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
