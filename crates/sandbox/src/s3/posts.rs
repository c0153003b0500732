//! POST uploads: a form is checked as S3 checks it, and becomes the `PutObject` request that it
//! stands for. What S3 checks and how it answers is as the S3 API Reference has it (`POST Object`)
//! and as recorded from S3 (the snapshots of localstack's tests `TestS3PresignedPost`, 2022 to
//! 2026).
//! Not for: the conditions of a policy (see `post_policy`).

use super::answers::XML_DECLARATION;
use super::authorizer::refused_token;
use super::details::{Details, invalid_argument, precondition_failed};
use super::errors::wrong_region;
use super::form::{File, Form};
use super::host::Target;
use super::mismatch::bytes_of;
use super::object_tags::MOST;
use super::post_policy::PostPolicy;
use super::rewrites::Verified;
use super::settings::read_tags;
use super::signed::Mechanism;
use super::{signature_v2, text_headers};
use crate::gate::{Shared, check_token};
use crate::wire::Answer;
use crate::wire::query::element;
use crate::world::iam::Credential;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::Bytes;
use crrctl_iam::names::Region;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{Body, S3Error, S3Result, s3_error};
use std::time::SystemTime;

/// The characters of a key that a URL has percent-encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The fields of a Signature Version 4, as S3's errors write them.
const SIGNED_V4: [&str; 4] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"];
/// The fields of a Signature Version 2, as S3's errors write them.
const SIGNED_V2: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// The fields beside `x-amz-*` that describe the object.
const HEADERS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// How a POST upload is answered once it has succeeded.
#[derive(Debug)]
pub(super) struct Reply {
    bucket: String,
    key: String,
    /// The URL of the object.
    location: String,
    redirect: Option<Uri>,
    status: StatusCode,
}

/// Replaces a POST upload by the `PutObject` request that it stands for, and returns how to answer
/// it. Any other request stays as it is.
///
/// # Errors
/// `PreconditionFailed` where the body is no form, `InvalidArgument` for a missing field,
/// `SignatureDoesNotMatch`, those of the session token and of the policy.
pub(super) fn take(
    shared: &Shared,
    parts: &mut Parts,
    body: &mut Bytes,
    target: &mut Target,
) -> S3Result<Option<Reply>> {
    let plain = parts.uri.query().is_none_or(str::is_empty);
    let to_bucket = target.key.is_empty() && !target.bucket.is_empty() && plain;
    if parts.method != Method::POST || !to_bucket {
        return Ok(None);
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = kind
        .filter(|kind| kind.starts_with("multipart/form-data"))
        .and_then(|kind| kind.split_once("boundary=")?.1.split(';').next())
        .ok_or_else(|| {
            precondition_failed("Bucket POST must be of the enclosure-type multipart/form-data")
        })?;
    let form = Form::parse(body, boundary.trim().trim_matches('"'));
    let verified = verify(shared, &form)?;
    let Some(file) = &form.file else {
        let text = "POST requires exactly one file upload per request.";
        return Err(invalid_argument("file", "0", text));
    };
    let key = key_of(&form, file)?;
    if let Some(verified) = verified {
        let policy = form.get("policy").ok_or_else(|| missing("policy"))?;
        PostPolicy::read(policy)?.check(&form, &target.bucket, SystemTime::now())?;
        parts.extensions.insert(verified);
    }
    let path = |key: &str| {
        let key = utf8_percent_encode(key, ENCODED);
        if target.in_host { format!("/{key}") } else { format!("/{}/{key}", target.bucket) }
    };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let location = format!("http://{host}{}", path(&key));
    parts.method = Method::PUT;
    parts.uri = path(&key).parse().map_err(|_| s3_error!(KeyTooLongError))?;
    set_headers(&mut parts.headers, &form, file)?;
    let redirect = form.get("success_action_redirect").or_else(|| form.get("redirect"));
    let reply = Reply {
        bucket: target.bucket.clone(),
        location,
        redirect: redirect.and_then(absolute),
        status: match form.get("success_action_status") {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        },
        key: key.clone(),
    };
    target.key = key;
    *body = file.data.clone();
    Ok(Some(reply))
}

/// Returns the key of the object: `${filename}` stands for the name of the file, if it has one.
fn key_of(form: &Form, file: &File) -> S3Result<String> {
    let key = form.get("key").ok_or_else(|| missing("key"))?;
    Ok(match &file.name {
        Some(name) => key.replace("${filename}", name),
        None => key.to_owned(),
    })
}

/// Sets the headers that the fields of the form stand for.
fn set_headers(headers: &mut HeaderMap, form: &Form, file: &File) -> S3Result<()> {
    headers.remove(CONTENT_TYPE);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(file.data.len()));
    for (name, value) in &form.fields {
        let is_signature = SIGNED_V4.iter().any(|other| other.eq_ignore_ascii_case(name))
            || name == "x-amz-security-token";
        let name = match name.as_str() {
            "acl" => "x-amz-acl",
            name if HEADERS.contains(&name) => name,
            name if name.starts_with("x-amz-") && !is_signature => name,
            _ => continue,
        };
        let Ok(name) = HeaderName::try_from(name) else { continue };
        headers.insert(name, header_value(value)?);
    }
    if let Some(tagging) = form.get("tagging") {
        let tags = read_tags(&Bytes::from(tagging.to_owned()), MOST)?;
        let tags = form_urlencoded::Serializer::new(String::new()).extend_pairs(tags).finish();
        headers.insert("x-amz-tagging", header_value(&tags)?);
    }
    Ok(())
}

