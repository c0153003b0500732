//! Responses whose members real AWS was recorded to return: the expected outputs that the public
//! test suite of localstack keeps beside its tests for S3, KMS and IAM (recorded 2024 to 2026, read
//! 2026-11). The requests here are our own; the members, codes and texts are AWS's.
//! Not for: what an operation does (see the other files here).

use super::raw::Raw;
use super::{EAST, ROLE, Stand, TRUST, WEST};
use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

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
async fn a_part_is_answered_with_the_checksum_that_it_was_sent_with() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("details", EAST, true).await;
    let in_base64 = "<ExpectedDigest>AAAAAAAAAAAAAAAAAAAAAA==</ExpectedDigest>";
    let upload = s3.create_multipart_upload().bucket("details").key("parts").send().await.unwrap();
    let target = format!("/details/parts?partNumber=1&uploadId={}", upload.upload_id().unwrap());
    let part = |name: &str, value: &str| with_header(Raw::s3("PUT", &target), name, value);
    answers(&stand, &part("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="), &[in_base64]).await;
    let returned = "x-amz-checksum-crc32: AAAAAA==";
    answers(&stand, &part("x-amz-checksum-crc32", "AAAAAA=="), &["200 OK", returned]).await;
    let two = with_header(part("x-amz-checksum-crc32", "x"), "x-amz-checksum-sha1", "x");
    answers(&stand, &two, &["Expecting a single x-amz-checksum- header."]).await;
}

