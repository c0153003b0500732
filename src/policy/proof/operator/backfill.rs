//! The calls of `backfill`: its own role and bucket, a batch job, and the job's report.
//! Not for: the calls that the job makes with its role (see `batch`).

use super::{
    Call, NOT_ON_BUCKETS, NOT_ON_OBJECTS, NOT_ON_ROLES, Operator, ROLE_WRITES, ResourcePolicyOf,
    through_s3,
};
use crate::manifest::Profile;
use crate::names::Arn;
use crate::policy::Document;
use crate::policy::proof::scene::outside;
use crrctl_iam::ResourceKind;

impl Operator<'_> {
    pub(super) fn backfill(&self) -> Vec<Call> {
        let topology = self.scene.topology;
        let source = &topology.source;
        let prefixes = topology.prefixes(source);
        let mut calls: Vec<Call> = ["iam:CreateRole", "iam:TagRole"]
            .map(|it| self.tagged(self.on_batch_role(it)))
            .to_vec();
        calls.extend(ROLE_WRITES.map(|it| self.on_batch_role(it)));
        let service = "batchoperations.s3.amazonaws.com";
        let pass = self.on_batch_role("iam:PassRole");
        calls.push(pass.demanding("StringEquals", "iam:PassedToService", service));
        calls.extend(["s3:CreateJob", "s3:ListJobs"].map(|action| self.on_jobs(action)));
        calls.extend(["s3:DescribeJob", "s3:UpdateJobStatus"].map(|action| self.on_job(action)));
        calls.extend(REPORT_BUCKET_WRITES.iter().filter_map(|it| self.on_report_bucket(it)));
        calls.push(self.on_reports("s3:GetBucketObjectLockConfiguration"));
        calls.push(self.on_report("s3:GetObject"));
        calls.extend(
            prefixes.iter().map(|it| self.on_object("s3:GetObjectVersion", source, it, &prefixes)),
        );
        calls.extend(self.reports_key("kms:Decrypt"));
        calls
    }

    /// Returns the calls of `check --with-batch` beside those of a backfill: the list of one object, and the removal of
    /// what the job took.
    pub(super) fn ask(&self) -> Vec<Call> {
        let mut calls: Vec<Call> =
            ["iam:DeleteRole", "iam:DeleteRolePolicy"].map(|it| self.on_batch_role(it)).to_vec();
        let on_bucket = ["s3:DeleteBucket", "s3:ListBucketMultipartUploads"];
        calls.extend(on_bucket.iter().filter_map(|it| self.on_report_bucket(it)));
        calls.extend(["s3:DeleteObjectVersion", "s3:PutObject"].map(|it| self.on_report(it)));
        calls.extend(self.reports_key("kms:GenerateDataKey"));
        calls
    }

    /// Returns the calls on the source's key for reports that lie beside the data.
    fn reports_key(&self, action: &str) -> Vec<Call> {
        let (scene, topology) = (self.scene, self.scene.topology);
        let source = &topology.source;
        if !topology.reports().with_data || !source.has_key() {
            return Vec::new();
        }
        let mut contexts = vec![self.report_arn()];
        let mut not_for = vec![format!("{}/0/outside", scene.bucket_arn(source))];
        match topology.wanted.profile {
            Profile::Compatible => contexts.push(scene.bucket_arn(source)),
            Profile::Strict => not_for.push(scene.bucket_arn(source)),
        }
        through_s3(&self.on_key(action, source), source, &contexts, &not_for)
    }

    pub(super) fn on_batch_role(&self, action: &str) -> Call {
        let role = self.scene.topology.batch_role_arn();
        let decoy = (format!("{role}-other"), ResourcePolicyOf::Nothing);
        Call::new(&self.who, action, role, &self.scene.topology.source.account)
            .foreign_resources([decoy])
            .forbidden_actions(&NOT_ON_ROLES)
    }

    /// Returns the calls that end a running batch job, and the calls that delete its role.
    pub(super) fn ends_jobs(&self, deletes: &[&str]) -> Vec<Call> {
        let on_job = ["s3:DescribeJob", "s3:UpdateJobStatus"].map(|it| self.on_job(it));
        let deletes = deletes.iter().map(|it| self.on_batch_role(it));
        deletes.chain([self.on_jobs("s3:ListJobs")]).chain(on_job).collect()
    }

    /// Returns a call that names no batch job: a job has no ARN before it exists.
    fn on_jobs(&self, action: &str) -> Call {
        let topology = self.scene.topology;
        Call::new(&self.who, action, "*", &topology.source.account)
            .demanding("StringEquals", "aws:RequestedRegion", topology.source.region.as_str())
            .forbidden_actions(&["s3:ListAllMyBuckets"])
    }

    fn on_job(&self, action: &str) -> Call {
        let topology = self.scene.topology;
        let job = |region: &str| {
            let account = topology.source.account.as_str();
            let id = "job/00000000-0000-4000-8000-000000000000";
            Arn::known(topology.wanted.partition(), "s3", region, account, id).to_string()
        };
        Call::new(&self.who, action, job(topology.source.region.as_str()), &topology.source.account)
            .foreign_resources([(job("xx-elsewhere-9"), ResourcePolicyOf::Nothing)])
            .forbidden_actions(&["s3:DeleteJobTagging", "s3:UpdateJobPriority"])
    }

    fn report_bucket_arn(&self) -> String {
        let bucket = self.scene.topology.reports().bucket;
        Arn::known(self.scene.partition(), "s3", "", "", &bucket).to_string()
    }

    fn report_arn(&self) -> String {
        format!("{}/{}object", self.report_bucket_arn(), self.scene.topology.reports().prefix)
    }

    /// Returns the policy of the bucket that contains the reports: the source's bucket policy, or
    /// none.
    fn at_reports(&self) -> ResourcePolicyOf {
        let topology = self.scene.topology;
        if topology.reports().with_data {
            ResourcePolicyOf::Document(
                ResourceKind::Bucket,
                Document::of_bucket(&topology.source, topology),
            )
        } else {
            ResourcePolicyOf::Nothing
        }
    }

    /// Returns a call on the bucket that is used only for reports, if there is one.
    pub(super) fn on_report_bucket(&self, action: &str) -> Option<Call> {
        (!self.scene.topology.reports().with_data).then(|| self.on_reports(action))
    }

    /// Returns a call on the bucket that contains the reports.
    fn on_reports(&self, action: &str) -> Call {
        let decoy = (format!("{}-other", self.report_bucket_arn()), ResourcePolicyOf::Nothing);
        Call::new(&self.who, action, self.report_bucket_arn(), &self.scene.topology.source.account)
            .at(self.at_reports())
            .foreign_resources([decoy])
            .forbidden_actions(&NOT_ON_BUCKETS)
    }

    pub(super) fn on_report(&self, action: &str) -> Call {
        let topology = self.scene.topology;
        let prefix = topology.reports().prefix;
        let elsewhere = format!("{}-other/{prefix}object", self.report_bucket_arn());
        let outside = outside(&[&prefix]).map(|key| format!("{}/{key}", self.report_bucket_arn()));
        let outside = outside.map(|arn| (arn, self.at_reports()));
        Call::new(&self.who, action, self.report_arn(), &topology.source.account)
            .at(self.at_reports())
            .foreign_resources([(elsewhere, ResourcePolicyOf::Nothing)])
            .foreign_resources(outside)
            .forbidden_actions(&NOT_ON_OBJECTS)
    }
}

/// Creating a bucket with tags and ownership controls requires a permission for each. If the
/// creation was interrupted, the tags are put later.
const REPORT_BUCKET_WRITES: [&str; 4] =
    ["s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketTagging", "s3:TagResource"];
