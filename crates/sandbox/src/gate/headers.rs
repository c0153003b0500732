//! Verifies the signature of an S3 request by its headers alone, before its body is read.
//! Not for: the signature of the body, which `s3s` verifies with the same secrets.

use super::signature::{Refusal, Signed, check_time, check_token, text};
use crate::gate::Shared;
use crate::world::iam::Who;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use crrctl_iam::names::Region;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The characters that a canonical request encodes (IAM User Guide, "Create a signed AWS API
/// request", `UriEncode`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for a path, in which `/` is not encoded.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// Verifies the access key, the session, the time and the signature of a request, and returns its
/// caller with the Region. The digest of the body is taken from the request.
pub(crate) fn verify_headers(shared: &Shared, parts: &Parts) -> Result<(Who, Region), Refusal> {
    let signed = Signed::of(parts)?;
    let [access_key, date, region, service @ "s3", "aws4_request"] =
        signed.credential.split('/').collect::<Vec<_>>()[..]
    else {
        let text = "Credential must have 5 slash-delimited elements, and the service s3.";
        return Err(Refusal::Incomplete(text.into()));
    };
    let (credential, now) = {
        let state = shared.lock();
        (state.iam.credential(access_key).ok_or(Refusal::UnknownKey)?, state.now())
    };
    check_token(&credential, signed.token.as_deref(), now)?;
    let time = check_time(&signed.stamp, date, signed.valid_for)?;
    let canonical = canonical_request(parts, &signed.headers);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{date}/{region}/{service}/aws4_request\n{}",
        signed.stamp,
        hex::encode(Sha256::digest(canonical))
    );
    let key = generate_signing_key(&credential.secret, time, region, service);
    if calculate_signature(key, to_sign.as_bytes()) != signed.signature {
        return Err(Refusal::Mismatch(
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
                .into(),
        ));
    }
    let region = Region::new(region)
        .map_err(|_| Refusal::Mismatch("Credential should be scoped to a valid region.".into()))?;
    Ok((credential.who, region))
}

/// Builds the canonical request of S3: the path is encoded once, and a presigned request does not
/// sign its body (S3 API Reference, "Authenticating Requests (AWS Signature Version 4)").
fn canonical_request(parts: &Parts, signed: &str) -> String {
    let path = canonical_path(parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("X-Amz-Signature="))
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(name, ENCODED), encoded(value, ENCODED))
        })
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut canonical = format!("{}\n{path}\n{}\n", parts.method, pairs.join("&"));
    for name in signed.split(';') {
        let values = parts.headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values: Vec<String> =
            values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let _ = writeln!(canonical, "{name}:{}", values.join(","));
    }
    let digest = text(&parts.headers, "x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD");
    let _ = write!(canonical, "\n{signed}\n{digest}");
    canonical
}

/// Returns the path of a canonical request: encoded once, with each `/` as it is, also where the
/// request has it encoded.
pub(crate) fn canonical_path(path: &str) -> String {
    encoded(path, ENCODED_PATH)
}

fn encoded(text: &str, set: &'static AsciiSet) -> String {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    utf8_percent_encode(&decoded, set).to_string()
}
