//! Responses whose members real AWS was recorded to return: the expected outputs that the public test
//! suite of localstack keeps beside its tests for S3, KMS and IAM (recorded 2024 to 2026, read
//! 2026-11). The requests here are our own; the members, codes and texts are AWS's.
//! Not for: what an operation does (see the other files here).

use super::raw::Raw;
use super::{EAST, ROLE, Stand, TRUST, WEST};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

/// Asserts that the response to a request contains each text.
async fn answers(stand: &Stand, request: &Raw, expected: &[&str]) {
    let answer = request.answer(stand.sandbox.address()).await;
    for text in expected {
        assert!(
            answer.contains(text),
            "{} {}: no {text} in\n{answer}",
            request.method,
            request.target
        );
    }
}

fn with_header(mut request: Raw, name: &str, value: &str) -> Raw {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

#[tokio::test]
async fn errors_name_what_was_refused() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("details", EAST, true).await;
    let put =
        || s3.put_object().bucket("details").key("a b").body(ByteStream::from_static(b"12345678"));
    put().send().await.unwrap();
    s3.delete_object().bucket("details").key("gone").send().await.unwrap();
    let versions = s3.list_object_versions().bucket("details").prefix("gone").send().await.unwrap();
    let marker = versions.delete_markers()[0].version_id().unwrap().to_owned();
    let bucket = "<BucketName>details</BucketName>";
    let argument = |name: &str, value: &str| {
        format!("<ArgumentName>{name}</ArgumentName><ArgumentValue>{value}</ArgumentValue>")
    };
    for (method, target, code, details) in [
        (
            "GET",
            "/absent-bucket?location",
            "NoSuchBucket",
            "<BucketName>absent-bucket</BucketName>",
        ),
        ("GET", "/details?policy", "NoSuchBucketPolicy", bucket),
        ("GET", "/details?lifecycle", "NoSuchLifecycleConfiguration", bucket),
        ("GET", "/details?replication", "ReplicationConfigurationNotFoundError", bucket),
        ("GET", "/details?tagging", "NoSuchTagSet", bucket),
        ("GET", "/details?object-lock", "ObjectLockConfigurationNotFoundError", bucket),
        ("DELETE", "/details", "BucketNotEmpty", bucket),
        ("GET", "/details/a%20c", "NoSuchKey", "<Key>a c</Key>"),
        ("GET", "/details/x?uploadId=none", "NoSuchUpload", "<UploadId>none</UploadId>"),
        ("GET", "/details?encoding-type=x", "InvalidArgument", &argument("encoding-type", "x")),
        (
            "GET",
            "/details?versions&version-id-marker=v",
            "InvalidArgument",
            &argument("version-id-marker", "v"),
        ),
        ("GET", "/details/a%20b?versionId=v", "InvalidArgument", &argument("versionId", "v")),
        (
            "GET",
            "/details?list-type=2&continuation-token=t",
            "InvalidArgument",
            &argument("continuation-token", "t"),
        ),
        (
            "GET",
            &format!("/details/gone?versionId={marker}"),
            "MethodNotAllowed",
            "<Method>GET</Method><ResourceType>DeleteMarker</ResourceType>",
        ),
    ] {
        let code = format!("<Code>{code}</Code>");
        answers(&stand, &Raw::s3(method, target), &[&code, details, "<HostId>"]).await;
    }
    let get = || Raw::s3("GET", "/details/a%20b");
    for (name, value, code, details) in [
        ("if-match", "\"other\"", "PreconditionFailed", "<Condition>If-Match</Condition>"),
        (
            "if-unmodified-since",
            "Thu, 01 Jan 2015 00:00:00 GMT",
            "PreconditionFailed",
            "<Condition>If-Unmodified-Since</Condition>",
        ),
        (
            "range",
            "bytes=1024-4096",
            "InvalidRange",
            "<RangeRequested>bytes=1024-4096</RangeRequested><ActualObjectSize>8</ActualObjectSize>",
        ),
    ] {
        let code = format!("<Code>{code}</Code>");
        answers(&stand, &with_header(get(), name, value), &[&code, details]).await;
    }
    let copy = with_header(Raw::s3("PUT", "/details/copy"), "x-amz-copy-source", "details/absent");
    answers(&stand, &copy, &["<Code>NoSuchKey</Code>", "<Key>absent</Key>"]).await;
    let copy = with_header(Raw::s3("PUT", "/details/copy"), "x-amz-copy-source", "details/a%20b");
    let copy = with_header(copy, "x-amz-copy-source-if-match", "\"other\"");
    answers(&stand, &copy, &["<Condition>x-amz-copy-source-If-Match</Condition>"]).await;
    let put = |name: &str, value: &str| with_header(Raw::s3("PUT", "/details/new"), name, value);
    answers(
        &stand,
        &put("content-md5", "000"),
        &["InvalidDigest", "<Content-MD5>000</Content-MD5>"],
    )
    .await;
    let wrong = put("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    let digests = "<ExpectedDigest>AAAAAAAAAAAAAAAAAAAAAA==</ExpectedDigest>\
                   <CalculatedDigest>1B2M2Y8AsgTpgAmY7PhCfg==</CalculatedDigest>";
    answers(&stand, &wrong, &["BadDigest", digests]).await;
    let condition = put("if-none-match", "\"other\"");
    let text = "A header you provided implies functionality that is not implemented";
    let header = "<Header>If-None-Match</Header>";
    answers(&stand, &condition, &["<Code>NotImplemented</Code>", text, header]).await;
}

#[tokio::test]
async fn lists_show_checksums_arns_and_opaque_tokens() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    let created = Raw::s3("PUT", "/lists-a").answer(stand.sandbox.address()).await;
    assert!(created.contains("x-amz-bucket-arn: arn:aws:s3:::lists-a\r\n"), "{created}");
    Raw::s3("PUT", "/lists-b").answer(stand.sandbox.address()).await;
    for key in ["dir/sub/1", "dir/sub/2", "dir/x", "dir/y"] {
        let put =
            s3.put_object().bucket("lists-a").key(key).checksum_algorithm(ChecksumAlgorithm::Crc32);
        put.body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    let list =
        s3.list_objects_v2().bucket("lists-a").start_after("dir").max_keys(2).send().await.unwrap();
    let first = &list.contents()[0];
    assert_eq!(first.checksum_algorithm(), [ChecksumAlgorithm::Crc32]);
    assert_eq!(first.checksum_type().unwrap().as_str(), "FULL_OBJECT");
    let token = list.next_continuation_token().unwrap();
    assert!(!token.contains("dir"), "{token}");
    let next = s3.list_objects_v2().bucket("lists-a").start_after("dir").continuation_token(token);
    let next = next.send().await.unwrap();
    assert_eq!((next.start_after(), next.contents()[0].key()), (None, Some("dir/x")));
    // A marker inside a common prefix skips the prefix.
    let list = s3.list_objects().bucket("lists-a").prefix("dir/").delimiter("/").max_keys(1);
    let list = list.marker("dir/sub/1").send().await.unwrap();
    assert_eq!((list.common_prefixes().len(), list.next_marker()), (0, Some("dir/x")));
    let page = s3.list_buckets().max_buckets(1).send().await.unwrap();
    let token = page.continuation_token().unwrap();
    assert!(!token.contains("lists"), "{token}");
    let page = s3.list_buckets().max_buckets(1).continuation_token(token).send().await.unwrap();
    assert_eq!(page.buckets()[0].name(), Some("lists-b"));
}

#[tokio::test]
async fn lists_of_uploads_return_markers_on_every_page() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    s3.create_bucket().bucket("uploads").send().await.unwrap();
    let list = || s3.list_multipart_uploads().bucket("uploads");
    let empty = list().send().await.unwrap();
    assert_eq!((empty.key_marker(), empty.next_key_marker()), (Some(""), Some("")));
    let mut ids = Vec::new();
    for key in ["b", "a", "a"] {
        let upload = s3.create_multipart_upload().bucket("uploads").key(key).send().await.unwrap();
        ids.push(upload.upload_id().unwrap().to_owned());
    }
    let all = list().send().await.unwrap();
    let shown: Vec<_> = all.uploads().iter().map(|it| it.upload_id().unwrap()).collect();
    assert_eq!(shown, [&ids[1], &ids[2], &ids[0]], "by key, then by time");
    assert_eq!((all.next_key_marker(), all.next_upload_id_marker()), (Some("b"), Some(&*ids[0])));
    assert!(all.uploads()[0].initiator().unwrap().display_name().is_some());
    // An upload id marker without a key marker is ignored.
    let ignored = list().upload_id_marker(&ids[1]).send().await.unwrap();
    assert_eq!((ignored.uploads().len(), ignored.upload_id_marker()), (3, Some("")));
    let parts = || s3.list_parts().bucket("uploads").key("b").upload_id(&ids[0]);
    let none = parts().send().await.unwrap();
    assert_eq!((none.part_number_marker(), none.next_part_number_marker()), (Some("0"), Some("0")));
    let part = s3.upload_part().bucket("uploads").key("b").upload_id(&ids[0]).part_number(2);
    part.body(ByteStream::from_static(b"x")).send().await.unwrap();
    assert_eq!(parts().send().await.unwrap().next_part_number_marker(), Some("2"));
}

