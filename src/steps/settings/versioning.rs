//! Versioning, which replication requires on both sides.
//! Not for: Object Lock (see `object_lock`).

use super::{Steps, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::Setting;
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, VersioningConfiguration};

/// Returns the versioning status, and whether MFA delete is enabled.
pub(super) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<(Option<String>, bool), Error> {
    let request = aws.s3(region).get_bucket_versioning().bucket(bucket.as_str());
    let output = request.send().await.at("s3:GetBucketVersioning", region)?;
    let mfa_delete = output.mfa_delete() == Some(&MfaDeleteStatus::Enabled);
    Ok((output.status().map(|status| status.as_str().to_owned()), mfa_delete))
}

impl Steps {
    pub(super) async fn run_versioning(
        &self,
        action: &Action,
        work: &Setting<String>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let status = BucketVersioningStatus::from(wanted.as_str());
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = self
            .aws
            .s3(region)
            .put_bucket_versioning()
            .bucket(bucket.as_str())
            .versioning_configuration(configuration);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutBucketVersioning", region)
        })
        .await?;
        Ok(self.bucket_arn(bucket))
    }
}
