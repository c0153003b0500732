//! The condition keys of S3 requests (Service Authorization Reference, "Condition keys for Amazon
//! S3"): for each call and key, a deny on the value of the request refuses it, and a deny on
//! another value does not.
//! Not for: policies without conditions (see `access`).

use super::{ACCOUNT, EAST, Stand, refusal};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, MetadataDirective, ObjectCannedAcl,
    ObjectLockLegalHoldStatus, ObjectOwnership, ServerSideEncryption, StorageClass, Tag,
};

/// A policy that allows everything but `action` where `key` has `value`.
fn policy(action: &str, key: &str, value: &str) -> String {
    let deny = serde_json::json!({
        "Effect": "Deny",
        "Action": action,
        "Resource": "*",
        "Condition": { "ForAnyValue:StringLike": { key: value } },
    });
    let allow = serde_json::json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    serde_json::json!({ "Version": "2012-10-17", "Statement": [allow, deny] }).to_string()
}

/// Sends each call as two users: one whose policy denies the key's value, one whose policy denies
/// another value.
macro_rules! keyed {
    ($stand:ident $($action:literal $key:literal $value:expr => |$s3:ident| $call:expr;)*) => {
        let mut wrong: Vec<String> = Vec::new();
        let mut number = 0;
        $(for (value, denied) in [($value.to_owned(), true), ("other".to_owned(), false)] {
            number += 1;
            let policy = policy($action, $key, &value);
            let (id, secret) = $stand.user(&format!("user{number}"), &policy).await;
            let $s3: Client = $stand.s3_as(&id, &secret, EAST);
            let (code, _, message) = refusal($call.send().await);
            let refused = code == "AccessDenied" && message.contains("explicit deny");
            if refused != denied {
                wrong.push(format!("{} {} {value}: {code} {message}", $action, $key));
            }
        })*
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_new_buckets() {
    let stand = Stand::start().await;
    let in_west = || {
        let west = BucketLocationConstraint::UsWest2;
        CreateBucketConfiguration::builder().location_constraint(west).build()
    };
    let tagged = || {
        let tag = Tag::builder().key("team").value("one").build().unwrap();
        CreateBucketConfiguration::builder().tags(tag).build()
    };
    let id = stand.s3(EAST).list_buckets().send().await.unwrap();
    let own = format!("id={}", id.owner().unwrap().id().unwrap());
    keyed! { stand
        "s3:CreateBucket" "s3:LocationConstraint" "us-west-2" => |s3| s3.create_bucket().bucket("west").create_bucket_configuration(in_west());
        "s3:CreateBucket" "aws:RequestTag/team" "one" => |s3| s3.create_bucket().bucket("team").create_bucket_configuration(tagged());
        "s3:TagResource" "aws:TagKeys" "team" => |s3| s3.create_bucket().bucket("keys").create_bucket_configuration(tagged());
        "s3:CreateBucket" "s3:x-amz-object-ownership" "ObjectWriter" => |s3| s3.create_bucket().bucket("own").object_ownership(ObjectOwnership::ObjectWriter);
        "s3:CreateBucket" "s3:x-amz-acl" "private" => |s3| s3.create_bucket().bucket("acl").acl("private".into());
        "s3:CreateBucket" "s3:x-amz-grant-read" own.clone() => |s3| s3.create_bucket().bucket("grant").object_ownership(ObjectOwnership::ObjectWriter).grant_read(&own);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_objects() {
    let stand = Stand::start().await;
    stand.locked_bucket("held", EAST).await;
    let s3 = stand.s3(EAST);
    let put = s3.put_object().bucket("held").key("k").tagging("team=one").send().await.unwrap();
    let version = put.version_id().unwrap().to_owned();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    keyed! { stand
        "s3:PutObject" "s3:if-none-match" "*" => |s3| s3.put_object().bucket("held").key("n").if_none_match("*");
        "s3:PutObject" "s3:RequestObjectTag/a" "b" => |s3| s3.put_object().bucket("held").key("n").tagging("a=b");
        "s3:PutObject" "s3:RequestObjectTagKeys" "a" => |s3| s3.put_object().bucket("held").key("n").tagging("a=b");
        "s3:PutObject" "s3:x-amz-server-side-encryption" "AES256" => |s3| s3.put_object().bucket("held").key("n").server_side_encryption(ServerSideEncryption::Aes256);
        "s3:PutObject" "s3:x-amz-storage-class" "STANDARD_IA" => |s3| s3.put_object().bucket("held").key("n").storage_class(StorageClass::StandardIa);
        "s3:PutObject" "s3:x-amz-acl" "bucket-owner-full-control" => |s3| s3.put_object().bucket("held").key("n").acl(ObjectCannedAcl::BucketOwnerFullControl);
        "s3:PutObjectLegalHold" "s3:object-lock-legal-hold" "ON" => |s3| s3.put_object().bucket("held").key("n").object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
        "s3:PutObject" "s3:x-amz-copy-source" "held/k" => |s3| s3.copy_object().bucket("held").key("n").copy_source("held/k");
        "s3:PutObject" "s3:x-amz-metadata-directive" "REPLACE" => |s3| s3.copy_object().bucket("held").key("n").copy_source("held/k").metadata_directive(MetadataDirective::Replace);
        "s3:GetObject" "s3:ExistingObjectTag/team" "one" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObjectVersion" "s3:VersionId" version.clone() => |s3| s3.get_object().bucket("held").key("k").version_id(&version);
        "s3:GetObject" "s3:signatureversion" "AWS4-HMAC-SHA256" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "s3:authType" "REST-HEADER" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "s3:TlsVersion" "1.3" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "s3:signatureAge" "*" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "s3:x-amz-content-sha256" empty => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "s3:ResourceAccount" ACCOUNT => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:ResourceAccount" ACCOUNT => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:SourceIp" "127.0.0.1" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:SecureTransport" "true" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:CurrentTime" "20*Z" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:UserAgent" "aws-sdk-rust*" => |s3| s3.get_object().bucket("held").key("k");
        "s3:GetObject" "aws:Referer" "http://example.org/" => |s3| s3.get_object().bucket("held").key("k").customize().mutate_request(|request| { request.headers_mut().insert("referer", "http://example.org/"); });
        "s3:ListBucket" "s3:prefix" "a/" => |s3| s3.list_objects_v2().bucket("held").prefix("a/");
    }
}

/// A key without a value is absent: `Null` holds for it, and no pattern matches it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_value_is_absent() {
    let stand = Stand::start().await;
    stand.bucket("plain", EAST, false).await;
    stand.put("plain", "k").await;
    for (number, (action, key)) in [
        ("s3:GetObject", "s3:prefix"),
        ("s3:GetObject", "s3:ExistingObjectTag/team"),
        ("s3:GetObject", "aws:Referer"),
        ("s3:PutObject", "s3:x-amz-acl"),
        ("s3:PutObject", "s3:x-amz-storage-class"),
        ("s3:PutObject", "s3:if-none-match"),
        ("s3:PutObject", "s3:RequestObjectTagKeys"),
        ("s3:PutObject", "s3:object-lock-mode"),
        ("s3:CreateBucket", "aws:TagKeys"),
        ("s3:CreateBucket", "s3:LocationConstraint"),
    ]
    .into_iter()
    .enumerate()
    {
        let policy = policy(action, key, "*");
        let (id, secret) = stand.user(&format!("user{number}"), &policy).await;
        let s3 = stand.s3_as(&id, &secret, EAST);
        s3.get_object().bucket("plain").key("k").send().await.unwrap();
        s3.put_object().bucket("plain").key("k").send().await.unwrap();
        s3.create_bucket().bucket(format!("plain{number}")).send().await.unwrap();
    }
}
