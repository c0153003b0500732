//! Documents of a bucket that the manifest may leave alone: they are kept, set, changed back, and told in `replaced`.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;
use serde_json::{Value, json};

const BOTH: [(&str, &str); 2] = [("us-east-1", SOURCE), ("us-west-2", DESTINATION)];

/// Returns a manifest with these settings of buckets.
fn manifest(adopt: bool, buckets: &str) -> String {
    format!(
        "name: demo\nsource: {{region: us-east-1, adopt: {adopt}}}\n\
         destinations: [{{region: us-west-2, adopt: {adopt}}}]\nbuckets: {buckets}\n\
         replication: {{activation: direct}}\n"
    )
}

/// Makes a bucket as its owner has it.
fn make(stand: &Stand, region: &str, name: &str) {
    stand.s3(region, async |s3| {
        let place = (region != "us-east-1").then(|| t::BucketLocationConstraint::from(region));
        let made = t::CreateBucketConfiguration::builder().set_location_constraint(place).build();
        s3.create_bucket().bucket(name).create_bucket_configuration(made).send().await.unwrap();
        let tag = t::Tag::builder().key("owner").value("them").build().unwrap();
        let tags = t::Tagging::builder().tag_set(tag).build().unwrap();
        s3.put_bucket_tagging().bucket(name).tagging(tags).send().await.unwrap();
    });
}

/// Returns the actions of a plan that change documents of this kind, each with its reason.
fn changes(stand: &Stand, manifest: &str, kind: &str) -> Vec<(String, String)> {
    let plan = stand.in_process_with(&["plan", "-o", "json"], manifest).exits(0).json();
    let all = plan["changes"].as_array().unwrap().iter();
    let text = |change: &Value, name: &str| change[name].as_str().unwrap().to_owned();
    all.filter(|it| it["kind"] == kind && it["action"] != "none")
        .map(|it| (text(it, "action"), text(it, "reason")))
        .collect()
}

fn apply(stand: &Stand, manifest: &str) -> Value {
    let args = ["apply", "--yes", "--no-probe", "-o", "json"];
    stand.in_process_with(&args, manifest).exits(0).json()
}

/// Returns what an apply says that it wrote over in documents of this kind, by bucket.
fn replaced(applied: &Value, kind: &str) -> Vec<Value> {
    let all = applied["replaced"].as_array().unwrap().iter();
    all.filter(|it| it["step"].as_str().unwrap().starts_with(kind))
        .map(|it| it["document"].clone())
        .collect()
}

fn blocked(stand: &Stand, region: &str, bucket: &str) -> Vec<String> {
    stand.s3(region, async |s3| {
        let found = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
        let rules = found.server_side_encryption_configuration().unwrap().rules();
        let types = rules[0].blocked_encryption_types().unwrap().encryption_type();
        types.iter().map(|it| it.as_str().to_owned()).collect()
    })
}

/// Blocks no encryption type, as somebody does who needs SSE-C.
fn unblock(stand: &Stand, region: &str, bucket: &str) {
    stand.s3(region, async |s3| {
        let default = t::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(t::ServerSideEncryption::Aes256);
        let none = t::BlockedEncryptionTypes::builder().encryption_type(t::EncryptionType::None);
        let rule = t::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default.build().unwrap())
            .blocked_encryption_types(none.build());
        let all = t::ServerSideEncryptionConfiguration::builder().rules(rule.build());
        let put = s3.put_bucket_encryption().bucket(bucket);
        put.server_side_encryption_configuration(all.build().unwrap()).send().await.unwrap();
    });
}

#[test]
fn blocked_encryption_types_are_kept_until_the_manifest_says_otherwise() {
    let stand = Stand::new();
    let keep = manifest(false, "{}");
    apply(&stand, &keep);
    for (region, bucket) in BOTH {
        assert_eq!(blocked(&stand, region, bucket), ["SSE-C"], "S3's default stays");
    }
    for (setting, types, word) in [("none", "NONE", "update"), ("[SSE-C]", "SSE-C", "update")] {
        let wanted = manifest(false, &format!("{{blocked_encryption: {setting}}}"));
        let reason = "differs in blocked encryption types".to_owned();
        let expected = vec![(word.to_owned(), reason); 2];
        assert_eq!(changes(&stand, &wanted, "s3:encryption"), expected);
        apply(&stand, &wanted);
        for (region, bucket) in BOTH {
            assert_eq!(blocked(&stand, region, bucket), [types]);
        }
        for same in [&wanted, &keep] {
            assert!(changes(&stand, same, "s3:encryption").is_empty());
        }
    }
}

#[test]
fn a_new_encryption_of_an_adopted_bucket_keeps_what_it_blocks() {
    let stand = Stand::new();
    for (region, bucket) in BOTH {
        make(&stand, region, bucket);
        unblock(&stand, region, bucket);
    }
    let applied = apply(&stand, &manifest(true, "{}"));
    let rule = json!({
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": false,
        "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]},
    });
    assert_eq!(replaced(&applied, "s3:encryption"), vec![json!({"Rules": [rule]}); 2]);
    for (region, bucket) in BOTH {
        assert_eq!(blocked(&stand, region, bucket), ["NONE"]);
    }
}

#[test]
fn a_value_that_is_none_of_these_is_refused_with_those_that_are() {
    let stand = Stand::new();
    let cases = [
        ("{blocked_encryption: SSE-C}", "`keep`, `none` or `[SSE-C]` is wanted"),
        ("{blocked_encryption: [SSE-S3]}", "`keep`, `none` or `[SSE-C]` is wanted"),
    ];
    for (buckets, message) in cases {
        let args = ["plan", "-o", "json"];
        let told = stand.in_process_with(&args, &manifest(false, buckets)).exits(3).json();
        let given = told["error"]["message"].as_str().unwrap();
        assert!(given.contains(message), "{given}");
    }
}
