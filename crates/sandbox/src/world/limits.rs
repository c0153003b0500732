//! The memory limits and the client timeouts of the sandbox: all data is in memory, and a client
//! that stops part-way must not keep its connection open.
//! Not for: AWS's own quotas.

use std::time::Duration;

/// The memory limits. All but `resources` are in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The maximum size of an object, and of a request. Default 256 MiB.
    pub object: u64,
    /// The maximum size of all versions and parts in one bucket, each with 1 KiB for its metadata.
    /// Default 1 GiB.
    pub bucket: u64,
    /// The maximum size of all buckets together. Default 4 GiB.
    pub total: u64,
    /// The maximum size of the bodies of all requests in progress: an eighth for those of up to
    /// 1 MiB, the rest for larger ones. One body of each kind always fits, even if it is more.
    /// Default 512 MiB.
    pub bodies: u64,
    /// The maximum number of buckets, topics, queues, keys, aliases, grant tokens, roles, users,
    /// policies, access keys and service-specific credentials of all accounts together. Default 200,000.
    pub resources: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object: 256 << 20,
            bucket: 1 << 30,
            total: 4 << 30,
            bodies: 512 << 20,
            resources: 200_000,
        }
    }
}

/// The timeouts after which the connection of a client is closed.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the headers of a request, from the previous response. This timeout also applies to idle
    /// connections. Default 30 s.
    pub head: Duration,
    /// Between two chunks of a request body, and for the memory that the body needs. Default 30 s.
    pub stall: Duration,
    /// For a whole request body. Default 10 min.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let (short, long) = (Duration::from_secs(30), Duration::from_mins(10));
        Self { head: short, stall: short, body: long }
    }
}
