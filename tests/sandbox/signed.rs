//! S3's signatures beside the ordinary one in the headers: presigned URLs of both versions, and what
//! S3 checks of a signature's parameters. The errors are as recorded from S3 (localstack's tests
//! `TestS3PresignedUrl`, read 2026-11).
//! Not for: POST uploads (see `posts`), and presigned requests to other services (see `presigned`).

use super::raw::Raw;
use super::{ACCOUNT, EAST, Stand, WEST, assert_answer};
use aws_sdk_s3::presigning::PresigningConfig;
use crrctl_sandbox::SECRET;
use hmac::{KeyInit, Mac, SimpleHmac};
use std::time::{Duration, SystemTime};

/// Sends a request that is not signed in its headers, and returns the response as text.
pub(super) async fn send(
    stand: &Stand,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> String {
    let host = stand.sandbox.address();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stand.answer_to(request).await
}

/// Returns the Signature Version 2 of a text.
pub(super) fn signature_v2(text: &str) -> String {
    let mut mac = SimpleHmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    aws_smithy_types::base64::encode(mac.finalize().into_bytes())
}

pub(super) fn unix(offset: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + offset
}

/// Returns a URL that is presigned with Signature Version 2, as boto3 does by default in us-east-1.
pub(super) fn url_v2(method: &str, path: &str, amz: &[(&str, &str)], expires: i64) -> String {
    let lines = amz.iter().flat_map(|(name, value)| [name, ":", value, "\n"]).collect::<String>();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let signature = encoded(&signature_v2(&format!("{method}\n\n\n{expires}\n{lines}{path}")));
    let amz: String = amz
        .iter()
        .map(|(name, value)| format!("&{name}={}", encoded(value)))
        .collect::<Vec<_>>()
        .concat();
    format!("{path}?AWSAccessKeyId={ACCOUNT}&Signature={signature}&Expires={expires}{amz}")
}

async fn presigned_put(stand: &Stand, valid: Duration, signed: SystemTime) -> String {
    let config = PresigningConfig::builder().start_time(signed).expires_in(valid).build().unwrap();
    let put = stand.s3(EAST).put_object().bucket("signed").key("k");
    let url = put.presigned(config).await.unwrap().uri().to_owned();
    url.split_once(&stand.sandbox.address().to_string()).unwrap().1.to_owned()
}

#[tokio::test]
async fn a_presigned_url_covers_all_headers_and_ends() {
    let stand = Stand::start().await;
    stand.bucket("signed", EAST, false).await;
    let (now, minute) = (SystemTime::now(), Duration::from_mins(1));
    let url = presigned_put(&stand, minute, now).await;
    let put = |url: String, headers: &'static str| {
        let stand = &stand;
        async move { send(stand, "PUT", &url, headers, "hello").await }
    };
    assert_answer(&put(url.clone(), "").await, 200, &[]);
    let unsigned = put(url.clone(), "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n").await;
    assert_answer(&unsigned, 200, &[]);
    let text = "There were headers present in the request which were not signed";
    for (headers, names) in [
        ("x-amz-meta-color: red\r\n", "x-amz-meta-color"),
        ("x-amz-copy-source: signed/k\r\nx-amz-acl: private\r\n", "x-amz-copy-source, x-amz-acl"),
    ] {
        let names = format!("<HeadersNotSigned>{names}</HeadersNotSigned>");
        let code = "<Code>AccessDenied</Code>";
        assert_answer(&put(url.clone(), headers).await, 403, &[code, text, &names]);
    }
    let both = put(url.clone(), "authorization: AWS a:b\r\n").await;
    let argument =
        "<ArgumentName>Authorization</ArgumentName><ArgumentValue>AWS a:b</ArgumentValue>";
    assert_answer(
        &both,
        400,
        &["<Code>InvalidArgument</Code>", "Only one auth mechanism", argument],
    );
    let parameters = "<Code>AuthorizationQueryParametersError</Code>";
    for (from, to, text) in [
        ("X-Amz-Expires=60", "X-Amz-Expires=691200", "must be less than a week (in seconds)"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-1", "must be non-negative"),
        ("X-Amz-Expires=60", "X-Amz-Expires=x", "should be a number"),
        ("X-Amz-SignedHeaders=", "x=", "requires the X-Amz-Algorithm, X-Amz-Credential"),
    ] {
        assert!(url.contains(from), "{url}");
        assert_answer(&put(url.replace(from, to), "").await, 400, &[parameters, text]);
    }
    let (code, access_key) = ("SignatureDoesNotMatch", format!("<AWSAccessKeyId>{ACCOUNT}"));
    let request = "<CanonicalRequest>PUT\n/signed/other\n";
    let other = put(url.replace("/signed/k", "/signed/other"), "").await;
    let bytes = "<CanonicalRequestBytes>50 55 54 0a";
    let parts = [code, &access_key, request, bytes, "<StringToSign>AWS4-HMAC-SHA256\n"];
    assert_answer(&other, 403, &parts);
    let old = presigned_put(&stand, minute, now - Duration::from_mins(2)).await;
    let parts =
        ["Request has expired", "<X-Amz-Expires>60</X-Amz-Expires><Expires>", "<ServerTime>"];
    assert_answer(&put(old, "").await, 403, &parts);
    // A body in signed chunks needs a signature in the headers.
    let chunks = "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n";
    assert_answer(&put(url, chunks).await, 403, &[code]);
}

#[tokio::test]
async fn version_2_is_accepted_in_us_east_1_alone() {
    let stand = Stand::start().await;
    stand.bucket("signed", EAST, true).await;
    stand.bucket("western", WEST, false).await;
    let (soon, past) = (unix(60), unix(-60));
    // Headers of S3 may be in the query string.
    let color = [("x-amz-meta-color", "red")];
    let url = url_v2("PUT", "/signed/k", &color, soon);
    assert_answer(&send(&stand, "PUT", &url, "", "hello").await, 200, &[]);
    let url = url_v2("GET", "/signed/k", &[], soon);
    let answer = send(&stand, "GET", &url, "", "a body that S3 ignores").await;
    assert_answer(&answer, 200, &["x-amz-meta-color: red", "\r\n\r\nhello"]);
    let unsigned = send(&stand, "GET", &url, "x-amz-meta-color: blue\r\n", "").await;
    let text = "<StringToSign>GET\n\n\n";
    assert_answer(&unsigned, 403, &["SignatureDoesNotMatch", text, "x-amz-meta-color:blue"]);
    assert!(!unsigned.contains("CanonicalRequest"), "{unsigned}");
    let parameters =
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId";
    let missing = url.replace("Expires=", "Expiry=");
    let answer = send(&stand, "GET", &missing, "", "").await;
    assert_answer(&answer, 403, &["<Code>AccessDenied</Code>", parameters]);
    let late = url_v2("GET", "/signed/k", &[], past);
    let answer = send(&stand, "GET", &late, "", "").await;
    assert_answer(&answer, 403, &["Request has expired", "<Expires>", "<ServerTime>"]);
    // Objects under KMS keys need Signature Version 4.
    let kms = stand.kms(EAST).create_key().send().await.unwrap();
    let put = stand.s3(EAST).put_object().bucket("signed").key("secret");
    let put = put.server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms);
    put.ssekms_key_id(kms.key_metadata().unwrap().key_id()).send().await.unwrap();
    let secret = url_v2("GET", "/signed/secret", &[], soon);
    let answer = send(&stand, "GET", &secret, "", "").await;
    assert_answer(&answer, 400, &["require AWS Signature Version 4."]);
    let large = "a".repeat(2 << 20);
    let url = url_v2("PUT", "/signed/large", &[], soon);
    assert_answer(&send(&stand, "PUT", &url, "", &large).await, 200, &[]);
    let western = url_v2("GET", "/western/k", &[], soon);
    let answer = send(&stand, "GET", &western, "", "").await;
    assert_answer(&answer, 400, &["<Code>InvalidRequest</Code>", "Please use AWS4-HMAC-SHA256"]);
}

