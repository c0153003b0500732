//! Batch jobs of a pair: created once, found again, confirmed, cancelled, followed.
//! Sources: S3 API Reference, `CreateJob`; S3 User Guide, "Replicating existing objects with Batch
//! Replication".
//! Not for: the completion report of a job (see `report`), or which objects it takes (see `objects`).

use super::objects::{self, ObjectList};
use crate::aws::settle::{Look, Wait, retry, until};
use crate::aws::{At, Aws, Error};
use crate::events::{Event, Events, StepId};
use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::stop::Stop;
use aws_sdk_iam::types::Tag;
use aws_sdk_s3control::types::{
    JobDescriptor, JobOperation, JobProgressSummary, JobReport, JobReportFormat, JobReportScope,
    JobStatus, RequestedJobStatus, S3ReplicateObjectOperation,
};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Mutex;
use std::time::Duration;

/// The objects that a job selects, and how the job is created.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Wish {
    /// Replication statuses: `NONE`, `FAILED`, `COMPLETED`, `REPLICA`.
    pub statuses: Vec<String>,
    /// Only versions created after this time.
    pub since: Option<Timestamp>,
    /// Only versions created before this time.
    pub until: Option<Timestamp>,
    /// Only keys with this prefix.
    pub prefix: Option<String>,
    /// Only objects larger than this, in bytes.
    pub larger_than: Option<u64>,
    /// Only objects smaller than this, in bytes.
    pub smaller_than: Option<u64>,
    /// Only objects in these storage classes.
    pub storage_classes: Vec<String>,
    /// Among the jobs of an account, one with a higher priority runs first.
    pub priority: i32,
    /// Whether the job waits for confirmation after its objects are counted.
    pub confirm: bool,
    /// The list of the objects, in place of every filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ObjectList>,
}

/// The state of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "job"))]
pub struct Job {
    /// The job's id.
    pub id: String,
    /// The job's status, such as `Active`.
    pub status: String,
    /// The total number of objects, once they are counted.
    pub total: Option<u64>,
    /// Objects that were replicated.
    pub succeeded: u64,
    /// Objects that were not replicated.
    pub failed: u64,
    /// Why the job as a whole failed, if it did.
    pub failures: Vec<String>,
}

impl Job {
    fn of(job: &JobDescriptor) -> Self {
        let count = |count: Option<i64>| count.and_then(|it| u64::try_from(it).ok());
        let progress = job.progress_summary();
        let failures = job.failure_reasons().iter().map(|it| {
            let code = it.failure_code().unwrap_or("Unknown");
            format!("{code}: {}", it.failure_reason().unwrap_or("AWS gave no reason"))
        });
        Self {
            id: job.job_id().unwrap_or_default().to_owned(),
            status: job.status().map_or("New", JobStatus::as_str).to_owned(),
            total: count(progress.and_then(JobProgressSummary::total_number_of_tasks)),
            succeeded: count(progress.and_then(JobProgressSummary::number_of_tasks_succeeded))
                .unwrap_or_default(),
            failed: count(progress.and_then(JobProgressSummary::number_of_tasks_failed))
                .unwrap_or_default(),
            failures: failures.collect(),
        }
    }

    /// Returns whether the status is final.
    pub fn is_over(&self) -> bool {
        ["Complete", "Failed", "Cancelled"].contains(&self.status.as_str())
    }

    /// Returns whether the job waits for confirmation.
    pub fn is_suspended(&self) -> bool {
        self.status == "Suspended"
    }

    /// Returns whether the objects are still being counted.
    fn is_counting(&self) -> bool {
        ["New", "Preparing"].contains(&self.status.as_str())
    }

    /// Returns the status for people: AWS calls a job Failed whose filter selects nothing.
    fn told(&self) -> &str {
        if self.found_nothing() { "nothing to replicate" } else { &self.status }
    }

    /// Returns whether the job failed because its filter selects no object.
    pub fn found_nothing(&self) -> bool {
        self.status == "Failed"
            && self.failures.iter().any(|it| it.contains("found no keys matching"))
    }
}

/// The batch jobs of one pair.
#[derive(Debug)]
pub struct Jobs<'a> {
    aws: &'a Aws,
    topology: &'a Topology,
    events: &'a Events,
    stop: &'a Stop,
}

/// Every status of a job that is in progress or can continue.
const LIVE: [JobStatus; 8] = [
    JobStatus::New,
    JobStatus::Preparing,
    JobStatus::Suspended,
    JobStatus::Ready,
    JobStatus::Active,
    JobStatus::Pausing,
    JobStatus::Paused,
    JobStatus::Completing,
];

