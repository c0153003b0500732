//! Replication behind everybody's back: decides at the time of writing what goes where, then does it in the background.
//! It lists what S3 does by its own lights and must never share a list with what is tested against it.
//! Not for: checking configurations (see `s3::rules`).
//!
//! `changes` is what happens after an upload, `targets` says where a version goes, `role` what the role is asked for, `replica` what is made of it.

mod on_demand;
mod changes;
mod replica;
mod role;
mod targets;

use super::clock;
use super::lag::Slow;
use super::s3::{Content, Outcome, Replicated, Version, Versioning};
use super::state::{Shared, State};
use changes::{follow, note};
use replica::replicate;
use role::ObjectLocation;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use targets::{ReplicationTarget, targets};
use tokio_util::sync::CancellationToken;

pub(crate) use changes::{MetadataChange, changed};
pub(crate) use on_demand::{is_eligible, replicate_on_demand};
pub(crate) use role::Reason;

/// The most records that are kept; the oldest go first.
const MAX_RECORDS: usize = 100_000;

/// How long the worker sleeps at most where nothing waits; it is woken when something does.
const IDLE: Duration = Duration::from_mins(1);

/// Work that is waiting, and how all work went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replication {
    queue: VecDeque<ReplicationJob>,
    records: VecDeque<ReplicationRecord>,
    /// The number of the oldest record that is kept.
    first: usize,
}

impl Replication {
    /// Returns whether anything waits.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes the first job that is due.
    fn take(&mut self, now: SystemTime) -> Option<ReplicationJob> {
        let at = self.queue.iter().position(|job| job.due <= now)?;
        self.queue.remove(at)
    }

    /// Returns how long until the next job is due.
    fn wait(&self, now: SystemTime) -> Option<Duration> {
        let next = self.queue.iter().map(|job| job.due).min()?;
        Some(next.duration_since(now).unwrap_or_default())
    }

    /// Returns the records as `GET /_crrctl/replication` shows them.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let record = |record: &ReplicationRecord| {
            serde_json::json!({
                "bucket": record.bucket,
                "key": record.key,
                "version_id": record.version,
                "destination": record.destination,
                "status": record.status,
                "failure_reason": record.reason,
                "begun_at": clock::rfc3339_exact(record.begun),
                "ended_at": record.ended.map(clock::rfc3339_exact),
            })
        };
        self.records.iter().map(record).collect()
    }

    /// Returns how replication from `source` to `destination` under `rule` gets on; failures between two times are counted.
    pub(crate) fn measured(
        &self,
        source: &str,
        destination: &str,
        rule: &str,
        between: (SystemTime, SystemTime),
    ) -> Measured {
        let mut measured = Measured::default();
        let is_it = |it: &&ReplicationRecord| {
            it.bucket == source && it.destination == destination && it.rule.as_deref() == Some(rule)
        };
        for record in self.records.iter().filter(is_it) {
            match (record.status, record.ended) {
                ("PENDING", _) => {
                    measured.pending += 1;
                    measured.bytes += record.size;
                    let oldest = measured.oldest.unwrap_or(record.begun);
                    measured.oldest = Some(oldest.min(record.begun));
                }
                ("FAILED", Some(ended)) if between.0 <= ended && ended <= between.1 => {
                    measured.failed += 1;
                }
                _ => {}
            }
        }
        measured
    }

    /// Queues a job.
    fn push(&mut self, job: ReplicationJob) {
        let record = self.begin(&job);
        self.queue.push_back(ReplicationJob { record, ..job });
    }

    /// Begins the record of a job and returns its number.
    fn begin(&mut self, job: &ReplicationJob) -> usize {
        self.records.push_back(ReplicationRecord {
            bucket: job.bucket.clone(),
            key: job.key.clone(),
            version: job.version.clone(),
            destination: job.target.bucket.clone(),
            status: "PENDING",
            reason: None,
            rule: job.target.rule.clone(),
            size: job.size,
            begun: job.begun,
            ended: None,
        });
        if self.records.len() > MAX_RECORDS {
            self.records.pop_front();
            self.first += 1;
        }
        self.first + self.records.len() - 1
    }
}

