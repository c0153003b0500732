//! Bucket policies: writes the pair's statements and keeps the statements of other owners.
//! Not for: rendering the statements (see `policy`).

use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{PolicyDiffers, SharedDocument};
use crate::plan::{Action, StatementChange};
use crate::policy::{Document, meaning};
use crate::steps::{Run, known_arn, nothing_to_do};
use serde_json::Value;

pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<Value>, Error> {
    let request = aws.s3(region).get_bucket_policy().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketPolicy", region) {
        Ok(output) => {
            Ok(output.policy().map(|text| serde_json::from_str(text).unwrap_or(Value::Null)))
        }
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(in crate::steps) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &SharedDocument<Vec<StatementChange>, PolicyDiffers>,
) -> Result<Arn, Failure> {
    match work {
        SharedDocument::Create(_) => apply(run, action, true).await,
        SharedDocument::Update(_) => apply(run, action, false).await,
        SharedDocument::Remove => {
            let bucket = BucketName::new(&action.name)?;
            remove(run, &bucket, &action.region).await?;
            known_arn(action)
        }
        SharedDocument::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Writes the pair's statements. The policy is shared, so it is read again before it is
/// overwritten. `is_missing` says that `observe` found none.
async fn apply(run: Run<'_>, action: &Action, is_missing: bool) -> Result<Arn, Failure> {
    let side = run.scope.side(&action.name)?;
    let (bucket, region) = (&side.bucket, &side.region);
    // A policy that names the key is written after the alias (see `plan`). For other policies
    // any key will do.
    let ours = run.render(&Document::of_bucket(side, &run.scope.topology))?;
    // A bucket that this run creates has no statements of other owners.
    let is_new = is_missing && !run.scope.topology.wanted.adopts(bucket);
    let live = if is_new { None } else { find(&run.aws, bucket, region).await? };
    let put = put_policy(run, bucket, region, live.as_ref(), &ours);
    run.replacing(action, live.clone(), put).await?;
    Ok(run.scope.bucket_arn(bucket))
}

/// Removes the pair's statements from the policy of a bucket that stays.
async fn remove(run: Run<'_>, bucket: &BucketName, region: &Region) -> Result<(), Failure> {
    let Some(live) = find(&run.aws, bucket, region).await? else { return Ok(()) };
    put_policy(run, bucket, region, Some(&live), &meaning::nothing()).await
}

/// Writes the pair's statements together with the statements of other owners in `live`.
async fn put_policy(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    live: Option<&Value>,
    ours: &Value,
) -> Result<(), Failure> {
    let s3 = run.aws.s3(region);
    if let Some(wanted) = meaning::merged_bucket_policy(live, ours) {
        let put = s3.put_bucket_policy().bucket(bucket.as_str()).policy(wanted.to_string());
        run.retry(|| async { put.clone().send().await.at("s3:PutBucketPolicy", region) }).await?;
    } else {
        let delete = s3.delete_bucket_policy().bucket(bucket.as_str());
        run.retry(|| async { delete.clone().send().await.at("s3:DeleteBucketPolicy", region) })
            .await?;
    }
    Ok(())
}
