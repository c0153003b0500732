//! How much the buckets hold: the sandbox keeps everything in memory, and refuses what would be too much with an error of its own.
//! Not for: AWS's own limits.

use super::Buckets;
use super::errors::custom;
use super::store::{Content, Version};
use crate::limits::Limits;
use s3s::{S3Error, s3_error};

/// What is known about a version beside its data counts as much.
const OVERHEAD: usize = 1024;

/// Returns what something of this many bytes counts as.
pub(super) fn weight_of(bytes: usize) -> u64 {
    u64::try_from(bytes.saturating_add(OVERHEAD)).unwrap_or(u64::MAX)
}

impl Version {
    /// Returns what the version counts as.
    pub(crate) fn weight(&self, key: &str) -> u64 {
        let data = match &self.content {
            Content::Object(object) => {
                let metadata = object.described.metadata.iter();
                object.data.len()
                    + metadata.map(|(name, value)| name.len() + value.len()).sum::<usize>()
            }
            Content::DeleteMarker => 0,
        };
        weight_of(data + key.len())
    }
}

/// Why something is not taken in.
#[derive(Debug)]
pub(crate) struct Full(String);

impl Buckets {
    /// Checks that a bucket can take `more`; one that does not exist is no matter of room.
    pub(crate) fn check_room(&self, limits: &Limits, name: &str, more: u64) -> Result<(), Full> {
        let full = |what: &str, most: u64| {
            Full(format!(
                "The sandbox keeps objects in memory: {what} would hold more than {most} bytes. Delete versions, or abort uploads."
            ))
        };
        let held = self.0.get(name).map_or(0, |bucket| bucket.held);
        if held.saturating_add(more) > limits.bucket {
            return Err(full(&format!("bucket {name}"), limits.bucket));
        }
        let total: u64 = self.0.values().map(|bucket| bucket.held).sum();
        if total.saturating_add(more) > limits.total {
            return Err(full("all buckets together", limits.total));
        }
        Ok(())
    }
}

/// The code of what is too much for a bucket; AWS has none.
pub(super) fn full(full: Full) -> S3Error {
    custom(507, "SandboxFull", full.0)
}

/// Refuses an object that is too large to be kept.
pub(crate) fn too_large(most: u64) -> S3Error {
    s3_error!(
        EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size: the sandbox keeps objects in memory and takes at most {most} bytes."
    )
}
