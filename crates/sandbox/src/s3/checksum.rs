//! Verifies the checksums that clients send, and returns the stored checksum in outputs. S3 stores
//! one checksum for each object: `CRC64NVME` where the client sends none (S3 User Guide, "Checking
//! object integrity"). Not for: `ETag`s, or calculating the stored checksum (see
//! `world::buckets::checksum`).

use super::details::Details;
use super::errors::custom;
use crate::world::buckets::Algorithm;
use aws_smithy_types::base64;
use http::{HeaderMap, HeaderName};
use md5::{Digest, Md5};
use s3s::{S3Result, s3_error};

/// Fills the five checksum members that many S3 outputs have.
macro_rules! with_checksum {
    ($output:expr, $checksum:expr) => {{
        let (mut output, checksum) = ($output, $checksum);
        output.checksum_crc32 = checksum.value_of($crate::world::buckets::Algorithm::Crc32);
        output.checksum_crc32c = checksum.value_of($crate::world::buckets::Algorithm::Crc32c);
        output.checksum_crc64nvme = checksum.value_of($crate::world::buckets::Algorithm::Crc64Nvme);
        output.checksum_sha1 = checksum.value_of($crate::world::buckets::Algorithm::Sha1);
        output.checksum_sha256 = checksum.value_of($crate::world::buckets::Algorithm::Sha256);
        output
    }};
}
pub(super) use with_checksum;

/// How the error for a wrong Content-MD5 shows what the client sent. S3 was recorded to answer
/// `PutObject` in hex and `UploadPart` in Base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestFormat {
    Hex,
    Base64,
}

/// Compares `data` with every checksum in the headers or trailing headers.
///
/// # Errors
/// `BadDigest` where a checksum differs, `InvalidDigest` where Content-MD5 is not an MD5,
/// `NotImplemented` for an algorithm that the sandbox does not support.
pub(super) fn verify(headers: &HeaderMap, data: &[u8], format: DigestFormat) -> S3Result<()> {
    let is_sum = |name: &HeaderName| {
        let suffix = name.as_str().strip_prefix("x-amz-checksum-");
        suffix.is_some_and(|suffix| !matches!(suffix, "algorithm" | "type" | "mode"))
    };
    if headers.keys().filter(|name| is_sum(name)).count() > 1 {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    for (name, value) in headers.iter().filter(|(name, _)| is_sum(name)) {
        let row = Algorithm::TABLE.iter().find(|row| row.1 == name.as_str());
        let Some((algorithm, _, upper)) = row else {
            return Err(super::errors::not_implemented(name.as_str()));
        };
        let calculated = algorithm.digest(data);
        let given = value.to_str().ok().and_then(|text| base64::decode(text).ok());
        if given.is_none_or(|given| given.len() != calculated.len()) {
            return Err(s3_error!(InvalidRequest, "Value for {name} header is invalid."));
        }
        if base64::encode(calculated).as_bytes() != value.as_bytes() {
            return Err(s3_error!(
                BadDigest,
                "The {upper} you specified did not match the calculated checksum."
            ));
        }
    }
    let Some(sent) = headers.get("content-md5") else { return Ok(()) };
    let text = sent.to_str().unwrap_or_default();
    let calculated = Md5::digest(data);
    match base64::decode(text).ok().filter(|md5| md5.len() == 16) {
        None => {
            let error = s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.");
            Err(Details::on(error, [("Content-MD5", text.to_owned())]))
        }
        Some(md5) if md5[..] != calculated[..] => {
            let error = s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            );
            let sent = match format {
                DigestFormat::Hex => hex::encode(md5),
                DigestFormat::Base64 => text.to_owned(),
            };
            let expected = ("ExpectedDigest", sent);
            let calculated = ("CalculatedDigest", base64::encode(calculated));
            Err(Details::on(error, [expected, calculated]))
        }
        Some(_) => Ok(()),
    }
}

/// Refuses an upload in chunks whose decoded size differs from what its headers say.
pub(super) fn check_length(headers: &HeaderMap, received: usize) -> S3Result<()> {
    let wanted = headers.get("x-amz-decoded-content-length").and_then(|it| it.to_str().ok());
    match wanted.map(str::parse::<usize>) {
        Some(Ok(wanted)) if wanted != received => Err(s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        )),
        _ => Ok(()),
    }
}

/// Refuses an upload in chunks that lacks a trailing header that it announces.
pub(super) fn check_trailers(headers: &HeaderMap, trailers: &HeaderMap) -> S3Result<()> {
    let announced = headers.get("x-amz-trailer").and_then(|it| it.to_str().ok());
    let mut names = announced.unwrap_or_default().split(',').map(str::trim);
    if names.all(|name| name.is_empty() || trailers.contains_key(name)) {
        return Ok(());
    }
    let text = "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    Err(custom(400, "MalformedTrailerError", text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn a_wrong_checksum_is_a_bad_digest() {
        // The CRC32 of "hello" is 0x3610a686.
        assert!(
            verify(&headers("x-amz-checksum-crc32", "NhCmhg=="), b"hello", DigestFormat::Hex)
                .is_ok()
        );
        let code = |headers: &HeaderMap| {
            verify(headers, b"hello", DigestFormat::Hex).unwrap_err().code().as_str().to_owned()
        };
        assert_eq!(code(&headers("x-amz-checksum-crc32", "NhCmhw==")), "BadDigest");
        assert_eq!(code(&headers("content-md5", "XUFAKrxLKna5cZ2REBfFkA==")), "BadDigest");
        assert_eq!(code(&headers("content-md5", "nonsense")), "InvalidDigest");
        assert_eq!(code(&headers("x-amz-checksum-new", "x")), "NotImplemented");
    }
}
