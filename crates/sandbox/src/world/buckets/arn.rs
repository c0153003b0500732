//! The ARNs of buckets and objects, from names that requests contain. Not for: bucket names that a
//! manifest or an ARN must hold (see `crrctl_iam::names::BucketName`).

use crrctl_iam::names::Partition;

/// Returns the ARN of a bucket.
pub(crate) fn bucket_arn(partition: Partition, name: &str) -> String {
    format!("arn:{partition}:s3:::{name}")
}

/// Returns the ARN of an object.
pub(crate) fn object_arn(partition: Partition, name: &str, key: &str) -> String {
    format!("{}/{key}", bucket_arn(partition, name))
}
