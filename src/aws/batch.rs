//! The four calls of S3 Batch Operations; S3 Control's crate, with a hundred operations, takes three quarters of a minute to compile.
//! Section: S3 API Reference, `CreateJob`, `DescribeJob`, `ListJobs`, `UpdateJobStatus`. Not for: what a job is to do (see `backfill`).

use super::by_hand::{List, Request, Service};
use super::{Aws, Error};
use crate::names::{AccountId, Region};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";
const JOBS: &str = "/v20180820/jobs";

/// A job that replicates what exists, as it is asked for. Buckets are told by their ARNs.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Twice the same is the same job.
    pub client_request_token: String,
    /// What tells the job from others.
    pub description: String,
    /// Whether the job waits, once its objects are counted, until it is confirmed.
    pub confirmation_required: bool,
    /// Higher goes first.
    pub priority: i32,
    /// The role that the job works as.
    pub role_arn: String,
    /// Whose objects are replicated.
    pub source_bucket: String,
    /// Which of them.
    pub filter: Filter,
    /// Where a report of what failed goes.
    pub report_bucket: String,
    /// What the report's key begins with, without a slash at its end.
    pub report_prefix: String,
}

/// Which objects a job is about: those that a rule lets through, and of these what is said here.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// RFC 3339 in whole seconds.
    pub created_after: Option<String>,
    /// RFC 3339 in whole seconds.
    pub created_before: Option<String>,
    /// Replication statuses, such as `FAILED`.
    pub statuses: Vec<String>,
    /// What the key begins with.
    pub prefix: Option<String>,
    /// In bytes.
    pub larger_than: Option<u64>,
    /// In bytes.
    pub smaller_than: Option<u64>,
    /// Storage classes; all where there is none.
    pub storage_classes: Vec<String>,
}

/// A job as S3 tells of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FoundJob {
    /// Its id.
    pub job_id: String,
    /// Such as `Active`.
    pub status: Option<String>,
    /// What tells it from others.
    pub description: Option<String>,
    progress_summary: Progress,
    failure_reasons: List<FailureReason>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Progress {
    total_number_of_tasks: Option<u64>,
    number_of_tasks_succeeded: Option<u64>,
    number_of_tasks_failed: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FailureReason {
    failure_code: Option<String>,
    failure_reason: Option<String>,
}

impl FoundJob {
    /// Returns how many objects there are in all, once they are counted, how many were replicated and how many were not.
    pub fn counts(&self) -> (Option<u64>, u64, u64) {
        let it = &self.progress_summary;
        let done = it.number_of_tasks_succeeded.unwrap_or_default();
        (it.total_number_of_tasks, done, it.number_of_tasks_failed.unwrap_or_default())
    }

    /// Returns why the job as a whole failed: codes and words.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failure_reasons.member.iter().map(|it| {
            let code = it.failure_code.as_deref().unwrap_or("Unknown");
            (code, it.failure_reason.as_deref().unwrap_or("AWS gave no reason"))
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    job_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    job: FoundJob,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    jobs: List<FoundJob>,
    next_token: Option<String>,
}

impl Aws {
    /// Makes a job in the source's Region, where batch jobs live, and returns its id.
    pub async fn create_job(&self, account: &AccountId, job: &NewJob) -> Result<String, Error> {
        let body = written(account, job);
        let made: Created =
            self.batch("s3:CreateJob", account, ("POST", JOBS.to_owned()), body).await?;
        Ok(made.job_id)
    }

    /// Tells of a job.
    pub async fn describe_job(&self, account: &AccountId, id: &str) -> Result<FoundJob, Error> {
        let target = format!("{JOBS}/{}", encoded(id));
        let told: Described =
            self.batch("s3:DescribeJob", account, ("GET", target), String::new()).await?;
        Ok(told.job)
    }

    /// Lists jobs of these statuses, page by page: returns a page and the token of the next.
    pub async fn list_jobs(
        &self,
        account: &AccountId,
        statuses: &[&str],
        token: Option<&str>,
    ) -> Result<(Vec<FoundJob>, Option<String>), Error> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(statuses.iter().map(|status| ("jobStatuses", status)));
        query.extend_pairs(token.map(|token| ("nextToken", token)));
        let target = format!("{JOBS}?{}", query.finish());
        let page: Listed =
            self.batch("s3:ListJobs", account, ("GET", target), String::new()).await?;
        Ok((page.jobs.member, page.next_token.filter(|token| !token.is_empty())))
    }

    /// Asks for a status: `Ready` of a job that waits to be confirmed, or `Cancelled`.
    pub async fn update_job(
        &self,
        account: &AccountId,
        id: &str,
        status: &str,
    ) -> Result<(), Error> {
        let target = format!("{JOBS}/{}/status?requestedJobStatus={status}", encoded(id));
        let update = self.batch("s3:UpdateJobStatus", account, ("POST", target), String::new());
        update.await.map(|_: IgnoredAny| ())
    }

    async fn batch<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        account: &AccountId,
        (method, target): (&'static str, String),
        body: String,
    ) -> Result<T, Error> {
        let region = self.home();
        let caller = self.caller(region);
        let service = Service {
            id: "S3 Control",
            signing_name: "s3",
            endpoint: endpoint(account, region, &caller.config),
        };
        let mut headers = vec![("x-amz-account-id", account.to_string())];
        if !body.is_empty() {
            headers.push(("content-type", "application/xml".to_owned()));
        }
        caller.send(region, &service, operation, Request { method, target, headers, body }).await
    }
}

