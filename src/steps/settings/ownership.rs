//! Object ownership: ACLs are disabled, and the bucket owner owns every object. `CreateBucket` sets
//! it. This step confirms it, and writes it if it differs.
//! Not for: the owner of replicas (see `replication`).

use super::{Steps, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::Setting;
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};

pub(super) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<String>, Error> {
    let request = aws.s3(region).get_bucket_ownership_controls().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketOwnershipControls", region) {
        Ok(output) => {
            let rules =
                output.ownership_controls().map(OwnershipControls::rules).unwrap_or_default();
            Ok(rules.first().map(|rule| rule.object_ownership().as_str().to_owned()))
        }
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Steps {
    pub(super) async fn run_ownership(
        &self,
        action: &Action,
        work: &Setting<String>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        if find(&self.aws, bucket, region).await?.as_ref() != Some(wanted) {
            let ownership = ObjectOwnership::from(wanted.as_str());
            let rule =
                super::built(OwnershipControlsRule::builder().object_ownership(ownership).build())?;
            let controls = super::built(OwnershipControls::builder().rules(rule).build())?;
            let s3 = self.aws.s3(region);
            let put = s3
                .put_bucket_ownership_controls()
                .bucket(bucket.as_str())
                .ownership_controls(controls);
            retry(&self.stop, progress, || async {
                put.clone().send().await.at("s3:PutBucketOwnershipControls", region)
            })
            .await?;
        }
        Ok(self.bucket_arn(bucket))
    }
}
