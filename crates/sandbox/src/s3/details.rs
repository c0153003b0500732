//! The elements of an error response that say what was refused, such as `BucketName` and
//! `ArgumentName`. `s3s` writes only code, message and request id.
//! The elements are those that S3 was recorded to return for each code (2026).
//! Not for: deciding when to refuse a request, and not for messages (see `errors`).

use super::errors::with_headers;
use super::host::{Target, decoded};
use super::mismatch::SignedParts;
use crate::wire::query::element;
use http::request::Parts;
use http::{Extensions, HeaderMap};
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::sync::{Arc, OnceLock};

/// The details that the operation knows, as names and values of XML elements.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("details of an S3 error")]
pub(super) struct Details(Vec<(&'static str, String)>);

impl Details {
    /// Adds details to an error.
    pub(super) fn on<const N: usize>(
        mut error: S3Error,
        pairs: [(&'static str, String); N],
    ) -> S3Error {
        error.set_source(Box::new(Self(pairs.into())));
        error
    }

    /// Returns the details of an error, if it has any.
    pub(super) fn of(error: &S3Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }

    /// Returns whether the details are those of the argument `name`.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| *key == "ArgumentName" && value == name)
    }

    pub(super) fn to_xml(&self) -> String {
        self.0.iter().map(|(name, value)| element(name, value)).collect()
    }
}

/// An `InvalidArgument` error with the argument's name and value.
pub(super) fn invalid_argument(name: &str, value: &str, message: impl Into<String>) -> S3Error {
    let error = S3Error::with_message(S3ErrorCode::InvalidArgument, message.into());
    Details::on(error, [("ArgumentName", name.to_owned()), ("ArgumentValue", value.to_owned())])
}

/// A `PreconditionFailed` error with the name of the condition as S3 writes it, such as `If-Match`.
pub(super) fn precondition_failed(condition: &str) -> S3Error {
    let error = S3Error::new(S3ErrorCode::PreconditionFailed);
    Details::on(error, [("Condition", condition.to_owned())])
}

/// A header, or a combination of headers, that S3 itself does not implement for an operation (501).
pub(super) fn header_not_implemented(header: &str, additional: Option<&str>) -> S3Error {
    let text = "A header you provided implies functionality that is not implemented";
    let error = S3Error::with_message(S3ErrorCode::NotImplemented, text);
    let header = ("Header", header.to_owned());
    match additional {
        Some(text) => Details::on(error, [header, ("additionalMessage", text.to_owned())]),
        None => Details::on(error, [header]),
    }
}

/// Stores the details of a request's error until the response is completed: `s3s` writes the error
/// in between. A clone of it is in the request's extensions.
#[derive(Debug, Clone, Default)]
pub(super) struct DetailsSlot(Arc<OnceLock<Details>>);

impl DetailsSlot {
    /// Returns the slot of a request.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    pub(super) fn get(&self) -> Option<&Details> {
        self.0.get()
    }
}

/// Stores the details of an error that an operation returns in the request's slot.
pub(super) fn stored<T>(slot: Option<&DetailsSlot>, result: S3Result<T>) -> S3Result<T> {
    if let (Some(slot), Err(error)) = (slot, &result)
        && let Some(details) = Details::of(error)
    {
        // A request has one error.
        let _ = slot.0.set(details.clone());
    }
    result
}

/// What a request is about, for an error that names it.
#[derive(Debug, Default)]
pub(super) struct Subject {
    target: Target,
    signed: SignedParts,
}

impl Subject {
    pub(super) fn of(parts: &Parts, target: &Target) -> Self {
        let bucket_in_host = target.in_host.then_some(&*target.bucket);
        Self { target: target.clone(), signed: SignedParts::of(parts, bucket_in_host) }
    }

    /// Returns the elements that follow from the code and the request.
    pub(super) fn to_xml(&self, code: &str, headers: &HeaderMap) -> String {
        let Target { bucket: name, key, .. } = &self.target;
        let bucket = || element("BucketName", name);
        let key_read = || copy_source(&self.signed.headers).unwrap_or_else(|| key.clone());
        let parameter = |name| super::permit::parameter(&self.signed.uri, name).unwrap_or_default();
        match code {
            "BucketAlreadyExists"
            | "BucketAlreadyOwnedByYou"
            | "BucketNotEmpty"
            | "InvalidBucketName"
            | "NoSuchBucket"
            | "NoSuchBucketPolicy"
            | "NoSuchLifecycleConfiguration"
            | "NoSuchPublicAccessBlockConfiguration"
            | "ObjectLockConfigurationNotFoundError"
            | "OwnershipControlsNotFoundError"
            | "ReplicationConfigurationNotFoundError"
            | "ServerSideEncryptionConfigurationNotFoundError" => bucket(),
            "NoSuchTagSet" if key.is_empty() => bucket(),
            "NoSuchKey" => element("Key", key_read()),
            "NoSuchVersion" => {
                element("Key", key_read()) + &element("VersionId", parameter("versionId"))
            }
            "NoSuchUpload" => element("UploadId", parameter("uploadId")),
            "PermanentRedirect" => {
                element("Bucket", name) + &element("Endpoint", self.signed.header("host"))
            }
            "SignatureDoesNotMatch" => {
                self.signed.details().iter().map(|(name, value)| element(name, value)).collect()
            }
            "MethodNotAllowed" if headers.contains_key("x-amz-delete-marker") => {
                element("Method", self.signed.method.as_str())
                    + &element("ResourceType", "DeleteMarker")
            }
            _ => String::new(),
        }
    }
}

/// Returns the key that the header `x-amz-copy-source` names. A `+` in it is a space.
pub(super) fn copy_source(headers: &HeaderMap) -> Option<String> {
    let source = headers.get("x-amz-copy-source")?.to_str().ok()?;
    let source = source.split_once("?versionId=").map_or(source, |(source, _)| source);
    let source = decoded(&source.replace('+', " "));
    let (_, key) = source.trim_start_matches('/').split_once('/')?;
    Some(key.to_owned())
}

/// Adds the range and the size to the error for a range that can't be satisfied.
pub(super) fn invalid_range(range: &str, size: usize) -> S3Error {
    let error = with_headers(
        S3Error::new(S3ErrorCode::InvalidRange),
        &[("content-range", &format!("bytes */{size}"))],
    );
    let size = ("ActualObjectSize", size.to_string());
    Details::on(error, [("RangeRequested", range.to_owned()), size])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::host::Hosts;

    fn subject(method: &str, uri: &str, source: Option<&str>) -> Subject {
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some(source) = source {
            request = request.header("x-amz-copy-source", source);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        Subject::of(&parts, &Hosts::new(&[]).target(&parts))
    }

    #[test]
    fn an_error_names_what_the_request_is_about() {
        let plain = HeaderMap::new();
        let get = subject("GET", "/orders/a%20b?versionId=v1&uploadId=u1", None);
        for (code, expected) in [
            ("NoSuchBucket", "<BucketName>orders</BucketName>"),
            ("NoSuchKey", "<Key>a b</Key>"),
            ("NoSuchVersion", "<Key>a b</Key><VersionId>v1</VersionId>"),
            ("NoSuchUpload", "<UploadId>u1</UploadId>"),
            ("NoSuchTagSet", ""),
            ("MethodNotAllowed", ""),
            ("SlowDown", ""),
        ] {
            assert_eq!(get.to_xml(code, &plain), expected, "{code}");
        }
        let mut marker = HeaderMap::new();
        marker.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
        let expected = "<Method>GET</Method><ResourceType>DeleteMarker</ResourceType>";
        assert_eq!(get.to_xml("MethodNotAllowed", &marker), expected);
        let copy = subject("PUT", "/orders/copy", Some("/other/the%2Fsource?versionId=v2"));
        assert_eq!(copy.to_xml("NoSuchKey", &plain), "<Key>the/source</Key>");
    }

    #[test]
    fn details_go_with_the_error_into_the_slot() {
        let slot = DetailsSlot::default();
        let refused: S3Result<()> = Err(invalid_argument("versionId", "<x>", "Invalid"));
        assert!(stored(Some(&slot), refused).is_err());
        let expected =
            "<ArgumentName>versionId</ArgumentName><ArgumentValue>&lt;x&gt;</ArgumentValue>";
        assert_eq!(slot.get().unwrap().to_xml(), expected);
        assert!(Details::of(&S3Error::new(S3ErrorCode::NoSuchKey)).is_none());
    }
}
