//! The queue of pending replication, and the records of all replication. Not for: deciding what is
//! queued (see `schedule`).

use super::{Reason, ReplicationTarget, description};
use crate::world::clock;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// The maximum number of records. The oldest records are removed first.
const MAX_RECORDS: usize = 100_000;

/// The pending jobs, and the records of all jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replication {
    pub(crate) queue: VecDeque<ReplicationJob>,
    pub(crate) records: VecDeque<ReplicationRecord>,
    /// The number of the oldest record that is stored.
    pub(crate) first: usize,
}

impl Replication {
    /// Returns whether the queue contains a job.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Removes the first job that is due and returns it.
    pub(crate) fn take(&mut self, now: SystemTime) -> Option<ReplicationJob> {
        let at = self.queue.iter().position(|job| job.due <= now)?;
        self.queue.remove(at)
    }

    /// Returns the time until the next job is due.
    pub(crate) fn wait(&self, now: SystemTime) -> Option<Duration> {
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
                "failure_description": record.reason.and_then(description),
                "notified": record.notified,
                "begun_at": clock::rfc3339_exact(record.begun),
                "ended_at": record.ended.map(clock::rfc3339_exact),
            })
        };
        self.records.iter().map(record).collect()
    }

    /// Returns the metrics of replication from `source` to `destination` under `rule`. A failure
    /// counts if it ended within the interval `between`.
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

    /// Queues a job and begins its record.
    pub(crate) fn push(&mut self, job: ReplicationJob) {
        let record = self.begin(&job);
        self.queue.push_back(ReplicationJob { record, ..job });
    }

    /// Begins the record of a job and returns its number.
    pub(crate) fn begin(&mut self, job: &ReplicationJob) -> usize {
        self.records.push_back(ReplicationRecord {
            bucket: job.bucket.clone(),
            key: job.key.clone(),
            version: job.version.clone(),
            destination: job.target.bucket.clone(),
            status: "PENDING",
            reason: None,
            notified: Vec::new(),
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

/// The state of the replication of one version to one destination.
#[derive(Debug, Clone)]
pub(crate) struct ReplicationRecord {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) destination: String,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<Reason>,
    /// The ARNs of the topics, queues and functions that get the event of the failure.
    pub(crate) notified: Vec<String>,
    pub(crate) rule: Option<String>,
    pub(crate) size: usize,
    pub(crate) begun: SystemTime,
    pub(crate) ended: Option<SystemTime>,
}

/// The metrics of replication under one rule.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) pending: usize,
    pub(crate) bytes: usize,
    /// When the oldest pending replication began.
    pub(crate) oldest: Option<SystemTime>,
    pub(crate) failed: usize,
}

/// The replication of one version to one destination.
#[derive(Debug, Clone)]
pub(crate) struct ReplicationJob {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
    /// The role of the replication configuration at the time when the job was created.
    pub(crate) role: String,
    pub(crate) target: ReplicationTarget,
    pub(crate) task: ReplicationWork,
    pub(crate) record: usize,
    /// When the worker can process the job.
    pub(crate) due: SystemTime,
    pub(crate) begun: SystemTime,
    /// The size of the object in bytes; 0 for a delete marker or a change.
    pub(crate) size: usize,
}

/// The metadata that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataChange {
    Tags,
    Acl,
    Retention,
    LegalHold,
}

/// The part of a version to replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicationWork {
    /// The whole version.
    Whole,
    /// A change that was made after the upload.
    Change(MetadataChange),
}

impl ReplicationJob {
    pub(crate) fn is_of(&self, bucket: &str, key: &str, version: &str, destination: &str) -> bool {
        self.version == version
            && self.bucket == bucket
            && self.key == key
            && self.target.bucket == destination
    }
}