#[tokio::test]
async fn a_location_that_is_none_is_named() {
    let stand = Stand::start().await;
    let mut create = Raw::s3("PUT", "/nowhere");
    create.body = b"<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>".to_vec();
    let constraint = "<LocationConstraint>us-east-1</LocationConstraint>";
    answers(&stand, &create, &["<Code>InvalidLocationConstraint</Code>", constraint]).await;
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
    let digests = "<ExpectedDigest>00000000000000000000000000000000</ExpectedDigest>\
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
    let all = s3.list_buckets().send().await.unwrap();
    let members = |bucket: &aws_sdk_s3::types::Bucket| {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        (text(bucket.name()), text(bucket.bucket_region()), text(bucket.bucket_arn()))
    };
    let some = |text: &str| Some(text.to_owned());
    let bare = |name: &str| (some(name), None, None);
    assert_eq!(
        all.buckets().iter().map(members).collect::<Vec<_>>(),
        [bare("lists-a"), bare("lists-b")]
    );
    let full = |name: &str| (some(name), some("us-east-1"), some(&format!("arn:aws:s3:::{name}")));
    let page = s3.list_buckets().prefix("lists-").send().await.unwrap();
    assert_eq!(
        page.buckets().iter().map(members).collect::<Vec<_>>(),
        [full("lists-a"), full("lists-b")]
    );
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

#[tokio::test]
async fn requests_that_aws_refuses_otherwise_than_one_would_think() {
    let stand = Stand::start().await;
    stand.bucket("plain", EAST, false).await;
    stand.bucket("versioned", EAST, true).await;
    let s3 = stand.s3(EAST);
    for bucket in ["plain", "versioned"] {
        let put =
            s3.put_object().bucket(bucket).key("k").body(ByteStream::from_static(b"0123456789"));
        put.send().await.unwrap();
    }
    let id = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD";
    let other = stand.put("versioned", "other").await;
    let upload = s3.create_multipart_upload().bucket("plain").key("copy").send().await.unwrap();
    let part = |range: &str| {
        let part = s3.upload_part_copy().bucket("plain").key("copy").part_number(1);
        part.copy_source("plain/k").copy_source_range(range).upload_id(upload.upload_id().unwrap())
    };
    let tagged = |tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(key, value)| {
            aws_sdk_s3::types::Tag::builder().key(*key).value(*value).build().unwrap()
        });
        let configuration = aws_sdk_s3::types::CreateBucketConfiguration::builder();
        let configuration = configuration.set_tags(Some(tags.collect())).build();
        s3.create_bucket().bucket("plain").create_bucket_configuration(configuration)
    };
    super::refused! {
        "InvalidArgument" 400 "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets." s3.delete_object().bucket("plain").key("k").bypass_governance_retention(true);
        "InvalidArgument" 400 "Invalid version id specified" s3.get_object().bucket("plain").key("k").version_id(id);
        "InvalidArgument" 400 "Invalid version id specified" s3.delete_object().bucket("plain").key("k").version_id(id);
        "InvalidArgument" 400 "Invalid version id specified" s3.get_object().bucket("versioned").key("k").version_id(id);
        "NoSuchVersion" 404 "" s3.get_object().bucket("versioned").key("k").version_id(&other);
        "InvalidArgument" 400 "Range specified is not valid for source object of size: 10" part("bytes=0-100");
        "InvalidRequest" 400 "The specified copy range is invalid for the source object size" part("bytes=100-200");
        "BucketAlreadyOwnedByYou" 409 "" tagged(&[("a", "b")]);
        "InvalidBucketOwnerAWSAccountID" 400 "must be an AWS Account ID... [0000]" s3.get_bucket_policy().bucket("plain").expected_bucket_owner("0000");
        "NotImplemented" 501 "A header you provided implies" s3.put_object().bucket("plain").key("k").if_match("*");
        "NotImplemented" 501 "A header you provided implies" s3.put_object().bucket("plain").key("k").if_match("\"a\"").if_none_match("*");
        "NotImplemented" 501 "A header you provided implies" s3.delete_object().bucket("plain").key("k").if_match_size(1);
    }
    tagged(&[]).send().await.unwrap();
    // DeleteObjects names an invalid version id as a version that does not exist.
    let object = aws_sdk_s3::types::ObjectIdentifier::builder().key("k").version_id(id).build();
    let delete = aws_sdk_s3::types::Delete::builder().objects(object.unwrap()).build().unwrap();
    let answer = s3.delete_objects().bucket("plain").delete(delete).send().await.unwrap();
    assert_eq!(answer.errors()[0].code(), Some("NoSuchVersion"));
    assert_eq!(answer.deleted().len(), 0);
    // The tags of a key whose newest version is a delete marker are refused as the marker's.
    s3.delete_object().bucket("versioned").key("k").send().await.unwrap();
    super::refused! {
        "MethodNotAllowed" 405 "" s3.get_object_tagging().bucket("versioned").key("k");
        "NoSuchKey" 404 "" s3.get_object_acl().bucket("versioned").key("k");
    }
    let put = |name: &str, value: &str| with_header(Raw::s3("PUT", "/plain/new"), name, value);
    let wrong = put("x-amz-checksum-crc32", "nonsense");
    answers(
        &stand,
        &wrong,
        &["InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."],
    )
    .await;
    let two =
        with_header(put("x-amz-checksum-crc32", "AAAAAA=="), "x-amz-checksum-crc32c", "AAAAAA==");
    answers(&stand, &two, &["Expecting a single x-amz-checksum- header."]).await;
}

#[tokio::test]
async fn the_global_endpoint_creates_buckets_in_any_region() {
    let stand = Stand::start().await;
    let west = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::UsWest2)
        .build();
    let create = stand.s3(EAST).create_bucket().bucket("made-in-the-west");
    create.create_bucket_configuration(west).send().await.unwrap();
    stand.s3(WEST).head_bucket().bucket("made-in-the-west").send().await.unwrap();
    super::refused! {
        "" 301 "" stand.s3(EAST).head_bucket().bucket("made-in-the-west");
    }
}

#[tokio::test]
async fn a_lifecycle_rule_without_filter_and_prefix_is_malformed_and_tags_are_put_with_204() {
    let stand = Stand::start().await;
    stand.bucket("settings", EAST, false).await;
    let put = |target: &str, body: &str| {
        let mut request = Raw::s3("PUT", target);
        request.body = body.as_bytes().to_vec();
        let digest = aws_smithy_types::base64::encode(<md5::Md5 as md5::Digest>::digest(body));
        with_header(request, "content-md5", &digest)
    };
    let rule = |scope: &str| {
        let rule = "<ID>r</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>";
        let rule = format!("<Rule>{rule}{scope}</Rule>");
        put(
            "/settings?lifecycle",
            &format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>"),
        )
    };
    answers(&stand, &rule(""), &["HTTP/1.1 400", "MalformedXML"]).await;
    answers(&stand, &rule("<Filter/>"), &["HTTP/1.1 200"]).await;
    answers(&stand, &rule("<Prefix></Prefix>"), &["HTTP/1.1 200"]).await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    answers(&stand, &put("/settings?tagging", tags), &["HTTP/1.1 204"]).await;
}

