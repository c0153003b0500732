//! S3 Batch Replication over HTTP with the real SDK: what is there before the rule, and what
//! failed, is replicated by a job; the job's role and the configuration's are two, and each thing
//! that is broken shows where AWS shows it.

use super::{ACCOUNT, EAST, OTHER, ROLE, Stand, TRUST, WEST, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3control::types::{
    JobDescriptor, JobManifestGenerator, JobManifestGeneratorFilter, JobOperation, JobReport,
    JobReportFormat, JobReportScope, JobStatus, KeyNameConstraint, ReplicationStatus,
    RequestedJobStatus, S3JobManifestGenerator, S3ReplicateObjectOperation, S3StorageClass,
};
use aws_sdk_s3control::types::{
    JobManifest, JobManifestFieldName, JobManifestFormat, JobManifestLocation, JobManifestSpec,
    ObjectEncryptionFilter, SsekmsFilter, Sses3Filter, Tag,
};
use crrctl_sandbox::{Lag, Options, SECRET};
use serde_json::{Value, json};

pub(super) const SOURCE: &str = "batch-src";
const DESTINATION: &str = "batch-dst";
pub(super) const REPORTS: &str = "batch-reports";
pub(super) const BATCH_ROLE: &str = "arn:aws:iam::111122223333:role/batch";

/// What the role of a job is allowed, one statement an action.
fn batch_policy() -> Value {
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [
        allow("s3:GetReplicationConfiguration", "arn:aws:s3:::batch-src"),
        allow("s3:PutInventoryConfiguration", "arn:aws:s3:::batch-src"),
        allow("s3:InitiateReplication", "arn:aws:s3:::batch-src/*"),
        allow("s3:PutObject", "arn:aws:s3:::batch-reports/*"),
    ]})
}

/// A pair whose source had objects before it had a rule, and the role of its jobs.
pub(super) struct Pair {
    pub(super) stand: Stand,
    pub(super) control: aws_sdk_s3control::Client,
}

impl Pair {
    pub(super) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let stand = Stand::with(options).await;
        stand.bucket(SOURCE, EAST, true).await;
        stand.bucket(DESTINATION, WEST, true).await;
        stand.bucket(REPORTS, EAST, false).await;
        stand.role().await;
        let trust = TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com");
        let create = stand.iam().create_role().role_name("batch");
        create.assume_role_policy_document(trust).send().await.unwrap();
        let control = stand.s3control(ACCOUNT, SECRET, EAST);
        let pair = Self { stand, control };
        pair.grant(&batch_policy()).await;
        pair
    }

    async fn grant(&self, policy: &Value) {
        let put = self.stand.iam().put_role_policy().role_name("batch").policy_name("batch");
        put.policy_document(policy.to_string()).send().await.unwrap();
    }

    async fn rule(&self) {
        self.stand.replicate(SOURCE, [rule("one", 1, DESTINATION, None).build().unwrap()]).await;
    }

    /// A job over what `filter` lets through.
    pub(super) fn job(
        &self,
        filter: JobManifestGeneratorFilter,
    ) -> aws_sdk_s3control::operation::create_job::builders::CreateJobFluentBuilder {
        self.bare().manifest_generator(generator(SOURCE, filter))
    }

    /// A job without objects.
    pub(super) fn bare(
        &self,
    ) -> aws_sdk_s3control::operation::create_job::builders::CreateJobFluentBuilder {
        self.control
            .create_job()
            .account_id(ACCOUNT)
            .confirmation_required(false)
            .operation(replicate())
            .priority(1)
            .role_arn(BATCH_ROLE)
            .report(report(REPORTS, JobReportScope::AllTasks))
    }

    async fn describe(&self, id: &str) -> JobDescriptor {
        let described = self.control.describe_job().account_id(ACCOUNT).job_id(id);
        described.send().await.unwrap().job().unwrap().clone()
    }

    /// Polls until a job has one of these statuses.
    async fn reaches(&self, id: &str, wanted: &[JobStatus]) -> JobDescriptor {
        for _ in 0..500 {
            let job = self.describe(id).await;
            if wanted.contains(job.status().unwrap()) {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("{:?} never came: {:?}", wanted, self.describe(id).await);
    }

    /// Runs a job to its end.
    async fn run(
        &self,
        job: aws_sdk_s3control::operation::create_job::builders::CreateJobFluentBuilder,
    ) -> (String, JobDescriptor) {
        let id = job.send().await.unwrap().job_id().unwrap().to_owned();
        let ended = [JobStatus::Complete, JobStatus::Failed, JobStatus::Cancelled];
        let job = self.reaches(&id, &ended).await;
        (id, job)
    }

    async fn status(&self, key: &str) -> Option<String> {
        let head = self.stand.s3(EAST).head_object().bucket(SOURCE).key(key).send().await.unwrap();
        head.replication_status().map(|status| status.as_str().to_owned())
    }

    /// Reads a job's report: the task status and the lines of each file.
    async fn report(&self, id: &str) -> Vec<(String, Vec<String>)> {
        let manifest = self.read(&format!("reports/job-{id}/manifest.json")).await;
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["Format"], "Report_CSV_20180820");
        let schema = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage";
        assert_eq!(manifest["ReportSchema"], schema);
        let mut files = Vec::new();
        for result in manifest["Results"].as_array().unwrap() {
            assert_eq!(result["Bucket"], REPORTS);
            let text = self.read(result["Key"].as_str().unwrap()).await;
            let digest = hex::encode(<md5::Md5 as md5::Digest>::digest(&text));
            assert_eq!(result["MD5Checksum"], digest);
            let kind = result["TaskExecutionStatus"].as_str().unwrap().to_owned();
            files.push((kind, text.lines().map(String::from).collect()));
        }
        files
    }

    async fn read(&self, key: &str) -> String {
        let get = self.stand.s3(EAST).get_object().bucket(REPORTS).key(key).send().await.unwrap();
        assert_eq!(get.server_side_encryption().unwrap().as_str(), "AES256");
        String::from_utf8(get.body.collect().await.unwrap().to_vec()).unwrap()
    }

    /// Runs a job over one object and returns why it failed: the job as a whole, or the object.
    async fn reason(&self) -> Result<(), String> {
        let (id, job) = self.run(self.job(everything())).await;
        if let Some(failure) = job.failure_reasons().first() {
            return Err(failure.failure_reason().unwrap().to_owned());
        }
        let report = self.report(&id).await;
        let failed = report.iter().find(|(kind, _)| kind == "failed");
        match failed {
            None => Ok(()),
            Some((_, lines)) => Err(lines[0].split(',').nth(5).unwrap().to_owned()),
        }
    }
}

