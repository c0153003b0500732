//! The queue of replications that wait, and how each went. Not for: what goes into it (see `schedule`).

use super::ReplicationTarget;
use crate::world::clock;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// The most records that are kept; the oldest go first.
const MAX_RECORDS: usize = 100_000;

/// Work that is waiting, and how all work went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replication {
    pub(crate) queue: VecDeque<ReplicationJob>,
    pub(crate) records: VecDeque<ReplicationRecord>,
    /// The number of the oldest record that is kept.
    pub(crate) first: usize,
}

impl Replication {
    /// Returns whether anything waits.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes the first job that is due.
    pub(crate) fn take(&mut self, now: SystemTime) -> Option<ReplicationJob> {
        let at = self.queue.iter().position(|job| job.due <= now)?;
        self.queue.remove(at)
    }

    /// Returns how long until the next job is due.
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
pub(crate) struct ReplicationRecord {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) destination: String,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) rule: Option<String>,
    pub(crate) size: usize,
    pub(crate) begun: SystemTime,
    pub(crate) ended: Option<SystemTime>,
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
pub(crate) struct ReplicationJob {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
    /// The configuration's role when the version was written.
    pub(crate) role: String,
    pub(crate) target: ReplicationTarget,
    pub(crate) task: ReplicationWork,
    pub(crate) record: usize,
    /// When S3 gets round to it.
    pub(crate) due: SystemTime,
    pub(crate) begun: SystemTime,
    /// Bytes of the object; none of a marker or of a change.
    pub(crate) size: usize,
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataChange {
    Tags,
    Acl,
    Retention,
    LegalHold,
}

/// What is to be replicated of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicationWork {
    /// All of it.
    Whole,
    /// What was changed later.
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
