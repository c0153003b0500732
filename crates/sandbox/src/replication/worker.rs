//! The worker that makes replicas in the background. Not for: what is queued (see `world::replication`).

use crate::gate::Shared;
use crate::replication::changes::follow;
use crate::replication::location::Reason;
use crate::replication::replica::replicate;
use crate::world::State;
use crate::world::buckets::Outcome;
use crate::world::replication::{ReplicationJob, ReplicationWork, note_outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the worker sleeps at most where nothing waits; it is woken when something does.
const IDLE: Duration = Duration::from_mins(1);

/// Works off the queue until `stop`.
pub(crate) async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let wait = {
            let state = shared.lock();
            state.replication.wait(state.now()).unwrap_or(IDLE)
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.replicate.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        // One job a lock, so that requests get their turn in between.
        while !stop.is_cancelled() && step(&mut shared.lock()) {
            tokio::task::yield_now().await;
        }
    }
}

/// Does one job; false where there is none.
fn step(state: &mut State) -> bool {
    let now = state.now();
    let Some(job) = state.replication.take(now) else { return false };
    let outcome = match job.task {
        ReplicationWork::Whole => replicate(state, &job),
        ReplicationWork::Change(part) => follow(state, &job, part),
    };
    settle(state, &job, outcome);
    true
}

/// Writes down how a job went, in the log and on the source version.
pub(super) fn settle(state: &mut State, job: &ReplicationJob, outcome: Result<(), Reason>) {
    let (status, reason) = match outcome {
        Ok(()) => (Outcome::Completed, None),
        Err(reason) => (Outcome::Failed, Some(reason)),
    };
    tracing::debug!(bucket = job.bucket, key = job.key, ?status, reason, "replicated");
    let now = state.now();
    let record = job.record.checked_sub(state.replication.first);
    if let Some(record) = record.and_then(|at| state.replication.records.get_mut(at)) {
        record.status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        record.reason = reason;
        record.ended = Some(now);
    }
    // Another change of the same version keeps it PENDING.
    let again = state.replication.queue.iter().any(|other| {
        job.task != ReplicationWork::Whole
            && other.is_of(&job.bucket, &job.key, &job.version, &job.target.bucket)
    });
    if !again {
        let at = (&*job.bucket, &*job.key, &*job.version);
        note_outcome(state, at, &job.target.bucket, status);
    }
}
