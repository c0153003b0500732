//! Tests of valid manifests, and of every refusal with its position.
//! Not for: resources on AWS (see `plan`).

use super::{Manifest, Origin, Profile, parse};
use crate::names::AccountId;

fn read(text: &str) -> Result<Manifest, super::ManifestError> {
    parse(text, &Origin::Stdin, None)
}

const PAIR: &str =
    "name: orders\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

#[test]
fn the_shortest_manifest_has_the_defaults_of_the_contract() {
    let topology = read(PAIR).unwrap().topology(&AccountId::new("111122223333").unwrap()).unwrap();
    assert_eq!(topology.source.bucket.as_str(), "orders-111122223333-us-east-1");
    assert_eq!(topology.destinations[0].bucket.as_str(), "orders-111122223333-us-west-2");
    assert_eq!(topology.role.as_str(), "crrctl-orders-us-east-1");
    assert_eq!(topology.wanted.key.alias.as_str(), "alias/crrctl/orders");
    assert_eq!(
        (topology.wanted.key.rotation_days, topology.wanted.key.deletion_window_days),
        (Some(365), 7)
    );
    assert_eq!(topology.wanted.key.replica_timeout.as_secs(), 1200);
    assert!(
        topology.wanted.bucket_key
            && topology.wanted.tls_only
            && !topology.rules[0].settings.delete_markers
    );
    assert_eq!(topology.wanted.id(), "111122223333/us-east-1/orders-111122223333-us-east-1");
    assert_eq!(topology.wanted.probe_prefix(&topology.rules[0].settings), "_crrctl/orders/");
}

#[test]
fn every_key_of_this_version_is_taken() {
    let text = r#"
name: orders
source: {region: ap-southeast-1, bucket: "src-{name}-{account}", adopt: false}
destinations:
  - {region: ap-southeast-2}
  - {region: ap-southeast-3, bucket: "dst-{region}-{account}"}
key:
  kind: multi-region
  algorithm: aws:kms
  alias: alias/orders
  rotation_days: false
  deletion_window_days: 30
  administrators: ["arn:aws:iam::111122223333:role/admin"]
  usable_by_accounts: ["444455556666"]
  replica_timeout: 15m
buckets: {bucket_key: false, object_lock: false, tls_only: false, namespace: global}
role: {name: "r-{name}-{source.region}", permissions_boundary: null, arn: null, take_over: false}
replication:
  prefix: data/
  tags: {}
  delete_markers: true
  two_way: false
  activation: direct
policy: {profile: compatible, templates: overrides}
tags: {team: storage}
"#;
    let manifest = read(text).unwrap();
    assert_eq!(manifest.templates(), Some(std::path::Path::new("overrides")));
    let topology = manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap();
    assert_eq!(topology.source.bucket.as_str(), "src-orders-111122223333");
    assert_eq!(topology.destinations[1].bucket.as_str(), "dst-ap-southeast-3-111122223333");
    assert_eq!(
        (topology.wanted.key.rotation_days, topology.role.as_str()),
        (None, "r-orders-ap-southeast-1")
    );
    assert_eq!(topology.wanted.probe_prefix(&topology.rules[0].settings), "data/_crrctl/orders/");
    assert_eq!(topology.all_tags()["team"], "storage");
}

#[test]
fn rotation_is_off_in_every_spelling_of_yaml() {
    for off in ["false", "off", "no"] {
        let manifest = read(&format!("{PAIR}key: {{rotation_days: {off}}}\n")).unwrap();
        assert_eq!(manifest.key.rotation_days, None, "{off}");
    }
}

#[test]
fn strict_is_taken_where_bucket_keys_are_expressly_off() {
    let strict = "buckets: {bucket_key: false, deny_other_keys: true}\npolicy: {profile: strict}\n";
    let manifest = read(&format!("{PAIR}{strict}")).unwrap();
    assert_eq!((manifest.profile, manifest.deny_other_keys), (Profile::Strict, true));
    assert_eq!(read(PAIR).unwrap().profile, Profile::Compatible);
}

