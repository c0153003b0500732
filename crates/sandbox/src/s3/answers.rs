//! The layers around `s3s`. Before `s3s`: checks that `s3s` omits, and request elements that it
//! drops. After `s3s`: request ids and AWS's error messages. Not for: operations.

use super::call::{ExtraXml, ResponseStatus};
use super::checksum::DigestFormat;
use super::details::{Details, Subject};
use super::errors::{custom, message};
use super::host::Target;
use super::{checksum, event_hold, signed, sub_resources};
use crate::wire::Answer;
use crate::wire::answer::{with_code, with_request_id};
use crate::wire::query::element;
use crate::world::buckets::Tags;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SERVER};
use http::request::Parts;
use s3s::{Body, S3Error, S3Result, s3_error};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The first line of a response.
pub(super) const XML_DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// The tags of a `CreateBucket` request, which `s3s` drops.
#[derive(Debug, Clone, Default)]
pub(super) struct NewBucketTags(pub(super) Tags);

/// Verifies the body against the checksum headers, and stores the elements that `s3s` drops in the
/// request's extensions.
pub(super) fn prepare(parts: &mut Parts, body: &Bytes, target: &Target) -> S3Result<()> {
    signed::prepare(parts)?;
    sub_resources::check(parts, target)?;
    event_hold::keep(parts, body)?;
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let sha256 = header("x-amz-content-sha256");
    // A streaming upload carries its checksums in the body; `s3s` and the operation verify them.
    if sha256.starts_with("STREAMING-") {
        return Ok(());
    }
    if sha256.len() == 64 && hex::encode(Sha256::digest(body)) != sha256 {
        return Err(custom(400, "XAmzContentSHA256Mismatch", String::new()));
    }
    // In CompleteMultipartUpload, the checksum headers cover the object, not the request body.
    if !parts.uri.query().unwrap_or_default().contains("uploadId=") || parts.method == Method::PUT {
        let is_part = super::permit::parameter(&parts.uri, "partNumber").is_some();
        let format = if is_part { DigestFormat::Base64 } else { DigestFormat::Hex };
        checksum::verify(&parts.headers, body, format)?;
    }
    require_checksum(parts, target)?;
    if parts.method == Method::PUT && target.key.is_empty() && mentions(body) {
        let tags = new_bucket_tags(body)?;
        parts.extensions.insert(NewBucketTags(tags));
    }
    Ok(())
}

fn mentions(body: &[u8]) -> bool {
    const ROOT: &[u8] = b"<CreateBucketConfiguration";
    body.windows(ROOT.len()).any(|window| window == ROOT)
}

