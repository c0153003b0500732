//! Every combination that S3 refuses of a rule, and every limit of a configuration: refused before any call, located in the file.
//! Each row names what S3 says and where (S3 API Reference, `PutBucketReplication` and the types of its body; S3 User Guide,
//! "Requirements and considerations for replication").

use crate::common::Stand;

/// What is excluded; the manifest's lines from the third on, where the destinations stand; the place and the words of the refusal.
const TABLE: [(&str, &str, &str); 30] = [
    (
        "delete markers beside a tag filter",
        "destinations: [{region: us-west-2, tags: {a: b}, delete_markers: true}]",
        "3:66: `destinations[0].delete_markers`: delete markers bear no tags",
    ),
    (
        "the same, each from another level",
        "destinations: [{region: us-west-2, tags: {a: b}}]\nreplication: {delete_markers: true}",
        ": delete markers bear no tags",
    ),
    (
        "time control without its metrics",
        "destinations: [{region: us-west-2, time_control: true, metrics: false}]",
        "3:65: `destinations[0].metrics`: `time_control` is measured by metrics",
    ),
    (
        "a threshold of one's own",
        "destinations: [{region: us-west-2, event_threshold: 15}]",
        "3:36: `event_threshold`: unknown key",
    ),
    ("other minutes than 15", "destinations: [{region: us-west-2, time_control: 30}]", "3:50: "),
    (
        "replication of existing objects by a rule",
        "destinations: [{region: us-west-2}]\nreplication: {existing_objects: true}",
        "4:15: `existing_objects`: unknown key",
    ),
    (
        "a class that no replica can have",
        "destinations: [{region: us-west-2, storage_class: FSX_OPENZFS}]",
        "3:51: `destinations[0].storage_class`: `FSX_OPENZFS` is not known",
    ),
    (
        "a class from which no replica can be read at once",
        "destinations: [{region: us-west-2, storage_class: GLACIER}]",
        "3:51: `destinations[0].storage_class`: a replica in `GLACIER` must be restored",
    ),
    (
        "the same for all rules",
        "destinations: [{region: us-west-2}]\nreplication: {storage_class: DEEP_ARCHIVE}",
        "4:30: `replication.storage_class`: a replica in `DEEP_ARCHIVE` must be restored",
    ),
    (
        "a destination that is the source",
        "destinations: [{region: us-east-1, bucket: src}]",
        "3:44: `destinations[0].bucket`: `src` stands here twice",
    ),
    (
        "a destination in another partition",
        "destinations: [{region: cn-north-1}]",
        "3:25: `destinations[0].region`: `cn-north-1` is in the partition `aws-cn`",
    ),
    (
        "one priority twice",
        "destinations: [{region: us-west-2, priority: 1}, {region: eu-west-1, priority: 1}]",
        "3:80: `destinations[1].priority`: 1 is also the priority of `destinations[0]`",
    ),
    (
        "a priority below zero",
        "destinations: [{region: us-west-2, priority: -1}]",
        "3:46: `destinations[0].priority`: -1: 0 to",
    ),
    (
        "two rules of which one never applies",
        "destinations: [{region: us-west-2, prefix: a/}, {region: us-west-2, prefix: a/}]",
        "3:58: `destinations[1]`: `us-west-2` and `orders-{account}-us-west-2` stand here twice with the same filter",
    ),
    (
        "no destination at all",
        "destinations: []",
        "3:15: `destinations`: at least one destination is wanted",
    ),
    (
        "more tags than a filter takes",
        "destinations: [{region: us-west-2, tags: {a: x, b: x, c: x, d: x, e: x, f: x, g: x, h: x, i: x, j: x, k: x}}]",
        "`destinations[0].tags`: ",
    ),
    (
        "a tag that no object can bear",
        "destinations: [{region: us-west-2, tags: {\"aws:a\": x}}]",
        "`destinations[0].tags",
    ),
    (
        "a new owner within one account",
        "destinations: [{region: us-west-2, owner_override: true}]",
        "3:52: `destinations[0].owner_override`: replicas change their owner only where",
    ),
    (
        "a multi-Region key across accounts",
        "destinations: [{region: us-west-2, account: \"444455556666\"}]",
        "3:25: `destinations[0]`: us-west-2 is in account 444455556666",
    ),
    (
        "AWS's own key across accounts",
        "destinations: [{region: us-west-2, account: \"444455556666\", key: alias/aws/s3}]",
        "3:66: `destinations[0].key`: `alias/aws/s3` can't be used by another account",
    ),
    (
        "a key of another Region",
        "destinations: [{region: us-west-2, key: \"arn:aws:kms:us-east-1:111122223333:key/1\"}]",
        "3:41: `destinations[0].key`: ",
    ),
    (
        "a key for objects that have none",
        "destinations: [{region: us-west-2, key: alias/a}]\nkey: {kind: none}",
        "3:41: `destinations[0].key`: objects without a KMS key are replicated without one",
    ),
    (
        "keys on the one side alone",
        "destinations: [{region: us-west-2}]\nkey: {kind: existing, arns: {us-east-1: alias/a}}",
        "4:29: `key.arns`: no key is given for us-west-2",
    ),
    (
        "Bucket Keys with DSSE",
        "destinations: [{region: us-west-2}]\nkey: {algorithm: \"aws:kms:dsse\"}\nbuckets: {bucket_key: true}",
        "5:23: `buckets.bucket_key`: DSSE-KMS has no Bucket Keys",
    ),
    (
        "ways back from two buckets of one Region",
        "destinations: [{region: us-west-2}, {region: us-west-2, bucket: b-b}]\nreplication: {two_way: true}",
        "3:65: `destinations[1]`: `us-west-2` has two destination buckets",
    ),
    (
        "one bucket in two Regions",
        "destinations: [{region: us-west-2, bucket: b-b}, {region: eu-west-1, bucket: b-b}]",
        "3:78: `destinations[1].bucket`: `b-b` stands here twice",
    ),
    (
        "a role that is none",
        "destinations: [{region: us-west-2}]\nrole: {arn: \"arn:aws:iam::111122223333:user/a\"}",
        "4:13: `role.arn`: `arn:aws:iam::111122223333:user/a` is no role",
    ),
    (
        "a control character in a prefix",
        "destinations: [{region: us-west-2, prefix: \"a\\u0001\"}]",
        "3:44: `destinations[0].prefix`: control characters are not allowed",
    ),
    (
        "retention that is none",
        "destinations: [{region: us-west-2}]\nbuckets: {object_lock: {mode: governance, days: 0}}",
        "`buckets.object_lock.days`: 1 to",
    ),
    (
        "a bucket without versions",
        "destinations: [{region: us-west-2}]\nbuckets: {versioning: false}",
        "4:11: `versioning`: unknown key",
    ),
];

