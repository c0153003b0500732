//! Which version of an object and which owner a permission is about, where accounts share a bucket
//! (S3 User Guide, "How Amazon S3 authorizes a request for an object operation", "Mapping of ACL
//! permissions and access policy permissions", "Requirements and considerations for replication").
//! Not for: setting ACLs (see `acls`).

use super::{ACCOUNT, EAST, OTHER, Stand, WEST, refusal, refused, rule};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    AbacStatus, BucketAbacStatus, BucketVersioningStatus, Delete, ObjectCannedAcl,
    ObjectIdentifier, ObjectOwnership, VersioningConfiguration,
};
use crrctl_sandbox::SECRET;

/// Creates a versioned bucket with ACLs and without a public access block.
async fn open_bucket(s3: &Client, name: &str) {
    let create = s3.create_bucket().bucket(name).object_ownership(ObjectOwnership::ObjectWriter);
    create.send().await.unwrap();
    s3.delete_public_access_block().bucket(name).send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let put = s3.put_bucket_versioning().bucket(name).versioning_configuration(enabled.build());
    put.send().await.unwrap();
}

async fn canonical_id(s3: &Client) -> String {
    let buckets = s3.list_buckets().send().await.unwrap();
    buckets.owner().unwrap().id().unwrap().to_owned()
}

fn delete(objects: &[(&str, Option<&str>)]) -> Delete {
    let object = |(key, version): &(&str, Option<&str>)| {
        ObjectIdentifier::builder().key(*key).set_version_id(version.map(String::from)).build()
    };
    let objects = objects.iter().map(|object_of| object(object_of).unwrap()).collect();
    Delete::builder().set_objects(Some(objects)).build().unwrap()
}

/// Adds a version id to the request that no version has.
macro_rules! with_odd_version {
    ($call:expr) => {
        $call.customize().mutate_request(|request| {
            let separator = if request.uri().contains('?') { '&' } else { '?' };
            let uri = format!("{}{separator}versionId=bogus", request.uri());
            request.set_uri(uri).unwrap();
        })
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_of_a_copy_is_the_version_that_it_names() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&s3, "shared").await;
    open_bucket(&other, "theirs").await;
    let put = |acl| s3.put_object().bucket("shared").key("k").tagging("a=b").acl(acl).send();
    let versions = [
        put(ObjectCannedAcl::PublicRead).await.unwrap(),
        put(ObjectCannedAcl::Private).await.unwrap(),
        put(ObjectCannedAcl::PublicRead).await.unwrap(),
    ];
    for (put, readable) in versions.iter().zip([true, false, true]) {
        let source = format!("shared/k?versionId={}", put.version_id().unwrap());
        let copy = other.copy_object().bucket("theirs").key("k").copy_source(&source);
        let copy = copy.tagging_directive("REPLACE".into()).send().await;
        assert_eq!(copy.is_ok(), readable, "{copy:?}");
        let upload = other.create_multipart_upload().bucket("theirs").key("k").send().await;
        let part = other.upload_part_copy().bucket("theirs").key("k").part_number(1);
        let part = part.upload_id(upload.unwrap().upload_id().unwrap()).copy_source(&source);
        assert_eq!(part.send().await.is_ok(), readable);
    }
    // The tags that are copied are the version's too.
    let first = versions[0].version_id().unwrap();
    let deny = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":"s3:GetObjectVersionTagging","Resource":"*","Condition":{{"StringEquals":{{"s3:VersionId":"{first}"}}}}}}]}}"#
    );
    let (id, secret) = stand.user("copier", &deny).await;
    let copier = stand.s3_as(&id, &secret, EAST);
    for (put, allowed) in versions.iter().zip([false, true, true]) {
        let source = format!("shared/k?versionId={}", put.version_id().unwrap());
        let copy = copier.copy_object().bucket("shared").key("copy").copy_source(source);
        assert_eq!(copy.send().await.is_ok(), allowed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_about_the_newest_version_whatever_its_query_says() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&s3, "shared").await;
    let id = format!("id={}", canonical_id(&other).await);
    s3.put_bucket_acl().bucket("shared").grant_write(id).send().await.unwrap();
    stand.put("shared", "ours").await;
    let put = |key: &str| other.put_object().bucket("shared").key(key);
    put("theirs").send().await.unwrap();
    refused! {
        "AccessDenied" 403 "s3:PutObject" put("ours");
        "AccessDenied" 403 "s3:PutObject" with_odd_version!(put("ours"));
        "AccessDenied" 403 "s3:DeleteObject" other.delete_object().bucket("shared").key("ours");
    }
    with_odd_version!(put("theirs")).send().await.unwrap();
    let both = || {
        other.delete_objects().bucket("shared").delete(delete(&[("ours", None), ("theirs", None)]))
    };
    for deleted in [both().send().await, with_odd_version!(both()).send().await] {
        let deleted = deleted.unwrap();
        let denied: Vec<_> = deleted.errors().iter().map(|it| (it.key(), it.code())).collect();
        assert_eq!(denied, [(Some("ours"), Some("AccessDenied"))]);
        put("theirs").send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_of_a_delete_has_its_own_version_id() {
    let stand = Stand::start().await;
    stand.bucket("kept", EAST, true).await;
    let versions = [stand.put("kept", "k").await, stand.put("kept", "k").await];
    let deny = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":"s3:DeleteObject*","Resource":"*","Condition":{{"StringEquals":{{"s3:VersionId":["{}","bogus"]}}}}}}]}}"#,
        versions[0]
    );
    let (id, secret) = stand.user("deleter", &deny).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    let all = delete(&[("k", Some(&versions[0])), ("k", Some(&versions[1])), ("k", None)]);
    let many = s3.delete_objects().bucket("kept").delete(all);
    let deleted = with_odd_version!(many).send().await.unwrap();
    let denied: Vec<_> = deleted.errors().iter().map(|it| (it.version_id(), it.code())).collect();
    assert_eq!(denied, [(Some(&*versions[0]), Some("AccessDenied"))]);
}

/// S3 API Reference, `ListMultipartUploads` and `ListParts`: the owner of the object that an upload
/// becomes.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_belongs_to_the_account_that_began_it() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&s3, "shared").await;
    let (own, theirs) = (canonical_id(&s3).await, canonical_id(&other).await);
    s3.put_bucket_acl().bucket("shared").grant_write(format!("id={theirs}")).send().await.unwrap();
    for (client, owner) in [(&s3, own), (&other, theirs)] {
        let begun = client.create_multipart_upload().bucket("shared").key(&owner);
        let begun = begun.send().await.unwrap();
        let id = begun.upload_id().unwrap();
        let listed = s3.list_multipart_uploads().bucket("shared").prefix(&owner).send().await;
        let uploads = listed.unwrap().uploads.unwrap();
        assert_eq!(uploads[0].owner().unwrap().id(), Some(&*owner));
        let parts = s3.list_parts().bucket("shared").key(&owner).upload_id(id).send().await;
        assert_eq!(parts.unwrap().owner().unwrap().id(), Some(&*owner));
    }
}

