//! Finds the Region of a bucket of which only the name is known.
//! Not for: the settings of a bucket (see `bucket`).

use crate::aws::{At, Aws, Error};
use crate::failure::{Failure, Kind};
use crate::names::{BucketName, Region};
use aws_sdk_s3::types::BucketLocationConstraint;

/// Returns the Region of `bucket`. S3 names it in the response to `HeadBucket`, also in a refusal
/// and a redirect (S3 API Reference, `HeadBucket`).
pub(crate) async fn find(aws: &Aws, bucket: &BucketName) -> Result<Region, Failure> {
    look(aws, bucket).await?.map_err(|error| {
        let message = format!("s3://{bucket} does not exist: {error}");
        Failure::new(Kind::Manifest, "object-missing", message)
            .in_region(&error.region)
            .hint("`aws s3api list-buckets` shows the buckets of the account")
    })
}

/// Returns the Region of `bucket`, or S3's answer that there is no such bucket.
pub(crate) async fn look(aws: &Aws, bucket: &BucketName) -> Result<Result<Region, Error>, Failure> {
    let home = aws.home();
    let answer = aws.s3(home).head_bucket().bucket(bucket.as_str()).send().await;
    let named = match &answer {
        Ok(output) => output.bucket_region().or(Some(home.as_str())).map(str::to_owned),
        Err(error) => error
            .raw_response()
            .and_then(|response| response.headers().get("x-amz-bucket-region"))
            .map(str::to_owned),
    };
    if let Some(region) = named {
        return Ok(Ok(Region::new(region)?));
    }
    match answer.at("s3:HeadBucket", home) {
        Ok(_) => Ok(Ok(home.clone())),
        Err(error) if error.is_absent() => Ok(Err(error)),
        Err(_) => location_of(aws, bucket).await.map(Ok),
    }
}

/// Returns the Region from `GetBucketLocation`, which answers in any Region. An empty response
/// means us-east-1. The response for eu-west-1 may be `EU`.
async fn location_of(aws: &Aws, bucket: &BucketName) -> Result<Region, Failure> {
    let home = aws.home();
    let answer = aws.s3(home).get_bucket_location().bucket(bucket.as_str()).send().await;
    let output = answer.at("s3:GetBucketLocation", home)?;
    let region = match output.location_constraint().map(BucketLocationConstraint::as_str) {
        None | Some("") => "us-east-1",
        Some("EU") => "eu-west-1",
        Some(region) => region,
    };
    Ok(Region::new(region)?)
}
