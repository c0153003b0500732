//! Changes after the upload, there and back again.

use super::count;
use crate::sandbox::{EAST, Stand, WEST, rule};
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, MetadataDirective, ObjectOwnership,
    ReplicaModifications, ReplicaModificationsStatus, ReplicationRule, SourceSelectionCriteria,
    Tag, Tagging,
};
use serde_json::json;

/// Replicates `near` (us-east-1) and `far` (us-east-1, too) to each other, replica modifications
/// and markers included.
async fn both_ways() -> Stand {
    let stand = Stand::start().await;
    stand.bucket("near", EAST, true).await;
    stand.bucket("far", EAST, true).await;
    stand.role().await;
    stand.replicate("near", [syncing("far")]).await;
    stand.replicate("far", [syncing("near")]).await;
    stand
}

fn syncing(destination: &str) -> ReplicationRule {
    let status = ReplicaModificationsStatus::Enabled;
    let modifications = ReplicaModifications::builder().status(status).build().unwrap();
    let criteria = SourceSelectionCriteria::builder().replica_modifications(modifications).build();
    let markers = DeleteMarkerReplicationStatus::Enabled;
    let markers = DeleteMarkerReplication::builder().status(markers).build();
    let rule = rule("sync", 1, destination, None).source_selection_criteria(criteria);
    rule.delete_marker_replication(markers).build().unwrap()
}

async fn tag(stand: &Stand, bucket: &str, version: &str, value: &str) {
    let tag = Tag::builder().key("team").value(value).build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    let put = stand.s3(EAST).put_object_tagging().bucket(bucket).key("k").version_id(version);
    put.tagging(tagging).send().await.unwrap();
}

async fn tagged(stand: &Stand, bucket: &str, version: &str) -> Option<String> {
    let get = stand.s3(EAST).get_object_tagging().bucket(bucket).key("k").version_id(version);
    let got = get.send().await.unwrap();
    got.tag_set().first().map(|tag| tag.value().to_owned())
}

