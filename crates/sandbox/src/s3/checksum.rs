//! Verifies the checksums that clients send, and returns the stored checksum in outputs. S3 stores
//! one checksum for each object: `CRC64NVME` where the client sends none (S3 User Guide, "Checking
//! object integrity"). Not for: `ETag`s, or calculating the stored checksum (see
//! `world::buckets::checksum`).

use super::details::Details;
use super::errors::custom;
use crate::world::buckets::Algorithm;
use aws_smithy_types::base64;
use http::HeaderMap;
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

/// Compares `data` with every checksum in the headers or trailing headers.
///
/// # Errors
/// `BadDigest` where a checksum differs, `InvalidDigest` where Content-MD5 is not an MD5,
/// `NotImplemented` for an algorithm that the sandbox does not support.
pub(super) fn verify(headers: &HeaderMap, data: &[u8]) -> S3Result<()> {
    let mut sent = 0;
    for (name, value) in headers {
        let Some(suffix) = name.as_str().strip_prefix("x-amz-checksum-") else { continue };
        if matches!(suffix, "algorithm" | "type" | "mode") {
            continue;
        }
        let row = Algorithm::TABLE.iter().find(|row| row.1 == name.as_str());
        let Some((algorithm, _, upper)) = row else {
            return Err(super::errors::not_implemented(name.as_str()));
        };
        sent += 1;
        if sent > 1 {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
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
            // S3 returns this digest in hex and the other in Base64.
            let expected = ("ExpectedDigest", hex::encode(md5));
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
        assert!(verify(&headers("x-amz-checksum-crc32", "NhCmhg=="), b"hello").is_ok());
        let code =
            |headers: &HeaderMap| verify(headers, b"hello").unwrap_err().code().as_str().to_owned();
        assert_eq!(code(&headers("x-amz-checksum-crc32", "NhCmhw==")), "BadDigest");
        assert_eq!(code(&headers("content-md5", "XUFAKrxLKna5cZ2REBfFkA==")), "BadDigest");
        assert_eq!(code(&headers("content-md5", "nonsense")), "InvalidDigest");
        assert_eq!(code(&headers("x-amz-checksum-new", "x")), "NotImplemented");
    }
}
