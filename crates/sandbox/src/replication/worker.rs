//! The worker that makes replicas in the background.
//! Not for: the queue of replication jobs (see `world::replication`).

use crate::gate::Shared;
use crate::replication::changes::follow;
use crate::replication::events;
use crate::replication::location::Reason;
use crate::replication::replica::replicate;
use crate::world::State;
use crate::world::buckets::Outcome;
use crate::world::replication::{ReplicationJob, ReplicationWork, note_outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest time that the worker sleeps while the queue is empty. New work wakes it earlier.
const IDLE: Duration = Duration::from_mins(1);

/// Processes the queue until `stop` is cancelled.
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
        // Locks the state for one job at a time, so that requests are handled between jobs.
        while !stop.is_cancelled() && step(&mut shared.lock()) {
            tokio::task::yield_now().await;
        }
    }
}

/// Processes the next job that is due; false if no job is due.
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

/// Records the outcome of a job in the replication log and on the source version.
pub(super) fn settle(state: &mut State, job: &ReplicationJob, outcome: Result<(), Reason>) {
    let (status, reason) = match outcome {
        Ok(()) => (Outcome::Completed, None),
        Err(reason) => (Outcome::Failed, Some(reason)),
    };
    tracing::info!(bucket = job.bucket, key = job.key, ?status, reason, "replicated");
    let now = state.now();
    let notified = reason.map_or_else(Vec::new, |reason| events::publish(state, job, reason));
    let record = job.record.checked_sub(state.replication.first);
    if let Some(record) = record.and_then(|at| state.replication.records.get_mut(at)) {
        record.status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        record.reason = reason;
        record.notified = notified;
        record.ended = Some(now);
    }
    // The version stays PENDING while another job for it and the same destination is queued.
    let again = state.replication.queue.iter().any(|other| {
        job.task != ReplicationWork::Whole
            && other.is_of(&job.bucket, &job.key, &job.version, &job.target.bucket)
    });
    if !again {
        let at = (&*job.bucket, &*job.key, &*job.version);
        note_outcome(state, at, &job.target.bucket, status);
    }
    if reason.is_some() {
        state.run_alarms();
    }
}
