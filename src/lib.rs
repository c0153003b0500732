//! crrctl sets up S3 cross-Region replication with KMS multi-Region keys, and proves that it works.
//!
//! The modules are listed in reading order; each may use only those below it (`ARCHITECTURE.md`).
//! Not for: the policy evaluator and the sandbox, which are the crates `crrctl-iam` and
//! `crrctl-sandbox`.

pub mod cli;
pub mod report;
pub mod ops;
pub mod compare;
pub mod check;
pub mod probe;
pub mod backfill;
pub mod observe;
pub mod steps;
pub mod engine;
pub mod aws;
pub mod recording;
pub mod plan;
pub mod export;
pub mod import;
pub mod policy;
pub mod world;
pub mod manifest;
pub mod settings;
mod hcl;
pub mod events;
pub mod stop;
pub mod failure;
pub mod names;
pub mod units;
pub mod printed;
pub mod bounded;
pub mod joined;

#[cfg(test)]
mod seeded;
