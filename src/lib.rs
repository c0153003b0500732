//! crrctl makes S3 cross-Region replication with KMS multi-Region keys work, and proves that it works.
//!
//! The modules in reading order; each may use only those below it (`ARCHITECTURE.md`).

pub mod iam;
pub mod names;