#[tokio::test]
async fn kms_names_the_key_material_and_words_refused_tags() {
    let stand = Stand::start().await;
    let (kms, west) = (stand.kms(EAST), stand.kms(WEST));
    let made = kms.create_key().multi_region(true).send().await.unwrap();
    let made = made.key_metadata().unwrap();
    let material = made.current_key_material_id().unwrap();
    assert!(material.len() == 64 && material.bytes().all(|b| b.is_ascii_hexdigit()));
    let replica =
        kms.replicate_key().key_id(made.key_id()).replica_region(WEST).send().await.unwrap();
    assert!(replica.replica_tags.is_none());
    let there = west.describe_key().key_id(made.key_id()).send().await.unwrap();
    assert_eq!(there.key_metadata().unwrap().current_key_material_id(), Some(material));
    let key =
        kms.generate_data_key().key_id(made.key_id()).number_of_bytes(8).send().await.unwrap();
    assert_eq!(key.key_material_id(), Some(material));
    let opened = west.decrypt().ciphertext_blob(key.ciphertext_blob().unwrap().clone()).send();
    assert_eq!(opened.await.unwrap().key_material_id(), Some(material));
    let tag = |key: &str, value: &str| {
        let tag = aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value).build().unwrap();
        kms.tag_resource().key_id(made.key_id()).tags(tag)
    };
    let long = "k".repeat(129);
    super::refused! {
        "TagException" 400 "Tags beginning with aws: are reserved" tag("aws:x", "v");
        "TagException" 400 "Tags beginning with aws: are reserved" tag("AWS:x", "v");
        "TagException" 400 "Duplicate" tag("x", "v").tags(aws_sdk_kms::types::Tag::builder().tag_key("x").tag_value("w").build().unwrap());
        "ValidationException" 400 "at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128" tag(&long, "v");
    }
}

#[tokio::test]
async fn iam_omits_what_aws_omits() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let create = iam.create_role().role_name("replication").path("/crrctl/");
    let made = create.assume_role_policy_document(TRUST).send().await.unwrap();
    let made = made.role().unwrap();
    assert_eq!((made.arn(), made.max_session_duration()), (ROLE, None));
    assert!(made.tags.is_none());
    let read = iam.get_role().role_name("replication").send().await.unwrap();
    let read = read.role().unwrap();
    assert_eq!(read.max_session_duration(), Some(3600));
    assert!(read.role_last_used().is_some() && read.tags.is_none());
    let user = iam.create_user().user_name("ann").send().await.unwrap();
    assert!(user.user().unwrap().tags.is_none());
    let policy =
        iam.create_policy().policy_name("p").policy_document(super::POLICY).send().await.unwrap();
    assert_eq!(policy.policy().unwrap().permissions_boundary_usage_count(), Some(0));
}
