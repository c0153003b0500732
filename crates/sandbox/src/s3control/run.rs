//! Runs jobs: advances each job from status to status. The objects are listed with the job's role,
//! each object is replicated with the replication configuration's role, and the completion report
//! is written at the end.
//! Not for: client requests (see `create`, `describe`, `change`).
//!
//! AWS documents the job statuses but not the failure codes of jobs. The codes here are the
//! sandbox's own, with texts that state the cause.

use super::role::BatchRole;
use super::{manifest, report};
use crate::gate::Shared;
use crate::replication::{Reason, replicate_on_demand};
use crate::s3control::call::{bucket_name, object_name};
use crate::s3control::role::{Failure, assume_role};
use crate::world::buckets::Content as Written;
use crate::world::jobs::request::{JobManifest, ManifestGenerator};
use crate::world::jobs::{BatchJob, BatchTask, ObjectList, Status};
use crate::world::{Slow, State};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest time that the worker sleeps while no job can advance. A request wakes it earlier.
const IDLE: Duration = Duration::from_mins(1);

/// A job fails once it has run this many tasks and more than half of them failed
/// (S3 User Guide, "Tracking job status and completion reports", "Tracking job failures").
const ENOUGH: usize = 1000;

/// Advances jobs until `stop` is cancelled.
pub(crate) async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let wait = {
            let state = shared.lock();
            state.jobs.wait(state.now()).unwrap_or(IDLE)
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.batch.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        // Locks the state for one step at a time, so that requests are handled between steps.
        while !stop.is_cancelled() && step(&mut shared.lock()) {
            shared.replicate.notify_one();
            tokio::task::yield_now().await;
        }
    }
}

/// Advances one job by one step; false if no job is due.
fn step(state: &mut State) -> bool {
    let Some(id) = state.jobs.next(state.now()) else { return false };
    // Removes the job from the state during the step, because the step changes the rest of the
    // state.
    let Some(mut job) = state.jobs.0.remove(&id) else { return false };
    let before = job.status;
    job.status = advance(state, &id, &mut job);
    if job.status != before {
        tracing::info!(job = id, status = job.status.name(), "batch job");
        let now = state.now();
        job.due = state.done_at(Slow::Batch);
        match job.status {
            Status::Suspended => job.suspended = Some(now),
            Status::Active => job.active = Some(now),
            Status::Complete | Status::Cancelled | Status::Failed => job.ended = Some(now),
            _ => {}
        }
    }
    state.jobs.0.insert(id, job);
    true
}

/// Does the work of the job's status and returns the next status.
fn advance(state: &mut State, id: &str, job: &mut BatchJob) -> Status {
    match job.status {
        Status::New => Status::Preparing,
        Status::Preparing => match list(state, job) {
            Err(failure) => fail(job, failure),
            Ok(tasks) => {
                job.waiting = tasks.into();
                job.listed = true;
                if job.confirmation { Status::Suspended } else { Status::Ready }
            }
        },
        Status::Ready => Status::Active,
        Status::Active => match job.waiting.pop_front() {
            None => Status::Completing,
            Some(task) => {
                let outcome = perform(state, job, &task);
                job.finish(task, outcome);
                if job.done.len() >= ENOUGH && job.failed > job.succeeded() {
                    let text = "More than half of the tasks failed.".to_owned();
                    fail(job, ("FailureThresholdExceeded", text))
                } else {
                    Status::Active
                }
            }
        },
        Status::Completing => end(state, id, job, Status::Complete),
        Status::Cancelling => end(state, id, job, Status::Cancelled),
        Status::Failing => end(state, id, job, Status::Failed),
        ended => ended,
    }
}

fn fail(job: &mut BatchJob, failure: Failure) -> Status {
    job.failures.push(failure);
    Status::Failing
}

