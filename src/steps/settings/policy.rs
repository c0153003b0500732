//! Bucket policies: writes the pair's statements and keeps the statements of other owners.
//! Not for: rendering the statements (see `policy`).

use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{PolicyDiffers, SharedDocument};
use crate::plan::{Action, StatementChange};
use crate::policy::{Document, meaning};
use crate::steps::{Steps, known_arn, nothing_to_do};
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

impl Steps {
    pub(in crate::steps) async fn run_bucket_policy(
        &self,
        action: &Action,
        work: &SharedDocument<Vec<StatementChange>, PolicyDiffers>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        match work {
            SharedDocument::Create(_) => self.apply_bucket_policy(action, true, progress).await,
            SharedDocument::Update(_) => self.apply_bucket_policy(action, false, progress).await,
            SharedDocument::Remove => {
                let bucket = BucketName::new(&action.name)?;
                self.remove_bucket_policy(&bucket, &action.region, progress).await?;
                known_arn(action)
            }
            SharedDocument::Unchanged => Err(nothing_to_do(action)),
        }
    }

    /// Writes the pair's statements. The policy is shared, so it is read again before it is
    /// overwritten. `is_missing` says that `observe` found none.
    async fn apply_bucket_policy(
        &self,
        action: &Action,
        is_missing: bool,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let side = self.scope.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        // A policy that names the key is written after the alias (see `plan`). For other policies
        // any key will do.
        let ours = self.render(&Document::of_bucket(side, &self.scope.topology))?;
        // A bucket that this run creates has no statements of other owners.
        let is_new = is_missing && !self.scope.topology.wanted.adopts(bucket);
        let live = if is_new { None } else { find(&self.aws, bucket, region).await? };
        self.replaces(action, live.clone());
        self.put_policy(bucket, region, live.as_ref(), &ours, progress).await?;
        Ok(self.scope.bucket_arn(bucket))
    }

    /// Removes the pair's statements from the policy of a bucket that stays.
    async fn remove_bucket_policy(
        &self,
        bucket: &BucketName,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(live) = find(&self.aws, bucket, region).await? else { return Ok(()) };
        self.put_policy(bucket, region, Some(&live), &meaning::nothing(), progress).await
    }

    /// Writes the pair's statements together with the statements of other owners in `live`.
    async fn put_policy(
        &self,
        bucket: &BucketName,
        region: &Region,
        live: Option<&Value>,
        ours: &Value,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let s3 = self.aws.s3(region);
        if let Some(wanted) = meaning::merged_bucket_policy(live, ours) {
            let put = s3.put_bucket_policy().bucket(bucket.as_str()).policy(wanted.to_string());
            retry(&self.stop, progress, || async {
                put.clone().send().await.at("s3:PutBucketPolicy", region)
            })
            .await?;
        } else {
            let delete = s3.delete_bucket_policy().bucket(bucket.as_str());
            retry(&self.stop, progress, || async {
                delete.clone().send().await.at("s3:DeleteBucketPolicy", region)
            })
            .await?;
        }
        Ok(())
    }
}