async fn records(stand: &Stand) -> Vec<(String, String, String)> {
    let (_, log) = stand.control("GET", "replication", "").await;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let records = log.as_array().unwrap().iter();
    records.map(|r| (text(&r["bucket"]), text(&r["destination"]), text(&r["status"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_go_there_and_back_without_going_in_circles() {
    let stand = both_ways().await;
    let version = stand.put("near", "k").await;
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    tag(&stand, "near", &version, "storage").await;
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(tagged(&stand, "far", &version).await.as_deref(), Some("storage"));
    // From the replica back to its source; it is a replica all the while.
    tag(&stand, "far", &version, "network").await;
    assert_eq!(stand.settled("far", "k", &version).await.as_deref(), Some("REPLICA"));
    assert_eq!(tagged(&stand, "near", &version).await.as_deref(), Some("network"));
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    let s3 = stand.s3(EAST);
    s3.delete_object_tagging().bucket("near").key("k").send().await.unwrap();
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(tagged(&stand, "far", &version).await, None);

    // Each side's own objects and markers go to the other, once.
    let other = stand.put("far", "other").await;
    assert_eq!(stand.settled("far", "other", &other).await.as_deref(), Some("COMPLETED"));
    assert_eq!(stand.settled("near", "other", &other).await.as_deref(), Some("REPLICA"));
    // A copy onto itself is a new version.
    let copy = s3.copy_object().bucket("near").key("k").copy_source("near/k");
    let copy = copy.metadata_directive(MetadataDirective::Replace).metadata("colour", "red");
    let copied = copy.send().await.unwrap().version_id().unwrap().to_owned();
    assert_eq!(stand.settled("near", "k", &copied).await.as_deref(), Some("COMPLETED"));
    let there = s3.head_object().bucket("far").key("k").version_id(&copied).send().await.unwrap();
    assert_eq!(there.metadata().unwrap()["colour"], "red");
    s3.delete_object().bucket("far").key("other").send().await.unwrap();
    let last = stand.put("near", "last").await;
    assert_eq!(stand.settled("near", "last", &last).await.as_deref(), Some("COMPLETED"));

    let there = |n: usize| vec![("near".to_owned(), "far".to_owned(), "COMPLETED".to_owned()); n];
    let back = |n: usize| vec![("far".to_owned(), "near".to_owned(), "COMPLETED".to_owned()); n];
    let expected = [there(2), back(1), there(1), back(1), there(1), back(1), there(1)].concat();
    assert_eq!(records(&stand).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_needs_its_permissions() {
    let stand = both_ways().await;
    let version = stand.put("near", "k").await;
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    let deny = |action: Option<&str>| {
        let deny = action.map(|a| json!({"Effect": "Deny", "Action": a, "Resource": "*"}));
        let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        let statements: Vec<_> = [allow].into_iter().chain(deny).collect();
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let put = stand.iam().put_role_policy().role_name("replication").policy_name("replication");
        async move { put.policy_document(policy).send().await.unwrap() }
    };
    let cases = [
        ("s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted"),
        ("s3:ReplicateTags", "DstPutTaggingNotPermitted"),
        ("s3:GetReplicationConfiguration", "SrcBucketReplicationConfigMissing"),
    ];
    for (action, reason) in cases {
        deny(Some(action)).await;
        tag(&stand, "near", &version, action).await;
        assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("FAILED"));
        assert_eq!(stand.reason(&version).await.as_deref(), Some(reason));
        // From a replica, too.
        tag(&stand, "far", &version, action).await;
        assert_eq!(stand.settled("far", "k", &version).await.as_deref(), Some("FAILED"));
    }
    // ACLs, where they are not off.
    let s3 = stand.s3(EAST);
    let rule = aws_sdk_s3::types::OwnershipControlsRule::builder()
        .object_ownership(ObjectOwnership::ObjectWriter)
        .build()
        .unwrap();
    let controls = aws_sdk_s3::types::OwnershipControls::builder().rules(rule).build().unwrap();
    let put = s3.put_bucket_ownership_controls().bucket("near").ownership_controls(controls);
    put.send().await.unwrap();
    let acl = || s3.put_object_acl().bucket("near").key("k").acl("private".into()).send();
    let acls = [
        ("s3:GetObjectVersionAcl", "SrcGetAclNotPermitted"),
        ("s3:ReplicateObject", "DstPutAclNotPermitted"),
    ];
    for (action, reason) in acls {
        deny(Some(action)).await;
        acl().await.unwrap();
        assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("FAILED"));
        assert_eq!(stand.reason(&version).await.as_deref(), Some(reason));
    }
    deny(None).await;
    acl().await.unwrap();
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    // The replica is gone.
    s3.delete_object().bucket("far").key("k").version_id(&version).send().await.unwrap();
    tag(&stand, "near", &version, "late").await;
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("FAILED"));
    assert_eq!(stand.reason(&version).await.as_deref(), Some("DstVersionNotFound"));
    count("changes", 2 * cases.len() + acls.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_not_synced_keeps_its_change_to_itself() {
    let stand = Stand::start().await;
    stand.bucket("near", EAST, true).await;
    stand.bucket("far", EAST, true).await;
    stand.bucket("third", WEST, true).await;
    stand.role().await;
    stand.replicate("near", [rule("one", 1, "far", None).build().unwrap()]).await;
    // The replica never went to the third bucket, so neither does a change of it.
    stand.replicate("far", [syncing("third")]).await;
    let version = stand.put("near", "k").await;
    assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
    tag(&stand, "far", &version, "mine").await;
    assert_eq!(stand.settled("far", "k", &version).await.as_deref(), Some("REPLICA"));
    assert_eq!(tagged(&stand, "near", &version).await, None);
    assert_eq!(records(&stand).await.len(), 1);
}
