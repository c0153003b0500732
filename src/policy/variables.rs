//! What templates can use: the topology's values, as plain JSON. `policies/README.md` lists them.
//! Not for: checking values; those of a topology are valid by themselves.

use super::Document;
use crate::manifest::{Profile, Side, Topology};
use crate::names::{Arn, KeyId, Partition, Region, RoleName};
use serde_json::{Value, json};

/// Returns the variables of `document`.
pub(super) fn variables(document: &Document, topology: &Topology, key: &KeyId) -> Value {
    let mut variables = of_pair(topology, key);
    let mut add = |more: Value| {
        if let (Value::Object(all), Value::Object(more)) = (&mut variables, more) {
            all.extend(more);
        }
    };
    match document {
        Document::Key(region) => {
            add(json!({"region": region, "primary": region == &topology.source.region}));
        }
        Document::SourceBucket => add(of_bucket(&topology.source, topology, key)),
        Document::DestinationBucket(region) => {
            for side in topology.destinations.iter().filter(|side| &side.region == region) {
                add(of_bucket(side, topology, key));
            }
        }
        Document::BatchReplicationRole | Document::BatchReplicationRoleTrust => {
            add(json!({"reports": reports(topology)}));
        }
        Document::Operator(_) => add(of_operator(topology)),
        Document::ReplicationRole | Document::ReplicationRoleTrust => {}
    }
    variables
}

fn of_pair(topology: &Topology, key: &KeyId) -> Value {
    let side = |it: &Side| side(it, topology, key);
    json!({
        "pair": topology.name,
        "account": topology.account,
        "partition": topology.partition(),
        "role_arn": topology.role_arn(),
        "source": side(&topology.source),
        "destinations": topology.destinations.iter().map(side).collect::<Vec<_>>(),
        "delete_markers": topology.replication.delete_markers,
        "bucket_key": topology.bucket_key,
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

fn side(side: &Side, topology: &Topology, key: &KeyId) -> Value {
    let bucket_arn = side.bucket.arn(topology.partition());
    let objects_arn = objects(&bucket_arn, &topology.replication.prefix);
    let probes_arn = objects(&bucket_arn, &topology.probe_prefix());
    json!({
        "region": side.region,
        "bucket": side.bucket,
        "key_arn": topology.key_arn(key, &side.region),
        "via_services": via_services(&side.region),
        "contexts": contexts(topology, &bucket_arn, &objects_arn),
        "probe_contexts": contexts(topology, &bucket_arn, &probes_arn),
        "bucket_arn": bucket_arn,
        "objects_arn": objects_arn,
        "probes_arn": probes_arn,
    })
}

fn of_bucket(side: &Side, topology: &Topology, key: &KeyId) -> Value {
    json!({
        "bucket_arn": side.bucket.arn(topology.partition()),
        "key_arn": topology.key_arn(key, &side.region),
    })
}

fn reports(topology: &Topology) -> Value {
    let reports = topology.reports();
    let bucket_arn = Arn::known(topology.partition(), "s3", "", "", &reports.bucket);
    let objects_arn = objects(&bucket_arn, &reports.prefix);
    json!({
        "with_data": reports.with_data,
        "contexts": contexts(topology, &bucket_arn, &objects_arn),
        "bucket_arn": bucket_arn,
        "objects_arn": objects_arn,
    })
}

/// Lists follow the sides: the source first, then the destinations in the manifest's order.
fn of_operator(topology: &Topology) -> Value {
    let (partition, account) = (topology.partition(), &topology.account);
    let buckets = || topology.sides().map(|side| side.bucket.arn(partition));
    let keys = |resource: &str| -> Vec<Arn> {
        let arn = |side: &Side| {
            Arn::known(partition, "kms", side.region.as_str(), account.as_str(), resource)
        };
        topology.sides().map(arn).collect()
    };
    let aliases = topology.sides().map(|side| topology.key.alias.arn(&side.region, account));
    let objects_of = |prefix: &str| -> Vec<String> {
        buckets().map(|bucket_arn| objects(&bucket_arn, prefix)).collect()
    };
    // The service-linked role that KMS makes with the first multi-Region key of an account
    // (KMS Developer Guide, "Authorizing AWS KMS to synchronize multi-Region keys").
    let service_role = "role/aws-service-role/mrk.kms.amazonaws.com/*";
    let service_role = Arn::known(partition, "iam", "", account.as_str(), service_role);
    json!({
        "id": topology.id(),
        "rotation_days": topology.key.rotation_days,
        "replica_regions": topology.destinations.iter().map(|side| &side.region).collect::<Vec<_>>(),
        "bucket_arns": buckets().collect::<Vec<_>>(),
        "probes_arns": objects_of(&topology.probe_prefix()),
        "every_object_arns": objects_of(""),
        "key_arns": keys("key/mrk-*"),
        "every_key_arns": keys("key/*"),
        "alias_arns": aliases.collect::<Vec<_>>(),
        "multi_region_role_arn": service_role,
        "all_bucket_arns": Arn::known(partition, "s3", "", "", "*"),
        "all_key_arns": Arn::known(partition, "kms", "*", account.as_str(), "key/*"),
        "all_role_arns": Arn::known(partition, "iam", "", account.as_str(), &format!("role{}*", RoleName::PATH)),
    })
}

/// Returns the objects of a bucket whose keys begin with `prefix`.
fn objects(bucket: &Arn, prefix: &str) -> String {
    format!("{bucket}/{}*", literal(prefix))
}

/// Returns the encryption contexts that S3 may give KMS: the object's, and, with a Bucket Key, the bucket's.
fn contexts(topology: &Topology, bucket: &Arn, objects: &str) -> Vec<String> {
    match topology.profile {
        Profile::Compatible => vec![bucket.to_string(), objects.to_owned()],
        Profile::Strict => vec![objects.to_owned()],
    }
}

/// Escapes what a policy would read as a wildcard or variable
/// (IAM User Guide, "IAM policy elements: Variables and tags", special characters).
fn literal(text: &str) -> String {
    text.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}")
}

/// Returns the values that `kms:ViaService` may have for S3 in `region`. The form outside `aws` and `aws-us-gov` is not
/// documented, so both are allowed there.
fn via_services(region: &Region) -> Vec<String> {
    let partition = region.partition();
    let usual = format!("s3.{region}.amazonaws.com");
    match partition {
        Partition::Aws | Partition::AwsUsGov => vec![usual],
        other => vec![format!("s3.{region}.{}", other.dns_suffix()), usual],
    }
}
