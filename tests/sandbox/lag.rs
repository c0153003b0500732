//! Things take their time under `lag: aws`, by the sandbox's own clock.

use super::{EAST, Stand, WEST, refused, rule};
use aws_sdk_kms::primitives::Blob;
use crrctl_sandbox::{Lag, Options};

async fn slow() -> Stand {
    Stand::with(Options { lag: Lag::Aws, seed: Some(1), clock_stands: true, ..Options::default() })
        .await
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
    assert_eq!(own_aliases(&east).await, 0);
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
    assert_eq!(own_aliases(&east).await, 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_shown_late() {
    let stand = slow().await;
    let (kms, s3) = (stand.kms(EAST), stand.s3(EAST));
    let tag = aws_sdk_kms::types::Tag::builder().tag_key("a").tag_value("1").build().unwrap();
    let key = kms.create_key().tags(tag).send().await.unwrap();
    let id = key.key_metadata().unwrap().key_id().to_owned();
    let shown = || async {
        let list = kms.list_resource_tags().key_id(&id).send().await.unwrap();
        list.tags().iter().map(|tag| tag.tag_value().to_owned()).collect::<Vec<_>>()
    };
    assert!(shown().await.is_empty());
    advance(&stand, "10s").await;
    assert_eq!(shown().await, ["1"]);
    let tag = aws_sdk_kms::types::Tag::builder().tag_key("a").tag_value("2").build().unwrap();
    kms.tag_resource().key_id(&id).tags(tag).send().await.unwrap();
    assert_eq!(shown().await, ["1"]);
    advance(&stand, "10s").await;
    assert_eq!(shown().await, ["2"]);

    let tag = aws_sdk_s3::types::Tag::builder().key("a").value("1").build().unwrap();
    let configuration = aws_sdk_s3::types::CreateBucketConfiguration::builder().tags(tag).build();
    let create = s3.create_bucket().bucket("tagged").create_bucket_configuration(configuration);
    create.send().await.unwrap();
    refused! { "NoSuchTagSet" 404 "" s3.get_bucket_tagging().bucket("tagged"); }
    advance(&stand, "10s").await;
    let got = s3.get_bucket_tagging().bucket("tagged").send().await.unwrap();
    assert_eq!(got.tag_set()[0].value(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_takes_effect_late() {
    let stand = slow().await;
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;
    let (id, secret) = stand.user("new", allow).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    refused! { "AccessDenied" 403 "s3:ListAllMyBuckets" s3.list_buckets(); }
    let got = stand.iam().get_user_policy().user_name("new").policy_name("own").send().await;
    assert!(got.unwrap().policy_document().contains("ListAllMyBuckets"));
    advance(&stand, "20s").await;
    s3.list_buckets().send().await.unwrap();
    let gone = stand.iam().delete_user_policy().user_name("new").policy_name("own");
    gone.send().await.unwrap();
    s3.list_buckets().send().await.unwrap();
    advance(&stand, "20s").await;
    refused! { "AccessDenied" 403 "s3:ListAllMyBuckets" s3.list_buckets(); }
}

/// Writes twelve times at once to the settings of a bucket, and returns what was refused.
async fn write_at_once(stand: &Stand, bucket: &str) -> Vec<(String, u16, String)> {
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (s3, bucket) = (stand.s3(EAST), bucket.to_owned());
        writes.spawn(async move {
            if n % 2 == 0 {
                super::refusal(s3.delete_bucket_tagging().bucket(bucket).send().await)
            } else {
                super::refusal(s3.delete_bucket_policy().bucket(bucket).send().await)
            }
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = writes.join_next().await {
        answers.extend(Some(answer.unwrap()).filter(|(_, status, _)| *status != 200));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_meet_are_refused() {
    let stand = slow().await;
    stand.bucket("busy", EAST, false).await;
    let refused = write_at_once(&stand, "busy").await;
    assert!((1..12).contains(&refused.len()), "{refused:?}");
    for (code, status, text) in refused {
        assert_eq!((code.as_str(), status), ("OperationAborted", 409));
        assert!(text.starts_with("A conflicting conditional operation is currently in progress"));
    }
    // One after the other, or where nothing takes time, none is.
    for _ in 0..4 {
        stand.s3(EAST).delete_bucket_policy().bucket("busy").send().await.unwrap();
    }
    let quick = Stand::start().await;
    quick.bucket("idle", EAST, false).await;
    assert_eq!(write_at_once(&quick, "idle").await, []);
}

/// Returns the number of the aliases that have a key; predefined aliases have none.
async fn own_aliases(kms: &aws_sdk_kms::Client) -> usize {
    let aliases = kms.list_aliases().send().await.unwrap();
    aliases.aliases().iter().filter(|alias| alias.target_key_id().is_some()).count()
}
