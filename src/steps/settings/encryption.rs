//! Default encryption, under the key ARN of the bucket's own Region. S3 would resolve an alias in
//! the requester's account, so the ARN is written (S3 User Guide, "Setting default server-side
//! encryption behavior").
//! Not for: the key itself (see `key`).

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::manifest::Side;
use crate::names::{BucketName, Region};
use crate::settings::{DefaultKey, Encryption};
use crate::steps::Steps;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

impl Stored for Encryption {
    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_bucket_encryption().bucket(bucket.as_str());
        let output = match request.send().await.at("s3:GetBucketEncryption", region) {
            Ok(output) => output,
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        };
        let configuration = output.server_side_encryption_configuration();
        let rules = configuration.map(ServerSideEncryptionConfiguration::rules);
        let Some(rule) = rules.and_then(|rules| rules.first()) else { return Ok(None) };
        let key = |default: &ServerSideEncryptionByDefault| {
            let key = default.kms_master_key_id().map(str::to_owned);
            key.map_or(DefaultKey::None, DefaultKey::Known)
        };
        Ok(rule.apply_server_side_encryption_by_default().map(|default| Self {
            algorithm: default.sse_algorithm().as_str().to_owned(),
            key: key(default),
            bucket_key: rule.bucket_key_enabled() == Some(true),
            blocked: blocked(rule),
        }))
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(self.algorithm.as_str()))
            .set_kms_master_key_id(self.key().map(str::to_owned));
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(
                default.build().at("s3:PutBucketEncryption", region)?,
            )
            .bucket_key_enabled(self.bucket_key)
            .set_blocked_encryption_types(self.blocked_types())
            .build();
        let configuration = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .at("s3:PutBucketEncryption", region)?;
        let s3 = aws.s3(region);
        let put = s3.put_bucket_encryption().bucket(bucket.as_str());
        let put = put.server_side_encryption_configuration(configuration);
        put.send().await.at("s3:PutBucketEncryption", region).map(drop)
    }

    fn resolved(&self, steps: &Steps, side: &Side) -> Result<Self, Failure> {
        if steps.scope.topology.kept_encryption(side).is_some() {
            return Ok(self.clone());
        }
        let key = steps.scope.topology.wanted.key_arn(&steps.keys(), side);
        if key.is_none() && side.has_key() {
            return Err(Failure::bug("the key is not named yet"));
        }
        let key = key.map_or(DefaultKey::None, |arn| DefaultKey::Known(arn.to_string()));
        Ok(Self { key, ..self.clone() })
    }
}

impl Encryption {
    fn blocked_types(&self) -> Option<BlockedEncryptionTypes> {
        let types = self.blocked.iter().map(|it| EncryptionType::from(it.as_str())).collect();
        let types = BlockedEncryptionTypes::builder().set_encryption_type(Some(types));
        (!self.blocked.is_empty()).then(|| types.build())
    }
}

fn blocked(rule: &ServerSideEncryptionRule) -> Vec<String> {
    let types = rule.blocked_encryption_types().map(BlockedEncryptionTypes::encryption_type);
    types.unwrap_or_default().iter().map(|it| it.as_str().to_owned()).collect()
}
