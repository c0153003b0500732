//! The public access block of a bucket.
//! Not for: the bucket policy (see `policy`).

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::names::{BucketName, Region};
use crate::settings::PublicAccessBlock;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;

impl Stored for PublicAccessBlock {
    /// S3 blocks public access to every new bucket (S3 User Guide, "Blocking public access to your Amazon
    /// S3 storage"), and an organisation may deny the write.
    const MAY_STAND: bool = true;

    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_public_access_block().bucket(bucket.as_str());
        match request.send().await.at("s3:GetPublicAccessBlock", region) {
            Ok(output) => Ok(output.public_access_block_configuration().map(described)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.block_acls)
            .ignore_public_acls(self.ignore_acls)
            .block_public_policy(self.block_policy)
            .restrict_public_buckets(self.restrict_buckets)
            .build();
        let s3 = aws.s3(region);
        let put = s3.put_public_access_block().bucket(bucket.as_str());
        let put = put.public_access_block_configuration(configuration);
        put.send().await.at("s3:PutPublicAccessBlock", region).map(drop)
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