#[test]
fn what_s3_excludes_is_refused_before_any_call_and_located() {
    let stand = Stand::new();
    let check = |what: &str, destinations: &str, wanted: &str| {
        let text = format!(
            "name: orders\nsource: {{region: us-east-1, bucket: src, account: \"111122223333\"}}\n{destinations}\n"
        );
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let output = stand.manifest(command, &text).exits(3);
            assert!(output.stderr.contains("<stdin>:"), "{what} is not located: {output}");
            assert!(output.stderr.contains(wanted), "{what} wants {wanted}\n{output}");
        }
        println!("{what:<52} {wanted}");
    };
    for (what, destinations, wanted) in TABLE {
        check(what, destinations, wanted);
    }
    let long = |prefix: usize| {
        format!("destinations: [{{region: us-west-2, prefix: \"{}\"}}]", "p".repeat(prefix))
    };
    check(
        "a prefix of more than 1,024 bytes",
        &long(1025),
        "3:44: `destinations[0].prefix`: 1025 bytes",
    );
    let many: Vec<String> =
        (0..1001).map(|n| format!("{{region: us-west-2, prefix: \"{n}/\"}}")).collect();
    let many = format!("destinations: [{}]", many.join(", "));
    check("more than 1,000 rules", &many, "3:15: `destinations`: 1001 rules: 1000 are allowed");
    let id = format!("destinations: [{{region: us-west-2, rule_id: \"{}\"}}]", "i".repeat(256));
    check("an id of more than 255 characters", &id, "3:45: `destinations[0].rule_id`: ");
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}), "not one call");
}
