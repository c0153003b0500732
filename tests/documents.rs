//! Documents of a bucket that the manifest may leave alone: they are kept, set, and changed back.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;
use serde_json::Value;

const BOTH: [(&str, &str); 2] = [("us-east-1", SOURCE), ("us-west-2", DESTINATION)];

/// Returns a manifest with these settings of buckets.
fn manifest(buckets: &str) -> String {
    format!(
        "name: demo\nsource: {{region: us-east-1}}\n\
         destinations: [{{region: us-west-2}}]\nbuckets: {buckets}\n\
         replication: {{activation: direct}}\n"
    )
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

fn blocked(stand: &Stand, region: &str, bucket: &str) -> Vec<String> {
    stand.s3(region, async |s3| {
        let found = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
        let rules = found.server_side_encryption_configuration().unwrap().rules();
        let types = rules[0].blocked_encryption_types().unwrap().encryption_type();
        types.iter().map(|it| it.as_str().to_owned()).collect()
    })
}

#[test]
fn blocked_encryption_types_are_kept_until_the_manifest_says_otherwise() {
    let stand = Stand::new();
    let keep = manifest("{}");
    apply(&stand, &keep);
    for (region, bucket) in BOTH {
        assert_eq!(blocked(&stand, region, bucket), ["SSE-C"], "S3's default stays");
    }
    for (setting, types, word) in [("none", "NONE", "update"), ("[SSE-C]", "SSE-C", "update")] {
        let wanted = manifest(&format!("{{blocked_encryption: {setting}}}"));
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
fn a_value_that_is_none_of_these_is_refused_with_those_that_are() {
    let stand = Stand::new();
    let cases = [
        ("{blocked_encryption: SSE-C}", "`keep`, `none` or `[SSE-C]` is wanted"),
        ("{blocked_encryption: [SSE-S3]}", "`keep`, `none` or `[SSE-C]` is wanted"),
        ("{logging: all}", "`keep`, `none` or `{bucket: NAME, prefix: TEXT}` is wanted"),
        ("{logging: {prefix: a}}", "the bucket that the logs are written to is wanted"),
        ("{logging: {bucket: 1}}", "a text is wanted"),
        ("{logging: {bucket: \"a-{side}-{region}\"}}", "unknown placeholder `{side}`"),
        ("{logging: {bucket: \"A-{region}\"}}", "is not a valid bucket name"),
        ("{logging: {bucket: logs}}", "a target lies in the Region of the bucket"),
        ("{logging: {bucket: \"{name}-{account}-{region}\"}}", "is a bucket of the pair"),
        ("{logging: {bucket: logs, prefx: a}}", "allowed here: `bucket`, `prefix`"),
    ];
    for (buckets, message) in cases {
        let args = ["plan", "-o", "json"];
        let told = stand.in_process_with(&args, &manifest(buckets)).exits(3).json();
        let given = told["error"]["message"].as_str().unwrap();
        assert!(given.contains(message), "{given}");
    }
}

/// Returns the target bucket and the prefix of the logs.
fn logging(stand: &Stand, region: &str, bucket: &str) -> Option<(String, String)> {
    stand.s3(region, async |s3| {
        let found = s3.get_bucket_logging().bucket(bucket).send().await.unwrap();
        let on = found.logging_enabled()?;
        Some((on.target_bucket().to_owned(), on.target_prefix().to_owned()))
    })
}

/// Makes the buckets for logs, each with the policy that crrctl prints for it.
fn make_targets(stand: &Stand, manifest: &str) {
    for region in ["us-east-1", "us-west-2"] {
        let name = format!("logs-{region}");
        stand.bucket_of_its_owner(region, &name, false);
        let document = format!("log-target.{name}");
        let args = ["policy", "render", &document, "-o", "json"];
        let rendered = stand.manifest(&args, manifest).exits(0).json();
        let policy = rendered["documents"][&document].to_string();
        stand.s3(region, async |s3| {
            s3.put_bucket_policy().bucket(&name).policy(policy).send().await.unwrap();
        });
    }
}

const TO_LOGS: &str = "{logging: {bucket: \"logs-{region}\", prefix: \"{name}/\"}}";

#[test]
fn logging_is_set_kept_moved_and_turned_off() {
    let stand = Stand::new();
    let (wanted, keep) = (manifest(TO_LOGS), manifest("{}"));
    make_targets(&stand, &wanted);
    apply(&stand, &keep);
    assert!(changes(&stand, &keep, "s3:logging").is_empty());
    let create = vec![("create".to_owned(), "missing".to_owned()); 2];
    assert_eq!(changes(&stand, &wanted, "s3:logging"), create);
    apply(&stand, &wanted);
    for (region, bucket) in BOTH {
        let target = (format!("logs-{region}"), "demo/".to_owned());
        assert_eq!(logging(&stand, region, bucket), Some(target));
    }
    for same in [&wanted, &keep] {
        assert!(changes(&stand, same, "s3:logging").is_empty());
    }
    let narrower = TO_LOGS.replace("{name}/", "{name}/a/");
    let update = vec![("update".to_owned(), "differs in prefix".to_owned()); 2];
    assert_eq!(changes(&stand, &manifest(&narrower), "s3:logging"), update);
    let none = manifest("{logging: none}");
    let update = vec![("update".to_owned(), "differs in target, prefix".to_owned()); 2];
    assert_eq!(changes(&stand, &none, "s3:logging"), update);
    apply(&stand, &none);
    for (region, bucket) in BOTH {
        assert_eq!(logging(&stand, region, bucket), None);
    }
    assert!(changes(&stand, &none, "s3:logging").is_empty());
}

#[test]
fn a_target_that_takes_no_logs_is_refused_before_anything_is_made() {
    let stand = Stand::new();
    let wanted = manifest(TO_LOGS);
    let missing = stand.manifest(&["apply", "--yes", "-o", "json"], &wanted);
    let _ = missing.exits(3).told("log-target-missing");
    for region in ["us-east-1", "us-west-2"] {
        stand.bucket_of_its_owner(region, &format!("logs-{region}"), false);
    }
    let denied = stand.manifest(&["apply", "--yes", "-o", "json"], &wanted);
    let _ = denied.exits(5).told("log-target-denies");
    // Another prefix than the one that the policy names is refused, too.
    let other = Stand::new();
    make_targets(&other, &wanted);
    let elsewhere = manifest(&TO_LOGS.replace("{name}/", "elsewhere/"));
    let _ = other.manifest(&["plan"], &elsewhere).exits(5);
    let _ = other.manifest(&["plan"], &wanted).exits(0);
    assert!(stand.leftovers().iter().all(|it| it.contains("logs-")), "{:?}", stand.leftovers());
}

/// Where a target has ACLs, these may let logs be written, and crrctl does not read them.
#[test]
fn a_target_with_acls_is_warned_of() {
    let stand = Stand::new();
    for region in ["us-east-1", "us-west-2"] {
        let name = format!("logs-{region}");
        stand.bucket_of_its_owner(region, &name, false);
        stand.s3(region, async |s3| {
            let rule = t::OwnershipControlsRule::builder();
            let rule = rule.object_ownership(t::ObjectOwnership::ObjectWriter).build().unwrap();
            let controls = t::OwnershipControls::builder().rules(rule).build().unwrap();
            let put = s3.put_bucket_ownership_controls().bucket(&name);
            put.ownership_controls(controls).send().await.unwrap();
        });
    }
    let plan = stand.manifest(&["plan", "-o", "json"], &manifest(TO_LOGS)).exits(0).json();
    let warnings = plan["warnings"].as_array().unwrap();
    let about = |region: &str| {
        let name = format!("log-target.logs-{region}");
        warnings.iter().any(|warning| warning.as_str().unwrap().contains(&name))
    };
    assert!(about("us-east-1") && about("us-west-2"), "{warnings:?}");
}

#[test]
fn what_s3_says_of_a_target_is_explained() {
    let wanted = manifest(TO_LOGS);
    for code in ["InvalidTargetBucketForLogging", "CrossLocationLoggingProhibitted"] {
        let stand = Stand::new();
        make_targets(&stand, &wanted);
        stand.faults(&[&format!("s3:PutBucketLogging:error={code}")]);
        // Both buckets are refused, and the run ends with the first that it comes to.
        let args = ["apply", "--yes", "--no-probe", "--max-concurrency", "1", "-o", "json"];
        let _ = stand.manifest(&args, &wanted).exits(1).told(code);
    }
}
