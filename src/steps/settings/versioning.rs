//! Versioning. S3 answers the read for every bucket, so its failure tells whether the bucket exists.
//! Not for: Object Lock (see `object_lock`).

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::names::{BucketName, Region};
use crate::settings::Versioning;
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, VersioningConfiguration};

impl Stored for Versioning {
    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_bucket_versioning().bucket(bucket.as_str());
        let output = request.send().await.at("s3:GetBucketVersioning", region)?;
        let mfa_delete = output.mfa_delete() == Some(&MfaDeleteStatus::Enabled);
        let status = output.status().map(|status| status.as_str().to_owned());
        Ok(Some(Self { status, mfa_delete }))
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let status = self.status.as_deref().map(BucketVersioningStatus::from);
        let configuration = VersioningConfiguration::builder().set_status(status).build();
        let put = aws.s3(region).put_bucket_versioning().bucket(bucket.as_str());
        let put = put.versioning_configuration(configuration);
        put.send().await.at("s3:PutBucketVersioning", region).map(drop)
    }
}
