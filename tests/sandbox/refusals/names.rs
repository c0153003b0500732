//! What the account-regional namespace and ACLs refuse.

use super::located;
use crate::sandbox::{ACCOUNT, EAST, OTHER, Stand, WEST, refused};
use aws_sdk_s3::types::{
    AccessControlPolicy, BucketCannedAcl, BucketNamespace, ObjectCannedAcl, ObjectOwnership, Owner,
};

#[tokio::test(flavor = "multi_thread")]
async fn account_regional_names() {
    let stand = Stand::start().await;
    let (east, west) = (stand.s3(EAST), stand.s3(WEST));
    let name = |account: &str, region: &str| format!("orders-{account}-{region}-an");
    let create = |bucket: String| east.create_bucket().bucket(bucket);
    let own = |bucket: String| create(bucket).bucket_namespace(BucketNamespace::AccountRegional);
    refused! {
        "InvalidNamespaceHeader" 400 "Specify -111122223333-us-east-1-an as the bucket name suffix" own("orders".into());
        "InvalidNamespaceHeader" 400 "Specify -111122223333-us-east-1-an" own(name(OTHER, EAST));
        "InvalidNamespaceHeader" 400 "Specify -111122223333-us-east-1-an" own(name(ACCOUNT, WEST));
        "InvalidNamespaceHeader" 400 "suffix" own(format!("{ACCOUNT}-{EAST}-an"));
        "MissingNamespaceHeader" 400 "missing the required x-amz-bucket-namespace header" create(name(ACCOUNT, EAST));
        "MissingNamespaceHeader" 400 "" create(name(OTHER, WEST));
        "InvalidNamespaceHeader" 400 "global" create(name(ACCOUNT, EAST)).bucket_namespace(BucketNamespace::Global);
        "InvalidArgument" 400 "namespace" create("orders".into()).bucket_namespace("local".into());
    }
    own(name(ACCOUNT, EAST)).send().await.unwrap();
    let there = west.create_bucket().bucket(name(ACCOUNT, WEST));
    let there = there.bucket_namespace(BucketNamespace::AccountRegional);
    there.create_bucket_configuration(located(WEST)).send().await.unwrap();
    create("orders-plan-an".into()).send().await.unwrap();
    create("plain".into()).bucket_namespace(BucketNamespace::Global).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn acls() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("enforced", EAST, true).await;
    s3.create_bucket()
        .bucket("writers")
        .object_ownership(ObjectOwnership::ObjectWriter)
        .send()
        .await
        .unwrap();
    stand.put("enforced", "k").await;
    stand.put("writers", "k").await;
    let got = s3.get_object_acl().bucket("enforced").key("k").send().await.unwrap();
    let owner = got.owner().unwrap().id().unwrap().to_owned();
    assert_eq!(got.grants()[0].permission().unwrap().as_str(), "FULL_CONTROL");
    let got = s3.get_bucket_acl().bucket("enforced").send().await.unwrap();
    assert_eq!(got.grants().len(), 1);
    let bucket = |name: &str, acl| s3.put_bucket_acl().bucket(name).acl(acl);
    let object = |name: &str, acl| s3.put_object_acl().bucket(name).key("k").acl(acl);
    let own = AccessControlPolicy::builder()
        .owner(Owner::builder().id(&owner).build())
        .set_grants(Some(got.grants().to_vec()))
        .build();
    refused! {
        "AccessControlListNotSupported" 400 "does not allow ACLs" bucket("enforced", BucketCannedAcl::Private);
        "AccessControlListNotSupported" 400 "does not allow ACLs" object("enforced", ObjectCannedAcl::BucketOwnerFullControl);
        "AccessDenied" 403 "BlockPublicAcls" bucket("writers", BucketCannedAcl::PublicRead);
        "AccessDenied" 403 "BlockPublicAcls" object("writers", ObjectCannedAcl::PublicRead);
        "MethodNotAllowed" 405 "" s3.put_object_acl().bucket("writers").key("k").grant_read("emailAddress=\"a@example.org\"");
        "NoSuchKey" 404 "" s3.get_object_acl().bucket("enforced").key("absent");
        "AccessDenied" 403 "s3:GetBucketAcl" stand.s3_as(OTHER, crrctl_sandbox::SECRET, EAST).get_bucket_acl().bucket("enforced");
    }
    bucket("writers", BucketCannedAcl::Private).send().await.unwrap();
    let put = s3.put_object_acl().bucket("writers").key("k").access_control_policy(own);
    put.send().await.unwrap();
}
