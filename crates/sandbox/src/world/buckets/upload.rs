//! Multipart uploads in progress. Not for: the operations on them (see `s3::multipart`).

use super::{Acl, Algorithm, Checksum, Described, Lock, Sse, Tags, weight_of};
use bytes::Bytes;
use s3s::dto::{ChecksumAlgorithm, ChecksumType};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A multipart upload in progress.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) created: SystemTime,
    /// The id and the display name of the caller that created the upload.
    pub(crate) initiator: (String, String),
    pub(crate) described: Described,
    pub(crate) tags: Tags,
    pub(crate) sse: Sse,
    pub(crate) lock: Lock,
    pub(crate) acl: Acl,
    pub(crate) algorithm: Algorithm,
    /// Whether the client specified the checksum algorithm.
    pub(crate) chosen: bool,
    pub(crate) composite: bool,
    /// Whether the key was written or deleted since the upload began.
    pub(crate) is_disturbed: bool,
    pub(crate) parts: BTreeMap<i32, UploadedPart>,
}

#[derive(Debug, Clone)]
pub(crate) struct UploadedPart {
    pub(crate) data: Bytes,
    pub(crate) etag: String,
    pub(crate) checksum: Checksum,
    /// The checksum that the client sent with the part, if it uses another algorithm.
    pub(crate) sent: Option<Checksum>,
    pub(crate) written: SystemTime,
}

impl Upload {
    /// Returns the size of the upload, in bytes, that counts toward the memory limits (see `room`).
    pub(crate) fn weight(&self, key: &str) -> u64 {
        let parts: u64 = self.parts.values().map(|part| weight_of(part.data.len())).sum();
        weight_of(key.len()) + parts
    }

    pub(crate) fn shown_algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.chosen.then(|| ChecksumAlgorithm::from_static(self.algorithm.name()))
    }

    pub(crate) fn shown_type(&self) -> Option<ChecksumType> {
        let kind = if self.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
        self.chosen.then(|| ChecksumType::from_static(kind))
    }
}
