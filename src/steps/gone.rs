//! Removals, and what a "not found" in answer to one is worth: KMS and IAM may answer so for a
//! while to the removal of what was just created, which then stays (KMS Developer Guide, "AWS KMS
//! eventual consistency"; IAM User Guide, "Changes that I make are not always immediately visible").
//! Not for: the deletion of objects (see `objects`).

use super::{Run, Steps};
use crate::aws::settle::{Look, Wait};
use crate::aws::{At, Error};
use crate::failure::Failure;
use crate::manifest::BucketPlace;
use std::time::Duration;

/// Sends `remove`. Where AWS does not find the thing, `stands` is asked, which had seen it
/// before: as long as it sees the thing, the removal is sent again.
pub(super) async fn removed<F, G>(
    run: Run<'_>,
    what: &str,
    remove: impl Fn() -> F,
    stands: impl Fn() -> G,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Error>>,
    G: Future<Output = Result<bool, Error>>,
{
    let wait = Wait {
        what: format!("{what} to be gone"),
        every: Duration::from_millis(500),
        at_most_every: Duration::from_secs(5),
        at_most: Duration::from_mins(2),
        in_a_row: 1,
        hint: "run `crrctl destroy` again".to_owned(),
    };
    let call = || async {
        match remove().await {
            Ok(()) => Ok(true),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    };
    let look = || async {
        if run.retry(call).await? || !stands().await? {
            return Ok(Look::There(()));
        }
        Ok(Look::NotYet("AWS does not find it to remove it, and still shows it".to_owned()))
    };
    run.until(&wait, look).await
}

/// Returns whether the tags of a bucket can be asked for. `HeadBucket` of a bucket that was just
/// deleted may answer 200 for seconds (aws/aws-sdk-java#2169).
pub(super) async fn has_tagging(steps: &Steps, side: &BucketPlace) -> Result<bool, Error> {
    let s3 = steps.aws.s3(&side.region);
    let tags = s3.get_bucket_tagging().bucket(side.bucket.as_str()).send().await;
    match tags.at("s3:GetBucketTagging", &side.region) {
        Err(error) if error.is("NoSuchBucket") => Ok(false),
        Err(error) if !error.is_absent() => Err(error),
        _ => Ok(true),
    }
}
