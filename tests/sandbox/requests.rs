//! How a request reaches a bucket or an object of S3: virtual hosts, other Regions, anonymous
//! requests, parts, conditions, and requests that are repeated. Facts: S3 User Guide and S3 API
//! Reference, and what S3 was recorded to answer (localstack's tests for S3, read 2026-11).
//! Not for: signatures (see `signed`).

use super::raw::Raw;
use super::{ACCOUNT, EAST, OTHER, Stand, WEST, assert_answer, refused};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration,
    Delete, ObjectIdentifier, StorageClass,
};
use crrctl_sandbox::Options;
use md5::Digest;
use std::fmt::Write;

const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

fn at(host: &str, method: &'static str, target: &str) -> Raw {
    let mut request = Raw::s3(method, target);
    request.headers.push(("host".into(), host.into()));
    request
}

async fn unsigned(stand: &Stand, method: &str, target: &str) -> String {
    let text =
        format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stand.answer_to(text).await
}

#[tokio::test]
async fn a_bucket_can_be_in_the_host_name() {
    let hostnames = vec!["s3.example.com".to_owned()];
    let stand = Stand::with(Options { hostnames, ..Options::default() }).await;
    let address = stand.sandbox.address();
    for host in ["orders.localhost:4700", "more.s3.example.com", "nip.127.0.0.1.nip.io"] {
        let create = at(host, "PUT", "/").answer(address).await;
        assert_answer(&create, 200, &[]);
        let mut put = at(host, "PUT", "/a%20b/c");
        put.body = b"hello".to_vec();
        assert_answer(&put.answer(address).await, 200, &[]);
        let get = at(host, "GET", "/a%20b/c").answer(address).await;
        assert_answer(&get, 200, &["\r\n\r\nhello"]);
        let bucket = host.split('.').next().unwrap();
        let list = at(host, "GET", "/?list-type=2").answer(address).await;
        assert_answer(&list, 200, &[&format!("<Name>{bucket}</Name>"), "<Key>a b/c</Key>"]);
        // The path style leads to the same bucket.
        let body = stand.s3(EAST).get_object().bucket(bucket).key("a b/c").send().await.unwrap();
        assert_eq!(body.body.collect().await.unwrap().to_vec(), b"hello");
        let absent = at(host, "GET", "/absent").answer(address).await;
        assert_answer(&absent, 404, &["<Key>absent</Key>"]);
    }
    // Another name is not a bucket.
    let list = at("anything.example.net", "GET", "/").answer(address).await;
    assert_answer(&list, 200, &["<ListAllMyBucketsResult"]);
}

#[tokio::test]
async fn a_bucket_of_another_region_is_named_by_its_region() {
    let stand = Stand::start().await;
    stand.bucket("western", WEST, false).await;
    let eu = CreateBucketConfiguration::builder();
    let eu = eu.location_constraint(BucketLocationConstraint::Eu).build();
    let create = stand.s3(EAST).create_bucket().bucket("european");
    create.create_bucket_configuration(eu).send().await.unwrap();
    for (bucket, constraint) in [("western", WEST), ("european", "EU")] {
        let location = stand.s3(EAST).get_bucket_location().bucket(bucket).send().await.unwrap();
        assert_eq!(location.location_constraint().unwrap().as_str(), constraint);
    }
    let address = stand.sandbox.address();
    let get = at("localhost:4700", "GET", "/western/k").answer(address).await;
    let endpoint = "<Bucket>western</Bucket><Endpoint>localhost:4700</Endpoint>";
    assert_answer(&get, 301, &["PermanentRedirect", endpoint, "x-amz-bucket-region: us-west-2"]);
    // A host name with the bucket leads to the right Region, for which the signature is not.
    let get = at("western.localhost", "GET", "/k").answer(address).await;
    let text = "the region &apos;us-east-1&apos; is wrong; expecting &apos;us-west-2&apos;";
    let region = "<Region>us-west-2</Region>";
    assert_answer(&get, 400, &["<Code>AuthorizationHeaderMalformed</Code>", text, region]);
    let location = at("localhost", "GET", "/western?location").answer(address).await;
    assert_answer(&location, 200, &["\"UTF-8\"?>\n<LocationConstraint", ">us-west-2</"]);
    stand.bucket("eastern", EAST, false).await;
    let location = at("localhost", "GET", "/eastern?location").answer(address).await;
    assert_answer(&location, 200, &["<LocationConstraint xmlns=", "2006-03-01/\"/>"]);
}

