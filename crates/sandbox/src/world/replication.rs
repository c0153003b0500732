//! Replication as plain data: the queue of pending replication, its outcomes, and the rules that
//! apply to a version. Not for: making replicas (see `crate::replication`).

mod effective;
mod metrics;
mod queue;
mod reasons;
pub(crate) mod rules;
mod schedule;
mod targets;

pub(crate) use effective::effective;
pub(crate) use metrics::{S3Metric, published};
pub(crate) use queue::{MetadataChange, Replication, ReplicationJob, ReplicationWork};
pub(crate) use reasons::{Reason, description};
pub(crate) use schedule::{note_outcome, schedule, schedule_change};
pub(crate) use targets::{ReplicationTarget, targets};
