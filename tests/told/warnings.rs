//! The warnings of `plan`, with their text pinned.
//! Not for: the cost of archives, which is pinned with its shape (see `tests/shapes.rs`).

use crate::common::Stand;
use crate::messages::blotted;
use crate::teardown::mfa_delete;
use aws_sdk_s3::types::MfaDelete;
use crrctl_sandbox::Options;
use serde_json::Value;

/// Pins the warnings of a plan, one per line.
#[track_caller]
fn warned(name: &str, plan: &Value) {
    let warnings = plan["warnings"].as_array().unwrap();
    let lines: Vec<&str> = warnings.iter().filter_map(Value::as_str).collect();
    assert!(!lines.is_empty(), "{plan:#}");
    blotted().bind(|| insta::assert_snapshot!(format!("warnings-{name}"), lines.join("\n")));
}

#[test]
fn of_delete_markers_that_meet_old_versions_that_expire() {
    let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
                buckets: {lifecycle: {noncurrent_days: 30}}\nreplication: {delete_markers: true}\n";
    let stand = Stand::new();
    warned("markers", &stand.manifest(&["plan", "-o", "json"], text).exits(0).json());
}

#[test]
fn of_versions_that_only_root_deletes() {
    let stand = super::built();
    mfa_delete(&stand, MfaDelete::Enabled);
    warned("mfa-delete", &stand.pair(&["plan"]).exits(0).json());
}

#[test]
fn of_a_side_whose_account_is_named_without_credentials() {
    let text = "name: over\nsource: {region: us-east-1, account: \"111122223333\"}\n\
                destinations: [{region: us-west-2, account: \"444455556666\"}]\nkey: {kind: per-region}\n";
    let stand = Stand::new();
    warned("handed-over", &stand.manifest(&["plan", "-o", "json"], text).exits(0).json());
}

/// A key whose tags the caller may not read is used nevertheless.
#[test]
fn of_a_key_that_may_be_another_pairs() {
    let stand = Stand::with(Options {
        faults: vec!["kms:ListResourceTags:error=AccessDeniedException".parse().unwrap()],
        ..Options::default()
    });
    let arn = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    let text = format!(
        "name: one\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-east-1, bucket: one-there}}]\n\
         key: {{kind: existing, arns: [\"{arn}\"]}}\n"
    );
    warned("shared-key", &stand.manifest(&["plan", "-o", "json"], &text).exits(0).json());
}
