//! What copies refuse.

use crate::sandbox::{EAST, Stand, WEST, refused};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{MetadataDirective, ServerSideEncryption, TaggingDirective};

/// Everything but one action.
fn without(action: &str, on: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":"{action}","Resource":"{on}"}}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_objects() {
    let stand = Stand::start().await;
    let (s3, kms) = (stand.s3(EAST), stand.kms(EAST));
    let (primary, _) = stand.keys().await;
    stand.bucket("from", EAST, true).await;
    stand.bucket("into", EAST, true).await;
    let other = kms.create_key().send().await.unwrap();
    let other = other.key_metadata().unwrap().arn().unwrap().to_owned();
    stand.encrypt("into", EAST, &primary).await;
    s3.put_object()
        .bucket("from")
        .key("k")
        .tagging("a=b")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(&other)
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let copy = || s3.copy_object().bucket("into").key("k").copy_source("from/k");
    s3.put_object().bucket("from").key("plain").send().await.unwrap();
    let unknown = stand.put("from", "another").await;
    let itself = || s3.copy_object().bucket("from").key("plain").copy_source("from/plain");
    let upload = s3.create_multipart_upload().bucket("into").key("big").send().await.unwrap();
    let part = || {
        let part = s3.upload_part_copy().bucket("into").key("big").copy_source("from/k");
        part.upload_id(upload.upload_id().unwrap()).part_number(1)
    };
    refused! {
        "InvalidRequest" 400 "copy an object to itself without changing" itself();
        "InvalidRequest" 400 "copy an object to itself without changing" itself().tagging_directive(TaggingDirective::Replace).tagging("x=y");
        "NoSuchKey" 404 "" copy().copy_source("from/absent");
        "NoSuchBucket" 404 "" copy().copy_source("absent/k");
        "NoSuchBucket" 404 "" copy().bucket("absent");
        "NoSuchVersion" 404 "" copy().copy_source(format!("from/k?versionId={unknown}"));
        "InvalidArgument" 400 "Invalid version id specified" copy().copy_source(format!("from/k?versionId={}", "a".repeat(32)));
        "PreconditionFailed" 412 "" copy().copy_source_if_match("\"other\"");
        "PreconditionFailed" 412 "" copy().copy_source_if_none_match("*");
        "PreconditionFailed" 412 "" copy().copy_source_if_unmodified_since(DateTime::from_secs(1));
        "PreconditionFailed" 412 "" itself().metadata_directive(MetadataDirective::Replace).if_none_match("*");
        "AccessDenied" 403 "" copy().expected_source_bucket_owner("444455556666");
        "InvalidArgument" 400 "metadata directive" copy().metadata_directive("KEEP".into());
        "InvalidArgument" 400 "tagging directive" copy().tagging_directive("KEEP".into());
        "AccessControlListNotSupported" 400 "" copy().acl("public-read".into());
        "InvalidStorageClass" 400 "" copy().storage_class("WARM".into());
        "InvalidRequest" 400 "missing Object Lock" copy().object_lock_legal_hold_status("ON".into());
        "InvalidArgument" 400 "1 and 10000" part().part_number(0);
        "InvalidArgument" 400 "Range specified is not valid for source object of size: 5" part().copy_source_range("bytes=0-5");
        "InvalidArgument" 400 "of the form" part().copy_source_range("bytes=3-1");
        "NoSuchUpload" 404 "" part().upload_id("x");
    }
    for (action, on) in [
        ("s3:GetObject", "arn:aws:s3:::from/k"),
        ("s3:PutObject", "arn:aws:s3:::into/k"),
        ("s3:GetObjectTagging", "arn:aws:s3:::from/k"),
        ("s3:PutObjectTagging", "arn:aws:s3:::into/k"),
        ("kms:Decrypt", &*other),
        ("kms:GenerateDataKey", &*primary),
    ] {
        let name = action.replace(':', "-");
        let (id, secret) = stand.user(&name, &without(action, on)).await;
        let copy = stand.s3_as(&id, &secret, EAST).copy_object().bucket("into").key("k");
        let (code, status, text) = crate::sandbox::refusal(copy.copy_source("from/k").send().await);
        assert_eq!((code.as_str(), status), ("AccessDenied", 403), "{action}");
        assert!(text.contains(action), "{text}");
    }
    kms.disable_key().key_id(&other).send().await.unwrap();
    refused! {
        "KMS.DisabledException" 400 "is disabled" copy();
        "KMS.DisabledException" 400 "is disabled" part();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_refused_is_copied() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("here", EAST, true).await;
    stand.bucket("there", WEST, true).await;
    let put = s3.put_object().bucket("here").key("ä b").tagging("a=b").metadata("colour", "blue");
    let put = put.content_type("text/plain").body(ByteStream::from_static(b"hello"));
    let first = put.send().await.unwrap();
    let first = first.version_id().unwrap();

    // Onto itself: a new version with new metadata and the old tags.
    let copy = s3.copy_object().bucket("here").key("ä b").copy_source("here/%C3%A4%20b");
    let copy = copy.metadata_directive(MetadataDirective::Replace).metadata("colour", "red");
    let copy = copy.send().await.unwrap();
    assert_eq!(copy.copy_source_version_id(), Some(first));
    assert_ne!(copy.version_id(), Some(first));
    let head = s3.head_object().bucket("here").key("ä b").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["colour"], "red");
    assert_eq!(head.content_type(), Some("binary/octet-stream"));
    let tags = s3.get_object_tagging().bucket("here").key("ä b").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].key(), "a");

    // An old version into another Region, with tags of its own.
    let west = stand.s3(WEST);
    let copy = west.copy_object().bucket("there").key("k");
    let copy = copy.copy_source(format!("here/%C3%A4%20b?versionId={first}"));
    let copy =
        copy.tagging_directive(TaggingDirective::Replace).tagging("c=d").send().await.unwrap();
    let result = copy.copy_object_result().unwrap();
    assert_eq!(result.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let head = west.head_object().bucket("there").key("k").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["colour"], "blue");
    assert_eq!((head.content_type(), head.content_length()), (Some("text/plain"), Some(5)));

    // A part of an upload.
    let upload = s3.create_multipart_upload().bucket("here").key("big").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3.upload_part_copy().bucket("here").key("big").upload_id(id).part_number(1);
    let part = part.copy_source("here/%C3%A4%20b").copy_source_range("bytes=1-3").send().await;
    let part = part.unwrap();
    let tag = part.copy_part_result().unwrap().e_tag().unwrap();
    let part = aws_sdk_s3::types::CompletedPart::builder().part_number(1).e_tag(tag).build();
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part).build();
    let done = s3.complete_multipart_upload().bucket("here").key("big").upload_id(id);
    done.multipart_upload(parts).send().await.unwrap();
    let got = s3.get_object().bucket("here").key("big").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"ell");

    // The older list goes on behind a key.
    let list = s3.list_objects().bucket("here").max_keys(1).send().await.unwrap();
    assert_eq!((list.is_truncated(), list.contents()[0].key()), (Some(true), Some("big")));
    let list = s3.list_objects().bucket("here").marker("big").send().await.unwrap();
    assert_eq!((list.is_truncated(), list.contents()[0].key()), (Some(false), Some("ä b")));
}
