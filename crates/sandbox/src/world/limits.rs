//! What the sandbox takes on at most: everything is in memory, and a client that stops half-way must not keep its place.
//! Not for: AWS's own quotas.

use std::time::Duration;

/// How much is kept, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest object, and the largest request. Default 256 MiB.
    pub object: u64,
    /// What all versions and parts in one bucket weigh, each with 1 KiB for what is known about it. Default 1 GiB.
    pub bucket: u64,
    /// What all buckets weigh together. Default 4 GiB.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { object: 256 << 20, bucket: 1 << 30, total: 4 << 30 }
    }
}

/// How long a client may take before its connection is closed.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, from the moment that the last one was answered: an idle connection lasts as long. Default 30 s.
    pub head: Duration,
    /// Between two pieces of a body. Default 30 s.
    pub stall: Duration,
    /// For a whole body. Default 10 min.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let (short, long) = (Duration::from_secs(30), Duration::from_mins(10));
        Self { head: short, stall: short, body: long }
    }
}
