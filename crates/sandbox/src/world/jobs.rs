//! Batch jobs as plain data, with their statuses and the times at which they progress. Not for:
//! decoding requests (see `s3control::create`) or running a job (see `s3control::run`).

pub(crate) mod request;

use crate::world::jobs::request::{JobManifest, JobReport, JobTag, ManifestGenerator};
use crrctl_iam::names::{AccountId, Region};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

/// How long a job is kept after it ends (S3 User Guide, "Listing jobs").
const KEPT: Duration = Duration::from_hours(90 * 24);

/// The maximum number of jobs. At the maximum, a new job replaces the job that ended first; the new
/// job is refused if every job is still in progress.
const MOST: usize = 1000;

/// All jobs of all accounts and Regions, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs(pub(crate) BTreeMap<String, BatchJob>);

/// One job.
#[derive(Debug, Clone)]
pub(crate) struct BatchJob {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) role: String,
    pub(crate) priority: i32,
    pub(crate) description: Option<String>,
    pub(crate) confirmation: bool,
    pub(crate) objects: ObjectList,
    pub(crate) report: JobReport,
    pub(crate) tags: Vec<JobTag>,
    /// The client request token of the `CreateJob` request, and a digest of that request.
    pub(crate) token: (String, Vec<u8>),
    pub(crate) status: Status,
    /// When the job next progresses on its own.
    pub(crate) due: SystemTime,
    pub(crate) created: SystemTime,
    pub(crate) ended: Option<SystemTime>,
    pub(crate) suspended: Option<SystemTime>,
    /// The reason given in the last `UpdateJobStatus` request.
    pub(crate) reason: Option<String>,
    /// Why the job failed: codes and texts.
    pub(crate) failures: Vec<(&'static str, String)>,
    pub(crate) waiting: VecDeque<BatchTask>,
    pub(crate) done: Vec<FinishedTask>,
    /// How many of the finished tasks failed.
    pub(crate) failed: usize,
    /// Whether the list of objects has been created.
    pub(crate) listed: bool,
    pub(crate) active: Option<SystemTime>,
}

/// The source of a job's list of objects.
#[derive(Debug, Clone)]
pub(crate) enum ObjectList {
    Generated(ManifestGenerator),
    Listed(JobManifest),
}

/// One object version to replicate.
#[derive(Debug, Clone)]
pub(crate) struct BatchTask {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
}

/// A finished task and its outcome.
#[derive(Debug, Clone)]
pub(crate) struct FinishedTask {
    pub(crate) task: BatchTask,
    pub(crate) outcome: Result<(), &'static str>,
}

/// S3 User Guide, "Tracking job status and completion reports". `Pausing` and `Paused` are not
/// modelled: they apply to a job that a job of higher priority preempts, and no job in the sandbox
/// runs long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    Preparing,
    Suspended,
    Ready,
    Active,
    Completing,
    Complete,
    Cancelling,
    Cancelled,
    Failing,
    Failed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Preparing => "Preparing",
            Self::Suspended => "Suspended",
            Self::Ready => "Ready",
            Self::Active => "Active",
            Self::Completing => "Completing",
            Self::Complete => "Complete",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::Failing => "Failing",
            Self::Failed => "Failed",
        }
    }

    /// Returns whether `name` is a job status of AWS.
    pub(crate) fn is_known(name: &str) -> bool {
        let waits = ["Pausing", "Paused"].contains(&name);
        waits || Self::ALL.iter().any(|status| status.name() == name)
    }

    const ALL: [Self; 11] = [
        Self::New,
        Self::Preparing,
        Self::Suspended,
        Self::Ready,
        Self::Active,
        Self::Completing,
        Self::Complete,
        Self::Cancelling,
        Self::Cancelled,
        Self::Failing,
        Self::Failed,
    ];

    /// Returns whether no status follows this status.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Cancelled | Self::Failed)
    }

    /// Returns whether a job can still be cancelled: its final status is not yet decided.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Preparing | Self::Suspended | Self::Ready | Self::Active)
    }
}

impl BatchJob {
    /// Returns the job's ARN.
    pub(crate) fn arn(&self, id: &str) -> String {
        let (partition, region, account) = (self.region.partition(), &self.region, &self.account);
        format!("arn:{partition}:s3:{region}:{account}:job/{id}")
    }

    /// Records a finished task.
    pub(crate) fn finish(&mut self, task: BatchTask, outcome: Result<(), &'static str>) {
        self.failed += usize::from(outcome.is_err());
        self.done.push(FinishedTask { task, outcome });
    }

    /// Returns how many tasks succeeded.
    pub(crate) fn succeeded(&self) -> usize {
        self.done.len() - self.failed
    }

    /// Returns how long the job has been active.
    pub(crate) fn active_for(&self, now: SystemTime) -> Duration {
        let until = self.ended.unwrap_or(now);
        self.active.and_then(|since| until.duration_since(since).ok()).unwrap_or_default()
    }

    /// Returns whether the job progresses on its own.
    fn moves(&self) -> bool {
        !self.status.is_final() && self.status != Status::Suspended
    }
}

impl Jobs {
    /// Makes room for one more job. Returns `false` if the maximum number of jobs is in progress.
    pub(crate) fn make_room(&mut self, now: SystemTime) -> bool {
        self.0.retain(|_, job| job.ended.is_none_or(|ended| now < ended + KEPT));
        if self.0.len() < MOST {
            return true;
        }
        let ended = self.0.iter().filter_map(|(id, job)| Some((job.ended?, id)));
        let first = ended.min().map(|(_, id)| id.clone());
        first.is_some_and(|id| self.0.remove(&id).is_some())
    }

    /// Returns the time until the next job progresses on its own.
    pub(crate) fn wait(&self, now: SystemTime) -> Option<Duration> {
        let due = self.0.values().filter(|job| job.moves()).map(|job| job.due).min()?;
        Some(due.duration_since(now).unwrap_or_default())
    }

    /// Returns the id of the job that progresses now: of the due jobs, the job with the highest
    /// priority.
    pub(crate) fn next(&self, now: SystemTime) -> Option<String> {
        let due = self.0.iter().filter(|(_, job)| job.moves() && job.due <= now);
        due.max_by_key(|(_, job)| job.priority).map(|(id, _)| id.clone())
    }
}
