//! What the error `SignatureDoesNotMatch` says: the signature that S3 received, and the texts that
//! it signs itself (recorded from S3: the snapshots of localstack's tests `TestS3PresignedUrl`).
//! Not for: verifying a signature, which `s3s` does.

use super::permit::parameter;
use super::signed::{Mechanism, authorization_field};
use crate::gate::canonical_path;
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{Method, Uri};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The query parameters that Signature Version 2 covers (S3 User Guide, "Signing and authenticating
/// REST requests").
const RESOURCES: [&str; 24] = [
    "acl",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];

/// The parts of a request that its signature covers.
#[derive(Debug, Default)]
pub(super) struct SignedParts {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// The bucket, where it is in the host name.
    bucket_in_host: Option<String>,
}

impl SignedParts {
    pub(super) fn of(parts: &Parts, bucket_in_host: Option<&str>) -> Self {
        Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            bucket_in_host: bucket_in_host.map(String::from),
        }
    }

    /// Returns what the error `SignatureDoesNotMatch` says about the signature, as names and
    /// values of XML elements.
    pub(super) fn details(&self) -> Vec<(&'static str, String)> {
        let query = |name: &str| parameter(&self.uri, name).unwrap_or_default();
        let field = |name: &str| authorization_field(&self.headers, name).to_owned();
        let key = |credential: String| credential.split('/').next().unwrap_or_default().to_owned();
        match Mechanism::of(&self.uri, &self.headers) {
            Mechanism::HeaderV4 => {
                let canonical = self.canonical(&field("SignedHeaders"), false);
                let stamp = self.header("x-amz-date");
                let to_sign = string_to_sign(&stamp, &field("Credential"), &canonical);
                of(key(field("Credential")), field("Signature"), &to_sign, Some(&canonical))
            }
            Mechanism::QueryV4 => {
                let canonical = self.canonical(&query("X-Amz-SignedHeaders"), true);
                let credential = query("X-Amz-Credential");
                let to_sign = string_to_sign(&query("X-Amz-Date"), &credential, &canonical);
                of(key(credential), query("X-Amz-Signature"), &to_sign, Some(&canonical))
            }
            _ => match self.version_2() {
                Some((key, signature, to_sign)) => of(key, signature, &to_sign, None),
                None => Vec::new(),
            },
        }
    }

    /// Returns the access key, the signature and the text to sign of a Signature Version 2.
    pub(super) fn version_2(&self) -> Option<(String, String, String)> {
        let query = |name: &str| parameter(&self.uri, name).unwrap_or_default();
        match Mechanism::of(&self.uri, &self.headers) {
            Mechanism::QueryV2 => {
                let to_sign = self.string_to_sign_v2(&query("Expires"));
                Some((query("AWSAccessKeyId"), query("Signature"), to_sign))
            }
            Mechanism::HeaderV2 => {
                let header = self.header("authorization");
                let pair = header.strip_prefix("AWS ").unwrap_or_default();
                let (key, signature) = pair.split_once(':').unwrap_or((pair, ""));
                let amz = self.headers.contains_key("x-amz-date");
                let date = if amz { String::new() } else { self.header("date") };
                Some((key.to_owned(), signature.to_owned(), self.string_to_sign_v2(&date)))
            }
            _ => None,
        }
    }

    pub(super) fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values: Vec<String> =
            values.map(|v| v.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        values.join(",")
    }

    /// Returns the canonical request of Signature Version 4.
    fn canonical(&self, signed: &str, in_query: bool) -> String {
        let query = self.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let mut pairs: Vec<String> = pairs
            .filter(|pair| !pair.starts_with("X-Amz-Signature="))
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        pairs.sort_unstable();
        let path = canonical_path(self.uri.path());
        let mut canonical = format!("{}\n{path}\n{}\n", self.method, pairs.join("&"));
        for name in signed.split(';') {
            let _ = writeln!(canonical, "{name}:{}", self.header(name));
        }
        let payload = match self.headers.get("x-amz-content-sha256") {
            Some(value) if !in_query => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            _ => "UNSIGNED-PAYLOAD".to_owned(),
        };
        let _ = write!(canonical, "\n{signed}\n{payload}");
        canonical
    }

    fn string_to_sign_v2(&self, date: &str) -> String {
        let (md5, kind) = (self.header("content-md5"), self.header("content-type"));
        let mut text = format!("{}\n{md5}\n{kind}\n{date}\n", self.method);
        let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        for name in names.into_iter().filter(|name| name.starts_with("x-amz-")) {
            let _ = writeln!(text, "{name}:{}", self.header(name));
        }
        if let Some(bucket) = &self.bucket_in_host {
            let _ = write!(text, "/{bucket}");
        }
        text.push_str(self.uri.path());
        let is_covered =
            |pair: &&str| RESOURCES.contains(&pair.split('=').next().unwrap_or_default());
        let mut pairs: Vec<&str> =
            self.uri.query().unwrap_or_default().split('&').filter(is_covered).collect();
        pairs.sort_unstable();
        if !pairs.is_empty() {
            let _ = write!(text, "?{}", pairs.join("&"));
        }
        text
    }
}

fn string_to_sign(stamp: &str, credential: &str, canonical: &str) -> String {
    let scope = credential.split_once('/').map_or("", |(_, scope)| scope);
    let digest = hex::encode(Sha256::digest(canonical));
    format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}")
}

fn of(
    key: String,
    signature: String,
    to_sign: &str,
    canonical: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut details = vec![
        ("AWSAccessKeyId", key),
        ("StringToSign", to_sign.to_owned()),
        ("SignatureProvided", signature),
        ("StringToSignBytes", bytes_of(to_sign)),
    ];
    if let Some(canonical) = canonical {
        details.push(("CanonicalRequest", canonical.to_owned()));
        details.push(("CanonicalRequestBytes", bytes_of(canonical)));
    }
    details
}

/// Returns the bytes of a text as hex digits in pairs, as S3's errors show them.
pub(super) fn bytes_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
