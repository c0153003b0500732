//! Default encryption: SSE-KMS or DSSE-KMS under the key ARN of the bucket's own Region, or SSE-S3.
//! S3 would resolve an alias in the requester's account, so the ARN is written (S3 User Guide,
//! "Setting default server-side encryption behavior").
//! Not for: the key itself (see `key`).

use super::{Steps, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::manifest::KeyWish;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::{DefaultEncryption, Setting};
use crate::world::Encryption;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};

pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<Encryption>, Error> {
    let request = aws.s3(region).get_bucket_encryption().bucket(bucket.as_str());
    let output = match request.send().await.at("s3:GetBucketEncryption", region) {
        Ok(output) => output,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error),
    };
    let rules =
        output.server_side_encryption_configuration().map(ServerSideEncryptionConfiguration::rules);
    let Some(rule) = rules.and_then(|rules| rules.first()) else { return Ok(None) };
    Ok(rule.apply_server_side_encryption_by_default().map(|default| Encryption {
        algorithm: default.sse_algorithm().as_str().to_owned(),
        key: default.kms_master_key_id().map(str::to_owned),
        bucket_key: rule.bucket_key_enabled() == Some(true),
    }))
}

impl Steps {
    pub(super) async fn run_encryption(
        &self,
        action: &Action,
        work: &Setting<DefaultEncryption>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let key = self.topology.key_arn(&self.keys(), side);
        if key.is_none() && self.topology.key_wish(side) != KeyWish::Nothing {
            return Err(Failure::bug("the key is not named yet"));
        }
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(wanted.algorithm.as_str()))
            .set_kms_master_key_id(key.map(|arn| arn.to_string()));
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(super::built(default.build())?)
            .bucket_key_enabled(wanted.bucket_key)
            .build();
        let configuration =
            super::built(ServerSideEncryptionConfiguration::builder().rules(rule).build())?;
        let s3 = self.aws.s3(region);
        let put = s3
            .put_bucket_encryption()
            .bucket(bucket.as_str())
            .server_side_encryption_configuration(configuration);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutBucketEncryption", region)
        })
        .await?;
        Ok(self.bucket_arn(bucket))
    }
}