/// A grant does not change how the bucket policy is read.
#[tokio::test(flavor = "multi_thread")]
async fn policy_variables_hold_beside_a_grant() {
    let stand = Stand::start().await;
    let other = stand.s3_as(OTHER, SECRET, EAST);
    open_bucket(&other, "theirs").await;
    let own = format!("id={}", canonical_id(&stand.s3(EAST)).await);
    other.put_bucket_acl().bucket("theirs").grant_write(own).send().await.unwrap();
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::theirs/${aws:username}/*"}]}"#;
    other.put_bucket_policy().bucket("theirs").policy(deny).send().await.unwrap();
    let (id, secret) = stand.user("writer", super::POLICY).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    let put = |key: &str| s3.put_object().bucket("theirs").key(key);
    for key in ["reader/k", "${aws:username}", "*", "a?${*}"] {
        put(key).send().await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
    refused! {
        "AccessDenied" 403 "with an explicit deny in a resource-based policy" put("writer/k");
    }
}

/// S3 User Guide, "Enabling ABAC in general purpose buckets".
#[tokio::test(flavor = "multi_thread")]
async fn tags_of_a_bucket_count_in_every_service() {
    let stand = Stand::start().await;
    stand.bucket("tagged", EAST, false).await;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/locked":"yes"}}}]}"#;
    let (id, secret) = stand.user("tagger", deny).await;
    let control = stand.s3control(ACCOUNT, SECRET, EAST);
    let tagger = stand.s3control(&id, &secret, EAST);
    let arn = "arn:aws:s3:::tagged";
    let tag = aws_sdk_s3control::types::Tag::builder().key("locked").value("yes").build().unwrap();
    let enabled = AbacStatus::builder().status(BucketAbacStatus::Enabled).build();
    let abac = stand.s3(EAST).put_bucket_abac().bucket("tagged").abac_status(enabled);
    let add = control.tag_resource().account_id(ACCOUNT).resource_arn(arn).tags(tag);
    let remove =
        || tagger.untag_resource().account_id(ACCOUNT).resource_arn(arn).tag_keys("locked");
    abac.send().await.unwrap();
    remove().send().await.unwrap();
    add.send().await.unwrap();
    let (code, ..) = refusal(remove().send().await);
    assert_eq!(code, "AccessDenied");
    let list = tagger.list_tags_for_resource().account_id(ACCOUNT).resource_arn(arn);
    assert_eq!(refusal(list.send().await).0, "AccessDenied");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_object_replicates_with_its_read_and_read_acp() {
    let stand = Stand::start().await;
    stand.role().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&s3, "near").await;
    stand.bucket("far", WEST, true).await;
    let (own, theirs) = (canonical_id(&s3).await, canonical_id(&other).await);
    let own = format!("id={own}");
    s3.put_bucket_acl().bucket("near").grant_write(format!("id={theirs}")).send().await.unwrap();
    stand.replicate("near", [rule("all", 1, "far", None).build().unwrap()]).await;
    for (key, read, read_acp, reason) in [
        ("neither", false, false, Some("SrcGetObjectNotPermitted")),
        ("acp", false, true, Some("SrcGetObjectNotPermitted")),
        ("read", true, false, Some("SrcGetAclNotPermitted")),
        ("both", true, true, None),
    ] {
        let put = other.put_object().bucket("near").key(key);
        let put = put.set_grant_read(read.then(|| own.clone()));
        let put = put.set_grant_read_acp(read_acp.then(|| own.clone()));
        let put = put.grant_full_control(format!("id={theirs}")).send().await.unwrap();
        let version = put.version_id().unwrap();
        let status = || async {
            let head = other.head_object().bucket("near").key(key).version_id(version);
            head.send().await.unwrap().replication_status().map(|it| it.as_str().to_owned())
        };
        while status().await.as_deref() == Some("PENDING") {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(stand.reason(version).await.as_deref(), reason, "{key}");
        let expected = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        assert_eq!(status().await.as_deref(), Some(expected), "{key}");
    }
}
