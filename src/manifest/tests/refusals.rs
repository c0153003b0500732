//! Manifests that are refused: each error names the place, the key, and what is allowed.
//! Not for: manifests that are taken (see `tests`).

use super::{PAIR, read};

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
        (
            "replication: {prefix: \"日本/\"}",
            "<stdin>:4:23: `replication.prefix`: '日' is not allowed",
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
