//! Reads whether a bucket is a Requester Pays bucket.
//! Not for: changing who pays, which is the owner's decision.

use crate::aws::{At, Aws, Error};
use crate::manifest::BucketPlace;
use aws_sdk_s3::types::Payer;

pub(crate) async fn find(aws: &Aws, side: &BucketPlace) -> Result<bool, Error> {
    let request = aws.s3(&side.region).get_bucket_request_payment().bucket(side.bucket.as_str());
    let output = request.send().await.at("s3:GetBucketRequestPayment", &side.region)?;
    Ok(output.payer() == Some(&Payer::Requester))
}