#[test]
fn reports_lie_outside_every_rule() {
    for (prefix, with_data) in
        [("", false), ("_", false), ("_crrctl-batch/", false), ("data/", true)]
    {
        let text = format!("{PAIR}replication: {{prefix: \"{prefix}\"}}\n");
        let account = AccountId::new("111122223333").unwrap();
        let topology = read(&text).unwrap().topology(&account).unwrap();
        let reports = topology.reports();
        assert_eq!(reports.with_data, with_data, "{prefix}");
        let beside_data = reports.bucket == topology.source.bucket.as_str();
        assert!(!(beside_data && reports.prefix.starts_with(prefix)), "{prefix}");
        assert!(crate::names::BucketName::new(reports.bucket).is_ok(), "{prefix}");
    }
}

#[test]
fn a_region_that_no_list_knows_is_taken() {
    assert!(
        read("name: a\nsource: {region: xx-future-9}\ndestinations: [{region: xx-future-8}]\n")
            .is_ok()
    );
}

#[test]
fn run_is_filled_in_where_it_is_known() {
    let text =
        PAIR.replace("{region: us-east-1}", "{region: us-east-1, bucket: \"b-{run}-{account}\"}");
    assert!(parse(&text, &Origin::Stdin, Some("42")).is_ok());
    assert!(read(&text).unwrap_err().to_string().contains("`{run}` has no value"));
}

/// A side without credentials of its own uses the source's credentials. `{account}` in a side's
/// name is replaced by that side's account.
#[test]
fn each_side_has_the_credentials_that_it_names_or_the_sources() {
    let away = |source: &str, destination: &str| {
        let text = format!(
            "name: a\nsource: {{region: us-east-1{source}}}\ndestinations: [{{region: us-west-2{destination}}}]\nkey: {{kind: per-region}}\n"
        );
        let manifest = read(&text).unwrap();
        let west = manifest.away().values().next().map(|away| away.login.to_string());
        (manifest.login().to_string(), west)
    };
    let role = ", assume_role: \"arn:aws:iam::444455556666:role/r\"";
    assert_eq!(away("", ""), ("the usual credentials".to_owned(), None));
    assert_eq!(away(", profile: p", ""), ("profile `p`".to_owned(), None));
    assert_eq!(away(", profile: p", ", profile: p"), ("profile `p`".to_owned(), None));
    assert_eq!(away(role, ""), ("role `arn:aws:iam::444455556666:role/r`".to_owned(), None));
    assert_eq!(away("", ", profile: q").1.unwrap(), "profile `q`");
    let both = "role `arn:aws:iam::444455556666:role/r` by profile `p`";
    assert_eq!(away(", profile: p", role).1.unwrap(), both);
    assert_eq!(away(role, ", profile: q").1.unwrap(), "profile `q`");
    let text = "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, account: \"444455556666\", profile: q}]\nkey: {kind: per-region}\n";
    let manifest = read(text).unwrap();
    let topology = manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap();
    let buckets: Vec<&str> = topology.sides().map(|side| side.bucket.as_str()).collect();
    assert_eq!(buckets, ["a-111122223333-us-east-1", "a-444455556666-us-west-2"]);
    let away = topology.destinations.first().unwrap();
    assert!(topology.is_foreign(away) && !topology.is_foreign(&topology.source));
    assert_eq!(topology.wanted.id(), "111122223333/us-east-1/a-111122223333-us-east-1");
}

