//! The walk of a pair: keys, buckets, role, rules, put, poll, compare, take away; and the ways in
//! which replication fails.

use super::{EAST, ROLE, Stand, WEST, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, DeleteMarkerReplication,
    DeleteMarkerReplicationStatus, ReplicationRuleAndOperator, ReplicationRuleFilter,
    ReplicationRuleStatus, ServerSideEncryption, Tag,
};

/// A pair that replicates under KMS, as far as the rules.
async fn pair() -> (Stand, String, String) {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    stand.bucket("walk-src", EAST, true).await;
    stand.bucket("walk-dst", WEST, true).await;
    stand.encrypt("walk-src", EAST, &primary).await;
    stand.encrypt("walk-dst", WEST, &replica).await;
    stand.role().await;
    stand
        .replicate("walk-src", [rule("one", 1, "walk-dst", Some(&replica)).build().unwrap()])
        .await;
    (stand, primary, replica)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_replicates_and_is_taken_away() {
    let (stand, primary, replica) = pair().await;
    let iam = stand.iam();
    let role = iam.get_role().role_name("replication").send().await.unwrap();
    assert_eq!(role.role().unwrap().arn(), ROLE);
    for (region, key) in [(EAST, &primary), (WEST, &replica)] {
        let kms = stand.kms(region);
        kms.create_alias().alias_name("alias/walk").target_key_id(key).send().await.unwrap();
    }
    assert_eq!(stand.sandbox.leftovers().len(), 7);

    let (east, west) = (stand.s3(EAST), stand.s3(WEST));
    let put = east
        .put_object()
        .bucket("walk-src")
        .key("a/b")
        .body(ByteStream::from_static(b"hello"))
        .metadata("colour", "blue")
        .tagging("team=storage")
        .content_type("text/plain")
        .send()
        .await
        .unwrap();
    assert_eq!(put.ssekms_key_id(), Some(primary.as_str()));
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    let version = put.version_id().unwrap();
    assert_eq!(stand.settled("walk-src", "a/b", version).await.as_deref(), Some("COMPLETED"));

    let copy =
        west.get_object().bucket("walk-dst").key("a/b").version_id(version).send().await.unwrap();
    assert_eq!(copy.version_id(), Some(version));
    assert_eq!(copy.replication_status().unwrap().as_str(), "REPLICA");
    assert_eq!(copy.ssekms_key_id(), Some(replica.as_str()));
    assert_eq!(copy.bucket_key_enabled(), Some(true));
    assert_eq!(copy.content_type(), Some("text/plain"));
    assert_eq!(copy.metadata().unwrap()["colour"], "blue");
    assert_eq!((copy.tag_count(), copy.e_tag()), (Some(1), put.e_tag()));
    assert_eq!(copy.body.collect().await.unwrap().to_vec(), b"hello");

    east.delete_bucket_replication().bucket("walk-src").send().await.unwrap();
    for (s3, bucket) in [(&east, "walk-src"), (&west, "walk-dst")] {
        s3.delete_object().bucket(bucket).key("a/b").version_id(version).send().await.unwrap();
        s3.delete_bucket().bucket(bucket).send().await.unwrap();
    }
    let (role, policy) = ("replication", "replication");
    iam.delete_role_policy().role_name(role).policy_name(policy).send().await.unwrap();
    iam.delete_role().role_name(role).send().await.unwrap();
    for (region, key) in [(WEST, &replica), (EAST, &primary)] {
        let kms = stand.kms(region);
        kms.delete_alias().alias_name("alias/walk").send().await.unwrap();
        kms.schedule_key_deletion().key_id(key).pending_window_in_days(7).send().await.unwrap();
    }
    assert_eq!(stand.sandbox.leftovers(), Vec::<String>::new());
    stand.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multipart_upload_replicates_on_completion() {
    let (stand, _, replica) = pair().await;
    let s3 = stand.s3(EAST);
    let upload = s3.create_multipart_upload().bucket("walk-src").key("big").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, size) in [(1, 5 * 1024 * 1024), (2, 1000)] {
        let body = vec![u8::try_from(number).unwrap(); size];
        let part = s3
            .upload_part()
            .bucket("walk-src")
            .key("big")
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(body))
            .send()
            .await
            .unwrap();
        parts = parts.parts(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag().map(String::from))
                .set_checksum_crc32(part.checksum_crc32().map(String::from))
                .build(),
        );
    }
    let done = s3
        .complete_multipart_upload()
        .bucket("walk-src")
        .key("big")
        .upload_id(id)
        .multipart_upload(parts.build())
        .send()
        .await
        .unwrap();
    assert!(done.e_tag().unwrap().trim_matches('"').ends_with("-2"));
    let version = done.version_id().unwrap();
    assert_eq!(stand.settled("walk-src", "big", version).await.as_deref(), Some("COMPLETED"));
    let head = stand.s3(WEST).head_object().bucket("walk-dst").key("big").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5 * 1024 * 1024 + 1000));
    assert_eq!(head.ssekms_key_id(), Some(replica.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_choose_by_filter_status_and_priority() {
    let stand = Stand::start().await;
    for (bucket, region) in [("pick-src", EAST), ("pick-a", WEST), ("pick-b", "eu-west-1")] {
        stand.bucket(bucket, region, true).await;
    }
    stand.role().await;
    let before = stand.put("pick-src", "logs/old").await;
    let tag = Tag::builder().key("team").value("storage").build().unwrap();
    let both = ReplicationRuleAndOperator::builder().prefix("logs/").tags(tag).build();
    let markers =
        DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Enabled).build();
    let prefix = |p: &str| ReplicationRuleFilter::builder().prefix(p).build();
    stand
        .replicate(
            "pick-src",
            [
                rule("logs", 1, "pick-a", None)
                    .filter(prefix("logs/"))
                    .delete_marker_replication(markers)
                    .build()
                    .unwrap(),
                rule("tagged", 2, "pick-b", None)
                    .filter(ReplicationRuleFilter::builder().and(both).build())
                    .build()
                    .unwrap(),
                rule("off", 3, "pick-b", None)
                    .status(ReplicationRuleStatus::Disabled)
                    .build()
                    .unwrap(),
            ],
        )
        .await;
    let s3 = stand.s3(EAST);
    assert_eq!(stand.settled("pick-src", "logs/old", &before).await, None);
    let other = stand.put("pick-src", "data/x").await;
    assert_eq!(stand.settled("pick-src", "data/x", &other).await, None);
    let plain = stand.put("pick-src", "logs/plain").await;
    assert_eq!(stand.settled("pick-src", "logs/plain", &plain).await.as_deref(), Some("COMPLETED"));
    let tagged = s3
        .put_object()
        .bucket("pick-src")
        .key("logs/tagged")
        .tagging("team=storage")
        .send()
        .await
        .unwrap();
    let tagged = tagged.version_id().unwrap();
    assert_eq!(
        stand.settled("pick-src", "logs/tagged", tagged).await.as_deref(),
        Some("COMPLETED")
    );
    let there = stand.s3("eu-west-1").list_objects_v2().bucket("pick-b").send().await.unwrap();
    assert_eq!(there.contents().len(), 1);

    let marker = s3.delete_object().bucket("pick-src").key("logs/plain").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    let west = stand.s3(WEST);
    for attempt in 0.. {
        let list = west.list_object_versions().bucket("pick-a").send().await.unwrap();
        if list.delete_markers().iter().any(|m| m.version_id() == marker.version_id()) {
            break;
        }
        assert!(attempt < 500, "the delete marker never came");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_object_without_opt_in_is_not_eligible() {
    let (stand, _, _) = pair().await;
    stand.replicate("walk-src", [rule("plain", 1, "walk-dst", None).build().unwrap()]).await;
    let version = stand.put("walk-src", "k").await;
    assert_eq!(stand.settled("walk-src", "k", &version).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_final_and_name_their_reason() {
    for (reason, broken) in [
        ("AssumeRoleNotPermitted", 0),
        ("DstKmsKeyInvalidState", 1),
        ("DstKmsKeyNotFound", 2),
        ("DstBucketUnversioned", 3),
        ("DstBucketNotFound", 4),
    ] {
        let (stand, primary, replica) = pair().await;
        match broken {
            0 => {
                let (iam, name) = (stand.iam(), "replication");
                let delete = iam.delete_role_policy().role_name(name).policy_name(name);
                delete.send().await.unwrap();
                iam.delete_role().role_name(name).send().await.unwrap();
            }
            1 => {
                stand.kms(WEST).disable_key().key_id(&replica).send().await.unwrap();
            }
            2 => {
                let wrong = rule("one", 1, "walk-dst", Some(&primary)).build().unwrap();
                stand.replicate("walk-src", [wrong]).await;
            }
            3 => {
                use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
                let suspended = VersioningConfiguration::builder()
                    .status(BucketVersioningStatus::Suspended)
                    .build();
                stand
                    .s3(WEST)
                    .put_bucket_versioning()
                    .bucket("walk-dst")
                    .versioning_configuration(suspended)
                    .send()
                    .await
                    .unwrap();
            }
            _ => {
                stand.s3(WEST).delete_bucket().bucket("walk-dst").send().await.unwrap();
            }
        }
        let version = stand.put("walk-src", "k").await;
        assert_eq!(stand.settled("walk-src", "k", &version).await.as_deref(), Some("FAILED"));
        assert_eq!(stand.reason(&version).await.as_deref(), Some(reason));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_goes_no_further() {
    let stand = Stand::start().await;
    for (bucket, region) in [("chain-a", EAST), ("chain-b", EAST), ("chain-c", EAST)] {
        stand.bucket(bucket, region, true).await;
    }
    stand.role().await;
    stand.replicate("chain-a", [rule("ab", 1, "chain-b", None).build().unwrap()]).await;
    stand.replicate("chain-b", [rule("bc", 1, "chain-c", None).build().unwrap()]).await;
    let version = stand.put("chain-a", "k").await;
    assert_eq!(stand.settled("chain-a", "k", &version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(stand.settled("chain-b", "k", &version).await.as_deref(), Some("REPLICA"));
    let list = stand.s3(EAST).list_object_versions().bucket("chain-c").send().await.unwrap();
    assert!(list.versions().is_empty());
}
