//! crrctl makes S3 cross-Region replication with KMS multi-Region keys work, and proves that it works.
//!
//! The modules in reading order; each may use only those below it (`ARCHITECTURE.md`).

pub mod aws;
pub mod cli;
pub mod engine;
pub mod events;
pub mod failure;
pub mod iam;
pub mod manifest;
pub mod names;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod report;
pub mod sandbox;
pub mod steps;
pub mod stop;
pub mod units;
pub mod world;