#[tokio::test]
async fn attributes_of_objects_and_their_parts() {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ObjectAttributes};
    let stand = Stand::start().await;
    stand.bucket("attributes", EAST, true).await;
    let s3 = stand.s3(EAST);
    let put =
        s3.put_object().bucket("attributes").key("one").body(ByteStream::from_static(b"12345"));
    put.tagging("a=b").send().await.unwrap();
    let get = |key: &str| {
        let get = s3.get_object_attributes().bucket("attributes").key(key);
        get.set_object_attributes(Some(
            ObjectAttributes::values().iter().map(|it| (*it).into()).collect(),
        ))
    };
    let one = get("one").send().await.unwrap();
    let etag = one.e_tag().unwrap();
    assert!(!etag.contains('"') && etag.len() == 32, "{etag}");
    assert_eq!((one.object_size(), one.storage_class().unwrap().as_str()), (Some(5), "STANDARD"));
    assert!(
        one.object_parts().is_none() && one.version_id().is_some() && one.last_modified().is_some()
    );
    assert_eq!(one.checksum().unwrap().checksum_type().unwrap().as_str(), "FULL_OBJECT");
    let head = s3.head_object().bucket("attributes").key("one").send().await.unwrap();
    assert_eq!(head.tag_count(), Some(1));

    let create = s3.create_multipart_upload().bucket("attributes").key("two");
    let upload = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, size) in [(1, 5 << 20), (2, 3)] {
        let part = s3.upload_part().bucket("attributes").key("two").part_number(number);
        let part = part
            .upload_id(upload.upload_id().unwrap())
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let part = part.body(ByteStream::from(vec![b'x'; size])).send().await.unwrap();
        let done = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
        parts = parts.parts(done.set_checksum_sha256(part.checksum_sha256).build());
    }
    let complete = s3.complete_multipart_upload().bucket("attributes").key("two");
    let complete = complete.upload_id(upload.upload_id().unwrap()).multipart_upload(parts.build());
    complete.send().await.unwrap();
    let two = get("two").max_parts(1).send().await.unwrap();
    let checksum = two.checksum().unwrap();
    assert!(!checksum.checksum_sha256().unwrap().contains('-'), "{checksum:?}");
    assert_eq!(checksum.checksum_type().unwrap().as_str(), "COMPOSITE");
    let parts = two.object_parts().unwrap();
    assert_eq!((parts.total_parts_count(), parts.is_truncated()), (Some(2), Some(true)));
    assert_eq!(parts.next_part_number_marker(), Some("1"));
    assert_eq!(parts.parts()[0].size(), Some(5 << 20));
    assert!(parts.parts()[0].checksum_sha256().is_some());
    let (id, secret) = stand.user("reader", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#).await;
    let reader = stand.s3_as(&id, &secret, EAST);
    super::refused! {
        "AccessDenied" 403 "s3:GetObjectAttributes" reader.get_object_attributes().bucket("attributes").key("one").object_attributes(ObjectAttributes::Etag);
        "NoSuchKey" 404 "" get("absent");
    }
}

#[tokio::test]
async fn service_linked_roles() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let create = |service: &str| iam.create_service_linked_role().aws_service_name(service);
    super::refused! {
        "InvalidInput" 400 "Custom suffix is not allowed for mrk.kms.amazonaws.com" create("mrk.kms.amazonaws.com").custom_suffix("x");
        "InvalidInput" 400 "Custom suffix is not allowed for ecs.amazonaws.com" create("ecs.amazonaws.com").custom_suffix("x");
        "NotImplemented" 501 "the service-linked role of s3.amazonaws.com" create("s3.amazonaws.com");
    }
    let made = create("mrk.kms.amazonaws.com").send().await.unwrap();
    let name = "AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
    assert_eq!(made.role().unwrap().role_name(), name);
    let read = iam.get_role().role_name(name).send().await.unwrap();
    assert_eq!(read.role().unwrap().path(), "/aws-service-role/mrk.kms.amazonaws.com/");
    super::refused! {
        "InvalidInput" 400 "has been taken in this account" create("mrk.kms.amazonaws.com");
    }
}

