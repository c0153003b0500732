//! Set-ups as people publish them (the S3 User Guide, Terraform modules, templates): each is imported, shows no change
//! but tags, is applied with probes, and is as it was once the pair is given back.
//! Not for: what import says of single settings (see `import`).

use crate::common::Stand;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types as t;
use serde_json::{Value, json};
use std::fmt::Debug;

const FROM: (&str, &str) = ("us-east-1", "published-src");
const TO: (&str, &str) = ("us-west-2", "published-dst");
/// A second destination, to which few set-ups replicate.
const SECOND: (&str, &str) = ("us-west-2", "published-more");
const ROLE: &str = "arn:aws:iam::111122223333:role/published";

/// The default encryption of a bucket.
#[derive(Clone, Copy, PartialEq)]
enum Default {
    S3,
    /// Under a key of the customer's, with or without a Bucket Key.
    Kms(bool),
    /// Under the key that AWS manages.
    Managed,
}

/// The keys of a set-up: the source's and the destination's.
struct Keys(String, String);

struct Shape {
    name: &'static str,
    defaults: [Default; 2],
    rules: fn(&Keys) -> Vec<t::ReplicationRule>,
    role: fn(&Keys) -> Vec<Value>,
    /// Statements of the bucket policies.
    policies: [fn() -> Vec<Value>; 2],
    /// Whether ACLs are on and public access is not blocked.
    is_open: bool,
    /// Whether clients name the encryption.
    has_headers: bool,
}

fn none() -> Vec<Value> {
    Vec::new()
}

fn usual(name: &'static str) -> Shape {
    Shape {
        name,
        defaults: [Default::S3, Default::S3],
        rules: |_| vec![rule("all", 1, "", None)],
        role: |_| full(),
        policies: [none, none],
        is_open: false,
        has_headers: false,
    }
}

fn kms(name: &'static str, bucket_key: bool) -> Shape {
    Shape {
        defaults: [Default::Kms(bucket_key), Default::Kms(bucket_key)],
        rules: |keys| vec![rule("all", 1, "", Some(&keys.1))],
        role: |keys| [full(), uses(keys)].concat(),
        ..usual(name)
    }
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

fn objects((_, bucket): (&str, &str)) -> String {
    format!("arn:aws:s3:::{bucket}/*")
}

fn on_source() -> Value {
    let bucket = format!("arn:aws:s3:::{}", FROM.1);
    allow(&["s3:GetReplicationConfiguration", "s3:ListBucket"], &bucket)
}

/// The permissions of the S3 User Guide, "Setting up permissions for live replication".
fn full() -> Vec<Value> {
    let reads = [
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
    ];
    let writes = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"];
    vec![on_source(), allow(&reads, &objects(FROM)), allow(&writes, &objects(TO))]
}

/// Those of its example for SSE-KMS objects, which has no actions for tags.
fn without_tags(read: &str) -> Vec<Value> {
    let (reads, writes) =
        ([read, "s3:GetObjectVersionAcl"], ["s3:ReplicateObject", "s3:ReplicateDelete"]);
    vec![on_source(), allow(&reads, &objects(FROM)), allow(&writes, &objects(TO))]
}

fn uses(keys: &Keys) -> Vec<Value> {
    vec![
        allow(&["kms:Decrypt"], &keys.0),
        allow(&["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"], &keys.1),
    ]
}

/// The S3 User Guide's example of a policy that demands an encryption header.
fn demands_header(bucket: (&str, &str)) -> Vec<Value> {
    vec![
        json!({"Sid": "DenyIncorrectEncryptionHeader", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": objects(bucket), "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}}),
    ]
}

