//! The checksums of S3: verified where a client sends them, and one kept for each object; `CRC64NVME` where none was sent, as S3
//! does (S3 User Guide, "Checking object integrity"). Not for: `ETag`s.

use aws_smithy_types::base64;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::{S3Result, s3_error};

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const TABLE: [(Self, &'static str, &'static str); 5] = [
        (Self::Crc32, "x-amz-checksum-crc32", "CRC32"),
        (Self::Crc32c, "x-amz-checksum-crc32c", "CRC32C"),
        (Self::Crc64Nvme, "x-amz-checksum-crc64nvme", "CRC64NVME"),
        (Self::Sha1, "x-amz-checksum-sha1", "SHA1"),
        (Self::Sha256, "x-amz-checksum-sha256", "SHA256"),
    ];

    /// Returns the algorithm of a name such as `CRC32`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// Returns the name, such as `CRC32`.
    pub(super) fn name(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("CRC64NVME", |row| row.2)
    }

    /// Returns the algorithm of the checksum that a request sends; that of CRC64NVME if it sends none.
    pub(super) fn sent_in(headers: &HeaderMap) -> Self {
        Self::TABLE
            .iter()
            .find(|row| headers.contains_key(row.1))
            .map_or(Self::Crc64Nvme, |row| row.0)
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 => Crc32::checksum(data).to_vec(),
            Self::Crc32c => Crc32c::checksum(data).to_vec(),
            Self::Crc64Nvme => Crc64Nvme::checksum(data).to_vec(),
            Self::Sha1 => Sha1::checksum(data).to_vec(),
            Self::Sha256 => Sha256::checksum(data).to_vec(),
        }
    }
}

/// An object's checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// Base64; of a composite one with `-N` for its N parts.
    pub(super) value: String,
    /// Whether it is a checksum of the parts' checksums rather than of the data.
    pub(super) composite: bool,
}

impl Checksum {
    /// The checksum of the whole of `data`.
    pub(super) fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        let value = base64::encode(algorithm.digest(data));
        Self { algorithm, value, composite: false }
    }

    /// The checksum of the checksums of parts.
    pub(super) fn of_parts(algorithm: Algorithm, parts: &[&Self]) -> Self {
        let joined: Vec<u8> =
            parts.iter().filter_map(|part| base64::decode(&part.value).ok()).flatten().collect();
        let value = format!("{}-{}", base64::encode(algorithm.digest(&joined)), parts.len());
        Self { algorithm, value, composite: true }
    }

    /// Returns the value if the algorithm is this one.
    pub(super) fn value_of(&self, algorithm: Algorithm) -> Option<String> {
        (self.algorithm == algorithm).then(|| self.value.clone())
    }

    /// Returns `COMPOSITE` or `FULL_OBJECT`.
    pub(super) fn kind(&self) -> &'static str {
        if self.composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

/// Fills the five checksum members that many of S3's outputs have.
macro_rules! with_checksum {
    ($output:expr, $checksum:expr) => {{
        let (mut output, checksum) = ($output, $checksum);
        output.checksum_crc32 = checksum.value_of($crate::s3::checksum::Algorithm::Crc32);
        output.checksum_crc32c = checksum.value_of($crate::s3::checksum::Algorithm::Crc32c);
        output.checksum_crc64nvme = checksum.value_of($crate::s3::checksum::Algorithm::Crc64Nvme);
        output.checksum_sha1 = checksum.value_of($crate::s3::checksum::Algorithm::Sha1);
        output.checksum_sha256 = checksum.value_of($crate::s3::checksum::Algorithm::Sha256);
        output
    }};
}
pub(super) use with_checksum;

/// Compares `data` with every checksum among `headers` (or trailing headers).
///
/// # Errors
/// `BadDigest` where one differs, `InvalidDigest` where Content-MD5 is no MD5, `NotImplemented` for an algorithm not known here.
pub(super) fn verify(headers: &HeaderMap, data: &[u8]) -> S3Result<()> {
    for (name, value) in headers {
        let Some(suffix) = name.as_str().strip_prefix("x-amz-checksum-") else { continue };
        if matches!(suffix, "algorithm" | "type" | "mode") {
            continue;
        }
        let row = Algorithm::TABLE.iter().find(|row| row.1 == name.as_str());
        let Some((algorithm, _, upper)) = row else {
            return Err(super::errors::not_implemented(name.as_str()));
        };
        if base64::encode(algorithm.digest(data)).as_bytes() != value.as_bytes() {
            return Err(s3_error!(
                BadDigest,
                "The {upper} you specified did not match the calculated checksum."
            ));
        }
    }
    let Some(sent) = headers.get("content-md5") else { return Ok(()) };
    let sent = sent.to_str().ok().and_then(|text| base64::decode(text).ok());
    match sent.filter(|md5| md5.len() == 16) {
        None => Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.")),
        Some(md5) if md5[..] != Md5::digest(data)[..] => Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        )),
        Some(_) => Ok(()),
    }
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

    #[test]
    fn a_composite_checksum_counts_its_parts() {
        let part = Checksum::of(Algorithm::Crc32, b"hello");
        assert!(Checksum::of_parts(Algorithm::Crc32, &[&part, &part]).value.ends_with("-2"));
    }
}
