//! Lifecycle: one rule of the pair for noncurrent versions and incomplete uploads. The rules of
//! other owners stay as they are. `PutBucketLifecycleConfiguration` replaces the whole
//! configuration, so it is read again before it is overwritten.
//! Not for: which rule the pair requires (see `plan::lifecycle`).

use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::manifest::{ARCHIVES, BucketPlace};
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{LifecycleDiffers, SharedDocument};
use crate::plan::{Action, lifecycle};
use crate::settings::Expiry;
use crate::steps::{Run, built, nothing_to_do};
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, NoncurrentVersionTransition, Transition,
    TransitionDefaultMinimumObjectSize, TransitionStorageClass,
};

/// Returns the rules, reduced to the settings that a pair reads.
pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Vec<Expiry>, Error> {
    let live = read(aws, bucket, region).await?;
    Ok(live.iter().flat_map(GetBucketLifecycleConfigurationOutput::rules).map(described).collect())
}

async fn read(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<GetBucketLifecycleConfigurationOutput>, Error> {
    let request = aws.s3(region).get_bucket_lifecycle_configuration().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketLifecycleConfiguration", region) {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.is("NoSuchLifecycleConfiguration") => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(rule: &LifecycleRule) -> Expiry {
    let noncurrent = rule.noncurrent_version_expiration();
    let upload = rule.abort_incomplete_multipart_upload();
    let filter = rule.filter();
    #[expect(deprecated, reason = "a rule of the older form has its prefix there")]
    let prefix =
        filter.map_or_else(|| rule.prefix(), LifecycleRuleFilter::prefix).unwrap_or_default();
    // The settings that the pair's rule never has.
    let more = [
        rule.expiration().is_some(),
        !rule.transitions().is_empty(),
        !rule.noncurrent_version_transitions().is_empty(),
        noncurrent.is_some_and(|it| it.newer_noncurrent_versions().is_some()),
        !prefix.is_empty(),
        filter.is_some_and(|it| {
            it.tag().is_some()
                || it.and().is_some()
                || it.object_size_greater_than().is_some()
                || it.object_size_less_than().is_some()
        }),
    ];
    let current = rule.transitions().iter().filter_map(Transition::storage_class);
    let old = rule.noncurrent_version_transitions().iter();
    let old = old.filter_map(NoncurrentVersionTransition::storage_class);
    let is_archive =
        |class: &&TransitionStorageClass| ARCHIVES.iter().any(|(it, _)| *it == class.as_str());
    let archive = current.chain(old).find(is_archive);
    Expiry {
        id: rule.id().unwrap_or_default().to_owned(),
        enabled: rule.status() == &ExpirationStatus::Enabled,
        noncurrent_days: noncurrent.and_then(NoncurrentVersionExpiration::noncurrent_days),
        incomplete_upload_days: upload
            .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        archive: archive.map(|class| class.as_str().to_owned()),
        has_more: more.contains(&true),
    }
}

/// Returns the pair's rule for all objects, in the form of the rules of others beside it. S3 refuses a configuration in
/// which one rule has a filter and another the older `Prefix` ("Filter element can only be used in Lifecycle V2";
/// cloud-custodian issue 5826).
fn sdk_rule(rule: &Expiry, others: &[LifecycleRule]) -> Result<LifecycleRule, Failure> {
    let is_older = others.iter().any(|it| it.filter.is_none());
    let everything = LifecycleRuleFilter::builder().prefix("").build();
    #[expect(deprecated, reason = "the rules beside it have the older form")]
    let written = LifecycleRule::builder().set_prefix(is_older.then(String::new));
    let noncurrent = rule
        .noncurrent_days
        .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
    let upload = rule
        .incomplete_upload_days
        .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
    built(
        written
            .id(&rule.id)
            .status(ExpirationStatus::Enabled)
            .set_filter((!is_older).then_some(everything))
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(upload)
            .build(),
    )
}

pub(in crate::steps) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &SharedDocument<Expiry, LifecycleDiffers>,
) -> Result<Arn, Failure> {
    let wanted = match work {
        SharedDocument::Create(rule) => Some(rule),
        SharedDocument::Update(differs) => differs.to.as_ref(),
        SharedDocument::Remove => None,
        SharedDocument::Unchanged => return Err(nothing_to_do(action)),
    };
    let bucket = BucketName::new(&action.name)?;
    let side = BucketPlace { region: action.region.clone(), bucket };
    put_lifecycle(run, &side, wanted).await?;
    Ok(run.scope.bucket_arn(&side.bucket))
}

async fn put_lifecycle(
    run: Run<'_>,
    side: &BucketPlace,
    wanted: Option<&Expiry>,
) -> Result<(), Failure> {
    let (bucket, region) = (&side.bucket, &side.region);
    let s3 = run.aws.s3(region);
    let live = read(&run.aws, bucket, region).await?;
    let is_theirs =
        |rule: &&LifecycleRule| !lifecycle::is_ours(&run.scope.topology, rule.id().unwrap_or(""));
    let mut rules: Vec<LifecycleRule> = live
        .iter()
        .flat_map(GetBucketLifecycleConfigurationOutput::rules)
        .filter(is_theirs)
        .cloned()
        .collect();
    let ours = wanted.map(|wanted| sdk_rule(wanted, &rules)).transpose()?;
    rules.extend(ours);
    if rules.is_empty() {
        let delete = s3.delete_bucket_lifecycle().bucket(bucket.as_str());
        run.retry(|| async { delete.clone().send().await.at("s3:DeleteBucketLifecycle", region) })
            .await?;
        return Ok(());
    }
    let least: Option<TransitionDefaultMinimumObjectSize> =
        live.as_ref().and_then(|live| live.transition_default_minimum_object_size()).cloned();
    let configuration =
        built(BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build())?;
    let put = s3
        .put_bucket_lifecycle_configuration()
        .bucket(bucket.as_str())
        .set_transition_default_minimum_object_size(least)
        .lifecycle_configuration(configuration);
    run.retry(|| async {
        put.clone().send().await.at("s3:PutBucketLifecycleConfiguration", region)
    })
    .await?;
    Ok(())
}