fn tls_only((_, bucket): (&str, &str)) -> Vec<Value> {
    let all = [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")];
    vec![
        json!({"Sid": "AllowSSLRequestsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": all,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    ]
}

fn public(bucket: (&str, &str)) -> Vec<Value> {
    vec![
        json!({"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects(bucket)}),
    ]
}

fn rule(id: &str, priority: i32, prefix: &str, key: Option<&str>) -> t::ReplicationRule {
    let on = t::SseKmsEncryptedObjectsStatus::Enabled;
    let criteria = key.map(|_| {
        let kms = t::SseKmsEncryptedObjects::builder().status(on).build().unwrap();
        t::SourceSelectionCriteria::builder().sse_kms_encrypted_objects(kms).build()
    });
    let key = key.map(|key| t::EncryptionConfiguration::builder().replica_kms_key_id(key).build());
    let to = format!("arn:aws:s3:::{}", TO.1);
    let to =
        t::Destination::builder().bucket(to).set_encryption_configuration(key).build().unwrap();
    let off = t::DeleteMarkerReplicationStatus::Disabled;
    t::ReplicationRule::builder()
        .id(id)
        .priority(priority)
        .status(t::ReplicationRuleStatus::Enabled)
        .filter(t::ReplicationRuleFilter::builder().prefix(prefix).build())
        .delete_marker_replication(t::DeleteMarkerReplication::builder().status(off).build())
        .set_source_selection_criteria(criteria)
        .destination(to)
        .build()
        .unwrap()
}

/// The older form, which Terraform writes without `filter`.
fn v1(id: &str, prefix: &str) -> t::ReplicationRule {
    let mut rule = rule(id, 1, prefix, None);
    (rule.filter, rule.priority, rule.delete_marker_replication) = (None, None, None);
    #[expect(deprecated, reason = "that is what the older form has")]
    rule.prefix.replace(prefix.to_owned());
    rule
}

fn with(
    mut rule: t::ReplicationRule,
    change: impl FnOnce(&mut t::Destination),
) -> t::ReplicationRule {
    change(rule.destination.as_mut().unwrap());
    rule
}

fn second(rule: t::ReplicationRule) -> t::ReplicationRule {
    with(rule, |to| to.bucket = format!("arn:aws:s3:::{}", SECOND.1))
}

fn timed() -> t::ReplicationRule {
    let minutes = || t::ReplicationTimeValue::builder().minutes(15).build();
    with(rule("timed", 1, "", None), |to| {
        let on = t::ReplicationTime::builder().status(t::ReplicationTimeStatus::Enabled);
        to.replication_time = Some(on.time(minutes()).build().unwrap());
        let on = t::Metrics::builder().status(t::MetricsStatus::Enabled);
        to.metrics = Some(on.event_threshold(minutes()).build().unwrap());
    })
}

fn tagged() -> t::ReplicationRule {
    let tag = t::Tag::builder().key("class").value("copied").build().unwrap();
    let mut rule = rule("tagged", 1, "", None);
    rule.filter = Some(t::ReplicationRuleFilter::builder().tag(tag).build());
    rule
}

fn several() -> Vec<t::ReplicationRule> {
    let mut markers = rule("reports", 7, "reports/", None);
    let on = t::DeleteMarkerReplicationStatus::Enabled;
    markers.delete_marker_replication =
        Some(t::DeleteMarkerReplication::builder().status(on).build());
    let mut off = rule("off", 9, "off/", None);
    off.status = t::ReplicationRuleStatus::Disabled;
    vec![rule("logs", 3, "logs/", None), markers, off]
}

fn shapes() -> Vec<Shape> {
    vec![
        usual("the walkthrough of the User Guide"),
        Shape {
            role: |_| without_tags("s3:GetObjectVersionForReplication"),
            ..usual("no actions for tags")
        },
        Shape { role: |_| without_tags("s3:GetObjectVersion"), ..usual("GetObjectVersion alone") },
        Shape { role: |_| vec![allow(&["s3:*", "kms:*"], "*")], ..usual("a role that may all") },
        kms("KMS keys", false),
        kms("KMS keys with Bucket Keys", true),
        Shape {
            role: |keys| {
                let keys = [allow(&["kms:Decrypt"], &keys.0), allow(&["kms:Encrypt"], &keys.1)];
                [without_tags("s3:GetObjectVersionForReplication"), keys.to_vec()].concat()
            },
            ..kms("the User Guide's policy for KMS", false)
        },
        Shape {
            defaults: [Default::S3, Default::Kms(false)],
            ..kms("SSE-S3 by default, and a rule that opts in to KMS", false)
        },
        Shape {
            defaults: [Default::S3, Default::Kms(true)],
            ..usual("SSE-S3 into a bucket with a KMS default")
        },
        Shape {
            defaults: [Default::Managed, Default::Kms(false)],
            role: |keys| [full(), uses(&Keys("*".to_owned(), keys.1.clone()))].concat(),
            ..kms("the key that AWS manages", false)
        },
        Shape {
            policies: [none, || demands_header(TO)],
            ..kms("a header at the destination", true)
        },
        Shape {
            policies: [|| demands_header(FROM), none],
            has_headers: true,
            ..kms("a header at the source", true)
        },
        Shape {
            policies: [none, || {
                vec![
                    json!({"Sid": "OnlyReplication", "Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject", "s3:DeleteObject"],
                    "Resource": objects(TO), "Condition": {"StringNotEquals": {"aws:PrincipalArn": ROLE}}}),
                ]
            }],
            ..kms("a replica that nobody else writes", true)
        },
        Shape { policies: [|| tls_only(FROM), || tls_only(TO)], ..usual("TLS alone") },
        Shape {
            policies: [|| public(FROM), || public(TO)],
            is_open: true,
            ..usual("a public site with ACLs")
        },
        Shape { rules: |_| vec![v1("old", "")], ..usual("a rule of schema V1") },
        Shape {
            rules: |_| vec![v1("logs", "logs/"), v1("reports", "reports/")],
            ..usual("two rules of schema V1")
        },
        Shape { rules: |_| several(), ..usual("several rules, one Disabled") },
        Shape { rules: |_| vec![tagged()], ..usual("a filter by tag") },
        Shape {
            rules: |_| vec![rule("all", 1, "", None), second(rule("more", 2, "reports/", None))],
            role: |_| vec![allow(&["s3:*"], "*")],
            ..usual("two buckets of one Region")
        },
        Shape {
            rules: |keys| {
                let key = Some(keys.1.as_str());
                vec![second(rule("more", 7, "reports/", key)), rule("all", 1, "", key)]
            },
            role: |_| vec![allow(&["s3:*", "kms:*"], "*")],
            ..kms("two buckets of one Region under one key", true)
        },
        Shape {
            rules: |_| {
                let class = t::StorageClass::StandardIa;
                vec![with(rule("cold", 1, "", None), |to| to.storage_class = Some(class))]
            },
            ..usual("another storage class")
        },
        Shape { rules: |_| vec![timed()], ..usual("time control with metrics") },
        Shape { rules: |_| vec![rule("first", 0, "", None)], ..usual("priority 0") },
    ]
}

fn make(stand: &Stand, shape: &Shape) -> Keys {
    let of_region = |region: &str| {
        stand.kms(region, async |kms| {
            kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
        })
    };
    let keys = Keys(of_region(FROM.0), of_region(TO.0));
    for (index, (region, bucket)) in [FROM, TO, SECOND].into_iter().enumerate() {
        let key = if index == 0 { &keys.0 } else { &keys.1 };
        // Both destinations have the same default encryption.
        let default = shape.defaults[index.min(1)];
        stand.bucket_of_its_owner(region, bucket, false);
        stand.s3(region, async |s3| {
            let on = t::VersioningConfiguration::builder();
            let on = on.status(t::BucketVersioningStatus::Enabled).build();
            let put = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on);
            put.send().await.unwrap();
            if shape.is_open {
                open(&s3, bucket).await;
            }
            encrypt(&s3, bucket, default, key).await;
            let statements = shape.policies.get(index).map_or_else(Vec::new, |it| it());
            if !statements.is_empty() {
                let policy = json!({"Version": "2012-10-17", "Statement": statements});
                let put = s3.put_bucket_policy().bucket(bucket).policy(policy.to_string());
                put.send().await.unwrap();
            }
        });
    }
    let role = (shape.role)(&keys);
    stand.iam(async |iam| {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let make = iam.create_role().role_name("published");
        make.assume_role_policy_document(trust.to_string()).send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": role}).to_string();
        let put = iam.put_role_policy().role_name("published").policy_name("p");
        put.policy_document(policy).send().await.unwrap();
    });
    let rules = (shape.rules)(&keys);
    stand.s3(FROM.0, async |s3| {
        let all = t::ReplicationConfiguration::builder().role(ROLE).set_rules(Some(rules));
        let put = s3.put_bucket_replication().bucket(FROM.1);
        put.replication_configuration(all.build().unwrap()).send().await.unwrap();
    });
    keys
}

async fn open(s3: &aws_sdk_s3::Client, bucket: &str) {
    let off = t::PublicAccessBlockConfiguration::builder().block_public_policy(false).build();
    let put = s3.put_public_access_block().bucket(bucket);
    put.public_access_block_configuration(off).send().await.unwrap();
    let rule = t::OwnershipControlsRule::builder();
    let rule = rule.object_ownership(t::ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = t::OwnershipControls::builder().rules(rule).build().unwrap();
    let put = s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls);
    put.send().await.unwrap();
}

async fn encrypt(s3: &aws_sdk_s3::Client, bucket: &str, default: Default, key: &str) {
    let (key, bucket_key) = match default {
        Default::S3 => return,
        Default::Kms(bucket_key) => (Some(key.to_owned()), bucket_key),
        Default::Managed => (None, false),
    };
    let by_default = t::ServerSideEncryptionByDefault::builder()
        .sse_algorithm(t::ServerSideEncryption::AwsKms)
        .set_kms_master_key_id(key)
        .build()
        .unwrap();
    let rule = t::ServerSideEncryptionRule::builder().bucket_key_enabled(bucket_key);
    let rule = rule.apply_server_side_encryption_by_default(by_default).build();
    let all = t::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(all);
    put.send().await.unwrap();
}

/// Uploads an object as a client of the set-up does, and returns what became of it.
fn upload(stand: &Stand, shape: &Shape) -> Option<t::ReplicationStatus> {
    let status = || {
        stand.s3(FROM.0, async |s3| {
            let head = s3.head_object().bucket(FROM.1).key("reports/a").send().await.unwrap();
            head.replication_status
        })
    };
    stand.s3(FROM.0, async |s3| {
        let put = s3.put_object().bucket(FROM.1).key("reports/a").tagging("class=copied");
        let kms = shape.has_headers.then_some(t::ServerSideEncryption::AwsKms);
        let put = put.set_server_side_encryption(kms).body(ByteStream::from_static(b"a"));
        put.send().await.unwrap();
    });
    Stand::wait_until("S3 has decided", || status() != Some(t::ReplicationStatus::Pending));
    status()
}

/// Returns all that a set-up has of settings, as text.
fn settings(stand: &Stand, (region, bucket): (&str, &str)) -> Vec<String> {
    stand.s3(region, async |s3| {
        fn said<T: Debug, E>(read: Result<T, E>, of: impl Fn(T) -> String) -> String {
            read.map_or_else(|_| "none".to_owned(), of)
        }
        vec![
            said(s3.get_bucket_encryption().bucket(bucket).send().await, |it| {
                format!("{:?}", it.server_side_encryption_configuration)
            }),
            said(s3.get_bucket_policy().bucket(bucket).send().await, |it| {
                format!("{:?}", it.policy)
            }),
            said(s3.get_bucket_tagging().bucket(bucket).send().await, |it| {
                format!("{:?}", it.tag_set)
            }),
            said(s3.get_bucket_versioning().bucket(bucket).send().await, |it| {
                format!("{:?}", it.status)
            }),
            said(s3.get_public_access_block().bucket(bucket).send().await, |it| {
                format!("{:?}", it.public_access_block_configuration)
            }),
            said(s3.get_bucket_ownership_controls().bucket(bucket).send().await, |it| {
                format!("{:?}", it.ownership_controls)
            }),
            said(s3.get_bucket_replication().bucket(bucket).send().await, |it| {
                format!("{:?}", it.replication_configuration)
            }),
        ]
    })
}

#[test]
fn each_is_imported_applied_and_given_back_as_it_was() {
    let shapes = shapes();
    assert!(shapes.len() >= 20, "{}", shapes.len());
    for shape in &shapes {
        let (name, stand) = (shape.name, Stand::new());
        make(&stand, shape);
        assert_eq!(upload(&stand, shape), Some(t::ReplicationStatus::Completed), "{name}");
        let all = [FROM, TO, SECOND];
        let before = all.map(|place| settings(&stand, place));
        let imported = stand.run(&["import", FROM.1, "-o", "json"]).exits(0).json();
        assert_eq!(imported["changes"], json!([]), "{name}: {imported:#}");
        let manifest = imported["manifest"].as_str().unwrap();
        let checked = stand.in_process_with(&["check"], manifest);
        let _ = checked.exits(0);
        let planned = stand.in_process_with(&["plan"], manifest).exits(0).json();
        assert_eq!(warned_of_headers(&planned), shape.has_headers, "{name}: {planned:#}");
        let applied = stand.in_process_with(&["apply", "--yes"], manifest).exits(0).json();
        assert!(applied["summary"]["completed"].as_u64().unwrap() > 0, "{name}");
        let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], manifest).exits(0);
        let _ = stand.in_process_with(&["destroy", "--yes"], manifest).exits(0);
        let after = all.map(|place| settings(&stand, place));
        assert_eq!(after, before, "{name}");
        println!("{name:<50} imported, proven, and given back as it was");
    }
}

fn warned_of_headers(planned: &Value) -> bool {
    planned["warnings"].to_string().contains("denies uploads without encryption headers")
}

/// Conversion is asked for, of the whole configuration at once, and means the same afterwards.
#[test]
fn rules_of_schema_v1_are_converted_on_request() {
    let stand = Stand::new();
    let shape =
        Shape { rules: |_| vec![v1("logs", "logs/"), v1("reports", "reports/")], ..usual("") };
    make(&stand, &shape);
    let manifest = format!(
        "name: more\nsource: {{region: us-east-1, bucket: {}, adopt: true}}\nkey: {{kind: none}}\nrole: {{take_over: true}}\n\
         destinations: [{{region: us-west-2, prefix: more/, bucket: {}, adopt: true}}]\n",
        FROM.1, TO.1
    );
    let refused = stand.in_process_with(&["apply", "--yes"], &manifest).exits(10).json();
    assert_eq!(refused["error"]["code"], "rule-v1", "{refused:#}");
    assert!(refused["error"]["hints"].to_string().contains("v1_rules: convert"), "{refused:#}");
    let converting = format!("{manifest}replication: {{v1_rules: convert}}\n");
    let planned = stand.in_process_with(&["plan"], &converting).exits(0).json();
    assert!(planned["warnings"].to_string().contains("older form"), "{planned:#}");
    let applied = stand.in_process_with(&["apply", "--yes"], &converting).exits(0).json();
    let replaced = applied["replaced"].as_array().unwrap().iter();
    let was =
        replaced.clone().find(|it| it["step"] == format!("s3:replication/{}", FROM.1)).unwrap();
    assert_eq!(was["document"]["Rules"][1]["Prefix"], "reports/", "{applied:#}");
    assert_eq!(was["document"]["Rules"][1]["Filter"], Value::Null);
    let live = stand.s3(FROM.0, async |s3| {
        s3.get_bucket_replication()
            .bucket(FROM.1)
            .send()
            .await
            .unwrap()
            .replication_configuration
            .unwrap()
    });
    let mut priorities: Vec<_> = live.rules().iter().map(|rule| rule.priority().unwrap()).collect();
    priorities.sort_unstable();
    priorities.dedup();
    assert_eq!(priorities.len(), 3, "{live:?}");
    for id in ["logs", "reports"] {
        let rule = live.rules().iter().find(|rule| rule.id() == Some(id)).unwrap();
        let prefix = rule.filter().and_then(t::ReplicationRuleFilter::prefix);
        assert_eq!(prefix, Some(&*format!("{id}/")));
        let markers = rule.delete_marker_replication().unwrap().status();
        assert_eq!(markers, Some(&t::DeleteMarkerReplicationStatus::Enabled));
    }
    assert_eq!(upload(&stand, &shape), Some(t::ReplicationStatus::Completed));
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &converting).exits(0);
}

