//! What S3 Control refuses, one line each: code, status and a part of the text, asserted over HTTP
//! with the real SDK.

use super::batch::{BATCH_ROLE, Pair, REPORTS, SOURCE, everything, generator, report};
use super::{ACCOUNT, EAST, OTHER, WEST, refused};
use aws_sdk_s3control::primitives::DateTime;
use aws_sdk_s3control::types::{
    JobManifest, JobManifestFieldName, JobManifestFormat, JobManifestGeneratorFilter,
    JobManifestLocation, JobManifestSpec, JobOperation, JobReport, JobReportScope,
    KeyNameConstraint, RequestedJobStatus, S3DeleteObjectTaggingOperation, S3Tag,
};
use crrctl_sandbox::SECRET;

fn manifest(format: JobManifestFormat, fields: &[JobManifestFieldName], arn: &str) -> JobManifest {
    let spec = JobManifestSpec::builder().format(format).set_fields(Some(fields.to_vec()));
    let location = JobManifestLocation::builder().object_arn(arn).e_tag("x");
    JobManifest::builder().spec(spec.build().unwrap()).location(location.build().unwrap()).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs() {
    let pair = Pair::new().await;
    let job = || pair.job(everything());
    let with = |filter: aws_sdk_s3control::types::builders::JobManifestGeneratorFilterBuilder| {
        pair.job(filter.build())
    };
    let new = JobManifestGeneratorFilter::builder;
    let names = |constraint: aws_sdk_s3control::types::builders::KeyNameConstraintBuilder| {
        with(new().key_name_constraint(constraint.build()))
    };
    let csv = JobManifestFormat::S3BatchOperationsCsv20180820;
    let all =
        [JobManifestFieldName::Bucket, JobManifestFieldName::Key, JobManifestFieldName::VersionId];
    let arn = "arn:aws:s3:::batch-reports/m.csv";
    let strange = [JobManifestFieldName::from("Size")];
    let listed =
        |format, fields: &[_], arn: &str| pair.bare().manifest(manifest(format, fields, arn));
    let tagging = JobOperation::builder()
        .s3_delete_object_tagging(S3DeleteObjectTaggingOperation::builder().build());
    let enabled = || JobReport::builder().enabled(true);
    let describe = |id: &str| pair.control.describe_job().account_id(ACCOUNT).job_id(id);
    let update = |id: &str, status: &str| {
        let update = pair.control.update_job_status().account_id(ACCOUNT).job_id(id);
        update.requested_job_status(RequestedJobStatus::from(status))
    };
    let list = || pair.control.list_jobs().account_id(ACCOUNT);
    let elsewhere = pair.stand.s3control(ACCOUNT, SECRET, WEST);
    let stranger = pair.stand.s3control(OTHER, SECRET, EAST);
    let made = job().confirmation_required(true).send().await.unwrap();
    let id = made.job_id().unwrap();
    let (early, late) = (DateTime::from_secs(1_000_000_000), DateTime::from_secs(2_000_000_000));
    refused! {
        "InvalidRequest" 400 "either a Manifest or a ManifestGenerator" pair.bare();
        "InvalidRequest" 400 "either a Manifest or a ManifestGenerator" job().manifest(manifest(csv.clone(), &all, arn));
        "InvalidRequest" 400 "Priority" job().priority(-1);
        "InvalidRequest" 400 "ClientRequestToken" job().client_request_token("x".repeat(65));
        "InvalidRequest" 400 "RoleArn" job().role_arn("batch");
        "InvalidRequest" 400 "RoleArn" job().role_arn("arn:aws:iam::111122223333:user/batch");
        "AccessDenied" 403 "iam:PassRole" job().role_arn(BATCH_ROLE.replace(ACCOUNT, OTHER));
        "InvalidRequest" 400 "one operation" job().operation(JobOperation::builder().build());
        "NotImplemented" 501 "S3DeleteObjectTagging" job().operation(tagging.build());
        "InvalidRequest" 400 "SourceBucket" pair.bare().manifest_generator(generator("a/b", everything()));
        "InvalidRequest" 400 "replication status" with(new().object_replication_statuses("PENDING".into()));
        "InvalidRequest" 400 "storage class" with(new().match_any_storage_class("WARM".into()));
        "InvalidRequest" 400 "CreatedAfter" with(new().created_after(late).created_before(early));
        "InvalidRequest" 400 "Sizes" with(new().object_size_greater_than_bytes(-1));
        "InvalidRequest" 400 "KeyNameConstraint" names(KeyNameConstraint::builder().match_any_prefix("a").match_any_prefix("b"));
        "InvalidRequest" 400 "KeyNameConstraint" names(KeyNameConstraint::builder().match_any_suffix(""));
        "InvalidRequest" 400 "Bucket of a report" job().report(enabled().build());
        "InvalidRequest" 400 "Format of a report" job().report(enabled().bucket("arn:aws:s3:::batch-reports").build());
        "InvalidRequest" 400 "ReportScope" job().report(report(REPORTS, JobReportScope::from("Some")));
        "InvalidRequest" 400 "Format of the manifest" listed("CSV".into(), &all, arn);
        "NotImplemented" 501 "S3 Inventory" listed(JobManifestFormat::S3InventoryReportCsv20161130, &[], arn);
        "InvalidRequest" 400 "needs Bucket, Key and VersionId" listed(csv.clone(), &all[..2], arn);
        "InvalidRequest" 400 "Fields are" listed(csv.clone(), &strange, arn);
        "InvalidRequest" 400 "ARN of an object" listed(csv, &all, "arn:aws:s3:::batch-reports");
        "AccessDenied" 403 "" stranger.create_job().account_id(ACCOUNT).operation(super::batch::replicate()).priority(1).role_arn(BATCH_ROLE).report(report(SOURCE, JobReportScope::AllTasks));
        "NoSuchJobException" 404 "does not exist" describe("00000000-0000-0000-0000-000000000000");
        "NoSuchJobException" 404 "does not exist" elsewhere.describe_job().account_id(ACCOUNT).job_id(id);
        "NoSuchJobException" 404 "does not exist" stranger.describe_job().account_id(OTHER).job_id(id);
        "NoSuchJobException" 404 "does not exist" update("absent", "Ready");
        "InvalidRequest" 400 "Ready or Cancelled" update(id, "Complete");
        "InvalidRequest" 400 "256" update(id, "Cancelled").status_update_reason("x".repeat(257));
        "InvalidRequest" 400 "Priority" pair.control.update_job_priority().account_id(ACCOUNT).job_id(id).priority(-1);
        "InvalidRequest" 400 "no status" list().job_statuses("Lost".into());
        "InvalidRequest" 400 "MaxResults" list().max_results(1001);
        "NotImplemented" 501 "" pair.control.list_access_points().account_id(ACCOUNT);
        "NotImplemented" 501 "" pair.control.delete_job_tagging().account_id(ACCOUNT).job_id(id);
        "SignatureDoesNotMatch" 403 "" pair.stand.s3control(ACCOUNT, "wrong", EAST).list_jobs().account_id(ACCOUNT);
        "InvalidAccessKeyId" 403 "" pair.stand.s3control("AKIDEXAMPLE", SECRET, EAST).list_jobs().account_id(ACCOUNT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions() {
    let pair = Pair::new().await;
    let made = pair.job(everything()).confirmation_required(true).send().await.unwrap();
    let id = made.job_id().unwrap().to_owned();
    let all = [
        "s3:CreateJob",
        "iam:PassRole",
        "s3:PutJobTagging",
        "s3:GetJobTagging",
        "s3:DescribeJob",
        "s3:ListJobs",
        "s3:UpdateJobStatus",
        "s3:UpdateJobPriority",
        "s3:TagResource",
        "s3:UntagResource",
        "s3:ListTagsForResource",
    ];
    let policy = |actions: &[&str]| {
        serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
            .to_string()
    };
    let (key, secret) = pair.stand.user("limited", &policy(&all)).await;
    let control = pair.stand.s3control(&key, &secret, EAST);
    let arn = format!("arn:aws:s3:::{SOURCE}");
    let tag = || S3Tag::builder().key("team").value("storage").build().unwrap();
    let own = || aws_sdk_s3control::types::Tag::builder().key("a").value("1").build().unwrap();
    let create = || {
        let job = pair.job(everything()).confirmation_required(true).tags(tag());
        let input = job.as_input().clone();
        async {
            input.send_with(&control).await.map(|_| ()).map_err(|e| super::refusal::<(), _>(Err(e)))
        }
    };
    for missing in all {
        let rest: Vec<&str> = all.into_iter().filter(|action| *action != missing).collect();
        let put = pair.stand.iam().put_user_policy().user_name("limited").policy_name("own");
        put.policy_document(policy(&rest)).send().await.unwrap();
        macro_rules! told {
            ($call:expr) => {
                $call.send().await.map(|_| ()).map_err(|e| super::refusal::<(), _>(Err(e)))
            };
        }
        let outcomes = [
            create().await,
            told!(control.get_job_tagging().account_id(ACCOUNT).job_id(&id)),
            told!(control.describe_job().account_id(ACCOUNT).job_id(&id)),
            told!(control.list_jobs().account_id(ACCOUNT)),
            told!(control.update_job_priority().account_id(ACCOUNT).job_id(&id).priority(2)),
            told!(control.tag_resource().account_id(ACCOUNT).resource_arn(&arn).tags(own())),
            told!(control.list_tags_for_resource().account_id(ACCOUNT).resource_arn(&arn)),
            told!(control.untag_resource().account_id(ACCOUNT).resource_arn(&arn).tag_keys("a")),
            told!(
                control
                    .update_job_status()
                    .account_id(ACCOUNT)
                    .job_id(&id)
                    .requested_job_status(RequestedJobStatus::from("Complete"))
            ),
        ];
        let denied: Vec<String> = outcomes
            .into_iter()
            .filter_map(Result::err)
            .filter(|(code, ..)| code == "AccessDenied")
            .map(|(_, _, text)| text)
            .collect();
        assert_eq!(denied.len(), 1, "{missing}: {denied:?}");
        assert!(denied[0].contains(missing), "{missing}: {denied:?}");
    }
}