/// Returns where AWS serves S3 Control for an account (AWS General Reference, "Amazon S3 endpoints and quotas").
fn endpoint(account: &AccountId, region: &Region, config: &aws_config::SdkConfig) -> String {
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let dual_stack = if config.use_dual_stack() == Some(true) { ".dualstack" } else { "" };
    let suffix = region.partition().dns_suffix();
    format!("https://{account}.s3-control{fips}{dual_stack}.{region}.{suffix}")
}

/// What stands for itself in a path (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(id: &str) -> String {
    utf8_percent_encode(id, UNRESERVED).to_string()
}

/// Writes the request's XML.
fn written(account: &AccountId, job: &NewJob) -> String {
    let operation = element("Operation", "<S3ReplicateObject/>");
    let generator = [
        text("ExpectedBucketOwner", account.as_str()),
        text("SourceBucket", &job.source_bucket),
        element("Filter", &filter(&job.filter)),
        text("EnableManifestOutput", "false"),
    ];
    let generator = element("S3JobManifestGenerator", &generator.concat());
    let report = [
        text("Bucket", &job.report_bucket),
        text("Format", "Report_CSV_20180820"),
        text("Enabled", "true"),
        text("Prefix", &job.report_prefix),
        text("ReportScope", "FailedTasksOnly"),
        text("ExpectedBucketOwner", account.as_str()),
    ];
    let parts = [
        text("ClientRequestToken", &job.client_request_token),
        text("ConfirmationRequired", &job.confirmation_required.to_string()),
        text("Description", &job.description),
        element("ManifestGenerator", &generator),
        operation,
        text("Priority", &job.priority.to_string()),
        element("Report", &report.concat()),
        text("RoleArn", &job.role_arn),
    ];
    format!("<CreateJobRequest xmlns=\"{NAMESPACE}\">{}</CreateJobRequest>", parts.concat())
}

fn filter(filter: &Filter) -> String {
    let some = |name: &str, value: Option<&String>| value.map(|it| text(name, it));
    let size = |name: &str, value: Option<u64>| value.map(|it| text(name, &it.to_string()));
    let prefix = filter.prefix.iter().map(|it| element("MatchAnyPrefix", &text("member", it)));
    let parts = [
        Some(text("EligibleForReplication", "true")),
        some("CreatedAfter", filter.created_after.as_ref()),
        some("CreatedBefore", filter.created_before.as_ref()),
        Some(list("ObjectReplicationStatuses", &filter.statuses)),
        prefix.map(|it| element("KeyNameConstraint", &it)).next(),
        size("ObjectSizeGreaterThanBytes", filter.larger_than),
        size("ObjectSizeLessThanBytes", filter.smaller_than),
        Some(&filter.storage_classes)
            .filter(|it| !it.is_empty())
            .map(|it| list("MatchAnyStorageClass", it)),
    ];
    parts.into_iter().flatten().collect()
}

fn list(name: &str, members: &[String]) -> String {
    element(name, &members.iter().map(|it| text("member", it)).collect::<String>())
}

fn text(name: &str, text: &str) -> String {
    element(name, &quick_xml::escape::escape(text))
}

fn element(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_names_account_and_partition() {
        let account = AccountId::new("111122223333").unwrap();
        let at = |region: &str, fips: bool| {
            let config = aws_config::SdkConfig::builder().use_fips(fips).use_dual_stack(fips);
            endpoint(&account, &Region::new(region).unwrap(), &config.build())
        };
        let expected = "https://111122223333.s3-control.cn-north-1.amazonaws.com.cn";
        assert_eq!(at("cn-north-1", false), expected);
        let expected = "https://111122223333.s3-control-fips.dualstack.us-gov-west-1.amazonaws.com";
        assert_eq!(at("us-gov-west-1", true), expected);
    }

    #[test]
    fn an_answer_of_aws_is_read() {
        let text = "<?xml version=\"1.0\"?><DescribeJobResult xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\">
            <Job><JobId>j</JobId><Status>Failed</Status><Priority>1</Priority>
            <ProgressSummary><TotalNumberOfTasks>7</TotalNumberOfTasks><Timers/></ProgressSummary>
            <FailureReasons><member><FailureCode>c</FailureCode><FailureReason>a &amp; b</FailureReason></member></FailureReasons>
            </Job></DescribeJobResult>";
        let told: Described = quick_xml::de::from_str(text).unwrap();
        assert_eq!(told.job.counts(), (Some(7), 0, 0));
        assert_eq!(told.job.failures().collect::<Vec<_>>(), [("c", "a & b")]);
    }
}