/// Every refusal: the manifest, and a part of its error message.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn refusals_name_the_place_the_key_and_what_is_allowed() {
    let table: &[(&str, &str)] = &[
        ("name: [", "<stdin>:"),
        ("- a", "<stdin>:1:1"),
        ("{}", "`name`: this key is missing"),
        (
            "name: Orders\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]",
            "<stdin>:1:7: `name`",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: []",
            "<stdin>:3:15: `destinations`: at least one",
        ),
        (
            "name: a\nsource: {region: useast1}\ndestinations: [{region: us-west-2}]",
            "`source.region`: `useast1`",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: b-x}\ndestinations: [{region: us-east-1, bucket: b-x}]",
            "`destinations[0].bucket`: `b-x` stands here twice: a bucket can't be its own destination",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: us-west-2}]",
            "<stdin>:3:46: `destinations[1]`: `us-west-2` and `a-{account}-us-west-2` stand here twice with the same filter",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: us-west-2, bucket: a-111122223333-us-west-2}]",
            "`destinations[1].bucket`: `a-{account}-us-west-2` and `a-111122223333-us-west-2` may be one bucket",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: a-111122223333-x}\ndestinations: [{region: us-east-1, bucket: \"a-{account}-x\"}]",
            "`destinations[0].bucket`: `a-111122223333-x` and `a-{account}-x` may be one bucket",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: us-west-2, bucket: b-x}]\nreplication: {two_way: true}",
            "<stdin>:3:65: `destinations[1]`: `us-west-2` has two destination buckets, `a-{account}-us-west-2` and `b-x`, and `replication.two_way` is on",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: x}, {region: us-west-2, bucket: b-x}]",
            "`destinations[1].profile`: `destinations[0]` is in us-west-2 too, with other credentials",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, bucket: b-x}, {region: eu-west-1, bucket: b-x}]",
            "`destinations[1].bucket`: `b-x` stands here twice",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, priority: 3}, {region: eu-west-1, priority: 3}]",
            "`destinations[1].priority`: 3 is also the priority of `destinations[0]`",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, priority: -1}]",
            "`destinations[0].priority`: -1: 0 to",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, delete_markers: true, tags: {a: b}}]",
            "<stdin>:3:52: `destinations[0].delete_markers`: delete markers bear no tags",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, tags: {a: b}}]\nreplication: {delete_markers: true}",
            "`destinations[0].tags`: delete markers bear no tags",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, tags: {\"aws:a\": b}}]",
            "`destinations[0].tags.aws:a`: keys that begin with `aws:` are reserved",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, time_control: true, metrics: false}]",
            "`destinations[0].metrics`: `time_control` is measured by metrics",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, storage_class: GLACIER}]",
            "`destinations[0].storage_class`: a replica in `GLACIER` must be restored",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, storage_class: STANDRAD_IA}]",
            "`STANDRAD_IA` is not known; `STANDARD`, `STANDARD_IA`",
        ),
        (
            "name: a\nsource: {region: us-east-1, assume_role: crrctl}\ndestinations: [{region: us-west-2}]",
            "`source.assume_role`: `crrctl` is not a valid ARN",
        ),
        (
            "name: a\nsource: {region: us-east-1, endpoints: {s3: \"http://ann:cret@a\"}}\ndestinations: [{region: us-west-2}]",
            "`source.endpoints.s3`: it is no URL of an endpoint: a user or a password can't stand in it",
        ),
        (
            "name: a\nsource: {region: us-east-1, endpoints: {s4: \"http://a\"}}\ndestinations: [{region: us-west-2}]",
            "`s4`: unknown key",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, endpoints: {iam: \"http://a\"}}]",
            "<stdin>:3:53: `destinations[0].endpoints.iam`: this side has the source's credentials",
        ),
        (
            "name: a\nsource: {region: us-east-1, endpoints: {kms: \"http://a\"}}\ndestinations: [{region: us-east-1, endpoints: {kms: \"http://b\"}}]",
            "`destinations[0].endpoints.kms`: another side in us-east-1 has another endpoint",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, assume_role: \"arn:aws:iam::444455556666:user/ann\"}]",
            "`destinations[0].assume_role`: `arn:aws:iam::444455556666:user/ann` is not a role",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: \"\"}]",
            "`destinations[0].profile`: the name of a profile",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, assume_role: \"arn:aws:iam::444455556666:role/r\", account: \"111122223333\"}]",
            "`destinations[0].account`: `111122223333` is not the account of the role",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, account: \"12\"}]",
            "`destinations[0].account`: `12` is not a valid",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-east-1, profile: other}]",
            "<stdin>:3:45: `destinations[0].profile`: the source is in us-east-1 too",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: a, prefix: a/}, {region: us-west-2, profile: b, prefix: b/}]",
            "`destinations[1].profile`: it leads to the bucket of `destinations[0]`",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, owner_override: true}]",
            "`destinations[0].owner_override`: replicas change their owner only where",
        ),
        (
            "name: a\nsource: {region: us-east-1, account: \"111122223333\"}\ndestinations: [{region: us-west-2, assume_role: \"arn:aws:iam::444455556666:role/r\"}]",
            "`destinations[0]`: us-west-2 is in account 444455556666 and the source in 111122223333: a multi-Region key",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: b}]\nkey: {kind: per-region}\nbuckets: {bucket_key: false}\npolicy: {profile: strict}",
            "`policy.profile`: for a key of another account",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, key: orders}]",
            "`destinations[0].key`: `orders` is not the ARN of a KMS key",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, key: \"arn:aws:kms:us-east-1:111122223333:key/k\"}]",
            "is a key in us-east-1, and the bucket is in us-west-2",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, key: alias/x}, {region: us-west-2, prefix: b/}]",
            "`destinations[1].key`: it leads to the bucket of `destinations[0]`",
        ),
        (
            "name: a\nsource: {region: us-east-1}\ndestinations: [{region: cn-north-1}]",
            "partition `aws-cn`",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: b-x}\ndestinations: [{region: us-west-2, bucket: b-x}]",
            "`destinations[0].bucket`: `b-x` stands here twice",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: Bad_Bucket}\ndestinations: [{region: us-west-2}]",
            "<stdin>:2:37: `source.bucket`: `Bad_Bucket` is not a valid bucket name",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: \"b-{acount}\"}\ndestinations: [{region: us-west-2}]",
            "unknown placeholder `{acount}`",
        ),
        (
            "name: a\nsource: {region: us-east-1, bucket: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-{account}\"}\ndestinations: [{region: us-west-2}]",
            "3 to 63 characters",
        ),
    ];
    for (text, wanted) in table {
        let message = read(text).expect_err(text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// Every refusal in the optional parts: the text after the pair, and a part of the error message.
#[test]
fn refusals_in_the_optional_parts() {
    let table: &[(&str, &str)] = &[
        ("regoin: x", "<stdin>:4:1: `regoin`: unknown key"),
        ("name: again", "twice"),
        (
            "key: {kind: multi-regoin}",
            "`multi-region`, `per-region`, `existing`, `none` are allowed",
        ),
        ("key: {algorithm: AES256}", "`aws:kms`, `aws:kms:dsse` are allowed"),
        (
            "key: {algorithm: \"aws:kms:dsse\"}\nbuckets: {bucket_key: true}",
            "<stdin>:5:23: `buckets.bucket_key`: DSSE-KMS has no Bucket Keys",
        ),
        ("key: {kind: none}\nbuckets: {bucket_key: true}", "SSE-S3 has no Bucket Keys"),
        ("key: {kind: none}\nbuckets: {deny_other_keys: true}", "there is no key of the pair"),
        ("key: {kind: none, algorithm: \"aws:kms:dsse\"}", "there is no DSSE-KMS without a key"),
        ("key: {kind: none, alias: alias/x}", "an alias is for keys that crrctl makes"),
        ("key: {kind: existing}", "`key.arns`: no key is given for us-east-1"),
        (
            "key: {kind: existing, arns: {us-east-1: alias/a}}",
            "`key.arns`: no key is given for us-west-2",
        ),
        ("key: {kind: existing, arns: 3}", "a list of ARNs is wanted"),
        ("key: {kind: existing, arns: [alias/a]}", "`key.arns[0]`: `alias/a` is not a valid ARN"),
        (
            "key: {kind: existing, arns: {us-east-1: alias/a}, usable_by_accounts: [\"444455556666\"]}",
            "crrctl writes the policies of keys that it makes",
        ),
        ("key: {alias: alias/aws/x}", "reserved for AWS managed keys"),
        ("key: {alias: orders}", "must begin with `alias/`"),
        (
            "key: {deletion_window_days: 3}",
            "<stdin>:4:29: `key.deletion_window_days`: 3 days: 7 to 30 are allowed",
        ),
        ("key: {deletion_window_days: soon}", "<stdin>:4:29"),
        ("key: {rotation_days: 89}", "90 to 2560 days are allowed"),
        ("key: {rotation_days: true}", "90 to 2560 days are allowed"),
        ("key: {replica_timeout: 20}", "is not a duration"),
        ("key: {administrators: [bob]}", "`key.administrators[0]`"),
        ("key: {administrators: [\"arn:aws:s3:::b\"]}", "is not a principal"),
        ("key: {usable_by_accounts: [\"12\"]}", "`key.usable_by_accounts[0]`"),
        (
            "key: {arns: {us-east-1: a}}",
            "`key.arns`: keys are given only beside `key.kind: existing`",
        ),
        ("buckets: {object_lock: yes please}", "`buckets.object_lock`"),
        ("buckets: {object_lock: {mode: governence, days: 1}}", "`buckets.object_lock.mode`"),
        ("buckets: {object_lock: {mode: governance, days: 0}}", "1 to 36500 days"),
        ("buckets: {object_lock: {mode: governance, day: 1}}", "`buckets.object_lock.day`"),
        ("buckets: {namespace: regional}", "`buckets.namespace`"),
        ("buckets: {lifecycle: {noncurrent_days: 0}}", "`buckets.lifecycle.noncurrent_days`"),
        ("role: {path: teams}", "`role.path`"),
        ("role: {permissions_boundary: boundary}", "`role.permissions_boundary`"),
        ("buckets: {bucket_key: maybe}", "<stdin>:4:23"),
        ("role: {name: \"a b\"}", "`role.name`"),
        ("role: {arn: \"arn:aws:iam::111122223333:user/r\"}", "is no role"),
        ("role: {name: a, arn: \"arn:aws:iam::111122223333:role/r\"}", "`role.name`: the role of"),
        ("replication: {two_way: maybe}", "<stdin>:4:24"),
        ("replication: {tags: {a: b}, delete_markers: true}", "`replication.delete_markers`"),
        ("replication: {time_control: true, metrics: false}", "`replication.metrics`"),
        ("replication: {storage_class: FSX_OPENZFS}", "`replication.storage_class`"),
        ("replication: {activation: derict}", "`auto`, `proven-first`, `direct` are allowed"),
        (
            "policy: {profile: strict}",
            "<stdin>:4:19: `policy.profile`: `strict` is allowed only beside `buckets.bucket_key: false`",
        ),
        ("buckets: {bucket_key: true}\npolicy: {profile: strict}", "<stdin>:5:19"),
        ("policy: {profile: stric}", "`compatible` and `strict` are allowed"),
        ("buckets: {deny_other_keys: maybe}", "<stdin>:4:28"),
        ("tags: {\"aws:x\": y}", "reserved"),
        ("tags: {\"crrctl:pair\": y}", "reserved"),
        ("tags: {\"\": y}", "1 to 128 characters"),
        ("tags: {a: \"b\\\"c\"}", "are allowed in tags"),
        ("pairs: []", "`pairs`"),
    ];
    refuse(table);
    let long = format!("{PAIR}replication: {{prefix: {}}}\n", "p".repeat(961));
    assert!(read(&long).unwrap_err().to_string().contains("960 are allowed"));
}

/// Every refusal of the targets of alerts.
#[test]
fn refusals_of_alerts() {
    refuse(&[
        (
            "replication: {alerts: x}",
            "`replication.alerts`: `{sns: ARN}` or `{sqs: ARN}` is wanted",
        ),
        ("replication: {alerts: {}}", "`replication.alerts`: one of `sns` and `sqs` is wanted"),
        (
            "replication: {alerts: {sns: a, sqs: b}}",
            "`replication.alerts`: one of `sns` and `sqs` is wanted",
        ),
        (
            "replication: {alerts: {sms: a}}",
            "`replication.alerts.sms`: unknown key; allowed here: `sns`, `sqs`",
        ),
        ("replication: {alerts: {sns: 1}}", "`replication.alerts.sns`: a text is wanted"),
        ("replication: {alerts: {sns: alerts}}", "`alerts` is not an ARN"),
        (
            "replication: {alerts: {sns: 'arn:aws:sqs:us-east-1:111122223333:q'}}",
            "is of the service `sqs`, not `sns`",
        ),
        (
            "replication: {alerts: {sns: 'arn:aws:sns:us-east-1:111122223333:t:sub'}}",
            "names no topic",
        ),
        ("replication: {alerts: {sqs: 'arn:aws:sqs:us-east-1::q'}}", "names no queue"),
        (
            "replication: {alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:q.fifo'}}",
            "`q.fifo` is a FIFO queue",
        ),
        (
            "replication: {alerts: {sns: 'arn:aws-cn:sns:us-east-1:111122223333:t'}}",
            "the partition `aws-cn`, and the pair in `aws`",
        ),
        (
            "replication: {alerts: {sns: 'arn:aws:sns:us-west-2:111122223333:t'}}",
            "the topic lies in us-west-2, and objects are replicated from",
        ),
        (
            "replication: {two_way: true, alerts: {sns: 'arn:aws:sns:us-east-1:111122223333:t'}}",
            "in us-west-2: S3 publishes the events",
        ),
        (
            "replication: {metrics: false, alerts: {sns: 'arn:aws:sns:us-east-1:111122223333:t'}}",
            "`replication.metrics`: S3 sends the events of `replication.alerts` only where",
        ),
    ]);
}

/// Reads each text after the pair, and looks for a part of the error message.
fn refuse(table: &[(&str, &str)]) {
    for (text, wanted) in table {
        let message = read(&format!("{PAIR}{text}\n")).expect_err(text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// Existing rules and roles may be named only where they can exist, and only once.
#[test]
fn rules_and_roles_that_exist_are_named_once_and_where_they_can_be() {
    let arn = "arn:aws:iam::111122223333:role/theirs";
    let pair = |source: &str, destination: &str, rest: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1{source}}}\n\
             destinations: [{{region: us-west-2{destination}}}, {{region: eu-west-1, adopt: true, back: {{role: \"{arn}\", rule_id: c}}}}]\n\
             role: {{arn: \"{arn}\"}}\nreplication: {{two_way: true}}\n{rest}"
        )
    };
    let adopted = ", adopt: true, bucket: src";
    let whole = pair(adopted, ", adopt: true, rule_id: b, back: {rule_id: b}", "");
    let account = AccountId::new("111122223333").unwrap();
    let topology = read(&whole).unwrap().topology(&account).unwrap();
    let ids: Vec<&str> = topology.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["b", "crrctl.a.eu-west-1"]);
    let backs: Vec<String> = topology.backward().map(|it| it.rules[0].id.clone()).collect();
    assert_eq!(backs, ["b", "c"]);
    let refused = [
        (
            pair("", ", rule_id: b", ""),
            "`destinations[0].rule_id`: a rule exists before the pair only",
        ),
        (
            pair(adopted, ", back: {rule_id: b}", ""),
            "`destinations[0].back.rule_id`: a rule exists before",
        ),
        (
            pair(adopted, ", rule_id: crrctl.a.eu-west-1", ""),
            "`destinations[1].rule_id`: another rule of this",
        ),
        (
            pair(adopted, ", rule_id: crrctl.b.us-west-2", ""),
            "an id of this kind is that of a rule that crrctl makes",
        ),
        (pair(adopted, ", rule_id: x.proof", ""), "an id of this kind"),
        (pair(adopted, ", rule_id: ''", ""), "1 to 248 characters are allowed"),
        (
            whole.replace("two_way: true", "two_way: false"),
            "`destinations[0].back`: there is no way back",
        ),
        (whole.replace("role: {arn", "tags: {arn"), "`role.arn` is missing"),
        (whole.replace("role/theirs\", rule_id: c", "user/theirs\", rule_id: c"), "is no role"),
    ];
    for (text, wanted) in refused {
        let message = read(&text).expect_err(&text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// The role of a reverse direction from another account, and its permissions boundary, must be of
/// that account.
#[test]
fn roles_of_the_way_back_are_of_the_account_they_are_in() {
    let pair = |destination: &str, rest: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1, account: \"111122223333\"}}\n\
             destinations: [{{region: us-west-2, account: \"444455556666\"{destination}}}]\n\
             key: {{kind: none}}\nreplication: {{two_way: true}}\n{rest}"
        )
    };
    let here = "arn:aws:iam::111122223333:role/theirs";
    let (there, bound) = (here.replace("111122223333", "444455556666"), "policy/boundary");
    let given = format!("role: {{arn: \"{here}\"}}\n");
    let bounded = |account: &str| {
        format!("role: {{permissions_boundary: \"arn:aws:iam::{account}:{bound}\"}}\n")
    };
    let back = |key: &str, arn: &str| format!(", back: {{{key}: \"{arn}\"}}");
    let own_bound = back("permissions_boundary", "arn:aws:iam::444455556666:policy/theirs");
    let account = AccountId::new("111122223333").unwrap();
    let roles = |text: &str| {
        let accounts = read(text).unwrap().some_accounts(&account);
        let topology = read(text).unwrap().topology_in(&accounts).unwrap();
        let way = |it: super::Topology| {
            (it.role_arn().to_string(), it.role_settings.boundary.as_ref().map(ToString::to_string))
        };
        topology.directions().into_iter().map(way).collect::<Vec<_>>()
    };
    let made = roles(&pair(&own_bound, &bounded("111122223333")));
    let ours = "role/crrctl/crrctl-a";
    assert_eq!(
        made,
        [
            (
                format!("arn:aws:iam::111122223333:{ours}-us-east-1"),
                Some(format!("arn:aws:iam::111122223333:{bound}"))
            ),
            (
                format!("arn:aws:iam::444455556666:{ours}-us-west-2"),
                Some("arn:aws:iam::444455556666:policy/theirs".to_owned())
            ),
        ]
    );
    assert_eq!(
        roles(&pair("", &bounded("aws")))[1].1.as_deref().unwrap(),
        "arn:aws:iam::aws:policy/boundary"
    );
    assert_eq!(roles(&pair(&back("role", &there), &given))[1].0, there);
    let refused = [
        (
            pair("", &given),
            "`destinations[0].back.role`: us-west-2 replicates back by a role of its own account",
        ),
        (pair(&back("role", here), &given), "is not a role of the destination's account"),
        (
            pair("", &bounded("111122223333")),
            "`role.permissions_boundary`: it bounds no role of another account",
        ),
        (
            pair(&own_bound.replace('}', &format!(", role: \"{there}\"}}")), &given),
            "`destinations[0].back.permissions_boundary`: a role that exists is used as it is",
        ),
        (
            pair(&own_bound, "").replace("two_way: true", "two_way: false"),
            "`destinations[0].back`: there is no way back",
        ),
    ];
    for (text, wanted) in refused {
        let message = read(&text).expect_err(&text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// The schema is handwritten. At each place it must have exactly the keys that the parser reads.
#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap();
    let inside = |key: &str| format!("{PAIR}{key}: {{zzz: 1}}\n");
    let side = |source: &str, destination: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1{source}}}\ndestinations: [{{region: us-west-2{destination}}}]\n"
        )
    };
    let mut rows = vec![
        (String::new(), format!("{PAIR}zzz: 1\n")),
        ("/properties/source".to_owned(), side(", zzz: 1", "")),
        ("/properties/destinations/items".to_owned(), side("", ", zzz: 1")),
        ("/properties/destinations/items/properties/back".to_owned(), side("", ", back: {zzz: 1}")),
    ];
    for key in ["key", "buckets", "role", "replication", "policy"] {
        rows.push((format!("/properties/{key}"), inside(key)));
    }
    for (place, text) in rows {
        let message = read(&text).expect_err(&text).to_string();
        let (_, allowed) = message.split_once("allowed here: ").unwrap();
        let read: std::collections::BTreeSet<&str> =
            allowed.split(", ").map(|key| key.trim_matches('`')).collect();
        let known = schema.pointer(&format!("{place}/properties")).unwrap();
        let known: std::collections::BTreeSet<&str> =
            known.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(read, known, "{place}");
    }
}

/// The schema accepts the examples, and `check` refuses whatever the schema refuses.
#[test]
fn the_schema_agrees_with_what_is_checked() {
    let schema = jsonschema::validator_for(
        &serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap(),
    )
    .unwrap();
    let value = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(read(&text).is_ok(), "{text}");
        let errors: Vec<String> =
            schema.iter_errors(&value(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{text}");
        count += 1;
    }
    assert!(count > 5);
    for bad in [
        "regoin: x",
        "key: {kind: multi-regoin}",
        "key: {deletion_window_days: 3}",
        "replication: {storage_class: FSX_OPENZFS}",
        "replication: {activation: derict}",
        "buckets: {bucket_key: maybe}",
    ] {
        let text = format!("{PAIR}{bad}\n");
        assert!(read(&text).is_err(), "{bad}");
        assert!(!schema.is_valid(&value(&text)), "{bad}");
    }
}

#[test]
fn near_misses_are_named() {
    let error = read(&format!("{PAIR}replicaton: {{}}\n")).unwrap_err();
    let failure = crate::failure::Failure::from(error);
    assert_eq!(failure.hints, ["did you mean `replication`?"]);
}

proptest::proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    /// No text makes the parser panic.
    #[test]
    fn any_text_is_taken_or_refused(text in ".{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("{PAIR}{text}"));
    }
}

/// A bucket name in the account regional namespace has the required suffix, and no other bucket
/// name may have it.
#[test]
fn the_namespace_and_the_names_fit() {
    let own = "buckets: {namespace: account-regional}\n";
    let account = AccountId::new("111122223333").unwrap();
    let same = PAIR.replace("us-west-2", "us-east-1");
    let topology = read(&format!("{same}{own}")).unwrap().topology(&account).unwrap();
    let names: Vec<&str> = topology.sides().map(|side| side.bucket.as_str()).collect();
    assert_eq!(names, ["orders-111122223333-us-east-1-an", "orders-r-111122223333-us-east-1-an"]);
    let with_bucket = |bucket: &str, rest: &str| {
        let side = format!("{{region: us-east-1, bucket: \"{bucket}\"}}");
        read(&PAIR.replace("{region: us-east-1}", &side).replace("]\n", &format!("]\n{rest}")))
    };
    assert!(with_bucket("a-{account}-us-east-1-an", own).is_ok());
    assert!(with_bucket("a-111122223333-us-east-1-an", own).is_ok());
    for (bucket, rest, says) in [
        ("a-{account}", own, "`SOME-NAME-{account}-us-east-1-an` alone"),
        ("a-{account}-us-west-2-an", own, "alone"),
        ("a-11112222333-us-east-1-an", own, "alone"),
        ("a-{account}-us-east-1-an", "", "are in the account's own namespace"),
    ] {
        let error = with_bucket(bucket, rest).unwrap_err().to_string();
        assert!(error.contains("`source.bucket`") && error.contains(says), "{bucket}: {error}");
    }
}

/// An entry of `pairs` accepts the same keys as a manifest of one pair, also in the schema.
#[test]
fn the_schema_takes_many_pairs() {
    let schema = serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap();
    let known = |place: &str| -> std::collections::BTreeSet<String> {
        schema.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let mut entry = known("/properties/pairs/items/properties");
    entry.insert("pairs".to_owned());
    assert_eq!(entry, known("/properties"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (text, is_good) in [
        (
            "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{name: a}, {name: b}]\n",
            true,
        ),
        (
            "source: {bucket: \"{name}-{account}\"}\ndestinations: [{region: us-west-2}]\npairs: [{name: a, source: {region: us-east-1}}]\n",
            true,
        ),
        (
            "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{nmae: a}]\n",
            false,
        ),
        ("source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: []\n", false),
        ("name: a\nsource: {bucket: b}\ndestinations: [{region: us-west-2}]\n", false),
    ] {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(validator.is_valid(&value), is_good, "{text}");
        let origin = super::Origin::Stdin;
        assert_eq!(super::parse_pairs(text, &origin, None, &[]).is_ok(), is_good, "{text}");
    }
}

/// A list in an entry of `pairs` replaces the default list, also with nothing.
#[test]
fn an_empty_list_of_a_pair_replaces_the_default() {
    let text = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {administrators: [\"arn:aws:iam::111122223333:role/admin\"], usable_by_accounts: [\"444455556666\"]}\n\
        pairs: [{name: a}, {name: b, key: {administrators: [], usable_by_accounts: []}}]\n";
    let super::Pairs::Many(fleet) =
        super::parse_pairs(text, &super::Origin::Stdin, None, &[]).unwrap()
    else {
        panic!("these are two pairs");
    };
    let account = AccountId::new("111122223333").unwrap();
    let counts = fleet.pairs.iter().map(|manifest| {
        let key = manifest.topology(&account).unwrap().wanted.key.clone();
        (key.administrators.len(), key.usable_by_accounts.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 1), (0, 0)]);
}