/// Every status of a job that is ending but has not ended.
const ENDING: [JobStatus; 2] = [JobStatus::Cancelling, JobStatus::Failing];

impl<'a> Jobs<'a> {
    /// The tag of the jobs' role that holds the last job whose end was reported: the job after it
    /// has another token.
    pub const TOLD_TAG: &'static str = Topology::JOB_TAG;

    /// Returns the batch jobs of `topology`.
    pub fn new(aws: &'a Aws, topology: &'a Topology, events: &'a Events, stop: &'a Stop) -> Self {
        Self { aws, topology, events, stop }
    }

    fn description(&self) -> String {
        format!("crrctl backfill of {}", self.topology.wanted.id())
    }

    /// Finds the job that is in progress.
    pub async fn under_way(&self) -> Result<Option<String>, Error> {
        self.find(&LIVE).await
    }

    /// Finds the job that has not ended, in progress or ending: until its end, it uses its role and
    /// writes its report.
    pub async fn not_over(&self) -> Result<Option<String>, Error> {
        self.find(&[&LIVE[..], &ENDING].concat()).await
    }

    async fn find(&self, statuses: &[JobStatus]) -> Result<Option<String>, Error> {
        let (description, home) = (self.description(), self.aws.home());
        let list =
            self.aws.s3control().list_jobs().account_id(self.topology.source.account.as_str());
        let list = list.set_job_statuses(Some(statuses.to_vec()));
        let mut token = None;
        loop {
            let page = list.clone().set_next_token(token).send().await.at("s3:ListJobs", home)?;
            let ours = page.jobs().iter().find(|job| job.description() == Some(&*description));
            if let Some(id) = ours.and_then(|job| job.job_id()) {
                return Ok(Some(id.to_owned()));
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    /// Creates a job once: until the end of the job is reported, the same `wish` yields the same
    /// job. `told` is the last job whose end was reported.
    pub async fn create(&self, wish: &Wish, told: Option<&str>) -> Result<String, Failure> {
        let topology = self.topology;
        let reports = topology.reports();
        let (account, home) = (topology.source.account.as_str(), self.aws.home());
        let report = JobReport::builder()
            .bucket(objects::bucket_arn(topology, &reports.bucket))
            .format(JobReportFormat::ReportCsv20180820)
            .enabled(true)
            .prefix(reports.prefix.trim_end_matches('/'))
            .report_scope(JobReportScope::FailedTasksOnly)
            .expected_bucket_owner(account);
        let replicate = S3ReplicateObjectOperation::builder().build();
        let create = self
            .aws
            .s3control()
            .create_job()
            .account_id(account)
            .client_request_token(self.token(wish, told))
            .confirmation_required(wish.confirm)
            .description(self.description())
            .operation(JobOperation::builder().s3_replicate_object(replicate).build())
            .priority(wish.priority)
            .report(report.build())
            .role_arn(topology.batch_role_arn().to_string());
        let create = match &wish.list {
            Some(list) => create.manifest(objects::listed(topology, list)?),
            None => create.manifest_generator(objects::generated(topology, wish)?),
        };
        let progress = self.events.step(&StepId::job(topology.wanted.name.as_str()));
        let call = || async { create.clone().send().await.at("s3:CreateJob", home) };
        let made = retry(self.stop, &progress, call).await?;
        let unreadable = || Error::unreadable("s3:CreateJob", home, "job id");
        Ok(made.job_id.ok_or_else(unreadable)?)
    }

    fn token(&self, wish: &Wish, told: Option<&str>) -> String {
        let wish = serde_json::to_string(wish).unwrap_or_default();
        let text = format!("{}\n{wish}\n{}", self.description(), told.unwrap_or_default());
        hex::encode(Sha256::digest(text))
    }

    /// Reads the state of a job.
    pub async fn look(&self, id: &str) -> Result<Job, Failure> {
        let describe = self.aws.s3control().describe_job();
        let describe = describe.account_id(self.topology.source.account.as_str()).job_id(id);
        let told = describe.send().await.at("s3:DescribeJob", self.aws.home())?;
        let unreadable = || Error::unreadable("s3:DescribeJob", self.aws.home(), "job");
        Ok(Job::of(told.job().ok_or_else(unreadable)?))
    }

    /// Confirms a job that waits for confirmation.
    pub async fn confirm(&self, id: &str) -> Result<(), Failure> {
        Ok(self.ask_for(id, RequestedJobStatus::Ready).await?)
    }

    /// Cancels a job; objects that it has replicated stay. A job that has already ended is no
    /// error.
    pub async fn cancel(&self, id: &str) -> Result<(), Failure> {
        match self.ask_for(id, RequestedJobStatus::Cancelled).await {
            Err(error) if error.is("JobStatusException") => Ok(()),
            other => Ok(other?),
        }
    }

    async fn ask_for(&self, id: &str, status: RequestedJobStatus) -> Result<(), Error> {
        let update = self.aws.s3control().update_job_status();
        let update = update.account_id(self.topology.source.account.as_str()).job_id(id);
        let update = update.requested_job_status(status);
        update.send().await.at("s3:UpdateJobStatus", self.aws.home()).map(drop)
    }

    /// Follows a job until its objects are counted.
    pub async fn until_counted(&self, id: &str) -> Result<Job, Failure> {
        self.follow(id, "to have counted its objects", |job| !job.is_counting()).await
    }

    /// Follows a job to its end.
    pub async fn until_over(&self, id: &str) -> Result<Job, Failure> {
        self.follow(id, "to end", Job::is_over).await
    }

    async fn follow(
        &self,
        id: &str,
        what: &str,
        is_there: impl Fn(&Job) -> bool,
    ) -> Result<Job, Failure> {
        let wait = Wait {
            what: format!("the batch job {id} {what}"),
            every: Duration::from_millis(100),
            at_most_every: Duration::from_secs(20),
            // A job over billions of objects takes days; the run's own deadline ends the wait.
            at_most: Duration::from_hours(30 * 24),
            in_a_row: 1,
            hint: "the job goes on by itself: `crrctl backfill --resume` follows it".to_owned(),
        };
        let last: Mutex<Option<Job>> = Mutex::default();
        let look = || async {
            let job = self.look(id).await?;
            self.say(&job, &last);
            let status = job.status.clone();
            Ok(if is_there(&job) { Look::There(job) } else { Look::NotYet(status) })
        };
        let progress = self.events.step(&StepId::job(id));
        until(self.stop, &progress, &wait, look).await.map_err(|failure| {
            failure.leaving(format!("the batch job {id}, which goes on by itself"))
        })
    }

    /// Reports the job's state if it has changed.
    fn say(&self, job: &Job, last: &Mutex<Option<Job>>) {
        let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.as_ref() == Some(job) {
            return;
        }
        self.events.say(&Event::BackfillStatus {
            job: job.id.clone(),
            status: job.told().to_owned(),
            total: job.total,
            succeeded: job.succeeded,
            failed: job.failed,
        });
        *last = Some(job.clone());
    }

    /// Records that the end of a job was reported.
    pub async fn told(&self, id: &str) -> Result<(), Failure> {
        // The request includes the pair's own tags: the operator's policy requires them of a caller
        // that tags a role.
        let owner =
            self.topology.wanted.owner_tags().into_iter().chain([(Self::TOLD_TAG, id.to_owned())]);
        let tag = |(key, value)| Tag::builder().key(key).value(value).build();
        let tags = owner.map(tag).collect::<Result<Vec<_>, _>>();
        let tags = tags.map_err(|error| Failure::bug(&error.to_string()))?;
        let record = self.aws.iam(self.aws.home()).tag_role().role_name(self.topology.batch_role());
        let record = record.set_tags(Some(tags));
        record.send().await.at("iam:TagRole", self.aws.home())?;
        Ok(())
    }
}

/// Returns the failure of a job that has not replicated every object; `None` if it has, or if there
/// was nothing to do.
pub fn verdict(job: &Job) -> Option<Failure> {
    match job.status.as_str() {
        "Complete" if job.failed == 0 => None,
        "Complete" => {
            let message = format!(
                "{} of {} objects were not replicated",
                job.failed,
                job.succeeded + job.failed
            );
            Some(Failure::new(Kind::ReplicationFailed, "backfill-failed", message))
        }
        "Cancelled" => {
            let message = "the batch job was cancelled; what it had replicated stays";
            let cancelled = Failure::new(Kind::Interrupted, "cancelled", message);
            Some(
                cancelled
                    .hint("`crrctl backfill` replicates the rest, where the pair still stands"),
            )
        }
        _ if job.found_nothing() => None,
        _ => {
            let why = job.failures.join("; ");
            let is_denied = ["NotPermitted", "may not", "AccessDenied", "permission"];
            let kind = if job.failures.iter().any(|it| it.starts_with("FailureThreshold")) {
                Kind::ReplicationFailed
            } else if is_denied.iter().any(|word| why.contains(word)) {
                Kind::Denied
            } else {
                Kind::Unexpected
            };
            let message = format!("the batch job failed: {why}");
            Some(Failure::new(kind, "job-failed", message).hint(
                "`crrctl check` says what stands in the way; a role that was just made may not have spread yet: then `crrctl backfill` again",
            ))
        }
    }
}