/// Refuses a request without a checksum where S3 requires one (S3 API Reference, the header
/// `Content-MD5` of each operation). The SDKs send one with `acl`, `encryption`, `policy`,
/// `versioning` and the tags of an object, too, but S3 takes those without.
fn require_checksum(parts: &Parts, target: &Target) -> S3Result<()> {
    const WANTED: [(&Method, &str); 9] = [
        (&Method::POST, "delete"),
        (&Method::PUT, "cors"),
        (&Method::PUT, "legal-hold"),
        (&Method::PUT, "lifecycle"),
        (&Method::PUT, "object-lock"),
        (&Method::PUT, "ownershipControls"),
        (&Method::PUT, "publicAccessBlock"),
        (&Method::PUT, "replication"),
        (&Method::PUT, "retention"),
    ];
    let query = parts.uri.query().unwrap_or_default();
    let names = || query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    let tags_bucket = parts.method == Method::PUT
        && target.key.is_empty()
        && names().any(|name| name == "tagging");
    let wanted = tags_bucket
        || WANTED
            .iter()
            .any(|(method, name)| parts.method == *method && names().any(|other| other == *name));
    let sent = parts
        .headers
        .keys()
        .any(|name| *name == "content-md5" || name.as_str().starts_with("x-amz-checksum-"));
    if wanted && !sent {
        return Err(s3_error!(
            InvalidRequest,
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
struct CreateBucketConfiguration {
    #[serde(rename = "Tags", default)]
    tags: TagList,
}

#[derive(Deserialize, Default)]
struct TagList {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value")]
    value: String,
}

fn new_bucket_tags(body: &[u8]) -> S3Result<Tags> {
    let text = std::str::from_utf8(body).map_err(|_| s3_error!(MalformedXML))?;
    let parsed: CreateBucketConfiguration =
        quick_xml::de::from_str(text).map_err(|_| s3_error!(MalformedXML))?;
    Ok(parsed.tags.tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Adds the request ids to a response, and AWS's message to an error response.
pub(super) fn complete(
    answer: Answer,
    id: &str,
    subject: &Subject,
    details: Option<&Details>,
) -> Answer {
    let is_done = answer.status().is_success();
    let mut answer = if is_done { answer } else { with_message(answer, id, subject, details) };
    if let Some(ResponseStatus(status)) = answer.extensions_mut().remove() {
        *answer.status_mut() = status;
    }
    insert_xml(&mut answer);
    answer.headers_mut().insert(SERVER, HeaderValue::from_static("AmazonS3"));
    let answer = with_request_id(answer, "x-amz-request-id", id);
    with_request_id(answer, "x-amz-id-2", &host_id(id))
}

/// Writes the XML of a response as S3 does: with a line break behind the declaration, and an empty
/// root element without an end tag.
pub(super) fn break_line(answer: &mut Answer) {
    let Some(body) = answer.body().bytes() else { return };
    let text = String::from_utf8_lossy(&body);
    let Some(root) = text.strip_prefix(XML_DECLARATION).filter(|root| !root.starts_with('\n'))
    else {
        return;
    };
    let root = match root.strip_suffix("></LocationConstraint>") {
        Some(start) if !start.contains('>') => format!("{start}/>"),
        _ => owner_first(root).unwrap_or_else(|| with_namespace(root)),
    };
    let whole = format!("{XML_DECLARATION}\n{root}");
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    *answer.body_mut() = Body::from(whole);
}

/// Returns a list of buckets with its owner first, as S3 writes it: SDKs rely on that.
fn owner_first(root: &str) -> Option<String> {
    const OWNER: &str = "</Owner>";
    if !root.starts_with("<ListAllMyBucketsResult") {
        return None;
    }
    let inner = root.find('>')? + 1;
    let (start, end) = (root.find("<Owner>")?, root.find(OWNER)? + OWNER.len());
    let (before, owner, behind) = (&root[inner..start], &root[start..end], &root[end..]);
    Some(format!("{}{owner}{before}{behind}", &root[..inner]))
}

/// Adds the namespace to the result of a copy, which `s3s` leaves out.
fn with_namespace(root: &str) -> String {
    for name in ["<CopyObjectResult", "<CopyPartResult"] {
        if let Some(rest) = root.strip_prefix(name).filter(|rest| rest.starts_with('>')) {
            return format!("{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"{rest}");
        }
    }
    root.to_owned()
}

/// Inserts the `ExtraXml` into a response that `s3s` has written.
fn insert_xml(answer: &mut Answer) {
    let Some(pieces) = answer.extensions_mut().remove::<Vec<ExtraXml>>() else { return };
    let Some(text) = answer.body().bytes() else { return };
    let text = String::from_utf8_lossy(&text);
    let (mut whole, mut rest) = (String::new(), &*text);
    for ExtraXml { before, xml } in &pieces {
        let Some((head, tail)) = rest.split_once(before) else { continue };
        whole.extend([head, xml, before]);
        rest = tail;
    }
    whole.push_str(rest);
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    *answer.body_mut() = Body::from(whole);
}

/// Returns the extended request id, which AWS returns as `HostId` in errors too.
fn host_id(id: &str) -> String {
    hex::encode(Sha256::digest(id))
}

fn with_message(
    mut answer: Answer,
    id: &str,
    subject: &Subject,
    details: Option<&Details>,
) -> Answer {
    let Some(text) = answer.body().bytes() else { return answer };
    let text = String::from_utf8_lossy(&text).into_owned();
    let within = |name: &str| {
        let start = text.find(&format!("<{name}>"))? + name.len() + 2;
        let end = text[start..].find(&format!("</{name}>"))? + start;
        Some(&text[start..end])
    };
    let Some(code) = within("Code") else { return answer };
    // `s3s` has already escaped its message; the sandbox's messages contain nothing to escape.
    let message =
        within("Message").filter(|text| !text.is_empty()).or_else(|| message(code)).unwrap_or(code);
    let details = details.map_or_else(|| subject.to_xml(code, answer.headers()), Details::to_xml);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{details}{}{}</Error>",
        element("RequestId", id),
        element("HostId", host_id(id))
    );
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    *answer.body_mut() = Body::from(body);
    with_code(answer, code)
}

/// Converts an error raised before the request is known to a response.
pub(crate) fn refuse(error: S3Error, id: &str) -> Answer {
    refuse_request(error, id, &Subject::default())
}

/// Converts an error raised outside `s3s` to a response.
pub(super) fn refuse_request(error: S3Error, id: &str, subject: &Subject) -> Answer {
    let details = Details::of(&error).cloned();
    let answer = error.to_http_response().unwrap_or_else(|_| http::Response::new(Body::empty()));
    complete(answer, id, subject, details.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_list_of_buckets_is_first() {
        let list = "<ListAllMyBucketsResult xmlns=\"x\"><Buckets><Bucket/></Buckets><Owner><ID>a</ID></Owner><Prefix>b</Prefix></ListAllMyBucketsResult>";
        let ordered = owner_first(list).unwrap();
        assert!(ordered.contains("\"x\"><Owner><ID>a</ID></Owner><Buckets>"), "{ordered}");
        assert_eq!(ordered.len(), list.len());
        assert_eq!(owner_first("<ListBucketResult><Owner></Owner></ListBucketResult>"), None);
    }

    #[test]
    fn tags_of_a_new_bucket_are_read() {
        let body = br#"<CreateBucketConfiguration xmlns="x"><LocationConstraint>us-west-2</LocationConstraint><Tags><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value/></Tag></Tags></CreateBucketConfiguration>"#;
        let expected = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(new_bucket_tags(body).unwrap(), expected);
        assert!(new_bucket_tags(b"<CreateBucketConfiguration>").is_err());
        let valueless = b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key></Tag></Tags></CreateBucketConfiguration>";
        assert!(new_bucket_tags(valueless).is_err());
        assert!(new_bucket_tags(b"<CreateBucketConfiguration/>").unwrap().is_empty());
    }
}
