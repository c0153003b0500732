//! Authentication: verifies the Signature Version 4 of KMS, IAM, STS and S3 Control requests by
//! computing the signature again.
//! Not for: S3's signatures, which `s3s` verifies with the same secrets, or permissions (see
//! `gate::access`).

use crate::gate::Shared;
use crate::wire::{Fault, Note};
use crate::world::Caller;
use crate::world::iam::Credential;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use crrctl_iam::names::Region;
use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// The maximum difference between the time of a request and the wall clock (IAM User Guide,
/// "Elements of an AWS API request signature").
const MAX_SKEW: Duration = Duration::from_mins(15);
/// The maximum validity of a presigned request, in seconds: seven days.
const MAX_PRESIGNED: u64 = 604_800;

/// Why authentication fails. Each service has its own error codes for these cases.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request has no signature.
    Missing,
    /// The access key id does not exist, or the session token does not belong to it.
    UnknownKey,
    /// The session has expired.
    Expired,
    /// The signature parameters can't be parsed.
    Incomplete(String),
    /// The signature is wrong, too old, or made for another scope.
    Mismatch(String),
}

/// Returns the error of IAM and STS for a failed authentication (IAM API Reference, "Common
/// Errors").
pub(crate) fn refused_in_query(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Missing => {
            Fault::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        Refusal::UnknownKey => Fault::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        Refusal::Expired => {
            Fault::new(403, "ExpiredToken", "The security token included in the request is expired")
        }
        Refusal::Incomplete(text) => Fault::bad("IncompleteSignature", text),
        Refusal::Mismatch(text) => Fault::new(403, "SignatureDoesNotMatch", text),
    }
}

/// Checks that a credential comes with its own session token and has not expired.
pub(crate) fn check_token(
    credential: &Credential,
    token: Option<&str>,
    now: SystemTime,
) -> Result<(), Refusal> {
    if credential.token.as_deref() != token {
        return Err(Refusal::UnknownKey);
    }
    match credential.expires {
        Some(end) if end <= now => Err(Refusal::Expired),
        _ => Ok(()),
    }
}

/// Verifies the signature of a request to `service`, in the header or in the query string.
pub(crate) fn verify(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    service: &str,
) -> Result<Caller, Refusal> {
    let signed = Signed::of(parts)?;
    let [access_key, date, region, scope_service, "aws4_request"] =
        signed.credential.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(Refusal::Incomplete("Credential must have 5 slash-delimited elements.".into()));
    };
    let (credential, now) = {
        let state = shared.lock();
        (state.iam.credential(access_key).ok_or(Refusal::UnknownKey)?, state.now())
    };
    check_token(&credential, signed.token.as_deref(), now)?;
    if scope_service != service {
        let text = format!("Credential should be scoped to correct service: '{service}'.");
        return Err(Refusal::Mismatch(text));
    }
    let stamp = &*signed.stamp;
    let time = check_time(stamp, date, signed.valid_for)?;
    let headers: Vec<&str> = signed.headers.split(';').collect();
    let canonical = canonical_request(parts, body, &headers)?;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{date}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let key = generate_signing_key(&credential.secret, time, region, service);
    if calculate_signature(key, to_sign.as_bytes()) != signed.signature {
        return Err(Refusal::Mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details."
                .into(),
        ));
    }
    let region = Region::new(region).map_err(|_| {
        Refusal::Mismatch("Credential should be scoped to a valid region.".to_owned())
    })?;
    let caller = Caller::new(credential.who, region, shared.settings.secure);
    if let Some(note) = Note::of(&parts.extensions) {
        note.set_caller(&caller);
    }
    Ok(caller)
}

/// The signature parameters of a request, from the header or, for a presigned request, from the
/// query string.
pub(super) struct Signed {
    pub(super) credential: String,
    pub(super) headers: String,
    pub(super) signature: String,
    pub(super) stamp: String,
    pub(super) token: Option<String>,
    /// How long the signature is valid.
    pub(super) valid_for: Duration,
}

impl Signed {
    pub(super) fn of(parts: &Parts) -> Result<Self, Refusal> {
        match text(&parts.headers, "authorization") {
            Some(header) => Self::in_header(header, &parts.headers),
            None => Self::in_query(parts.uri.query().unwrap_or_default()),
        }
    }

    fn in_header(header: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let incomplete = |what: &str| {
            Refusal::Incomplete(format!("Authorization header requires '{what}' parameter."))
        };
        let fields = header
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .ok_or_else(|| Refusal::Incomplete("Authorization header is not SigV4.".into()))?;
        let field = |name: &str| {
            let found =
                fields.split(',').find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='));
            found.map(String::from).ok_or_else(|| incomplete(name))
        };
        let header = |name: &str| text(headers, name).map(String::from);
        Ok(Self {
            credential: field("Credential")?,
            headers: field("SignedHeaders")?,
            signature: field("Signature")?,
            stamp: header("x-amz-date").unwrap_or_default(),
            token: header("x-amz-security-token"),
            valid_for: MAX_SKEW,
        })
    }

