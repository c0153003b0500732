//! Requests that S3 takes and a strict decoder refuses, and the form of S3's lists. All is as recorded
//! from S3 (localstack's tests `test_s3_api.py` and `test_s3_list_operations.py`, read 2026-12).
//! Not for: signatures (see `signed`).

use super::raw::Raw;
use super::{EAST, Stand, assert_answer};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use std::time::SystemTime;

async fn stand() -> Stand {
    let stand = Stand::start().await;
    stand.bucket("lenient", EAST, false).await;
    put(&stand, "k", b"0123456789").await;
    stand
}

async fn put(stand: &Stand, key: &str, data: &'static [u8]) {
    let body = ByteStream::from_static(data);
    stand.s3(EAST).put_object().bucket("lenient").key(key).body(body).send().await.unwrap();
}

async fn answer(stand: &Stand, method: &'static str, target: &str) -> String {
    Raw::s3(method, target).answer(stand.sandbox.address()).await
}

#[tokio::test]
async fn an_object_of_xml_stays_as_it_is() {
    let stand = stand().await;
    put(&stand, "x.xml", b"<a>&#127881;</a>").await;
    assert_answer(&answer(&stand, "GET", "/lenient/x.xml").await, 200, &["<a>&#127881;</a>"]);
}

#[tokio::test]
async fn a_range_of_the_whole_object_has_its_checksum() {
    let stand = stand().await;
    let get = |range: &str| {
        let mut request = Raw::s3("GET", "/lenient/k");
        request.headers.push(("range".to_owned(), range.to_owned()));
        request.headers.push(("x-amz-checksum-mode".to_owned(), "ENABLED".to_owned()));
        let address = stand.sandbox.address();
        async move { request.answer(address).await }
    };
    let checksum = "x-amz-checksum-type: FULL_OBJECT";
    for whole in ["bytes=0-9", "bytes=0-100", "bytes=-15"] {
        assert_answer(&get(whole).await, 206, &["content-range: bytes 0-9/10", checksum]);
    }
    let part = get("bytes=0-8").await;
    assert_answer(&part, 206, &["content-range: bytes 0-8/10"]);
    assert!(!part.contains("x-amz-checksum"), "{part}");
    assert_answer(&get("bytes=-").await, 200, &[checksum, "0123456789"]);
}

#[tokio::test]
async fn empty_numbers_and_tokens_count_as_absent() {
    let stand = stand().await;
    assert_answer(&answer(&stand, "GET", "/lenient?max-keys=").await, 200, &["<MaxKeys>1000<"]);
    let buckets = answer(&stand, "GET", "/?continuation-token=&max-buckets=1").await;
    assert_answer(&buckets, 200, &["<Name>lenient</Name>"]);
}

#[tokio::test]
async fn a_completion_without_a_body_names_no_part() {
    let stand = stand().await;
    let absent = answer(&stand, "POST", "/lenient/m?uploadId=none").await;
    assert_answer(&absent, 404, &["<Code>NoSuchUpload</Code>", "<UploadId>none</UploadId>"]);
    let s3 = stand.s3(EAST);
    let upload = s3.create_multipart_upload().bucket("lenient").key("m").send().await.unwrap();
    let target = format!("/lenient/m?uploadId={}", upload.upload_id().unwrap());
    let text = "You must specify at least one part";
    let none = answer(&stand, "POST", &target).await;
    assert_answer(&none, 400, &["<Code>InvalidRequest</Code>", text]);
}

#[tokio::test]
async fn a_copy_may_name_its_source_by_url() {
    let stand = stand().await;
    let mut copy = Raw::s3("PUT", "/lenient/copy");
    let source = format!("{}/lenient/k", stand.sandbox.endpoint());
    copy.headers.push(("x-amz-copy-source".to_owned(), source));
    let copied = copy.answer(stand.sandbox.address()).await;
    let root = "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    assert_answer(&copied, 200, &[root, ".000Z</LastModified>"]);
    assert_answer(&answer(&stand, "GET", "/lenient/copy").await, 200, &["0123456789"]);
}