#[tokio::test]
async fn headers_that_are_added_to_a_signed_request_are_refused() {
    let stand = Stand::start().await;
    stand.bucket("signed", EAST, false).await;
    let mut put = Raw::s3("PUT", "/signed/k");
    put.body = b"hello".to_vec();
    let bytes = String::from_utf8(put.signed().unwrap()).unwrap();
    let added = bytes.replacen("\r\n\r\n", "\r\nx-amz-tagging: a=b\r\n\r\n", 1);
    let names = "<HeadersNotSigned>x-amz-tagging</HeadersNotSigned>";
    assert_answer(&stand.answer_to(added).await, 403, &["<Code>AccessDenied</Code>", names]);
    let added = bytes.replacen("\r\n\r\n", "\r\ncontent-language: de\r\n\r\n", 1);
    assert_answer(&stand.answer_to(added).await, 200, &[]);
}

#[tokio::test]
async fn a_signature_names_a_region() {
    let stand = Stand::start().await;
    stand.bucket("western", WEST, false).await;
    for (target, expected) in [("/western/k", WEST), ("/", EAST)] {
        let authorization = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261130/US/s3/aws4_request, SignedHeaders=host, Signature=00\r\n"
        );
        let answer = send(&stand, "GET", target, &authorization, "").await;
        let text = format!("the region &apos;US&apos; is wrong; expecting &apos;{expected}&apos;");
        let region = format!("<Region>{expected}</Region>");
        let code = "<Code>AuthorizationHeaderMalformed</Code>";
        assert_answer(&answer, 400, &[code, &text, &region]);
    }
}

#[tokio::test]
async fn a_bucket_with_an_encoded_slash_is_signed_first() {
    let stand = Stand::start().await;
    stand.bucket("signed", EAST, false).await;
    let url = presigned_put(&stand, Duration::from_mins(1), SystemTime::now()).await;
    let url = url.replacen("/signed", "/%2Fsigned", 1);
    let request = "<CanonicalRequest>GET\n//signed/k\n";
    let answer = send(&stand, "GET", &url, "", "").await;
    assert_answer(&answer, 403, &["<Code>SignatureDoesNotMatch</Code>", request]);
}

#[tokio::test]
async fn an_object_keeps_headers_with_other_characters() {
    let stand = Stand::start().await;
    stand.bucket("signed", EAST, false).await;
    let soon = unix(60);
    // Signature Version 2 covers the metadata, and no other header of an object.
    let meta = [("x-amz-meta-city", "Köln"), ("x-amz-meta-word", "=?UTF-8?B?=GGG?=")];
    let url = url_v2("PUT", "/signed/k", &meta, soon);
    let headers = "cache-control: from — to\r\n";
    assert_answer(&send(&stand, "PUT", &url, headers, "hello").await, 200, &[]);
    let get = url_v2("GET", "/signed/k", &[], soon);
    let shown = [
        "x-amz-meta-city: =?UTF-8?Q?K=C3=B6ln?=\r\n",
        "x-amz-meta-word: =?UTF-8?B?=GGG?=\r\n",
        "cache-control: from   to\r\n",
    ];
    assert_answer(&send(&stand, "GET", &get, "", "").await, 200, &shown);
    let wrong = url.replace("K%C3%B6ln", "Bonn%C3%B6");
    let answer = send(&stand, "PUT", &wrong, headers, "hello").await;
    assert_answer(&answer, 403, &["SignatureDoesNotMatch"]);
}
