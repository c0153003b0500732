//! Asynchronous replication. Rules are matched when a version is written (see
//! `world::replication`); a worker makes the replicas later.
//! The behavior of S3 is listed here independently: no list may be shared with the code that is
//! tested against the sandbox.
//! Not for: validating replication configurations (see `s3::rules`).
//!
//! `worker` takes jobs from the queue; `replica` makes replicas; `changes` replicates metadata
//! changes; `events` publishes failures; `on_demand` serves Batch Replication; `location` finds the source and destination
//! buckets; `role` checks the permissions of the replication role.

mod changes;
mod events;
mod location;
mod on_demand;
mod replica;
mod role;
mod worker;

pub(crate) use location::Reason;
pub(crate) use on_demand::{is_eligible, replicate_on_demand};

pub(crate) use worker::work;
