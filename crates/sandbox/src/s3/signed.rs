//! What S3 checks of a request's signature besides the signature itself, which `s3s` verifies.
//! Sources: S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; S3 User Guide,
//! "Signing and authenticating REST requests"; the errors are as recorded from S3 (the snapshots
//! of localstack's tests `TestS3PresignedUrl`, 2022 to 2026).
//! Not for: what the error says about a signature that does not match (see `mismatch`), or the policy
//! of a POST upload (see `posts`).

use super::details::{Details, invalid_argument};
use super::errors::custom;
use super::permit::parameter;
use super::rewrites::{Verified, with_query};
use crate::world::clock::rfc3339;
use http::Uri;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use s3s::{S3Request, S3Result, s3_error};
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// The parameters of a Signature Version 4 in the query string.
const QUERY_V4: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];
/// The parameters of a Signature Version 2 in the query string.
const QUERY_V2: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];
/// The longest validity of a presigned request, in seconds: seven days.
const MAX_EXPIRES: u64 = 604_800;
/// The time format of `X-Amz-Date`.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    HeaderV4,
    HeaderV2,
    QueryV4,
    QueryV2,
    /// A POST upload, which is signed in its form.
    FormV4,
    FormV2,
    /// Anonymous.
    None,
}

impl Mechanism {
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let has_query = uri.query().is_some();
        if has_query && (uses(uri, "X-Amz-Algorithm") || uses(uri, "X-Amz-Signature")) {
            return Self::QueryV4;
        }
        if has_query && (uses(uri, "Signature") || uses(uri, "AWSAccessKeyId")) {
            return Self::QueryV2;
        }
        match headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) {
            Some(value) if value.starts_with(b"AWS ") => Self::HeaderV2,
            Some(_) => Self::HeaderV4,
            None => Self::None,
        }
    }

    /// Returns how a request is signed whose signature is verified.
    pub(super) fn verified<I>(request: &S3Request<I>) -> Self {
        match request.extensions.get::<Verified>() {
            Some(verified) => verified.mechanism,
            None => Self::of(&request.uri, &request.headers),
        }
    }

    pub(super) fn is_version_2(self) -> bool {
        matches!(self, Self::HeaderV2 | Self::QueryV2 | Self::FormV2)
    }

    fn is_in_query(self) -> bool {
        matches!(self, Self::QueryV4 | Self::QueryV2)
    }
}

/// Returns the access key id of a request that is signed with Signature Version 2.
pub(crate) fn version_2_key(parts: &Parts) -> Option<String> {
    match Mechanism::of(&parts.uri, &parts.headers) {
        Mechanism::QueryV2 => parameter(&parts.uri, "AWSAccessKeyId"),
        Mechanism::HeaderV2 => {
            let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
            let (key, _) = header.strip_prefix("AWS ")?.split_once(':')?;
            Some(key.to_owned())
        }
        _ => None,
    }
}

/// Returns a URI without the parameters of a signature.
pub(super) fn remove_signature(uri: &Uri) -> Uri {
    with_query(uri, |pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !QUERY_V4.contains(&name) && !QUERY_V2.contains(&name) && name != "X-Amz-Security-Token"
    })
}

/// Makes the checks, and adds to the headers what the query string of a presigned request says in
/// their place.
pub(super) fn prepare(parts: &mut Parts) -> S3Result<()> {
    let mechanism = Mechanism::of(&parts.uri, &parts.headers);
    if mechanism.is_in_query() {
        if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
            let value = String::from_utf8_lossy(header.as_bytes());
            return Err(invalid_argument("Authorization", &value, text));
        }
        check_query(&parts.uri, mechanism)?;
    }
    check_signed_headers(parts, mechanism)?;
    if mechanism.is_in_query() {
        if is_streamed(&parts.headers) {
            // Only a request that is signed in its headers can have a signed body in chunks.
            return Err(s3_error!(SignatureDoesNotMatch));
        }
        move_headers(parts);
    }
    if mechanism == Mechanism::HeaderV4 {
        date_from_header(&mut parts.headers);
    }
    Ok(())
}

/// Returns the Region that a Signature Version 4 is made for.
pub(super) fn region(parts: &Parts, mechanism: Mechanism) -> Option<String> {
    let credential = match mechanism {
        Mechanism::QueryV4 => Cow::from(parameter(&parts.uri, "X-Amz-Credential")?),
        Mechanism::HeaderV4 => authorization_field(&parts.headers, "Credential").into(),
        _ => return None,
    };
    credential.split('/').nth(2).map(String::from)
}