/// How replicating one version to one destination stands.
#[derive(Debug, Clone)]
struct ReplicationRecord {
    bucket: String,
    key: String,
    version: String,
    destination: String,
    status: &'static str,
    reason: Option<&'static str>,
    rule: Option<String>,
    size: usize,
    begun: SystemTime,
    ended: Option<SystemTime>,
}

/// How replication under one rule gets on.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) pending: usize,
    pub(crate) bytes: usize,
    /// Since when the one waits that waits longest.
    pub(crate) oldest: Option<SystemTime>,
    pub(crate) failed: usize,
}

/// One version that is to go to one destination.
#[derive(Debug, Clone)]
struct ReplicationJob {
    bucket: String,
    key: String,
    version: String,
    /// The configuration's role when the version was written.
    role: String,
    target: ReplicationTarget,
    task: ReplicationWork,
    record: usize,
    /// When S3 gets round to it.
    due: SystemTime,
    begun: SystemTime,
    /// Bytes of the object; none of a marker or of a change.
    size: usize,
}

/// What is to be replicated of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReplicationWork {
    /// All of it.
    Whole,
    /// What was changed later.
    Change(MetadataChange),
}

impl ReplicationJob {
    fn is_of(&self, bucket: &str, key: &str, version: &str, destination: &str) -> bool {
        self.version == version
            && self.bucket == bucket
            && self.key == key
            && self.target.bucket == destination
    }
}

fn source<'a>(state: &'a State, job: &'a ReplicationJob) -> Result<ObjectLocation<'a>, Reason> {
    let bucket = state.buckets.0.get(&job.bucket).ok_or("SrcBucketNotFound")?;
    Ok(ObjectLocation { name: &job.bucket, bucket, key: &job.key })
}

fn destination<'a>(
    state: &'a State,
    job: &'a ReplicationJob,
) -> Result<ObjectLocation<'a>, Reason> {
    let bucket = state.buckets.0.get(&job.target.bucket).ok_or("DstBucketNotFound")?;
    Ok(ObjectLocation { name: &job.target.bucket, bucket, key: &job.key })
}

/// Decides where a version that was just written goes, marks it PENDING and queues the work.
pub(crate) fn schedule(state: &mut State, bucket: &str, key: &str, version: &str) {
    let now = state.now();
    let Some(source) = state.buckets.0.get_mut(bucket) else { return };
    if *source.versioning.at(now) != Versioning::Enabled {
        return;
    }
    let Some(configuration) = source.replication.at(now) else { return };
    let role = configuration.role.clone();
    let Some(written) = source.version(key, version) else { return };
    let targets = targets(&configuration.rules, key, &written.content);
    if targets.is_empty() {
        return;
    }
    let outcomes: BTreeMap<String, Outcome> =
        targets.iter().map(|target| (target.bucket.clone(), Outcome::Pending)).collect();
    if let Some(Version { content: Content::Object(object), .. }) = source.version_mut(key, version)
    {
        object.replicated = Replicated::Source(outcomes);
    }
    for target in targets {
        push(state, (bucket, key, version), &role, target, ReplicationWork::Whole);
    }
}

fn push(
    state: &mut State,
    (bucket, key, version): (&str, &str, &str),
    role: &str,
    target: ReplicationTarget,
    task: ReplicationWork,
) {
    let due = state.done_at(Slow::Replication);
    let begun = state.now();
    let found = state.buckets.0.get(bucket).and_then(|it| it.version(key, version));
    let size = match found.map(|it| &it.content) {
        Some(Content::Object(object)) if task == ReplicationWork::Whole => object.data.len(),
        _ => 0,
    };
    let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), version.to_owned());
    let role = role.to_owned();
    let record = 0;
    let job = ReplicationJob { bucket, key, version, role, target, task, record, due, begun, size };
    state.replication.push(job);
}

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
fn settle(state: &mut State, job: &ReplicationJob, outcome: Result<(), Reason>) {
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
        note(state, at, &job.target.bucket, status);
    }
}
