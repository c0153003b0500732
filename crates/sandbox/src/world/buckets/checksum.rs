//! The checksum that S3 stores for each object and part (S3 User Guide, "Checking object
//! integrity"). Not for: `ETag`s, or verifying the checksums that a client sends (see
//! `s3::checksum`).

use aws_smithy_types::base64;
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const TABLE: [(Self, &'static str, &'static str); 5] = [
        (Self::Crc32, "x-amz-checksum-crc32", "CRC32"),
        (Self::Crc32c, "x-amz-checksum-crc32c", "CRC32C"),
        (Self::Crc64Nvme, "x-amz-checksum-crc64nvme", "CRC64NVME"),
        (Self::Sha1, "x-amz-checksum-sha1", "SHA1"),
        (Self::Sha256, "x-amz-checksum-sha256", "SHA256"),
    ];

    /// Returns the algorithm with a name such as `CRC32`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// Returns the name, such as `CRC32`.
    pub(crate) fn name(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("CRC64NVME", |row| row.2)
    }

    /// Returns the algorithm of the checksum header in a request; CRC64NVME if the request has
    /// none.
    pub(crate) fn sent_in(headers: &HeaderMap) -> Self {
        Self::TABLE
            .iter()
            .find(|row| headers.contains_key(row.1))
            .map_or(Self::Crc64Nvme, |row| row.0)
    }

    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
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
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// Base64. A composite checksum of N parts ends with `-N`.
    pub(crate) value: String,
    /// Whether this is a checksum of the parts' checksums instead of the data.
    pub(crate) composite: bool,
}

impl Checksum {
    /// Computes the checksum of `data`.
    pub(crate) fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        let value = base64::encode(algorithm.digest(data));
        Self { algorithm, value, composite: false }
    }

    /// Computes the composite checksum of an object from the checksums of its parts.
    pub(crate) fn of_parts(algorithm: Algorithm, parts: &[&Self]) -> Self {
        let joined: Vec<u8> =
            parts.iter().filter_map(|part| base64::decode(&part.value).ok()).flatten().collect();
        let value = format!("{}-{}", base64::encode(algorithm.digest(&joined)), parts.len());
        Self { algorithm, value, composite: true }
    }

    /// Returns the value if the checksum uses `algorithm`.
    pub(crate) fn value_of(&self, algorithm: Algorithm) -> Option<String> {
        (self.algorithm == algorithm).then(|| self.value.clone())
    }

    /// Returns the checksum type: `COMPOSITE` or `FULL_OBJECT`.
    pub(crate) fn kind(&self) -> &'static str {
        if self.composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_checksum_counts_its_parts() {
        let part = Checksum::of(Algorithm::Crc32, b"hello");
        assert!(Checksum::of_parts(Algorithm::Crc32, &[&part, &part]).value.ends_with("-2"));
    }
}
