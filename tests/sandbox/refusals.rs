//! What AWS refuses, one line each: code and status, asserted over HTTP with the real SDK.

mod copies;
mod lock;
mod mfa;
mod names;
mod replication;

use super::refused;
use super::{ACCOUNT, EAST, OTHER, POLICY, ROLE, Stand, TRUST, WEST};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, ChecksumAlgorithm, CompletedMultipartUpload,
    CompletedPart, CreateBucketConfiguration, ObjectCannedAcl, ServerSideEncryption, Tag,
    VersioningConfiguration,
};
use crrctl_sandbox::SECRET;

fn located(region: &str) -> CreateBucketConfiguration {
    let constraint = BucketLocationConstraint::from(region);
    CreateBucketConfiguration::builder().location_constraint(constraint).build()
}

fn versioning(status: BucketVersioningStatus) -> VersioningConfiguration {
    VersioningConfiguration::builder().status(status).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures() {
    let stand = Stand::start().await;
    let wrong = "not-the-secret";
    refused! {
        "SignatureDoesNotMatch" 403 "Check your key" stand.s3_as(ACCOUNT, wrong, EAST).list_buckets();
        "InvalidAccessKeyId" 403 "does not exist in our records" stand.s3_as("AKIDEXAMPLE", SECRET, EAST).list_buckets();
        "InvalidSignatureException" 400 "does not match" stand.kms_as(ACCOUNT, wrong, EAST).list_keys();
        "UnrecognizedClientException" 400 "security token" stand.kms_as("AKIDEXAMPLE", SECRET, EAST).list_keys();
        "SignatureDoesNotMatch" 403 "does not match" stand.iam_as(ACCOUNT, wrong).list_roles();
        "InvalidClientTokenId" 403 "security token" stand.iam_as("AKIDEXAMPLE", SECRET).list_roles();
        "SignatureDoesNotMatch" 403 "does not match" stand.sts(ACCOUNT, wrong, EAST).get_caller_identity();
        "InvalidClientTokenId" 403 "security token" stand.sts("1234", SECRET, EAST).get_caller_identity();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets() {
    let stand = Stand::start().await;
    let (east, west, other) = (stand.s3(EAST), stand.s3(WEST), stand.s3_as(OTHER, SECRET, EAST));
    for (name, region) in [("taken", EAST), ("western", WEST), ("filled", EAST)] {
        stand.bucket(name, region, true).await;
    }
    stand.put("filled", "k").await;
    let twice = Tag::builder().key("a").value("1").build().unwrap();
    let twice = CreateBucketConfiguration::builder().tags(twice.clone()).tags(twice).build();
    refused! {
        "InvalidBucketName" 400 "" east.create_bucket().bucket("Not-A-Bucket");
        "InvalidBucketName" 400 "" east.create_bucket().bucket("xn--abc");
        "BucketAlreadyExists" 409 "" other.create_bucket().bucket("taken");
        "BucketAlreadyOwnedByYou" 409 "" west.create_bucket().bucket("western").create_bucket_configuration(located(WEST));
        "BucketAlreadyOwnedByYou" 409 "" east.create_bucket().bucket("western");
        "IllegalLocationConstraintException" 400 "unspecified" west.create_bucket().bucket("new");
        "IllegalLocationConstraintException" 400 "eu-west-1" west.create_bucket().bucket("new").create_bucket_configuration(located("eu-west-1"));
        "InvalidLocationConstraint" 400 "" east.create_bucket().bucket("new").create_bucket_configuration(located(EAST));
        "InvalidTag" 400 "duplicate tag keys" east.create_bucket().bucket("new").create_bucket_configuration(twice);
        "NoSuchBucket" 404 "" east.get_bucket_versioning().bucket("absent");
        "NoSuchBucket" 404 "" east.delete_bucket().bucket("absent");
        "PermanentRedirect" 301 "" east.get_bucket_versioning().bucket("western");
        "PermanentRedirect" 301 "" east.delete_bucket().bucket("western");
        "AccessDenied" 403 "s3:ListBucket" other.list_objects_v2().bucket("taken");
        "AccessDenied" 403 "s3:DeleteBucket" other.delete_bucket().bucket("taken");
        "AccessDenied" 403 "" east.get_bucket_versioning().bucket("taken").expected_bucket_owner(OTHER);
        "BucketNotEmpty" 409 "" east.delete_bucket().bucket("filled");
        "NoSuchTagSet" 404 "" east.get_bucket_tagging().bucket("taken");
        "NoSuchBucketPolicy" 404 "" east.get_bucket_policy().bucket("taken");
        "NoSuchLifecycleConfiguration" 404 "" east.get_bucket_lifecycle_configuration().bucket("taken");
        "ObjectLockConfigurationNotFoundError" 404 "" east.get_object_lock_configuration().bucket("taken");
        "ReplicationConfigurationNotFoundError" 404 "" east.get_bucket_replication().bucket("taken");
        "MalformedPolicy" 400 "" east.put_bucket_policy().bucket("taken").policy("nonsense");
        "MalformedPolicy" 400 "Statement" east.put_bucket_policy().bucket("taken").policy("{}");
        "MalformedXML" 400 "" east.put_bucket_versioning().bucket("taken").versioning_configuration(versioning("On".into()));
        "NotImplemented" 501 "" east.get_bucket_website().bucket("taken");
    }
    east.delete_public_access_block().bucket("taken").send().await.unwrap();
    east.delete_bucket_ownership_controls().bucket("taken").send().await.unwrap();
    refused! {
        "NoSuchPublicAccessBlockConfiguration" 404 "" east.get_public_access_block().bucket("taken");
        "OwnershipControlsNotFoundError" 404 "" east.get_bucket_ownership_controls().bucket("taken");
    }
    for (client, name, status) in [
        (&east, "absent", 404),
        (&east, "western", 301),
        (&other, "taken", 403),
        (&west, "western", 0),
    ] {
        let head = client.head_bucket().bucket(name).send().await;
        let got = head.err().and_then(|e| e.raw_response().map(|r| r.status().as_u16()));
        assert_eq!(got.unwrap_or(0), status, "{name}");
    }
    let redirected = east.head_bucket().bucket("western").send().await.unwrap_err();
    let region = redirected.raw_response().unwrap().headers().get("x-amz-bucket-region");
    assert_eq!(region, Some(WEST));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("objects", EAST, true).await;
    let version = stand.put("objects", "k").await;
    let marker = s3.delete_object().bucket("objects").key("gone").send().await.unwrap();
    let marker = marker.version_id().unwrap();
    // The id of a version of another key.
    let unknown = stand.put("objects", "other").await;
    let upload = s3.create_multipart_upload().bucket("objects").key("big").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut tags = Vec::new();
    for number in [1, 2] {
        let part = s3.upload_part().bucket("objects").key("big").upload_id(id).part_number(number);
        let part = part.body(ByteStream::from_static(b"small")).send().await.unwrap();
        tags.push(part.e_tag().unwrap().to_owned());
    }
    let parts = |numbers: &[i32], tag: &str| {
        let part = |n: &i32| CompletedPart::builder().part_number(*n).e_tag(tag).build();
        let parts = numbers.iter().map(part).collect();
        CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
    };
    let get = || s3.get_object().bucket("objects");
    let put = || s3.put_object().bucket("objects").key("k");
    let complete = || s3.complete_multipart_upload().bucket("objects").key("big").upload_id(id);
    refused! {
        "NoSuchKey" 404 "" get().key("absent");
        "NoSuchKey" 404 "" get().key("gone");
        "NoSuchVersion" 404 "" get().key("k").version_id(&unknown);
        "InvalidArgument" 400 "version id" get().key("k").version_id("x");
        "MethodNotAllowed" 405 "" get().key("gone").version_id(marker);
        "InvalidRange" 416 "" get().key("k").range("bytes=9-");
        "PreconditionFailed" 412 "" get().key("k").if_match("\"other\"");
        "PreconditionFailed" 412 "" put().if_none_match("*");
        "NoSuchKey" 404 "" put().key("absent").if_match("\"x\"");
        "AccessControlListNotSupported" 400 "" put().acl(ObjectCannedAcl::PublicRead);
        "InvalidRequest" 400 "Object Lock" put().object_lock_legal_hold_status("ON".into());
        "InvalidStorageClass" 400 "" put().storage_class("WARM".into());
        "InvalidArgument" 400 "x-amz-tagging" put().tagging("a=1&a=2");
        "BadRequest" 400 "10" put().tagging("a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=");
        "BadDigest" 400 "" put().checksum_crc32("AAAAAA==").body(ByteStream::from_static(b"x"));
        "BadDigest" 400 "" put().content_md5("XUFAKrxLKna5cZ2REBfFkA==").body(ByteStream::from_static(b"x"));
        "NoSuchUpload" 404 "" s3.abort_multipart_upload().bucket("objects").key("big").upload_id("x");
        "NoSuchUpload" 404 "" s3.list_parts().bucket("objects").key("other").upload_id(id);
        "InvalidArgument" 400 "between 1 and 10000" s3.upload_part().bucket("objects").key("big").upload_id(id).part_number(10_001);
        "InvalidPart" 400 "" complete().multipart_upload(parts(&[1], "\"no\""));
        "InvalidPart" 400 "" complete().multipart_upload(parts(&[3], &tags[0]));
        "InvalidPartOrder" 400 "" complete().multipart_upload(parts(&[2, 1], &tags[1]));
        "EntityTooSmall" 400 "" complete().multipart_upload(parts(&[1, 2], &tags[0]));
    }
    let absent = s3.head_object().bucket("objects").key("absent").send().await.unwrap_err();
    assert_eq!(absent.raw_response().unwrap().status().as_u16(), 404);
    let same = get().key("k").if_none_match("\"5d41402abc4b2a76b9719d911017c592\"");
    let same = same.version_id(version).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let composite = s3.create_multipart_upload().bucket("objects").key("z");
    let composite = composite.checksum_algorithm(ChecksumAlgorithm::Sha256);
    refused! {
        "InvalidRequest" 400 "FULL_OBJECT" composite.checksum_type("FULL_OBJECT".into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_s3_can_not_use() {
    let stand = Stand::start().await;
    let (s3, kms) = (stand.s3(EAST), stand.kms(EAST));
    let (primary, replica) = stand.keys().await;
    stand.bucket("keyed", EAST, true).await;
    stand.encrypt("keyed", EAST, &primary).await;
    stand.put("keyed", "k").await;
    let put = || s3.put_object().bucket("keyed").key("n");
    let under =
        |key: &str| put().server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(key);
    refused! {
        "KMS.NotFoundException" 400 "does not exist" under("mrk-00000000000000000000000000000000");
        "KMS.NotFoundException" 400 "us-west-2" under(&replica);
        "KMS.NotFoundException" 400 "is not found" under("alias/absent");
        "AccessDenied" 403 "not authorized" under(&primary.replace(ACCOUNT, OTHER));
        "InvalidArgument" 400 "aws:kms" put().ssekms_key_id(&primary);
        "InvalidArgument" 400 "" put().server_side_encryption("rot13".into());
    }
    kms.disable_key().key_id(&primary).send().await.unwrap();
    refused! {
        "KMS.DisabledException" 400 "is disabled" put();
        "KMS.DisabledException" 400 "is disabled" s3.get_object().bucket("keyed").key("k");
    }
    kms.schedule_key_deletion().key_id(&primary).send().await.unwrap();
    refused! {
        "KMS.KMSInvalidStateException" 400 "is pending" put();
        "KMS.KMSInvalidStateException" 400 "is pending" s3.get_object().bucket("keyed").key("k");
    }
    assert!(s3.head_object().bucket("keyed").key("k").send().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys() {
    let stand = Stand::start().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    let (primary, replica) = stand.keys().await;
    let id = primary.rsplit('/').next().unwrap();
    let single = east.create_key().send().await.unwrap();
    let single = single.key_metadata().unwrap().key_id();
    east.create_alias().alias_name("alias/used").target_key_id(id).send().await.unwrap();
    let absent = "mrk-00000000000000000000000000000000";
    let foreign = format!("arn:aws:kms:us-east-1:{OTHER}:key/{id}");
    let alias = |name: &str| east.create_alias().alias_name(name).target_key_id(id);
    let replicate = |key: &str, to: &str| east.replicate_key().key_id(key).replica_region(to);
    let rotate = |days| east.enable_key_rotation().key_id(id).rotation_period_in_days(days);
    refused! {
        "NotFoundException" 400 "Key 'arn:aws:kms:us-east-1:111122223333:key/mrk-0" east.describe_key().key_id(absent);
        "NotFoundException" 400 "Alias arn:aws:kms:us-east-1:111122223333:alias/absent is not found." east.describe_key().key_id("alias/absent");
        "NotFoundException" 400 "Invalid arn us-west-2" east.describe_key().key_id(&replica);
        "NotFoundException" 400 "Invalid keyId" east.get_key_policy().key_id("alias/used");
        "AccessDeniedException" 400 "is not authorized" east.describe_key().key_id(foreign);
        "AlreadyExistsException" 400 "An alias with the name arn:aws:kms:us-east-1:111122223333:alias/used already exists" alias("alias/used");
        "NotAuthorizedException" 400 "" alias("alias/aws/x");
        "ValidationException" 400 "alias/" alias("used");
        "ValidationException" 400 "pattern" alias("alias/a b");
        "NotFoundException" 400 "is not found" east.delete_alias().alias_name("alias/absent");
        "NotFoundException" 400 "is not found" east.update_alias().alias_name("alias/absent").target_key_id(id);
        "AlreadyExistsException" 400 "" replicate(id, WEST);
        "UnsupportedOperationException" 400 "not a multi-region key" replicate(single, WEST);
        "UnsupportedOperationException" 400 "primary" west.replicate_key().key_id(id).replica_region("eu-west-1");
        "ValidationException" 400 "" replicate(id, EAST);
        "ValidationException" 400 "" replicate(id, "cn-north-1");
        "ValidationException" 400 "" replicate(id, "nowhere");
        "ValidationException" 400 "90" rotate(89);
        "ValidationException" 400 "2560" rotate(2561);
        "UnsupportedOperationException" 400 "replica" west.enable_key_rotation().key_id(id);
        "UnsupportedOperationException" 400 "replica" west.disable_key_rotation().key_id(id);
        "ValidationException" 400 "7" east.schedule_key_deletion().key_id(id).pending_window_in_days(6);
        "ValidationException" 400 "30" east.schedule_key_deletion().key_id(id).pending_window_in_days(31);
        "KMSInvalidStateException" 400 "is not pending deletion." east.cancel_key_deletion().key_id(id);
        "MalformedPolicyDocumentException" 400 "" east.put_key_policy().key_id(id).policy("nonsense");
        "MalformedPolicyDocumentException" 400 "" east.create_key().policy("{}");
        "NotFoundException" 400 "policy" east.get_key_policy().key_id(id).policy_name("other");
        "NotImplemented" 501 "kms:GetPublicKey" east.get_public_key().key_id("x");
        "InvalidArnException" 400 "principal" east.create_grant().key_id(id).grantee_principal("a").operations("Decrypt".into());
        "InvalidArnException" 400 "principal" east.create_grant().key_id(id).grantee_principal("arn:aws:iam::111122223333:role/absent").operations("Decrypt".into());
        "NotImplemented" 501 "RSA_2048" east.create_key().key_spec(aws_sdk_kms::types::KeySpec::Rsa2048);
        "ValidationException" 400 "limit" east.list_keys().limit(1001);
    }
    east.disable_key().key_id(id).send().await.unwrap();
    refused! {
        "DisabledException" 400 "is disabled." rotate(100);
        "DisabledException" 400 "is disabled." replicate(id, "eu-west-1");
    }
    for (client, key) in [(&west, &replica), (&east, &primary)] {
        client.schedule_key_deletion().key_id(key).send().await.unwrap();
    }
    refused! {
        "KMSInvalidStateException" 400 "is pending deletion." west.schedule_key_deletion().key_id(id);
        "KMSInvalidStateException" 400 "is pending deletion." west.enable_key().key_id(id);
        "KMSInvalidStateException" 400 "is pending deletion." west.disable_key().key_id(id);
        "KMSInvalidStateException" 400 "is pending deletion." west.update_key_description().key_id(id).description("x");
        "KMSInvalidStateException" 400 "is pending deletion." west.create_alias().alias_name("alias/n").target_key_id(id);
        "KMSInvalidStateException" 400 "is pending replica deletion." east.enable_key().key_id(id);
        "KMSInvalidStateException" 400 "is pending replica deletion." replicate(id, "eu-west-1");
    }
    west.cancel_key_deletion().key_id(id).send().await.unwrap();
    let described = west.describe_key().key_id(id).send().await.unwrap();
    assert_eq!(described.key_metadata().unwrap().key_state().unwrap().as_str(), "Disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    stand.role().await;
    let (name, policy) = ("replication", "p");
    let role = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    let put = || iam.put_role_policy().role_name(name).policy_name(policy);
    put().policy_document(POLICY).send().await.unwrap();
    let got = iam.get_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
    assert!(got.policy_document().starts_with("%7B%22Version%22"));
    refused! {
        "EntityAlreadyExists" 409 "Role with name replication already exists." role(name);
        "EntityAlreadyExists" 409 "" role("Replication");
        "NoSuchEntity" 404 "The role with name absent cannot be found." iam.get_role().role_name("absent");
        "NoSuchEntity" 404 "" iam.delete_role().role_name("absent");
        "NoSuchEntity" 404 "The role policy with name absent" iam.get_role_policy().role_name(name).policy_name("absent");
        "NoSuchEntity" 404 "" iam.delete_role_policy().role_name(name).policy_name("absent");
        "DeleteConflict" 409 "must delete policies first" iam.delete_role().role_name(name);
        "ValidationError" 400 "roleName" role("a/b");
        "ValidationError" 400 "path" role("n").path("no-slash");
        "ValidationError" 400 "maxSessionDuration" role("n").max_session_duration(60);
        "ValidationError" 400 "Invalid ARN:  Could not be parsed!" role("n").permissions_boundary("nonsense-of-some-length");
        "MalformedPolicyDocument" 400 "" iam.create_role().role_name("n").assume_role_policy_document("nonsense");
        "MalformedPolicyDocument" 400 "" put().policy_document("{}");
        "MalformedPolicyDocument" 400 "" iam.update_assume_role_policy().role_name(name).policy_document("[]");
        "LimitExceeded" 409 "10240" put().policy_document(format!(r#"{{"Statement":"{}"}}"#, "x".repeat(10_240)));
        "NotImplemented" 501 "iam:CreateGroup" iam.create_group().group_name("g");
        "AccessDenied" 403 "root accounts" stand.sts(ACCOUNT, SECRET, EAST).assume_role().role_arn(ROLE).role_session_name("me");
    }
}
