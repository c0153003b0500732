//! The public access block of a bucket: all four settings are on.
//! Not for: the bucket policy (see `bucket_policy`).

use super::{Steps, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::Setting;
use crate::world::PublicAccessBlock;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;

pub(super) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<PublicAccessBlock>, Error> {
    let request = aws.s3(region).get_public_access_block().bucket(bucket.as_str());
    match request.send().await.at("s3:GetPublicAccessBlock", region) {
        Ok(output) => Ok(output.public_access_block_configuration().map(described)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(live: &PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_acls: live.block_public_acls() == Some(true),
        ignore_acls: live.ignore_public_acls() == Some(true),
        block_policy: live.block_public_policy() == Some(true),
        restrict_buckets: live.restrict_public_buckets() == Some(true),
    }
}

fn configuration(wanted: PublicAccessBlock) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(wanted.block_acls)
        .ignore_public_acls(wanted.ignore_acls)
        .block_public_policy(wanted.block_policy)
        .restrict_public_buckets(wanted.restrict_buckets)
        .build()
}

impl Steps {
    pub(super) async fn run_public_access_block(
        &self,
        action: &Action,
        work: &Setting<PublicAccessBlock>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let s3 = self.aws.s3(region);
        let put = s3
            .put_public_access_block()
            .bucket(bucket.as_str())
            .public_access_block_configuration(configuration(*wanted));
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutPublicAccessBlock", region)
        })
        .await?;
        Ok(self.bucket_arn(bucket))
    }
}