/// The owner's default encryption stays, also where it is another than the pair's, and what it makes replicates.
#[test]
fn a_default_of_the_owner_stays_and_what_it_makes_replicates() {
    for default in [Default::S3, Default::Kms(false), Default::Kms(true)] {
        let stand = Stand::new();
        let defaults = [default, Default::S3];
        let shape = Shape { defaults, ..usual("") };
        make(&stand, &shape);
        stand.s3(FROM.0, async |s3| {
            s3.delete_bucket_replication().bucket(FROM.1).send().await.unwrap();
        });
        let manifest = format!(
            "name: keeps\nsource: {{region: us-east-1, bucket: {}, adopt: true}}\n\
             destinations: [{{region: us-west-2, bucket: {}, adopt: true}}]\n",
            FROM.1, TO.1
        );
        let before = [FROM, TO].map(|place| settings(&stand, place)[0].clone());
        let planned = stand.in_process_with(&["plan"], &manifest).exits(0).json();
        let warned = planned["warnings"].to_string();
        assert!(warned.contains("keeps its default encryption"), "{warned}");
        let kinds = planned["changes"].as_array().unwrap().iter().map(|it| it["kind"].as_str());
        assert!(!{ kinds }.any(|kind| kind == Some("s3:encryption")), "{planned:#}");
        let applied = stand.in_process_with(&["apply", "--yes"], &manifest).exits(0).json();
        assert!(applied["probes"][0]["kms_key_arn"].as_str().unwrap().contains("key/mrk-"));
        assert_eq!(upload(&stand, &shape), Some(t::ReplicationStatus::Completed));
        let _ = stand.in_process_with(&["check"], &manifest).exits(0);
        assert_eq!([FROM, TO].map(|place| settings(&stand, place)[0].clone()), before);
        let managed = format!("{manifest}buckets: {{encryption: managed}}\n");
        let planned = stand.in_process_with(&["plan"], &managed).exits(0).json();
        assert!(planned["changes"].to_string().contains("s3:encryption"), "{planned:#}");
    }
}