/// Writes the completion report if the report is enabled and a task was run. A job whose report
/// can't be written fails.
fn end(state: &mut State, id: &str, job: &mut BatchJob, status: Status) -> Status {
    if job.done.is_empty() || !job.report.enabled {
        return status;
    }
    match report::write(state, id, job) {
        Ok(()) => status,
        Err(failure) => {
            job.failures.push(failure);
            Status::Failed
        }
    }
}

/// Lists the objects of a job with the permissions of its role.
fn list(state: &State, job: &BatchJob) -> Result<Vec<BatchTask>, Failure> {
    let role = assume_role(state, job)?;
    let tasks = match &job.objects {
        ObjectList::Generated(generator) => generated(state, job, &role, generator)?,
        ObjectList::Listed(manifest) => given(state, &role, manifest)?,
    };
    if tasks.is_empty() {
        let text = "Manifest generation found no keys matching the filter criteria.".to_owned();
        return Err(("EmptyManifest", text));
    }
    Ok(tasks)
}

fn generated(
    state: &State,
    job: &BatchJob,
    role: &BatchRole<'_>,
    generator: &ManifestGenerator,
) -> Result<Vec<BatchTask>, Failure> {
    let generator = &generator.s3;
    let name = bucket_name(&generator.source_bucket).unwrap_or_default();
    let cannot = |what: String| ("ManifestGenerationFailed", what);
    let source = state
        .buckets
        .0
        .get(name)
        .ok_or_else(|| cannot(format!("The source bucket {name} does not exist.")))?;
    if source.region != job.region {
        return Err(cannot(format!("The source bucket {name} is in {}.", source.region)));
    }
    let owner = generator.expected_bucket_owner.as_deref();
    if owner.is_some_and(|owner| owner != source.owner.as_str()) {
        return Err(cannot(format!("The source bucket {name} has another owner.")));
    }
    let denied = |action: &str| cannot(format!("The role may not {action} on {name}."));
    let source = role.configured(name).ok_or_else(|| denied("s3:GetReplicationConfiguration"))?;
    role.inventory(name).ok_or_else(|| denied("s3:PutInventoryConfiguration"))?;
    if source.replication.at(state.now()).is_none() {
        return Err(cannot(format!("The source bucket {name} has no replication configuration.")));
    }
    Ok(manifest::generate(name, source, generator.filter.as_ref(), state.now()))
}

fn given(
    state: &State,
    role: &BatchRole<'_>,
    manifest: &JobManifest,
) -> Result<Vec<BatchTask>, Failure> {
    let at = &manifest.location;
    let cannot = |what: &str| {
        let text = format!("The manifest {} {what}.", at.object_arn);
        ("InvalidManifest", text)
    };
    let (name, key) = object_name(&at.object_arn).ok_or_else(|| cannot("is no object"))?;
    let absent = || cannot("does not exist or can't be read by the role");
    let bucket = state.buckets.0.get(name).ok_or_else(absent)?;
    let version = at.object_version_id.as_deref();
    let found = match version {
        Some(version) => bucket.version(key, version),
        None => bucket.latest(key),
    };
    let Some(Written::Object(object)) = found.map(|found| &found.content) else {
        return Err(absent());
    };
    role.read(name, key, version, &object.sse).ok_or_else(absent)?;
    if object.etag != at.etag.trim_matches('"') {
        return Err(cannot("has another ETag"));
    }
    manifest::read(&manifest.spec, &object.data)
        .map_err(|line| cannot(&format!("is malformed in line {line}")))
}

/// Replicates one object. The job's role initiates the replication, and S3 makes the replica with
/// the replication configuration's role.
fn perform(state: &mut State, job: &BatchJob, task: &BatchTask) -> Result<(), Reason> {
    let source = state.buckets.0.get(&task.bucket).ok_or("SrcBucketNotFound")?;
    if source.region != job.region {
        return Err("SrcBucketInvalidRegion");
    }
    let allowed =
        BatchRole::assume(state, job).and_then(|role| role.initiate(&task.bucket, &task.key));
    allowed.ok_or("InitiateReplicationNotPermitted")?;
    replicate_on_demand(state, &task.bucket, &task.key, &task.version)
}
