//! The memory limits of the buckets. The sandbox keeps all objects in memory, and refuses data
//! beyond the limits with an error of its own. Not for: AWS's own limits.

/// The size, in bytes, that is added to each version, upload or part for its metadata.
const OVERHEAD: usize = 1024;

/// Returns the size that `bytes` of data count as, including the metadata.
pub(crate) fn weight_of(bytes: usize) -> u64 {
    u64::try_from(bytes.saturating_add(OVERHEAD)).unwrap_or(u64::MAX)
}

/// The error message for data that exceeds the memory limits.
#[derive(Debug)]
pub(crate) struct Full(pub(crate) String);
