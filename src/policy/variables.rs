//! The variables of the templates: the topology's values, as plain JSON. `policies/README.md` lists
//! them.
//! Not for: checking values; the values of a topology are already valid.

mod operator;

use super::Document;
use crate::manifest::{KeyKind, PairKeys, Profile, Side, Topology};
use crate::names::{Arn, Partition, Region};
use operator::{of_documents, of_dropped, of_operator, of_roles};
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
            let is_primary = topology.wanted.key.kind == KeyKind::PerRegion
                || topology.key_regions().first() == Some(&region);
            let owner = topology.wanted.account_of(region);
            add(json!({"region": region, "primary": is_primary, "owner": owner}));
            add(json!({"users": users(region, topology, keys)}));
        }
        Document::SourceBucket => {
            add(of_bucket(topology.wanted.home(), topology, keys));
            add(json!({"writers": writers(topology.wanted.home(), topology)}));
        }
        Document::DestinationBucket(..) => {
            let is_it = |side: &&Side| Document::of_bucket(side, topology) == *document;
            for side in topology.destinations.iter().filter(is_it) {
                add(of_bucket(side, topology, keys));
                add(json!({"writers": writers(side, topology)}));
            }
        }
        Document::LogTarget(bucket) => add(of_log_target(bucket, topology)),
        Document::AlertTarget | Document::AlertKey => add(of_alerts(topology)),
        Document::AlarmTopic(_) | Document::AlarmKey(_) => {
            let is_meant = |it: &Topology| {
                [Document::alarm_topic(it), Document::alarm_key(it)].contains(document)
            };
            let direction = topology.directions().into_iter().find(is_meant);
            add(of_alarms(direction.as_ref().unwrap_or(topology)));
        }
        Document::BatchReplicationRole | Document::BatchReplicationRoleTrust => {
            add(json!({"reports": reports(topology)}));
        }
        Document::Operator(_) => {
            add(of_operator(topology, keys, &topology.source.account));
            add(of_roles(topology, &topology.directions_of(&topology.source.account), true));
            add(of_documents(topology, &topology.source.account));
            add(of_dropped(topology, &topology.source.account));
        }
        Document::OperatorOf(_, account) => {
            add(of_operator(topology, keys, account));
            add(of_roles(topology, &topology.directions_of(account), false));
            add(of_documents(topology, account));
            add(of_dropped(topology, account));
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
    let foreign = foreign.map(|side| side.bucket.arn(topology.wanted.partition()).to_string());
    let accounts = |is_meant: &dyn Fn(&Side) -> bool| {
        let meant = destinations().filter(|side| is_meant(side));
        let mut all: Vec<String> = meant.map(|side| side.account.to_string()).collect();
        all.sort_unstable();
        all.dedup();
        one_or_all(all)
    };
    json!({
        "pair": topology.wanted.name,
        "account": topology.source.account,
        "partition": topology.wanted.partition(),
        "role_arn": topology.role_arn(),
        "assumed_role_arn": topology.assumed_role(),
        "own_role": topology.role_settings.is_ours(),
        "boundary": topology.role_settings.boundary,
        "source": side(&topology.source),
        "kept_key_arn": topology.kept_source_key(keys),
        "destinations": destinations().map(side).collect::<Vec<_>>(),
        "replica_arns": under(prefixes),
        "marker_arns": under(marker_prefixes),
        "owned_arns": under(owned_prefixes),
        "foreign_bucket_arns": one_or_all(foreign.collect()),
        "replica_accounts": accounts(&|_| true),
        "marker_accounts": accounts(&|side| !topology.marker_prefixes(side).is_empty()),
        "owned_accounts": accounts(&|side| !topology.owned_prefixes(side).is_empty()),
        "foreign_accounts": accounts(&|side| topology.is_foreign(side)),
        "bucket_key": topology.wanted.bucket_key,
        "annotations": topology.wanted.annotations,
        "object_lock": topology.wanted.buckets.lock.is_some(),
        "put_back_actions": crate::settings::puts_back(),
        "lifecycle": topology.wanted.buckets.lifecycle.is_wanted(),
        "default_retention": topology.wanted.buckets.retention().is_some(),
        "tls_only": topology.wanted.tls_only,
        "deny_other_keys": topology.wanted.deny_other_keys,
        "profile": match topology.wanted.profile {
            Profile::Compatible => "compatible",
            Profile::Strict => "strict",
        },
        "administrators": topology.wanted.key.administrators,
        "usable_by_accounts": topology.wanted.key.usable_by_accounts,
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
            "account": direction.source.account,
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
    let is_handed_over = direction.wanted.is_handed_over(&side.region);
    if is_handed_over { direction.probe_prefixes(side) } else { Vec::new() }
}

/// Returns patterns of object keys that begin with one of `prefixes`.
fn patterns(prefixes: &[String]) -> Vec<String> {
    prefixes.iter().map(|prefix| format!("{}*", literal(prefix))).collect()
}

/// Returns the roles of other accounts for which S3 uses the key of `region`, each with its values
/// of `kms:ViaService` and its encryption contexts.
fn users(region: &Region, topology: &Topology, keys: &PairKeys) -> Vec<Value> {
    let here = topology.sides().filter(|it| &it.region == region && it.has_own_key());
    let of_side = |it: &Side| {
        let user = |direction: &Topology| {
            let side = side(it, direction, keys);
            json!({
                "account": direction.source.account,
                "role_arn": direction.assumed_role(),
                "via_services": side["via_services"],
                "contexts": side["contexts"],
                "probe_contexts": direction.wanted.is_handed_over(region).then(|| side["probe_contexts"].clone()),
            })
        };
        topology.across_to(it).iter().map(user).collect::<Vec<_>>()
    };
    here.flat_map(of_side).collect()
}

/// Returns the ARN patterns of the objects in the bucket of `side` whose keys begin with one of
/// `prefixes`.
fn objects_under(topology: &Topology, side: &Side, prefixes: &[String]) -> Vec<String> {
    let bucket = side.bucket.arn(topology.wanted.partition());
    prefixes.iter().map(|prefix| objects(&bucket, prefix)).collect()
}

fn side(side: &Side, topology: &Topology, keys: &PairKeys) -> Value {
    let bucket_arn = side.bucket.arn(topology.wanted.partition());
    let objects = objects_under(topology, side, &prefixes(topology, side));
    let probes = objects_under(topology, side, &topology.probe_prefixes(side));
    json!({
        "region": side.region,
        "account": &side.account,
        "bucket": side.bucket,
        "key_arn": topology.wanted.key_arn(keys, side),
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
        "bucket_arn": side.bucket.arn(topology.wanted.partition()),
        "key_arn": topology.wanted.key_arn(keys, side),
    })
}

/// Returns the variables of a target of access logs. The buckets that log to it are of one Region
/// and account, so they have one prefix.
fn of_log_target(bucket: &str, topology: &Topology) -> Value {
    let logged = topology.sides().filter_map(|side| {
        let target = topology.wanted.log_target(side).filter(|target| target.bucket == bucket)?;
        Some((side, target))
    });
    let logged: Vec<_> = logged.collect();
    let arns =
        logged.iter().map(|(side, _)| side.bucket.arn(topology.wanted.partition()).to_string());
    let first = logged.first();
    json!({
        "logs_arn": first.map(|(_, it)| objects(&it.arn(topology.wanted.partition()), &it.prefix)),
        "logged_bucket_arns": one_or_all(arns.collect()),
        "logged_account": first.map(|(side, _)| &side.account),
    })
}

/// Returns the variables of the topic or queue of `replication.alerts`, and of its key.
fn of_alerts(topology: &Topology) -> Value {
    let sources = || topology.sides().filter(|side| topology.replicates_from(side));
    let arns = sources().map(|side| side.bucket.arn(topology.wanted.partition()).to_string());
    let mut accounts: Vec<String> = sources().map(|side| side.account.to_string()).collect();
    accounts.dedup();
    let target = topology.wanted.alerts.as_ref();
    let is_topic = target.is_some_and(|target| target.service() == "sns");
    json!({
        "target_arn": target,
        "publish_action": if is_topic { "sns:Publish" } else { "sqs:SendMessage" },
        "alert_source_arns": one_or_all(arns.collect()),
        "alert_source_accounts": one_or_all(accounts),
    })
}

/// Returns the variables of the topic of the alarms of one direction, and of its key.
fn of_alarms(direction: &Topology) -> Value {
    let alarms = format!("{}*", direction.wanted.rule_prefix());
    json!({
        "topic_arn": direction.alarm_topic(),
        "alarm_source_arn": direction.alarm_arn(&alarms),
        "alarm_account": direction.source.account,
    })
}

fn reports(topology: &Topology) -> Value {
    let reports = topology.reports();
    let bucket_arn = Arn::known(topology.wanted.partition(), "s3", "", "", &reports.bucket);
    let objects_arn = objects(&bucket_arn, &reports.prefix);
    json!({
        "with_data": reports.with_data,
        "contexts": contexts(topology, &bucket_arn, std::slice::from_ref(&objects_arn)),
        "bucket_arn": bucket_arn,
        "objects_arn": objects_arn,
    })
}

/// Returns the ARN pattern of the objects of a bucket whose keys begin with `prefix`.
fn objects(bucket: &Arn, prefix: &str) -> String {
    format!("{bucket}/{}*", literal(prefix))
}

/// Returns the encryption contexts that S3 can send to KMS: the object's ARN and, with a Bucket
/// Key, the bucket's ARN.
fn contexts(topology: &Topology, bucket: &Arn, objects: &[String]) -> Vec<String> {
    let bucket = match topology.wanted.profile {
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