/// Returns a field as a header's value. What a header can't hold is encoded as RFC 2047 has it.
fn header_value(text: &str) -> S3Result<HeaderValue> {
    let encoded = || HeaderValue::try_from(text_headers::encoded(text));
    let value = HeaderValue::from_bytes(text.as_bytes()).or_else(|_| encoded());
    value.map_err(|_| s3_error!(InvalidArgument, "A field of the form can't be a header."))
}

/// Verifies the signature of a form; `None` if it has no field of a signature. The signature covers
/// the policy as it was sent.
fn verify(shared: &Shared, form: &Form) -> S3Result<Option<Verified>> {
    let has = |name: &&str| form.get(&name.to_ascii_lowercase()).is_some();
    let fields: &[&str] = if SIGNED_V4.iter().any(has) {
        &SIGNED_V4
    } else if SIGNED_V2.iter().any(has) {
        &SIGNED_V2
    } else {
        return Ok(None);
    };
    if let Some(name) = fields.iter().find(|name| !has(name)) {
        return Err(missing(name));
    }
    let get = |name: &str| form.get(name).unwrap_or_default();
    let policy = get("policy");
    let is_v4 = fields.len() == SIGNED_V4.len();
    let scope = get("x-amz-credential");
    let (access_key, signature) = if is_v4 {
        (scope.split('/').next().unwrap_or_default(), get("x-amz-signature"))
    } else {
        (get("awsaccesskeyid"), get("signature"))
    };
    let (credential, now) = {
        let state = shared.lock();
        (state.iam.credential(access_key), state.now())
    };
    let credential = credential.ok_or_else(|| {
        let key = ("AWSAccessKeyId", access_key.to_owned());
        Details::on(s3_error!(InvalidAccessKeyId), [key])
    })?;
    check_token(&credential, form.get("x-amz-security-token"), now).map_err(refused_token)?;
    let expected = if is_v4 {
        signature_v4(&credential, scope, policy)
    } else {
        Some((signature_v2::sign(&credential.secret, policy), "us-east-1"))
    };
    let Some((_, region)) = expected.filter(|(expected, _)| expected == signature) else {
        return Err(mismatch(access_key, signature, policy));
    };
    let mechanism = if is_v4 { Mechanism::FormV4 } else { Mechanism::FormV2 };
    let region =
        Region::new(region).map_err(|_| wrong_region(mechanism, region, &Region::us_east_1()))?;
    Ok(Some(Verified { who: credential.who, region, mechanism }))
}

/// Returns the signature of a policy and its Region, where the scope is one of S3's.
fn signature_v4<'a>(
    credential: &Credential,
    scope: &'a str,
    policy: &str,
) -> Option<(String, &'a str)> {
    let [_, date, region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    let day = jiff::civil::Date::strptime("%Y%m%d", date).ok()?;
    let day = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let key = generate_signing_key(&credential.secret, day.into(), region, "s3");
    Some((calculate_signature(key, policy.as_bytes()), region))
}

fn mismatch(access_key: &str, signature: &str, policy: &str) -> S3Error {
    let details = [
        ("AWSAccessKeyId", access_key.to_owned()),
        ("StringToSign", policy.to_owned()),
        ("SignatureProvided", signature.to_owned()),
        ("StringToSignBytes", bytes_of(policy)),
    ];
    Details::on(s3_error!(SignatureDoesNotMatch), details)
}

fn missing(field: &str) -> S3Error {
    let text = format!(
        "Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the fields."
    );
    invalid_argument(field, "", text)
}

/// Returns an absolute URL. S3 ignores a redirect to another one.
fn absolute(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    (uri.scheme().is_some() && uri.authority().is_some()).then_some(uri)
}

impl Reply {
    /// Makes the answer to the `PutObject` request the answer to the form.
    pub(super) fn complete(self, answer: &mut Answer) {
        let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.unwrap_or_default().to_owned();
        let mut body = String::new();
        let mut location = self.location;
        if let Some(redirect) = self.redirect {
            *answer.status_mut() = StatusCode::SEE_OTHER;
            let pairs = [("bucket", &self.bucket), ("key", &self.key), ("etag", &etag)];
            let query =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            let sign = if redirect.query().is_some() { '&' } else { '?' };
            location = format!("{redirect}{sign}{query}");
        } else {
            *answer.status_mut() = self.status;
        }
        if answer.status() == StatusCode::CREATED {
            let parts = [
                ("Location", &location),
                ("Bucket", &self.bucket),
                ("Key", &self.key),
                ("ETag", &etag),
            ];
            let parts: String = parts.iter().map(|(name, value)| element(name, value)).collect();
            body = format!("{XML_DECLARATION}\n<PostResponse>{parts}</PostResponse>");
            let xml = HeaderValue::from_static("application/xml");
            answer.headers_mut().insert(CONTENT_TYPE, xml);
        }
        if let Ok(location) = HeaderValue::try_from(location) {
            answer.headers_mut().insert(LOCATION, location);
        }
        if answer.status() == StatusCode::NO_CONTENT {
            answer.headers_mut().remove(CONTENT_LENGTH);
        } else {
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        *answer.body_mut() = Body::from(body);
    }
}