    /// Reads the parameters of a presigned request (IAM User Guide, "Create a signed AWS API
    /// request", "Query string parameters").
    fn in_query(query: &str) -> Result<Self, Refusal> {
        let find = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let field = |name: &str| {
            find(name).ok_or_else(|| {
                Refusal::Incomplete(format!("AWS query-string parameters must include '{name}'."))
            })
        };
        if find("X-Amz-Algorithm").ok_or(Refusal::Missing)? != "AWS4-HMAC-SHA256" {
            return Err(Refusal::Incomplete("Unsupported AWS 'algorithm'.".into()));
        }
        let seconds = match find("X-Amz-Expires") {
            None => MAX_SKEW.as_secs(),
            Some(text) => {
                text.parse().ok().filter(|s| (1..=MAX_PRESIGNED).contains(s)).ok_or_else(|| {
                    Refusal::Incomplete(format!(
                        "X-Amz-Expires must be a number of seconds from 1 to {MAX_PRESIGNED}."
                    ))
                })?
            }
        };
        Ok(Self {
            credential: field("X-Amz-Credential")?,
            headers: field("X-Amz-SignedHeaders")?,
            signature: field("X-Amz-Signature")?,
            stamp: field("X-Amz-Date")?,
            token: find("X-Amz-Security-Token"),
            valid_for: Duration::from_secs(seconds),
        })
    }
}

/// Returns the value of a header.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Parses `X-Amz-Date`. A time that contradicts the date of the credential scope or the wall clock
/// is refused.
pub(super) fn check_time(
    stamp: &str,
    scope_date: &str,
    valid_for: Duration,
) -> Result<SystemTime, Refusal> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp)
        .ok()
        .and_then(|t| t.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|t| SystemTime::from(t.timestamp()))
        .ok_or_else(|| {
            Refusal::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into(),
            )
        })?;
    if !stamp.starts_with(scope_date) {
        return Err(Refusal::Mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope_date}' != '{stamp}'."
        )));
    }
    let now = SystemTime::now();
    if time + valid_for < now {
        let minutes = valid_for.as_secs() / 60;
        let text = format!("Signature expired: {stamp} is too old ({minutes} min.)");
        return Err(Refusal::Mismatch(text));
    }
    if time > now + MAX_SKEW {
        return Err(Refusal::Mismatch(format!(
            "Signature not yet current: {stamp} is still later (15 min.)"
        )));
    }
    Ok(time)
}

/// Builds the canonical request (IAM User Guide, "Create a signed AWS API request").
fn canonical_request(parts: &Parts, body: &[u8], signed: &[&str]) -> Result<String, Refusal> {
    let signature = |pair: &&str| pair.starts_with("X-Amz-Signature=");
    let query = parts.uri.query().unwrap_or("");
    let mut query: Vec<&str> = query.split('&').filter(|pair| !signature(pair)).collect();
    query.sort_unstable();
    let mut canonical = format!("{}\n{}\n{}\n", parts.method, parts.uri.path(), query.join("&"));
    if !signed.contains(&"host") {
        return Err(Refusal::Mismatch("'Host' must be a 'SignedHeader' in the request.".into()));
    }
    for name in signed {
        let values: Vec<String> = parts
            .headers
            .get_all(*name)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .map(|v| v.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let _ = writeln!(canonical, "{name}:{}", values.join(","));
    }
    let digest = match text(&parts.headers, "x-amz-content-sha256") {
        Some(unsigned @ "UNSIGNED-PAYLOAD") => unsigned.to_owned(),
        _ => hex::encode(Sha256::digest(body)),
    };
    let _ = write!(canonical, "\n{}\n{digest}", signed.join(";"));
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn authorized(access_key: &str, service: &str, stamp: &str) -> Parts {
        let date = &stamp[..8];
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/{date}/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
        );
        request(&[("authorization", &value), ("host", "localhost"), ("x-amz-date", stamp)])
    }

    #[test]
    fn what_is_not_signed_rightly_is_refused() {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let shared = Shared::default();
        assert_eq!(verify(&shared, &request(&[]), b"", "kms").unwrap_err(), Refusal::Missing);
        let parts = authorized("AKIDEXAMPLE", "kms", &now);
        assert_eq!(verify(&shared, &parts, b"", "kms").unwrap_err(), Refusal::UnknownKey);
        for (parts, expected) in [
            (authorized("111122223333", "kms", &now), "The request signature we calculated"),
            (
                authorized("111122223333", "iam", &now),
                "Credential should be scoped to correct service",
            ),
            (authorized("111122223333", "kms", "20200102T030405Z"), "Signature expired"),
            (authorized("111122223333", "kms", "21200102T030405Z"), "Signature not yet current"),
        ] {
            let Err(Refusal::Mismatch(text)) = verify(&shared, &parts, b"", "kms") else {
                panic!("{expected}")
            };
            assert!(text.starts_with(expected), "{text}");
        }
        for header in ["", "Basic x", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC-SHA256 ,,,="] {
            let refused = verify(&shared, &request(&[("authorization", header)]), b"", "kms");
            assert!(matches!(refused, Err(Refusal::Incomplete(_))), "{header}");
        }
    }
}
