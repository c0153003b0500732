//! `DescribeJob`, `ListJobs` and `GetJobTagging`. Not for: changing jobs (see `change`).

use crate::s3control::call::{ControlCall, invalid, result};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::clock::rfc3339;
use crate::world::jobs::request::JobTag;
use crate::world::jobs::{BatchJob, ObjectList, Status};
use crrctl_iam::Context;
use serde::Serialize;
use std::time::SystemTime;

impl ControlCall<'_> {
    /// Finds the job that the request names and checks that the caller may perform `action` on it.
    ///
    /// # Errors
    /// `AccessDenied`, and `NoSuchJobException` for a job that does not exist or that belongs to
    /// another account or Region (S3 User Guide, "Troubleshooting S3 Batch Operations").
    pub(super) fn job(&mut self, action: &str) -> Result<(String, &mut BatchJob), Fault> {
        let id = self.rest.to_owned();
        let (region, account) = (&self.caller.region, &self.caller.account);
        let arn = format!("arn:{}:s3:{region}:{account}:job/{id}", self.caller.partition());
        let own = |job: &&BatchJob| (&job.account, &job.region) == (account, region);
        let found = self.state.jobs.0.get(&id).filter(own);
        let mut context = Context::new();
        if let Some(job) = found {
            context.set("s3:ExistingJobOperation", "S3ReplicateObject");
            context.set("s3:ExistingJobPriority", job.priority.to_string());
        }
        if let Some(priority) = self.parameter("priority") {
            context.set("s3:RequestJobPriority", priority);
        }
        let known = found.is_some();
        self.permit(action, arn, context)?;
        let none = || Fault::new(404, "NoSuchJobException", "The specified job does not exist.");
        let job = self.state.jobs.0.get_mut(&id).filter(|_| known).ok_or_else(none)?;
        Ok((id, job))
    }
}

/// S3 API Reference, `DescribeJob`.
pub(super) fn describe(call: &mut ControlCall<'_>) -> XmlOutput {
    let now = call.state.now();
    let (id, job) = call.job("s3:DescribeJob")?;
    let mut xml = element("JobId", &id)
        + &element("JobArn", job.arn(&id))
        + &element("ConfirmationRequired", job.confirmation.to_string())
        + &element("Status", job.status.name())
        + &element("Priority", job.priority.to_string())
        + &element("RoleArn", &job.role)
        + "<Operation><S3ReplicateObject/></Operation>"
        + &written("Report", &job.report)?
        + &progress(job, now)
        + &times(job);
    xml += &match &job.objects {
        ObjectList::Generated(generator) => written("ManifestGenerator", generator)?,
        ObjectList::Listed(manifest) => written("Manifest", manifest)?,
    };
    for (name, text) in [("Description", &job.description), ("StatusUpdateReason", &job.reason)] {
        xml += &text.as_ref().map(|text| element(name, text)).unwrap_or_default();
    }
    if let Some(since) = job.suspended {
        xml += &element("SuspendedDate", rfc3339(since));
        xml += &element("SuspendedCause", "AwaitingConfirmation");
    }
    let failures = job.failures.iter().map(|(code, text)| {
        let reason: String = text.chars().take(256).collect();
        wrapped("member", &(element("FailureCode", code) + &element("FailureReason", reason)))
    });
    let failures: String = failures.collect();
    if !failures.is_empty() {
        xml += &wrapped("FailureReasons", &failures);
    }
    Ok(Some(result("DescribeJobResult", &wrapped("Job", &xml))))
}

/// Serializes a part of the `CreateJob` request for the response.
fn written(name: &str, part: &impl Serialize) -> Result<String, Fault> {
    quick_xml::se::to_string_with_root(name, part)
        .map_err(|error| Fault::new(500, "InternalServiceException", error.to_string()))
}

fn progress(job: &BatchJob, now: SystemTime) -> String {
    if !job.listed {
        return String::new();
    }
    let number = |name: &str, count: usize| element(name, count.to_string());
    let seconds = job.active_for(now).as_secs().to_string();
    let counts = number("TotalNumberOfTasks", job.waiting.len() + job.done.len())
        + &number("NumberOfTasksSucceeded", job.succeeded())
        + &number("NumberOfTasksFailed", job.failed)
        + &wrapped("Timers", &element("ElapsedTimeInActiveSeconds", seconds));
    wrapped("ProgressSummary", &counts)
}

fn times(job: &BatchJob) -> String {
    let ended = job.ended.map(|time| element("TerminationDate", rfc3339(time)));
    element("CreationTime", rfc3339(job.created)) + &ended.unwrap_or_default()
}

/// S3 API Reference, `ListJobs`.
pub(super) fn list(call: &mut ControlCall<'_>) -> XmlOutput {
    call.permit("s3:ListJobs", "*".to_owned(), Context::new())?;
    let wanted: Vec<String> = call.parameters("jobStatuses").collect();
    if let Some(strange) = wanted.iter().find(|name| !Status::is_known(name)) {
        return Err(invalid(format!("'{strange}' is no status of a job.")));
    }
    let limit = call.parameter("maxResults").map_or(Ok(1000), |n| n.parse::<usize>());
    let limit = limit.ok().filter(|limit| (1..=1000).contains(limit));
    let limit = limit.ok_or_else(|| invalid("MaxResults is a number from 1 to 1000."))?;
    let now = call.state.now();
    let caller = &call.caller;
    let own = |job: &BatchJob| (&job.account, &job.region) == (&caller.account, &caller.region);
    let fits =
        |job: &BatchJob| wanted.is_empty() || wanted.iter().any(|name| name == job.status.name());
    let jobs = call.state.jobs.0.iter().filter(|(_, job)| own(job) && fits(job)).collect();
    let token = call.parameter("nextToken");
    let page = page(jobs, token.as_deref(), limit, |(id, _): &(&String, &BatchJob)| (*id).clone());
    let member = |(id, job): &(&String, &BatchJob)| {
        let description = job.description.as_ref().map(|text| element("Description", text));
        let xml = element("JobId", *id)
            + &description.unwrap_or_default()
            + &element("Operation", "S3ReplicateObject")
            + &element("Priority", job.priority.to_string())
            + &element("Status", job.status.name())
            + &progress(job, now)
            + &times(job);
        wrapped("member", &xml)
    };
    let members: String = page.items.iter().map(member).collect();
    let next = page.next.map(|token| element("NextToken", token)).unwrap_or_default();
    Ok(Some(result("ListJobsResult", &(wrapped("Jobs", &members) + &next))))
}

/// S3 API Reference, `GetJobTagging`.
pub(super) fn tags(call: &mut ControlCall<'_>) -> XmlOutput {
    let (_, job) = call.job("s3:GetJobTagging")?;
    let tag = |tag: &JobTag| {
        wrapped("member", &(element("Key", &tag.key) + &element("Value", &tag.value)))
    };
    let tags: String = job.tags.iter().map(tag).collect();
    Ok(Some(result("GetJobTaggingResult", &wrapped("Tags", &tags))))
}
