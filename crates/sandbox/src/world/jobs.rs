//! Batch jobs as plain data, and the ways from one status to the next. Not for: decoding requests or doing a job's work (see `run`).

pub(crate) mod request;

use crate::world::jobs::request::{JobManifest, JobReport, JobTag, ManifestGenerator};
use crrctl_iam::names::{AccountId, Region};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

/// How long a job is remembered after its end (S3 User Guide, "Listing jobs").
const KEPT: Duration = Duration::from_hours(90 * 24);

/// The most jobs that are kept; those that ended first go first. More than this under way are refused.
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
    /// The token of the request that made it, and a digest of that request.
    pub(crate) token: (String, Vec<u8>),
    pub(crate) status: Status,
    /// When it goes on by itself.
    pub(crate) due: SystemTime,
    pub(crate) created: SystemTime,
    pub(crate) ended: Option<SystemTime>,
    pub(crate) suspended: Option<SystemTime>,
    /// What who changed the status gave as the reason.
    pub(crate) reason: Option<String>,
    /// Why the job failed: code and text.
    pub(crate) failures: Vec<(&'static str, String)>,
    pub(crate) waiting: VecDeque<BatchTask>,
    pub(crate) done: Vec<FinishedTask>,
    /// How many of those that are done failed.
    pub(crate) failed: usize,
    /// Whether the list of objects was made.
    pub(crate) listed: bool,
    pub(crate) active: Option<SystemTime>,
}

/// Which objects a job is about.
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

/// A task and how it went.
#[derive(Debug, Clone)]
pub(crate) struct FinishedTask {
    pub(crate) task: BatchTask,
    pub(crate) outcome: Result<(), &'static str>,
}

/// S3 User Guide, "Tracking job status and completion reports". `Pausing` and `Paused` are for jobs that one of higher priority pushes
/// aside, which no job here is long enough for.
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

    /// Returns whether `name` is a status that AWS has.
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

    /// Returns whether nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Cancelled | Self::Failed)
    }

    /// Returns whether a job can still be cancelled: nothing has decided yet how it ends.
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

    /// Puts a task where those that are done are.
    pub(crate) fn finish(&mut self, task: BatchTask, outcome: Result<(), &'static str>) {
        self.failed += usize::from(outcome.is_err());
        self.done.push(FinishedTask { task, outcome });
    }

    /// Returns how many tasks succeeded.
    pub(crate) fn succeeded(&self) -> usize {
        self.done.len() - self.failed
    }

    /// Returns how long it has been active.
    pub(crate) fn active_for(&self, now: SystemTime) -> Duration {
        let until = self.ended.unwrap_or(now);
        self.active.and_then(|since| until.duration_since(since).ok()).unwrap_or_default()
    }

    /// Whether the job goes on by itself.
    fn moves(&self) -> bool {
        !self.status.is_final() && self.status != Status::Suspended
    }
}

impl Jobs {
    /// Makes room for one more job; false where as many as are kept are still under way.
    pub(crate) fn make_room(&mut self, now: SystemTime) -> bool {
        self.0.retain(|_, job| job.ended.is_none_or(|ended| now < ended + KEPT));
        if self.0.len() < MOST {
            return true;
        }
        let ended = self.0.iter().filter_map(|(id, job)| Some((job.ended?, id)));
        let first = ended.min().map(|(_, id)| id.clone());
        first.is_some_and(|id| self.0.remove(&id).is_some())
    }

    /// Returns how long until the next job goes on by itself.
    pub(crate) fn wait(&self, now: SystemTime) -> Option<Duration> {
        let due = self.0.values().filter(|job| job.moves()).map(|job| job.due).min()?;
        Some(due.duration_since(now).unwrap_or_default())
    }

    /// Returns the job that goes on now: of those that are due the one of highest priority.
    pub(crate) fn next(&self, now: SystemTime) -> Option<String> {
        let due = self.0.iter().filter(|(_, job)| job.moves() && job.due <= now);
        due.max_by_key(|(_, job)| job.priority).map(|(id, _)| id.clone())
    }
}
