//! Reads to whom the ACL of a bucket grants something.
//! Not for: changing it, which is the owner's decision.

use crate::aws::{At, Aws, Error};
use crate::manifest::BucketPlace;
use aws_sdk_s3::types::{Grant, Owner};

/// Returns those other than the owner to whom the ACL grants something (S3 API Reference,
/// `GetBucketAcl`).
pub(crate) async fn grantees(aws: &Aws, side: &BucketPlace) -> Result<Vec<String>, Error> {
    let request = aws.s3(&side.region).get_bucket_acl().bucket(side.bucket.as_str());
    let acl = request.send().await.at("s3:GetBucketAcl", &side.region)?;
    let owner = acl.owner().and_then(Owner::id);
    let other = |grant: &Grant| {
        let grantee = grant.grantee()?;
        let name = grantee.uri().or(grantee.id()).unwrap_or("somebody");
        (grantee.id().is_none() || grantee.id() != owner).then(|| name.to_owned())
    };
    let mut grantees: Vec<String> = acl.grants().iter().filter_map(other).collect();
    grantees.dedup();
    Ok(grantees)
}
