//! Things take their time under `lag: aws`, by the sandbox's own clock.

use super::{EAST, Stand, WEST, refused, rule};
use aws_sdk_kms::primitives::Blob;
use crrctl::sandbox::{Lag, Options};

async fn slow() -> Stand {
    Stand::with(Options { lag: Lag::Aws, seed: Some(1), ..Options::default() }).await
}

async fn advance(stand: &Stand, by: &str) {
    let body = format!(r#"{{"advance": "{by}"}}"#);
    assert_eq!(stand.control("POST", "clock", &body).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_aliases_come_into_being_slowly() {
    let stand = slow().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    let (primary, replica) = stand.keys().await;
    east.create_alias().alias_name("alias/slow").target_key_id(&primary).send().await.unwrap();
    assert!(east.list_keys().send().await.unwrap().keys().is_empty());
    assert!(east.list_aliases().send().await.unwrap().aliases().is_empty());
    east.describe_key().key_id("alias/slow").send().await.unwrap();
    let state = || async {
        let described = west.describe_key().key_id(&replica).send().await.unwrap();
        described.key_metadata().unwrap().key_state().unwrap().as_str().to_owned()
    };
    assert_eq!(state().await, "Creating");
    refused! {
        "KMSInvalidStateException" 400 "is creating." west.encrypt().key_id(&replica).plaintext(Blob::new("x"));
    }
    advance(&stand, "1m").await;
    assert_eq!(state().await, "Enabled");
    assert_eq!(east.list_keys().send().await.unwrap().keys().len(), 1);
    assert_eq!(east.list_aliases().send().await.unwrap().aliases().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_roles_and_rules_spread() {
    let stand = slow().await;
    stand.bucket("slow-src", EAST, true).await;
    stand.bucket("slow-dst", WEST, true).await;
    let s3 = stand.s3(EAST);
    let shown = s3.get_bucket_versioning().bucket("slow-src").send().await.unwrap();
    assert_eq!(shown.status().unwrap().as_str(), "Enabled");
    assert_eq!(stand.put("slow-src", "early").await, "null");
    let configuration = aws_sdk_s3::types::ReplicationConfiguration::builder()
        .role(super::ROLE)
        .rules(rule("one", 1, "slow-dst", None).build().unwrap())
        .build()
        .unwrap();
    let put = || {
        s3.put_bucket_replication()
            .bucket("slow-src")
            .replication_configuration(configuration.clone())
    };
    refused! { "InvalidRequest" 400 "Versioning must be 'Enabled'" put(); }
    advance(&stand, "30s").await;
    put().send().await.unwrap();
    let before = stand.put("slow-src", "before").await;
    assert_eq!(stand.settled("slow-src", "before", &before).await, None);
    advance(&stand, "30s").await;

    // Replication takes a while, and longer than a role does.
    stand.role().await;
    let good = stand.put("slow-src", "good").await;
    let status = || async {
        let head = s3.head_object().bucket("slow-src").key("good").version_id(&good).send().await;
        head.unwrap().replication_status().unwrap().as_str().to_owned()
    };
    assert_eq!(status().await, "PENDING");
    advance(&stand, "2m").await;
    assert_eq!(stand.settled("slow-src", "good", &good).await.as_deref(), Some("COMPLETED"));

    s3.delete_bucket_replication().bucket("slow-src").send().await.unwrap();
    refused! {
        "ReplicationConfigurationNotFoundError" 404 "" s3.get_bucket_replication().bucket("slow-src");
    }
    let iam = stand.iam();
    let (name, policy) = ("replication", "replication");
    iam.delete_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
    iam.delete_role().role_name(name).send().await.unwrap();
    let late = stand.put("slow-src", "late").await;
    advance(&stand, "2m").await;
    assert_eq!(stand.settled("slow-src", "late", &late).await.as_deref(), Some("FAILED"));
    assert_eq!(stand.reason(&late).await.as_deref(), Some("AssumeRoleNotPermitted"));
    let after = stand.put("slow-src", "after").await;
    assert_eq!(stand.settled("slow-src", "after", &after).await, None);
}