#[tokio::test]
async fn lists_have_whole_seconds_and_the_owner_of_buckets_first() {
    let stand = stand().await;
    let s3 = stand.s3(EAST);
    let upload = s3.create_multipart_upload().bucket("lenient").key("m").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3.upload_part().bucket("lenient").key("m").upload_id(id).part_number(1);
    part.body(ByteStream::from_static(b"1")).send().await.unwrap();
    for (target, time) in [
        ("/lenient", "LastModified"),
        ("/lenient?list-type=2", "LastModified"),
        ("/lenient?versions", "LastModified"),
        ("/lenient?uploads", "Initiated"),
        (&*format!("/lenient/m?uploadId={id}"), "LastModified"),
        ("/", "CreationDate"),
    ] {
        assert_answer(&answer(&stand, "GET", target).await, 200, &[&format!(".000Z</{time}>")]);
    }
    let buckets = answer(&stand, "GET", "/").await;
    let owner = "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner>";
    assert_answer(&buckets, 200, &[owner, "</Owner><Buckets><Bucket>"]);
    let other = answer(&stand, "GET", "/?bucket-region=eu-east-1").await;
    let text = "Argument value eu-east-1 is not a valid AWS Region";
    let argument = "<ArgumentName>bucket-region</ArgumentName><RequestId>";
    assert_answer(&other, 400, &["<Code>InvalidArgument</Code>", text, argument]);
    assert_answer(&answer(&stand, "GET", "/?bucket-region=eu-west-1").await, 200, &[]);
}

#[tokio::test]
async fn what_is_wrong_with_tags_depends_on_where_they_are() {
    let stand = stand().await;
    let text = "The header &apos;x-amz-tagging&apos; shall be encoded as UTF-8 then URLEncoded";
    for tags in ["a=1&a=2", "a=1,b=2"] {
        let mut request = Raw::s3("PUT", "/lenient/t");
        request.headers.push(("x-amz-tagging".to_owned(), tags.to_owned()));
        let refused = request.answer(stand.sandbox.address()).await;
        let name = "<ArgumentName>x-amz-tagging</ArgumentName>";
        assert_answer(&refused, 400, &["<Code>InvalidArgument</Code>", text, name]);
    }
    let key = "<Key>lenient/none</Key>";
    let absent = answer(&stand, "GET", "/lenient/none?tagging").await;
    assert_answer(&absent, 404, &["<Code>NoSuchKey</Code>", key]);
    let key = "<Key>none</Key>";
    let absent = answer(&stand, "DELETE", "/lenient/none?tagging").await;
    assert_answer(&absent, 404, &["<Code>NoSuchKey</Code>", key]);
    for (tag, text) in [
        ("<Key>aws:a</Key><Value>b</Value>", "User-defined tag keys can&apos;t start with"),
        ("<Key>a,b</Key><Value>b</Value>", "This request contains a tag key or value that isn"),
        ("<Key>a</Key><Value>b,c</Value>", "<TagKey>a</TagKey><TagValue>b,c</TagValue>"),
        ("<Key>a</Key>", "<Code>MalformedXML</Code>"),
    ] {
        let mut create = Raw::s3("PUT", "/tagged-at-birth");
        create.body = format!(
            "<CreateBucketConfiguration><Tags><Tag>{tag}</Tag></Tags></CreateBucketConfiguration>"
        )
        .into_bytes();
        assert_answer(&create.answer(stand.sandbox.address()).await, 400, &[text]);
    }
}

/// RFC 9110, section 13.1.3, and localstack's test
/// `test_upload_part_copy_with_copy_source_if_modified_since_in_future_success`.
#[tokio::test]
async fn a_modification_since_a_time_to_come_is_not_asked_for() {
    let stand = stand().await;
    let s3 = stand.s3(EAST);
    let now = DateTime::from(SystemTime::now());
    let later = DateTime::from_secs(now.secs() + 86_400);
    let get = |time| s3.get_object().bucket("lenient").key("k").if_modified_since(time);
    let copy = |time| {
        let copy = s3.copy_object().bucket("lenient").key("copy").copy_source("lenient/k");
        copy.copy_source_if_modified_since(time)
    };
    get(later).send().await.unwrap();
    copy(later).send().await.unwrap();
    let unchanged = get(now).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    super::refused! { "PreconditionFailed" 412 "" copy(now); }
}
