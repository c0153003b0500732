//! Objects: versions, listings, ranges, checksums, encryption defaults.

use super::{EAST, Stand, WEST};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration, Delete,
    ObjectIdentifier, Tag, Tagging,
};

#[tokio::test(flavor = "multi_thread")]
async fn versions_pile_up_and_page_by_page_go_away() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("versions", EAST, false).await;
    assert_eq!(stand.put("versions", "a").await, "null");
    let enabled = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning()
        .bucket("versions")
        .versioning_configuration(enabled)
        .send()
        .await
        .unwrap();
    for key in ["a", "a", "b", "c/1", "c/2"] {
        stand.put("versions", key).await;
    }
    let marker = s3.delete_object().bucket("versions").key("b").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    let all = s3.list_object_versions().bucket("versions").send().await.unwrap();
    assert_eq!((all.versions().len(), all.delete_markers().len()), (6, 1));
    assert_eq!(all.versions().iter().filter(|v| v.is_latest() == Some(true)).count(), 3);
    let rolled = s3.list_objects_v2().bucket("versions").delimiter("/").send().await.unwrap();
    assert_eq!((rolled.contents().len(), rolled.common_prefixes().len()), (1, 1));

    // Two at a time, each page deleted before the next is asked for.
    let (mut key, mut version, mut seen) = (None, None, 0);
    loop {
        let page = s3
            .list_object_versions()
            .bucket("versions")
            .max_keys(2)
            .set_key_marker(key)
            .set_version_id_marker(version)
            .send()
            .await
            .unwrap();
        let of = |key: Option<&str>, id: Option<&str>| {
            ObjectIdentifier::builder().key(key.unwrap()).version_id(id.unwrap()).build().unwrap()
        };
        let to_delete: Vec<ObjectIdentifier> = page
            .versions()
            .iter()
            .map(|v| of(v.key(), v.version_id()))
            .chain(page.delete_markers().iter().map(|m| of(m.key(), m.version_id())))
            .collect();
        seen += to_delete.len();
        let delete = Delete::builder().set_objects(Some(to_delete)).build().unwrap();
        let deleted = s3.delete_objects().bucket("versions").delete(delete).send().await.unwrap();
        assert!(deleted.errors().is_empty());
        if page.is_truncated() != Some(true) {
            break;
        }
        key = page.next_key_marker().map(String::from);
        version = page.next_version_id_marker().map(String::from);
    }
    assert_eq!(seen, 7);
    s3.delete_bucket().bucket("versions").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_back_as_they_went() {
    let stand = Stand::start().await;
    stand.bucket("plain", EAST, true).await;
    let s3 = stand.s3(EAST);
    let put = s3
        .put_object()
        .bucket("plain")
        .key("ä b+c/%41")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert!(put.checksum_sha256().is_some());
    let get = s3
        .get_object()
        .bucket("plain")
        .key("ä b+c/%41")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(get.checksum_sha256(), put.checksum_sha256());
    assert_eq!(get.server_side_encryption().unwrap().as_str(), "AES256");
    assert_eq!(get.body.collect().await.unwrap().to_vec(), b"hello");
    let part = s3.get_object().bucket("plain").key("ä b+c/%41").range("bytes=1-2").send().await;
    let part = part.unwrap();
    assert_eq!(part.content_range(), Some("bytes 1-2/5"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"el");
    let list = s3.list_objects_v2().bucket("plain").send().await.unwrap();
    assert_eq!(list.contents()[0].key(), Some("ä b+c/%41"));

    let tag = Tag::builder().key("a").value("1").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    s3.put_object_tagging().bucket("plain").key("ä b+c/%41").tagging(tagging).send().await.unwrap();
    let tags = s3.get_object_tagging().bucket("plain").key("ä b+c/%41").send().await.unwrap();
    assert_eq!(tags.tag_set().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_bucket_has_awss_defaults_and_the_tags_it_was_given() {
    let stand = Stand::start().await;
    let s3 = stand.s3(WEST);
    let tag = Tag::builder().key("crrctl:pair").value("demo").build().unwrap();
    let configuration = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::UsWest2)
        .tags(tag)
        .build();
    s3.create_bucket()
        .bucket("fresh")
        .create_bucket_configuration(configuration)
        .send()
        .await
        .unwrap();
    let tags = s3.get_bucket_tagging().bucket("fresh").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].key(), "crrctl:pair");
    let head = s3.head_bucket().bucket("fresh").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some(WEST));
    let location = s3.get_bucket_location().bucket("fresh").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), WEST);
    let block = s3.get_public_access_block().bucket("fresh").send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap().clone();
    assert_eq!(
        (block.block_public_acls(), block.restrict_public_buckets()),
        (Some(true), Some(true))
    );
    let controls = s3.get_bucket_ownership_controls().bucket("fresh").send().await.unwrap();
    let rule = &controls.ownership_controls().unwrap().rules()[0];
    assert_eq!(rule.object_ownership().as_str(), "BucketOwnerEnforced");
    let encryption = s3.get_bucket_encryption().bucket("fresh").send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    let default = rule.apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.sse_algorithm().as_str(), "AES256");
    let versioning = s3.get_bucket_versioning().bucket("fresh").send().await.unwrap();
    assert!(versioning.status().is_none());
    let buckets = stand.s3(EAST).list_buckets().prefix("fresh").send().await.unwrap();
    assert_eq!(buckets.buckets()[0].bucket_region(), Some(WEST));
    // us-east-1 accepts a second creation, if it has no tags.
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let configuration = CreateBucketConfiguration::builder().tags(tag).build();
    let east = stand.s3(EAST);
    let create = || east.create_bucket().bucket("legacy");
    create().create_bucket_configuration(configuration).send().await.unwrap();
    create().send().await.unwrap();
}