#[tokio::test]
async fn an_anonymous_request_is_judged_by_policy_and_public_access_block() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("public", EAST, false).await;
    stand.put("public", "k").await;
    let denied = ["<Code>AccessDenied</Code><Message>Access Denied</Message>"];
    assert_answer(&unsigned(&stand, "GET", "/public/k").await, 403, &denied);
    assert_answer(&unsigned(&stand, "GET", "/absent/k").await, 404, &["NoSuchBucket"]);
    stand.bucket("western", WEST, false).await;
    let region = ["x-amz-bucket-region: us-west-2"];
    assert_answer(&unsigned(&stand, "HEAD", "/western").await, 403, &region);
    s3.delete_public_access_block().bucket("public").send().await.unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::public/*"}]}"#;
    s3.put_bucket_policy().bucket("public").policy(policy).send().await.unwrap();
    assert_answer(&unsigned(&stand, "GET", "/public/k").await, 200, &[]);
    assert_answer(&unsigned(&stand, "PUT", "/public/k").await, 403, &denied);
    let chosen = unsigned(&stand, "GET", "/public/k?response-content-type=text%2Fplain").await;
    assert_answer(&chosen, 400, &["cannot be used for anonymous GET requests."]);
    let restricted = aws_sdk_s3::types::PublicAccessBlockConfiguration::builder();
    let restricted = restricted.restrict_public_buckets(true).build();
    let put = s3.put_public_access_block().bucket("public");
    put.public_access_block_configuration(restricted).send().await.unwrap();
    assert_answer(&unsigned(&stand, "GET", "/public/k").await, 403, &denied);
}

#[tokio::test]
async fn an_acl_opens_an_object_to_everybody_or_to_whoever_signs() {
    use aws_sdk_s3::types::{
        ObjectCannedAcl, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    };
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("opened", EAST, false).await;
    s3.delete_public_access_block().bucket("opened").send().await.unwrap();
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter);
    let controls = OwnershipControls::builder().rules(rule.build().unwrap()).build().unwrap();
    let put = s3.put_bucket_ownership_controls().bucket("opened").ownership_controls(controls);
    put.send().await.unwrap();
    let others = stand.s3_as(OTHER, crrctl_sandbox::SECRET, EAST);
    for (acl, anonymous, signed) in [
        (ObjectCannedAcl::PublicRead, 200, true),
        (ObjectCannedAcl::AuthenticatedRead, 403, true),
        (ObjectCannedAcl::Private, 403, false),
    ] {
        s3.put_object().bucket("opened").key("k").acl(acl).send().await.unwrap();
        assert_answer(&unsigned(&stand, "GET", "/opened/k").await, anonymous, &[]);
        let get = others.get_object().bucket("opened").key("k").send().await;
        assert_eq!(get.is_ok(), signed);
    }
}

/// Uploads parts of 5 MiB, 5 MiB and 3 bytes, and returns the request that completes the upload.
async fn uploaded(
    stand: &Stand,
    key: &str,
) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder
{
    let s3 = stand.s3(EAST);
    let upload = s3.create_multipart_upload().bucket("parts").key(key).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, size) in [(1, 5 << 20), (2, 5 << 20), (3, 3)] {
        let body = ByteStream::from(vec![b'a'; size]);
        let part = s3.upload_part().bucket("parts").key(key).upload_id(id).part_number(number);
        let part = part.body(body).send().await.unwrap();
        let tag = part.e_tag().unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    let complete = s3.complete_multipart_upload().bucket("parts").key(key).upload_id(id);
    complete.multipart_upload(parts.build())
}

#[tokio::test]
async fn a_part_of_an_object_can_be_read() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("parts", EAST, false).await;
    uploaded(&stand, "k").await.send().await.unwrap();
    for (number, range) in
        [(1, "bytes 0-5242879/10485763"), (3, "bytes 10485760-10485762/10485763")]
    {
        let head = s3.head_object().bucket("parts").key("k").part_number(number);
        let head = head.send().await.unwrap();
        assert_eq!((head.content_range(), head.parts_count()), (Some(range), Some(3)));
        let get = s3.get_object().bucket("parts").key("k").part_number(number);
        let get = get.send().await.unwrap();
        assert_eq!((get.content_range(), get.parts_count()), (Some(range), Some(3)));
        assert_eq!(get.content_length(), head.content_length());
    }
    // An object that was not uploaded in parts has one.
    s3.put_object()
        .bucket("parts")
        .key("small")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let get = s3.get_object().bucket("parts").key("small").part_number(1).send().await.unwrap();
    assert_eq!((get.content_range(), get.parts_count()), (Some("bytes 0-4/5"), None));
    let get = || s3.get_object().bucket("parts").key("k");
    refused! {
        "InvalidPartNumber" 416 "The requested partnumber is not satisfiable" get().part_number(4);
        "InvalidArgument" 400 "Part number must be an integer between 1 and 10000" get().part_number(0);
        "InvalidRequest" 400 "Cannot specify both Range header and partNumber query parameter" get().part_number(1).range("bytes=0-1");
    }
}

#[tokio::test]
async fn an_upload_is_completed_once_and_answered_twice() {
    let stand = Stand::start().await;
    stand.bucket("parts", EAST, true).await;
    let complete = uploaded(&stand, "k").await;
    let first = complete.clone().send().await.unwrap();
    let again = complete.clone().send().await.unwrap();
    assert_eq!((again.version_id(), again.e_tag()), (first.version_id(), first.e_tag()));
    let versions = stand.s3(EAST).list_object_versions().bucket("parts").send().await.unwrap();
    assert_eq!(versions.versions().len(), 1);
    let delete = stand.s3(EAST).delete_object().bucket("parts").key("k");
    delete.version_id(first.version_id().unwrap()).send().await.unwrap();
    refused! {
        "NoSuchUpload" 404 "" complete;
    }
}

#[tokio::test]
async fn a_conditional_upload_fails_where_its_key_changed_meanwhile() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("parts", EAST, false).await;
    let put = |key: &'static str| s3.put_object().bucket("parts").key(key);
    let delete = |key: &'static str| s3.delete_object().bucket("parts").key(key);
    let written = put("written").send().await.unwrap();
    let tag = written.e_tag().unwrap();
    let over = uploaded(&stand, "written").await;
    put("written").send().await.unwrap();
    let deleted = uploaded(&stand, "deleted").await;
    put("deleted").send().await.unwrap();
    delete("deleted").send().await.unwrap();
    let quiet = uploaded(&stand, "quiet").await;
    refused! {
        "ConditionalRequestConflict" 409 "conflicting operation against this resource" over.clone().if_match(tag);
        "PreconditionFailed" 412 "" over.clone().if_none_match("*");
        "ConditionalRequestConflict" 409 "conflicting operation against this resource" deleted.clone().if_none_match("*");
        "NoSuchKey" 404 "" deleted.clone().if_match(tag);
    }
    for complete in [over, deleted, quiet.if_none_match("*")] {
        complete.send().await.unwrap();
    }
}

#[tokio::test]
async fn a_delete_can_have_a_condition() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("conditions", EAST, true).await;
    let put = s3.put_object().bucket("conditions").key("k").send().await.unwrap();
    let tag = put.e_tag().unwrap();
    let delete = || s3.delete_object().bucket("conditions").key("k");
    refused! {
        "PreconditionFailed" 412 "" delete().if_match("\"other\"");
        "NoSuchKey" 404 "" delete().key("absent").if_match("*");
        "NotImplemented" 501 "A header you provided implies" delete().if_match_last_modified_time(aws_sdk_s3::primitives::DateTime::from_secs(0));
    }
    let named = |tag: &str| ObjectIdentifier::builder().key("k").e_tag(tag).build().unwrap();
    let both = Delete::builder().objects(named("\"other\"")).objects(named(tag)).build().unwrap();
    let done = s3.delete_objects().bucket("conditions").delete(both).send().await.unwrap();
    assert_eq!(done.errors()[0].code(), Some("PreconditionFailed"));
    assert_eq!(done.deleted()[0].delete_marker(), Some(true));
    // A delete marker meets no condition.
    refused! {
        "PreconditionFailed" 412 "" delete().if_match("*");
    }
    s3.put_object().bucket("conditions").key("k").send().await.unwrap();
    delete().if_match("*").send().await.unwrap();
}

#[tokio::test]
async fn an_archived_object_can_not_be_read() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("cold", EAST, false).await;
    for class in [StorageClass::Glacier, StorageClass::DeepArchive] {
        let put = s3.put_object().bucket("cold").key("k").storage_class(class);
        put.send().await.unwrap();
        refused! {
            "InvalidObjectState" 403 "not valid for the object's storage class" s3.get_object().bucket("cold").key("k");
            "InvalidObjectState" 403 "" s3.copy_object().bucket("cold").key("copy").copy_source("cold/k");
        }
        s3.head_object().bucket("cold").key("k").send().await.unwrap();
    }
}

#[tokio::test]
async fn a_plus_in_the_source_of_a_copy_is_a_space() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("copies", EAST, false).await;
    stand.put("copies", "a b").await;
    stand.put("copies", "c+d").await;
    let copy = |source: &str| s3.copy_object().bucket("copies").key("copy").copy_source(source);
    copy("copies/a+b").send().await.unwrap();
    copy("copies/c%2Bd").send().await.unwrap();
    refused! {
        "NoSuchKey" 404 "" copy("copies/c+d");
        "InvalidArgument" 400 "Invalid copy source object key" copy("copies");
    }
}

#[tokio::test]
async fn one_header_can_name_several_attributes() {
    let stand = Stand::start().await;
    stand.bucket("attributes", EAST, false).await;
    stand.put("attributes", "k").await;
    let mut get = Raw::s3("GET", "/attributes/k?attributes");
    get.headers.push(("x-amz-object-attributes".into(), "ETag, ObjectSize,StorageClass".into()));
    let answer = get.answer(stand.sandbox.address()).await;
    let size = "<ObjectSize>5</ObjectSize>";
    assert_answer(&answer, 200, &["<ETag>", size, "<StorageClass>STANDARD</StorageClass>"]);
}

#[tokio::test]
async fn every_error_says_that_it_is_xml() {
    let stand = Stand::start().await;
    stand.bucket("errors", EAST, true).await;
    stand.bucket("western", WEST, false).await;
    stand.s3(EAST).delete_object().bucket("errors").key("gone").send().await.unwrap();
    for (target, status) in [("/errors/gone", 404), ("/errors/absent", 404), ("/western/k", 301)] {
        let answer = Raw::s3("GET", target).answer(stand.sandbox.address()).await;
        assert_answer(&answer, status, &["content-type: application/xml", "<HostId>"]);
    }
}

#[tokio::test]
async fn a_range_that_can_not_be_parsed_is_ignored() {
    let stand = Stand::start().await;
    stand.bucket("ranges", EAST, false).await;
    stand.put("ranges", "k").await;
    let (id, secret) = stand.user("reader", NOTHING).await;
    let (wrong, reader) = (stand.s3_as(ACCOUNT, "wrong", EAST), stand.s3_as(&id, &secret, EAST));
    let s3 = stand.s3(EAST);
    for range in ["nonsense", "bytes=0-0,2-3", "bytes=1-0"] {
        let get = s3.get_object().bucket("ranges").key("k").range(range).send().await.unwrap();
        assert_eq!((get.content_range(), get.content_length()), (None, Some(5)));
        s3.head_object().bucket("ranges").key("k").range(range).send().await.unwrap();
        // The signature still counts, and who made it.
        refused! {
            "SignatureDoesNotMatch" 403 "" wrong.get_object().bucket("ranges").key("k").range(range);
            "AccessDenied" 403 "user/reader" reader.get_object().bucket("ranges").key("k").range(range);
        }
    }
}

#[tokio::test]
async fn a_key_can_be_written_with_character_references() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("references", EAST, false).await;
    stand.put("references", "party 🎉 é").await;
    let mut delete = Raw::s3("POST", "/references?delete");
    delete.body = b"<Delete><Object><Key>party &#127881; &#xE9;</Key></Object></Delete>".to_vec();
    let digest = aws_smithy_types::base64::encode(md5::Md5::digest(&delete.body));
    delete.headers.push(("content-md5".into(), digest));
    let answer = delete.answer(stand.sandbox.address()).await;
    assert_answer(&answer, 200, &["<Deleted><Key>party 🎉 é</Key>"]);
    let left = s3.list_objects_v2().bucket("references").send().await.unwrap();
    assert_eq!(left.key_count(), Some(0));
}

#[tokio::test]
async fn an_empty_marker_or_token_counts_as_none() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("markers", EAST, false).await;
    let upload = s3.create_multipart_upload().bucket("markers").key("k").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let list = Raw::s3("GET", &format!("/markers/k?part-number-marker=&uploadId={id}"));
    assert_answer(&list.answer(stand.sandbox.address()).await, 200, &["<ListPartsResult"]);
    s3.list_objects_v2().bucket("markers").continuation_token("").send().await.unwrap();
}

#[tokio::test]
async fn response_headers_are_chosen_in_iso_8859_1() {
    let stand = Stand::start().await;
    stand.bucket("overrides", EAST, false).await;
    stand.put("overrides", "k").await;
    let get = || stand.s3(EAST).get_object().bucket("overrides").key("k");
    refused! {
        "InvalidArgument" 400 "Header value cannot be represented using ISO-8859-1." get().response_cache_control("a—b");
    }
    let get = get().response_cache_control("no-store").send().await.unwrap();
    assert_eq!(get.cache_control(), Some("no-store"));
}

#[tokio::test]
async fn an_upload_in_chunks_has_the_size_and_the_trailers_that_it_announces() {
    let stand = Stand::start().await;
    stand.bucket("chunks", EAST, false).await;
    let put = |size: usize, trailer: &str| {
        let size = size.to_string();
        let mut put = Raw::s3("PUT", "/chunks/k");
        for (name, value) in [
            ("x-amz-decoded-content-length", &*size),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ] {
            put.headers.push((name.to_owned(), value.to_owned()));
        }
        let mut body = String::new();
        let _ = write!(body, "5\r\nhello\r\n0\r\n{trailer}\r\n");
        put.body = body.into_bytes();
        put
    };
    let (checksum, address) = ("x-amz-checksum-crc32:NhCmhg==\r\n", stand.sandbox.address());
    assert_answer(&put(5, checksum).answer(address).await, 200, &[]);
    assert_answer(&put(6, checksum).answer(address).await, 400, &["<Code>IncompleteBody</Code>"]);
    assert_answer(&put(5, "").answer(address).await, 400, &["<Code>MalformedTrailerError</Code>"]);
}
