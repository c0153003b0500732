//! The public access block of an account and of a bucket, of which the more restrictive applies
//! (S3 User Guide, "Blocking public access to your Amazon S3 storage").
//! Not for: the other settings of buckets (see `settings`).

use super::{ACCOUNT, EAST, OTHER, Stand, refused};
use aws_sdk_s3::types::{BucketCannedAcl, ObjectOwnership};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use crrctl_sandbox::SECRET;

const PUBLIC: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}"#;
const FIXED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_more_restrictive_block_applies() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    let control = stand.s3control(ACCOUNT, SECRET, EAST);
    let create = s3.create_bucket().bucket("open").object_ownership(ObjectOwnership::ObjectWriter);
    create.send().await.unwrap();
    stand.put("open", "k").await;
    let got = s3.get_public_access_block().bucket("open").send().await.unwrap();
    assert_eq!(got.public_access_block_configuration().unwrap().block_public_policy(), Some(true));
    s3.delete_public_access_block().bucket("open").send().await.unwrap();
    let get = || control.get_public_access_block().account_id(ACCOUNT);
    refused! {
        "NoSuchPublicAccessBlockConfiguration" 404 "was not found" s3.get_public_access_block().bucket("open");
        "NoSuchPublicAccessBlockConfiguration" 404 "was not found" get();
        "NoSuchBucketPolicy" 404 "" s3.get_bucket_policy_status().bucket("open");
    }
    let policy = |text: &str| s3.put_bucket_policy().bucket("open").policy(text);
    let status = || async {
        let got = s3.get_bucket_policy_status().bucket("open").send().await.unwrap();
        got.policy_status().unwrap().is_public()
    };
    policy(FIXED).send().await.unwrap();
    assert_eq!(status().await, Some(false));
    policy(PUBLIC).send().await.unwrap();
    assert_eq!(status().await, Some(true));
    s3.put_bucket_acl().bucket("open").acl(BucketCannedAcl::PublicRead).send().await.unwrap();
    let read = || other.get_object().bucket("open").key("k").send();
    let list = || other.list_objects_v2().bucket("open").send();
    read().await.unwrap();
    list().await.unwrap();
    let set = |block| {
        let put = control.put_public_access_block().account_id(ACCOUNT);
        put.public_access_block_configuration(block).send()
    };
    let none = PublicAccessBlockConfiguration::builder;
    set(none().block_public_policy(true).block_public_acls(true).build()).await.unwrap();
    let got = get().send().await.unwrap().public_access_block_configuration.unwrap();
    assert!(got.block_public_policy().unwrap() && got.block_public_acls().unwrap());
    assert!(!got.ignore_public_acls().unwrap() && !got.restrict_public_buckets().unwrap());
    refused! {
        "AccessDenied" 403 "BlockPublicPolicy" policy(PUBLIC);
        "AccessDenied" 403 "BlockPublicAcls" s3.put_bucket_acl().bucket("open").acl(BucketCannedAcl::PublicRead);
    }
    policy(FIXED).send().await.unwrap();
    read().await.unwrap();
    list().await.unwrap();
    control.delete_public_access_block().account_id(ACCOUNT).send().await.unwrap();
    policy(PUBLIC).send().await.unwrap();
    set(none().restrict_public_buckets(true).build()).await.unwrap();
    assert!(read().await.is_err());
    list().await.unwrap();
    set(none().ignore_public_acls(true).build()).await.unwrap();
    read().await.unwrap();
    assert!(list().await.is_err());
    // An account's block is its own.
    let far = stand.s3control(OTHER, SECRET, EAST);
    refused! {
        "NoSuchPublicAccessBlockConfiguration" 404 "" far.get_public_access_block().account_id(OTHER);
        "AccessDenied" 403 "" far.get_public_access_block().account_id(ACCOUNT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocks_need_permissions_of_their_own() {
    let stand = Stand::start().await;
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetAccountPublicAccessBlock","Resource":"*"}]}"#;
    let (id, secret) = stand.user("reader", allow).await;
    let control = stand.s3control(&id, &secret, EAST);
    let block = PublicAccessBlockConfiguration::builder().build();
    let put = || {
        let put = control.put_public_access_block().account_id(ACCOUNT);
        put.public_access_block_configuration(block.clone())
    };
    refused! {
        "NoSuchPublicAccessBlockConfiguration" 404 "" control.get_public_access_block().account_id(ACCOUNT);
        "AccessDenied" 403 "s3:PutAccountPublicAccessBlock" put();
        "AccessDenied" 403 "s3:PutAccountPublicAccessBlock" control.delete_public_access_block().account_id(ACCOUNT);

    }
}
