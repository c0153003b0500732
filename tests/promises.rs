//! The promises of the README, each held by a test that bears its name.

use crate::common::{SOURCE, Stand};

#[test]
fn not_done_until_proven() {
    // The rule, the role and the keys all stand, but nothing replicates under a key that is disabled.
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.disable_replica_key();
    assert_ne!(stand.pair(&["apply", "--yes"]).code, 0);
}

#[test]
fn no_state_file() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes"]).exits(0);
    let files: Vec<_> = std::fs::read_dir(stand.path(".")).unwrap().collect();
    assert!(files.is_empty(), "{files:?}");
    // Another machine, another home: it finds what is there.
    assert_eq!(stand.pair(&["apply", "--yes", "--no-probe"]).exits(0).json()["changed"], false);
}

#[test]
fn a_second_apply_changes_nothing() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes"]).exits(0);
    let again = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0).json();
    assert_eq!((&again["changed"], &again["api_writes"]), (&false.into(), &0.into()));
}

#[test]
fn nothing_is_lost_that_it_did_not_make() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("theirs");
    let _ = stand.pair(&["destroy", "--yes"]).exits(10);
    let body = stand.s3("us-east-1", async |s3| {
        s3.get_object()
            .bucket(SOURCE)
            .key("theirs")
            .send()
            .await
            .unwrap()
            .body
            .collect()
            .await
            .unwrap()
            .to_vec()
    });
    assert_eq!(body, b"a");
}

#[test]
fn no_key_is_scheduled_while_a_bucket_stands() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let _ = stand.pair(&["destroy", "--yes", "--keep-buckets"]).exits(0);
    let state = stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        key.key_metadata().unwrap().key_state().unwrap().as_str().to_owned()
    });
    assert_eq!(state, "Enabled");
}

#[test]
fn a_failure_names_its_cause() {
    let stand = Stand::new();
    stand.s3("us-west-2", async |s3| {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::UsWest2)
            .build();
        s3.create_bucket().bucket(SOURCE).create_bucket_configuration(place).send().await.unwrap();
    });
    let error = stand.pair(&["apply", "--yes"]).exits(10).json()["error"].clone();
    assert_eq!(error["region"], "us-east-1");
    assert!(error["message"].as_str().unwrap().contains(SOURCE));
    assert!(!error["hints"].as_array().unwrap().is_empty());
}

#[test]
fn no_object_of_yours_is_knowingly_exposed_to_an_unproven_rule() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    stand.calls();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(10);
    assert_eq!(stand.calls()["writes"], 0);
    // With probes it is proven first: see `activation`.
    let _ = stand.pair(&["apply", "--yes"]).exits(0);
}

#[test]
fn rehearsed_offline() {
    let output = crate::common::alone(&["rehearse"]).exits(0);
    assert!(output.stdout.contains("nothing is left"), "{output}");
}