fn check_query(uri: &Uri, mechanism: Mechanism) -> S3Result<()> {
    if mechanism == Mechanism::QueryV2 {
        let text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
        if !QUERY_V2.iter().all(|name| uses(uri, name)) {
            return Err(s3_error!(AccessDenied, "{text}"));
        }
        let end = parameter(uri, "Expires").and_then(|seconds| seconds.parse().ok());
        let Some(end) = end else {
            let text = "Invalid date (should be seconds since epoch)";
            return Err(s3_error!(AccessDenied, "{text}"));
        };
        return check_expiry(SystemTime::UNIX_EPOCH + Duration::from_secs(end), None);
    }
    let refuse = |text: &str| Err(custom(400, "AuthorizationQueryParametersError", text.into()));
    if !QUERY_V4.iter().all(|name| uses(uri, name)) {
        return refuse(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        );
    }
    let given = parameter(uri, "X-Amz-Expires").unwrap_or_default();
    let Ok(seconds) = given.parse::<i64>() else {
        return refuse("X-Amz-Expires should be a number");
    };
    let Ok(seconds) = u64::try_from(seconds) else {
        return refuse("X-Amz-Expires must be non-negative");
    };
    if seconds > MAX_EXPIRES {
        return refuse(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        );
    }
    let stamp = parameter(uri, "X-Amz-Date").unwrap_or_default();
    let Some(signed) = parse_stamp(&stamp) else {
        return refuse("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    };
    check_expiry(signed + Duration::from_secs(seconds), Some(given))
}

fn parse_stamp(stamp: &str) -> Option<SystemTime> {
    let civil = jiff::civil::DateTime::strptime(STAMP, stamp).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().into())
}

/// Refuses a presigned request after its `end`. `valid_for` is its `X-Amz-Expires`.
fn check_expiry(end: SystemTime, valid_for: Option<String>) -> S3Result<()> {
    let now = SystemTime::now();
    if now <= end {
        return Ok(());
    }
    let error = s3_error!(AccessDenied, "Request has expired");
    let (end, now) = (("Expires", rfc3339(end)), ("ServerTime", rfc3339(now)));
    Err(match valid_for {
        Some(seconds) => Details::on(error, [("X-Amz-Expires", seconds), end, now]),
        None => Details::on(error, [end, now]),
    })
}

/// Refuses a request with headers that Signature Version 4 must cover and does not: `host` and all
/// `x-amz-*`. `x-amz-content-sha256` may be left out.
fn check_signed_headers(parts: &Parts, mechanism: Mechanism) -> S3Result<()> {
    let signed = match mechanism {
        Mechanism::QueryV4 => {
            Cow::from(parameter(&parts.uri, "X-Amz-SignedHeaders").unwrap_or_default())
        }
        Mechanism::HeaderV4 => authorization_field(&parts.headers, "SignedHeaders").into(),
        _ => return Ok(()),
    };
    let wanted = |name: &&HeaderName| {
        let name = name.as_str();
        name == "host" || name.starts_with("x-amz-") && name != "x-amz-content-sha256"
    };
    let unsigned: Vec<&str> = parts
        .headers
        .keys()
        .filter(wanted)
        .map(HeaderName::as_str)
        .filter(|name| !signed.split(';').any(|other| other.eq_ignore_ascii_case(name)))
        .collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let text = "There were headers present in the request which were not signed";
    let error = s3_error!(AccessDenied, "{text}");
    Err(Details::on(error, [("HeadersNotSigned", unsigned.join(", "))]))
}

/// Adds the headers that a presigned request has as query parameters: those of S3 (`x-amz-*`), and
/// the conditions on a write.
fn move_headers(parts: &mut Parts) {
    let query = parts.uri.query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let lower = name.to_ascii_lowercase();
        let is_header =
            lower.starts_with("x-amz-") || ["if-match", "if-none-match"].contains(&&*lower);
        let is_signature = QUERY_V4.iter().any(|other| *other == name);
        let is_token = name == "X-Amz-Security-Token";
        if !is_header || is_signature || is_token || parts.headers.contains_key(&*lower) {
            continue;
        }
        let header = HeaderName::try_from(lower);
        if let (Ok(header), Ok(value)) = (header, HeaderValue::from_bytes(value.as_bytes())) {
            parts.headers.insert(header, value);
        }
    }
}

/// Adds `x-amz-date` to a request that has its time in `Date` only, which S3 accepts and `s3s` does
/// not. The signature does not cover the added header.
fn date_from_header(headers: &mut HeaderMap) {
    if headers.contains_key("x-amz-date") {
        return;
    }
    let date = headers.get(http::header::DATE).and_then(|value| value.to_str().ok());
    let time = date.and_then(|date| {
        let parsed = jiff::fmt::rfc2822::parse(date).map(|zoned| zoned.timestamp());
        parsed.ok().or_else(|| parse_stamp(date)?.try_into().ok())
    });
    if let Some(time) = time
        && let Ok(value) = HeaderValue::try_from(time.strftime(STAMP).to_string())
    {
        headers.insert("x-amz-date", value);
    }
}

pub(super) fn is_streamed(headers: &HeaderMap) -> bool {
    let digest = headers.get("x-amz-content-sha256").map(HeaderValue::as_bytes);
    digest.is_some_and(|digest| digest.starts_with(b"STREAMING-"))
}

fn uses(uri: &Uri, name: &str) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

/// Returns a field of the `Authorization` header of Signature Version 4.
pub(super) fn authorization_field<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let fields = header.and_then(|header| header.split_once(' ')).map_or("", |(_, fields)| fields);
    fields
        .split(',')
        .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_default()
}