/// `test_copy_in_place_with_bucket_encryption` and `test_s3_copy_object_in_place_with_encryption`.
#[tokio::test]
async fn a_copy_in_place_is_allowed_where_it_changes_the_encryption_or_the_bucket_sets_one() {
    let stand = Stand::start().await;
    let (s3, (key, _)) = (stand.s3(EAST), stand.keys().await);
    stand.bucket("copied", EAST, true).await;
    let put = |name: &str| s3.put_object().bucket("copied").key(name);
    put("plain").send().await.unwrap();
    let kms = put("kms").server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(&key);
    kms.send().await.unwrap();
    let copy = |name: &str| {
        s3.copy_object().bucket("copied").key(name).copy_source(format!("copied/{name}"))
    };
    let algorithm = |done: CopyObjectOutput| done.server_side_encryption.unwrap();
    super::refused! { "InvalidRequest" 400 "without changing the object" copy("plain"); }
    let done = copy("kms").send().await.unwrap();
    assert_eq!(algorithm(done), ServerSideEncryption::Aes256);
    super::refused! { "InvalidRequest" 400 "without changing the object" copy("kms"); }

    stand.encrypt("copied", EAST, &key).await;
    for _ in 0..2 {
        let done = copy("plain").send().await.unwrap();
        assert_eq!(algorithm(done), ServerSideEncryption::AwsKms);
    }
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::Aes256)
        .build()
        .unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
    let put = s3.put_bucket_encryption().bucket("copied");
    put.server_side_encryption_configuration(rules).send().await.unwrap();
    for _ in 0..2 {
        let done = copy("plain").send().await.unwrap();
        assert_eq!(algorithm(done), ServerSideEncryption::Aes256);
    }
    s3.delete_bucket_encryption().bucket("copied").send().await.unwrap();
    super::refused! { "InvalidRequest" 400 "without changing the object" copy("plain"); }
}

/// `test_s3_sse_validate_kms_key`, and
/// `test_create_role_with_malformed_assume_role_policy_document`.
#[tokio::test]
async fn key_ids_and_trust_policies_that_can_not_be_read() {
    let stand = Stand::start().await;
    let (s3, iam, kms) = (stand.s3(EAST), stand.iam(), stand.kms(EAST));
    stand.bucket("keyed", EAST, true).await;
    let put = || {
        let put = s3.put_object().bucket("keyed").key("k");
        put.server_side_encryption(ServerSideEncryption::AwsKms)
    };
    let (uuid, mrk) =
        ("134f2428-cec1-4b25-a1ae-9048164dba47", "mrk-134f2428cec14b25a1ae9048164dba47");
    let role = || iam.create_role().role_name("trusted");
    let policy = || iam.create_policy().policy_name("managed");
    super::refused! {
        "KMS.NotFoundException" 400 "Invalid keyId 'fake-key-id'" put().ssekms_key_id("fake-key-id");
        "KMS.NotFoundException" 400 "does not exist" put().ssekms_key_id(uuid);
        "KMS.NotFoundException" 400 "does not exist" put().ssekms_key_id(mrk);
        "NotFoundException" 400 "Invalid keyId 'fake-key-id'" kms.describe_key().key_id("fake-key-id");
        "NotFoundException" 400 "does not exist" kms.describe_key().key_id(uuid);
        "MalformedPolicyDocument" 400 "This policy contains invalid Json" role().assume_role_policy_document(r#"{"Statement": [],}"#);
        "MalformedPolicyDocument" 400 "Syntax errors in policy." policy().policy_document(r#"{"Statement": [],}"#);
    }
}
