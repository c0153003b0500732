//! Object ownership. `CreateBucket` sets it.
//! Not for: the owner of replicas (see `replication`).

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::names::{BucketName, Region};
use crate::settings::Ownership;
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};

impl Stored for Ownership {
    const MAY_STAND: bool = true;

    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_bucket_ownership_controls().bucket(bucket.as_str());
        match request.send().await.at("s3:GetBucketOwnershipControls", region) {
            Ok(output) => {
                let rules =
                    output.ownership_controls().map(OwnershipControls::rules).unwrap_or_default();
                Ok(rules.first().map(|rule| Self(rule.object_ownership().as_str().to_owned())))
            }
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let ownership = ObjectOwnership::from(self.0.as_str());
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ownership)
            .build()
            .at("s3:PutBucketOwnershipControls", region)?;
        let controls = OwnershipControls::builder()
            .rules(rule)
            .build()
            .at("s3:PutBucketOwnershipControls", region)?;
        let s3 = aws.s3(region);
        let put = s3.put_bucket_ownership_controls().bucket(bucket.as_str());
        let put = put.ownership_controls(controls);
        put.send().await.at("s3:PutBucketOwnershipControls", region).map(drop)
    }
}