pub(super) fn replicate() -> JobOperation {
    JobOperation::builder()
        .s3_replicate_object(S3ReplicateObjectOperation::builder().build())
        .build()
}

pub(super) fn report(bucket: &str, scope: JobReportScope) -> JobReport {
    JobReport::builder()
        .enabled(true)
        .bucket(format!("arn:aws:s3:::{bucket}"))
        .prefix("reports")
        .format(JobReportFormat::ReportCsv20180820)
        .report_scope(scope)
        .build()
}

pub(super) fn generator(bucket: &str, filter: JobManifestGeneratorFilter) -> JobManifestGenerator {
    JobManifestGenerator::S3JobManifestGenerator(
        S3JobManifestGenerator::builder()
            .source_bucket(format!("arn:aws:s3:::{bucket}"))
            .enable_manifest_output(false)
            .filter(filter)
            .build()
            .unwrap(),
    )
}

pub(super) fn everything() -> JobManifestGeneratorFilter {
    JobManifestGeneratorFilter::builder().build()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_replicates_what_was_there_before_and_what_failed() {
    let pair = Pair::new().await;
    let old = pair.stand.put(SOURCE, "old,with \"quotes\"").await;
    pair.rule().await;
    let iam = pair.stand.iam();
    iam.delete_role_policy()
        .role_name("replication")
        .policy_name("replication")
        .send()
        .await
        .unwrap();
    let failed = pair.stand.put(SOURCE, "failed").await;
    let status = pair.stand.settled(SOURCE, "failed", &failed).await;
    assert_eq!(status.as_deref(), Some("FAILED"));
    let put = iam.put_role_policy().role_name("replication").policy_name("replication");
    put.policy_document(super::POLICY).send().await.unwrap();
    pair.stand.put(SOURCE, "done").await;

    let filter = JobManifestGeneratorFilter::builder()
        .eligible_for_replication(true)
        .object_replication_statuses(ReplicationStatus::None)
        .object_replication_statuses(ReplicationStatus::Failed)
        .build();
    let (id, job) = pair.run(pair.job(filter).description("backfill")).await;
    assert_eq!(job.status(), Some(&JobStatus::Complete), "{job:?}");
    let progress = job.progress_summary().unwrap();
    let tasks = (
        progress.total_number_of_tasks(),
        progress.number_of_tasks_succeeded(),
        progress.number_of_tasks_failed(),
    );
    assert_eq!(tasks, (Some(2), Some(2), Some(0)));
    assert_eq!(job.job_arn().unwrap(), format!("arn:aws:s3:us-east-1:{ACCOUNT}:job/{id}"));
    assert_eq!((job.description(), job.role_arn()), (Some("backfill"), Some(BATCH_ROLE)));
    assert!(job.creation_time().is_some() && job.termination_date().is_some());
    assert!(job.manifest_generator().is_some() && job.operation().is_some());
    for (key, version) in [("old,with \"quotes\"", &old), ("failed", &failed)] {
        assert_eq!(pair.status(key).await.as_deref(), Some("COMPLETED"), "{key}");
        let replica = pair.stand.s3(WEST).head_object().bucket(DESTINATION).key(key);
        let replica = replica.version_id(version).send().await.unwrap();
        assert_eq!(replica.replication_status().unwrap().as_str(), "REPLICA");
    }
    let lines = vec![
        format!("{SOURCE},failed,{failed},succeeded,200,,Successful"),
        format!("{SOURCE},old%2Cwith%20%22quotes%22,{old},succeeded,200,,Successful"),
    ];
    assert_eq!(pair.report(&id).await, [("succeeded".to_owned(), lines)]);

    // A report goes where the rules go like anything else; here it lies in a bucket of its own.
    let listed = pair.control.list_jobs().account_id(ACCOUNT).send().await.unwrap();
    assert_eq!(listed.jobs().len(), 1);
    assert_eq!(listed.jobs()[0].status(), Some(&JobStatus::Complete));
    let active = pair.control.list_jobs().account_id(ACCOUNT).job_statuses(JobStatus::Active);
    assert!(active.send().await.unwrap().jobs().is_empty());
    let elsewhere = pair.stand.s3control(ACCOUNT, SECRET, WEST);
    let elsewhere = elsewhere.list_jobs().account_id(ACCOUNT).send().await.unwrap();
    assert!(elsewhere.jobs().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lets_through_what_it_says() {
    let pair = Pair::new().await;
    let s3 = pair.stand.s3(EAST);
    for (key, size, class) in [
        ("a/one.txt", 1, "STANDARD"),
        ("a/two.log", 10, "STANDARD_IA"),
        ("b/three.txt", 100, "GLACIER"),
    ] {
        let put = s3.put_object().bucket(SOURCE).key(key).storage_class(class.into());
        put.body(ByteStream::from(vec![0; size])).send().await.unwrap();
    }
    let (primary, _) = pair.stand.keys().await;
    let put = s3.put_object().bucket(SOURCE).key("c/kms").ssekms_key_id(&primary);
    put.server_side_encryption("aws:kms".into()).send().await.unwrap();
    s3.delete_object().bucket(SOURCE).key("b/three.txt").send().await.unwrap();
    let only = rule("a", 1, DESTINATION, None)
        .filter(aws_sdk_s3::types::ReplicationRuleFilter::builder().prefix("a/").build());
    pair.stand.replicate(SOURCE, [only.build().unwrap()]).await;

    let names = |names: KeyNameConstraint| {
        JobManifestGeneratorFilter::builder().key_name_constraint(names).build()
    };
    let new = JobManifestGeneratorFilter::builder;
    let now = aws_sdk_s3control::primitives::DateTime::from(std::time::SystemTime::now());
    let later = aws_sdk_s3control::primitives::DateTime::from_secs(now.secs() + 3600);
    let earlier = aws_sdk_s3control::primitives::DateTime::from_secs(now.secs() - 3600);
    let sse = |filter: ObjectEncryptionFilter| new().match_any_object_encryption(filter).build();
    let kms = SsekmsFilter::builder().bucket_key_enabled(false).build();
    for (filter, expected) in [
        (everything(), 4),
        (new().eligible_for_replication(true).build(), 2),
        (new().eligible_for_replication(false).build(), 2),
        (new().object_replication_statuses(ReplicationStatus::Completed).build(), 0),
        (new().object_replication_statuses(ReplicationStatus::None).build(), 4),
        (new().created_after(later).build(), 0),
        (new().created_after(earlier).build(), 4),
        (new().created_before(earlier).build(), 0),
        (new().object_size_greater_than_bytes(10).build(), 1),
        (new().object_size_less_than_bytes(10).build(), 2),
        (new().match_any_storage_class(S3StorageClass::StandardIa).build(), 1),
        (new().match_any_storage_class(S3StorageClass::Standard).build(), 2),
        (names(KeyNameConstraint::builder().match_any_prefix("a/").build()), 2),
        (names(KeyNameConstraint::builder().match_any_suffix(".txt").build()), 2),
        (names(KeyNameConstraint::builder().match_any_substring("tw").build()), 1),
        (sse(ObjectEncryptionFilter::Sses3(Sses3Filter::builder().build())), 3),
        (sse(ObjectEncryptionFilter::Ssekms(kms)), 1),
    ] {
        let told = format!("{filter:?}");
        let made = pair.job(filter).confirmation_required(true).send().await.unwrap();
        let id = made.job_id().unwrap();
        let job = pair.reaches(id, &[JobStatus::Suspended, JobStatus::Failed]).await;
        if expected == 0 {
            let why = job.failure_reasons()[0].failure_reason().unwrap();
            assert_eq!(why, "Manifest generation found no keys matching the filter criteria.");
            continue;
        }
        let total = job.progress_summary().unwrap().total_number_of_tasks();
        assert_eq!(total, Some(expected), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_confirmation_can_be_cancelled_and_is_made_once() {
    let pair = Pair::new().await;
    pair.stand.put(SOURCE, "old").await;
    pair.rule().await;
    // What is left out counts as true.
    let job = pair.job(everything()).set_confirmation_required(None).client_request_token("one");
    let id = job.clone().send().await.unwrap().job_id().unwrap().to_owned();
    assert_eq!(job.clone().send().await.unwrap().job_id(), Some(&*id));
    let waiting = pair.reaches(&id, &[JobStatus::Suspended]).await;
    assert!(waiting.suspended_date().is_some() && waiting.suspended_cause().is_some());
    assert_eq!(pair.status("old").await, None);
    let update = |id: &str, status| {
        pair.control
            .update_job_status()
            .account_id(ACCOUNT)
            .job_id(id)
            .requested_job_status(status)
            .status_update_reason("so it is")
    };
    let urgent = pair.control.update_job_priority().account_id(ACCOUNT).job_id(&id).priority(9);
    assert_eq!(urgent.send().await.unwrap().priority(), 9);
    let made = update(&id, RequestedJobStatus::Ready).send().await.unwrap();
    assert_eq!(made.status(), Some(&JobStatus::Ready));
    let done = pair.reaches(&id, &[JobStatus::Complete]).await;
    assert_eq!((done.status_update_reason(), done.priority()), (Some("so it is"), 9));
    assert_eq!(pair.status("old").await.as_deref(), Some("COMPLETED"));

    let other = pair.job(everything()).confirmation_required(true).send().await.unwrap();
    let id = other.job_id().unwrap();
    pair.reaches(id, &[JobStatus::Suspended]).await;
    update(id, RequestedJobStatus::Cancelled).send().await.unwrap();
    let gone = pair.reaches(id, &[JobStatus::Cancelled]).await;
    assert!(gone.termination_date().is_some());
    super::refused! {
        "JobStatusException" 400 "Cancelled" update(id, RequestedJobStatus::Ready);
        "JobStatusException" 400 "Complete" update(&done.job_id.clone().unwrap(), RequestedJobStatus::Cancelled);
        "IdempotencyException" 400 "" job.priority(2);
        "BadRequestException" 400 "Cancelled" pair.control.update_job_priority().account_id(ACCOUNT).job_id(id).priority(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_of_the_jobs_role_is_needed() {
    let pair = Pair::new().await;
    pair.stand.put(SOURCE, "old").await;
    let told = |part: &str, got: Result<(), String>| {
        assert!(got.as_ref().is_err_and(|why| why.contains(part)), "{part}: {got:?}");
    };
    told("no replication configuration", pair.reason().await);
    pair.rule().await;
    let whole = batch_policy();
    for (at, part) in [
        "s3:GetReplicationConfiguration",
        "s3:PutInventoryConfiguration",
        "InitiateReplicationNotPermitted",
        "could not be written to your report bucket",
    ]
    .into_iter()
    .enumerate()
    {
        let mut policy = whole.clone();
        policy["Statement"].as_array_mut().unwrap().remove(at);
        pair.grant(&policy).await;
        told(part, pair.reason().await);
    }
    pair.grant(&whole).await;
    // The object was replicated by the job that could not write its report.
    assert_eq!(pair.reason().await, Err("SrcReplicationNotPending".to_owned()));
    let iam = pair.stand.iam();
    let trust = |trust: String| {
        let update = iam.update_assume_role_policy().role_name("batch").policy_document(trust);
        async move { update.send().await.unwrap() }
    };
    trust(TRUST.to_owned()).await;
    told("can't assume the role", pair.reason().await);
    trust(TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com")).await;
    pair.stand.put(SOURCE, "new").await;
    let version = pair.stand.put(SOURCE, "hard").await;
    pair.stand.settled(SOURCE, "hard", &version).await;
    let west = pair.stand.s3(WEST);
    let gone = west.delete_object().bucket(DESTINATION).key("hard").version_id(&version);
    gone.send().await.unwrap();
    assert_eq!(pair.reason().await, Err("DstObjectHardDeleted".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replication_itself_is_done_as_the_configurations_role() {
    let pair = Pair::new().await;
    pair.stand.put(SOURCE, "old").await;
    pair.rule().await;
    let iam = pair.stand.iam();
    let name = ROLE.rsplit('/').next().unwrap();
    let grant = |actions: &str| {
        let policy = super::POLICY.replace(r#"["s3:*","kms:*"]"#, actions);
        let put = iam.put_role_policy().role_name(name).policy_name(name).policy_document(policy);
        async move { put.send().await.unwrap() }
    };
    grant(r#"["s3:Get*","s3:List*"]"#).await;
    assert_eq!(pair.reason().await, Err("DstPutObjectNotPermitted".to_owned()));
    assert_eq!(pair.status("old").await.as_deref(), Some("FAILED"));
    let (_, log) = pair.stand.control("GET", "replication", "").await;
    assert_eq!(log[0]["failure_reason"], "DstPutObjectNotPermitted");
    grant(r#"["s3:ReplicateObject"]"#).await;
    assert_eq!(pair.reason().await, Err("SrcBucketReplicationConfigMissing".to_owned()));
    iam.update_assume_role_policy()
        .role_name(name)
        .policy_document(TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com"))
        .send()
        .await
        .unwrap();
    assert_eq!(pair.reason().await, Err("AssumeRoleNotPermitted".to_owned()));
    iam.update_assume_role_policy().role_name(name).policy_document(TRUST).send().await.unwrap();
    grant(r#"["s3:*"]"#).await;
    assert_eq!(pair.reason().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_manifest_names_the_versions() {
    let pair = Pair::new().await;
    let version = pair.stand.put(SOURCE, "a b").await;
    let gone = pair.stand.s3(EAST).delete_object().bucket(SOURCE).key("gone").send().await.unwrap();
    let marker = gone.version_id().unwrap();
    pair.rule().await;
    let mut policy = batch_policy();
    policy["Statement"].as_array_mut().unwrap().push(
        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::batch-reports/*"}),
    );
    pair.grant(&policy).await;
    let absent = "a".repeat(32);
    let rows = [
        (SOURCE, "a%20b", version.as_str(), None),
        (SOURCE, "a+b", &version, Some("SrcReplicationNotPending")),
        (SOURCE, "a%20b", &absent, Some("SrcVersionNotFound")),
        (SOURCE, "absent", &absent, Some("SrcKeyNotFound")),
        (SOURCE, "gone", marker, Some("SrcObjectNotEligible")),
        ("nowhere", "k", &absent, Some("SrcBucketNotFound")),
        (DESTINATION, "k", &absent, Some("SrcBucketInvalidRegion")),
        (REPORTS, "k", &absent, Some("InitiateReplicationNotPermitted")),
    ];
    let lines: Vec<String> = rows.iter().map(|(b, k, v, _)| format!("{b},{k},{v}")).collect();
    let text = lines.join("\n");
    let put = pair.stand.s3(EAST).put_object().bucket(REPORTS).key("manifest.csv");
    let put = put.body(ByteStream::from(text.into_bytes())).send().await.unwrap();
    let manifest = |etag: &str| {
        let spec = JobManifestSpec::builder()
            .format(JobManifestFormat::S3BatchOperationsCsv20180820)
            .fields(JobManifestFieldName::Bucket)
            .fields(JobManifestFieldName::Key)
            .fields(JobManifestFieldName::VersionId);
        let location = JobManifestLocation::builder()
            .object_arn(format!("arn:aws:s3:::{REPORTS}/manifest.csv"))
            .e_tag(etag);
        JobManifest::builder()
            .spec(spec.build().unwrap())
            .location(location.build().unwrap())
            .build()
    };
    let (id, job) = pair.run(pair.bare().manifest(manifest(put.e_tag().unwrap()))).await;
    assert_eq!(job.status(), Some(&JobStatus::Complete), "{job:?}");
    let report = pair.report(&id).await;
    let failed: Vec<&str> = report[1].1.iter().map(|l| l.split(',').nth(5).unwrap()).collect();
    let expected: Vec<&str> = rows.iter().filter_map(|(_, _, _, reason)| *reason).collect();
    assert_eq!((report[0].1.len(), failed), (1, expected));
    let (_, stale) = pair.run(pair.bare().manifest(manifest("\"other\""))).await;
    assert!(stale.failure_reasons()[0].failure_reason().unwrap().contains("another ETag"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_takes_its_time_where_things_take_time() {
    let options = Options { lag: Lag::Aws, seed: Some(7), ..Options::default() };
    let pair = Pair::with(options).await;
    pair.stand.control("POST", "clock", r#"{"advance": "1h"}"#).await;
    pair.stand.put(SOURCE, "old").await;
    pair.rule().await;
    pair.stand.control("POST", "clock", r#"{"advance": "1h"}"#).await;
    let made = pair.job(everything()).send().await.unwrap();
    let id = made.job_id().unwrap();
    assert_eq!(pair.describe(id).await.status(), Some(&JobStatus::New));
    let mut seen = vec![JobStatus::New];
    for _ in 0..10 {
        pair.stand.control("POST", "clock", r#"{"advance": "30s"}"#).await;
        // The worker moves a job by one status for each time its hour has come.
        for _ in 0..200 {
            let status = pair.describe(id).await.status().unwrap().clone();
            if seen.last() != Some(&status) {
                seen.push(status);
                break;
            }
            tokio::task::yield_now().await;
        }
        if seen.last() == Some(&JobStatus::Complete) {
            break;
        }
    }
    let expected =
        ["New", "Preparing", "Ready", "Active", "Completing", "Complete"].map(JobStatus::from);
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_buckets_are_added_one_by_one() {
    let pair = Pair::new().await;
    let arn = format!("arn:aws:s3:::{SOURCE}");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let add = |tags: Vec<Tag>| {
        let add = pair.control.tag_resource().account_id(ACCOUNT).resource_arn(&arn);
        add.set_tags(Some(tags))
    };
    add(vec![tag("a:b/c", "1"), tag("team", "x+y")]).send().await.unwrap();
    add(vec![tag("team", "z")]).send().await.unwrap();
    let shown = || async {
        let list = pair.control.list_tags_for_resource().account_id(ACCOUNT).resource_arn(&arn);
        let list = list.send().await.unwrap();
        list.tags().iter().map(|t| format!("{}={}", t.key(), t.value())).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, ["a:b/c=1", "team=z"]);
    let tags = pair.stand.s3(EAST).get_bucket_tagging().bucket(SOURCE).send().await.unwrap();
    assert_eq!(tags.tag_set().len(), 2);
    let untag = pair.control.untag_resource().account_id(ACCOUNT).resource_arn(&arn);
    untag.tag_keys("team").tag_keys("absent").send().await.unwrap();
    assert_eq!(shown().await, ["a:b/c=1"]);
    let foreign = pair.stand.s3control(OTHER, SECRET, EAST);
    let elsewhere = pair.stand.s3control(ACCOUNT, SECRET, WEST);
    let list = |control: &aws_sdk_s3control::Client, account: &str, arn: &str| {
        control.list_tags_for_resource().account_id(account).resource_arn(arn)
    };
    super::refused! {
        "InvalidTag" 400 "User-defined tag keys can't start" add(vec![tag("aws:x", "1")]);
        "InvalidTag" 400 "duplicate tag keys" add(vec![tag("x", "1"), tag("x", "2")]);
        "AccessDenied" 403 "s3:ListTagsForResource" list(&foreign, OTHER, &arn);
        "AccessDenied" 403 "" list(&foreign, ACCOUNT, &arn);
        "NoSuchResource" 404 "" list(&pair.control, ACCOUNT, "arn:aws:s3:::absent-bucket");
        "InvalidRequest" 400 "us-east-1" list(&elsewhere, ACCOUNT, &arn);
        "NotImplemented" 501 "general purpose" list(&pair.control, ACCOUNT, "arn:aws:s3:us-east-1:111122223333:access-grants/default");
    }
}
