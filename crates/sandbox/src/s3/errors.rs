//! S3 errors that carry more than a code, and AWS's messages for the codes that `s3s` leaves
//! without one (S3 API Reference, "Error responses"). Not for: deciding when to refuse a request.

use super::details::Details;
use super::signed::Mechanism;
use crate::gate::Refusal;
use crate::wire::Fault;
use crate::world::buckets::Full;
use crate::world::kms::Unusable;
use crrctl_iam::names::Region;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3ErrorCode, s3_error};

/// The bucket is in another Region (301).
pub(super) fn redirect(region: &Region) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::PermanentRedirect);
    error.set_status_code(http::StatusCode::MOVED_PERMANENTLY);
    with_headers(error, &[("x-amz-bucket-region", region.as_str())])
}

/// The signature is for another Region than that of the endpoint (400). `expected` is the Region of
/// the endpoint.
pub(super) fn wrong_region(mechanism: Mechanism, given: &str, expected: &Region) -> S3Error {
    let text = format!("the region '{given}' is wrong; expecting '{expected}'");
    let error = if mechanism == Mechanism::QueryV4 {
        let text = format!("Error parsing the X-Amz-Credential parameter; {text}");
        custom(400, "AuthorizationQueryParametersError", text)
    } else {
        s3_error!(AuthorizationHeaderMalformed, "The authorization header is malformed; {text}")
    };
    let error = with_headers(error, &[("x-amz-bucket-region", expected.as_str())]);
    Details::on(error, [("Region", expected.to_string())])
}

/// Signature Version 2 is accepted in us-east-1 only.
pub(super) fn version_2_refused() -> S3Error {
    s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )
}

/// Adds headers to an error response.
pub(super) fn with_headers(mut error: S3Error, pairs: &[(&'static str, &str)]) -> S3Error {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    error.set_headers(headers);
    error
}

/// An error whose code has no constant in `s3s`.
pub(super) fn custom(status: u16, code: &str, message: String) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    if let Ok(status) = http::StatusCode::from_u16(status) {
        error.set_status_code(status);
    }
    error
}

/// Converts a `Fault` to S3's error type.
pub(crate) fn error_of(fault: &Fault) -> S3Error {
    custom(fault.status, &fault.code, fault.message.clone())
}

/// Converts an S3 error to the error of another service, with the same status, code and message.
pub(crate) fn fault_of(error: &S3Error) -> Fault {
    let status = error.status_code().unwrap_or(http::StatusCode::BAD_REQUEST);
    let code = error.code().as_str();
    let text = error.message().or_else(|| message(code)).unwrap_or_default();
    Fault::new(status.as_u16(), code.to_owned(), text)
}

/// Converts KMS's error for a key that S3 can't use to S3's error: a code that starts with `KMS.`
/// (400), or `AccessDenied`.
pub(super) fn unusable(reason: Unusable) -> S3Error {
    match reason {
        Unusable::NotFound(text) => custom(400, "KMS.NotFoundException", text),
        Unusable::Denied(text) => s3_error!(AccessDenied, "{text}"),
        Unusable::Disabled(text) => custom(400, "KMS.DisabledException", text),
        Unusable::InvalidState(text) => custom(400, "KMS.KMSInvalidStateException", text),
    }
}

/// A feature that the sandbox does not model (501).
pub(super) fn not_implemented(what: &str) -> S3Error {
    s3_error!(NotImplemented, "The sandbox does not implement {what}.")
}

/// The XML has the right structure but contains a value that S3 does not accept.
pub(super) fn malformed() -> S3Error {
    s3_error!(MalformedXML)
}

/// Returns AWS's message for an error code.
pub(super) fn message(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" => "Access Denied",
        "BadDigest" => {
            "The Content-MD5 or checksum value that you specified did not match what the server received."
        }
        "BucketAlreadyExists" => {
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."
        }
        "BucketAlreadyOwnedByYou" => {
            "Your previous request to create the named bucket succeeded and you already own it."
        }
        "BucketNotEmpty" => "The bucket you tried to delete is not empty",
        "EntityTooSmall" => "Your proposed upload is smaller than the minimum allowed size",
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidAccessKeyId" => "The AWS Access Key Id you provided does not exist in our records.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidPart" => {
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
        }
        "InvalidPartOrder" => {
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        }
        "InvalidRange" => "The requested range is not satisfiable",
        "InvalidToken" => "The provided token is malformed or otherwise invalid.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "NoSuchBucket" => "The specified bucket does not exist",
        "NoSuchBucketPolicy" => "The bucket policy does not exist",
        "NoSuchKey" => "The specified key does not exist.",
        "NoSuchLifecycleConfiguration" => "The lifecycle configuration does not exist",
        "NoSuchPublicAccessBlockConfiguration" => {
            "The public access block configuration was not found"
        }
        "NoSuchTagSet" => "The TagSet does not exist",
        "NoSuchUpload" => {
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
        }
        "NoSuchVersion" => "The specified version does not exist.",
        "ObjectLockConfigurationNotFoundError" => {
            "Object Lock configuration does not exist for this bucket"
        }
        "OwnershipControlsNotFoundError" => "The bucket ownership controls were not found",
        "PermanentRedirect" => {
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."
        }
        "PreconditionFailed" => "At least one of the pre-conditions you specified did not hold",
        "ReplicationConfigurationNotFoundError" => "The replication configuration was not found",
        "RequestTimeTooSkewed" => {
            "The difference between the request time and the current time is too large."
        }
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        }
        "XAmzContentSHA256Mismatch" => {
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        }
        _ => return None,
    })
}

/// The bodies of the requests in progress hold all memory that they may.
pub(crate) fn bodies_full(most: u64) -> S3Error {
    let text = format!(
        "The sandbox keeps requests in memory: the bodies of all requests in progress would hold \
         more than {most} bytes. Send fewer at a time, or raise `Limits::bodies`."
    );
    custom(503, "SandboxFull", text)
}

/// The signature of a request's headers is missing or wrong. The codes are S3's (S3 API Reference,
/// "Error responses").
pub(crate) fn unauthenticated(refusal: Refusal) -> S3Error {
    match refusal {
        Refusal::Missing => s3_error!(AccessDenied, "Access Denied"),
        Refusal::UnknownKey => s3_error!(InvalidAccessKeyId),
        Refusal::Expired => custom(400, "ExpiredToken", "The provided token has expired.".into()),
        Refusal::Incomplete(text) => s3_error!(AuthorizationHeaderMalformed, "{text}"),
        Refusal::Mismatch(text) => s3_error!(SignatureDoesNotMatch, "{text}"),
    }
}

/// A write exceeds the sandbox's memory limits (507). AWS has no error code for this.
pub(super) fn full(full: Full) -> S3Error {
    custom(507, "SandboxFull", full.0)
}

/// An object exceeds the maximum size that the sandbox stores, `most` bytes.
pub(crate) fn too_large(most: u64) -> S3Error {
    s3_error!(
        EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size: the sandbox keeps objects in memory and takes at most {most} bytes."
    )
}
