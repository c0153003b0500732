//! Deletes versions of objects in one call.
//! Not for: which versions (see `purge` and `crate::probe`), or keys that the body of the call can't
//! hold.

use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::names::{BucketName, Region};
use crate::steps::built;
use aws_sdk_s3::types::{self, Delete, ObjectIdentifier};

/// Returns the deletion of up to a thousand versions (S3 API Reference, `DeleteObjects`), each a key
/// and a version id.
pub(crate) fn deletion<'a>(
    versions: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Delete, Failure> {
    let object = |(key, version_id)| {
        built(ObjectIdentifier::builder().key(key).version_id(version_id).build())
    };
    let objects = versions.map(object).collect::<Result<_, _>>()?;
    built(Delete::builder().quiet(true).set_objects(Some(objects)).build())
}

/// Deletes versions and returns those that S3 kept. A version that no longer exists is not kept.
pub(crate) async fn delete_together(
    aws: &Aws,
    (region, bucket): (&Region, &BucketName),
    delete: Delete,
    bypass_governance: Option<bool>,
) -> Result<Vec<types::Error>, Error> {
    let request = aws.s3(region).delete_objects().bucket(bucket.as_str()).delete(delete);
    let request = request.set_bypass_governance_retention(bypass_governance);
    let mut kept = request.send().await.at("s3:DeleteObjects", region)?.errors.unwrap_or_default();
    kept.retain(|error| error.code() != Some("NoSuchVersion"));
    Ok(kept)
}
