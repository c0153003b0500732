//! What waits to be replicated, and how it went. Not for: replicating (see the service `replication`).

mod queue;
pub(crate) mod rules;
mod schedule;
mod targets;

pub(crate) use queue::{Measured, MetadataChange, Replication, ReplicationJob, ReplicationWork};
pub(crate) use schedule::{note_outcome, schedule, schedule_change};
pub(crate) use targets::{ReplicationTarget, targets};
