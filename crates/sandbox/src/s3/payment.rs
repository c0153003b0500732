//! The payer of a bucket's requests: the bucket owner or the requester. Not for: the cost of
//! requests.

use super::errors::malformed;
use crate::s3::call::{S3Call, nothing};
use s3s::dto::{
    GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, Payer,
    PutBucketRequestPaymentInput, PutBucketRequestPaymentOutput,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `GetBucketRequestPayment`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketRequestPaymentInput,
) -> S3Result<GetBucketRequestPaymentOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketRequestPayment")?;
    let payer = if bucket.requester_pays { Payer::REQUESTER } else { Payer::BUCKET_OWNER };
    Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(payer)) })
}

/// S3 API Reference, `PutBucketRequestPayment`.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketRequestPaymentInput,
) -> S3Result<PutBucketRequestPaymentOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutBucketRequestPayment")?;
    bucket.requester_pays = match input.request_payment_configuration.payer.as_str() {
        Payer::REQUESTER => true,
        Payer::BUCKET_OWNER => false,
        _ => return Err(malformed()),
    };
    Ok(nothing())
}

impl S3Call<'_> {
    /// Refuses a caller that would have to pay for the request but does not agree to (S3 User
    /// Guide, "Using Requester Pays general purpose buckets").
    pub(super) fn pays(&self, name: &str) -> S3Result<()> {
        let bucket = self.state.buckets.0.get(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let agrees = self.headers.get("x-amz-request-payer").is_some_and(|it| it == "requester");
        if bucket.requester_pays && bucket.owner != self.caller.account && !agrees {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        Ok(())
    }
}
