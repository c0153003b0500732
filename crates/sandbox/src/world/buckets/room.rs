//! How much the buckets hold: the sandbox keeps everything in memory, and refuses what would be too much with an error of its own.
//! Not for: AWS's own limits.

/// What is known about a version beside its data counts as much.
const OVERHEAD: usize = 1024;

/// Returns what something of this many bytes counts as.
pub(crate) fn weight_of(bytes: usize) -> u64 {
    u64::try_from(bytes.saturating_add(OVERHEAD)).unwrap_or(u64::MAX)
}

/// Why something is not taken in.
#[derive(Debug)]
pub(crate) struct Full(pub(crate) String);
