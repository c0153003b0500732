//! The server-side encryption of an object. Not for: choosing the encryption (see
//! `s3::encryption`), or the keys (see `world::kms`).

use super::arn::{bucket_arn, object_arn};
use crrctl_iam::names::{Arn, Partition};
use s3s::dto::ServerSideEncryption;

/// The server-side encryption of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sse {
    /// SSE-S3, `AES256`.
    S3,
    /// SSE-KMS or DSSE-KMS with a key in the bucket's Region.
    Kms { dual: bool, key: Arn, bucket_key: bool },
}

impl Sse {
    /// Returns the value of `x-amz-server-side-encryption`.
    pub(crate) fn algorithm(&self) -> ServerSideEncryption {
        ServerSideEncryption::from_static(match self {
            Self::S3 => ServerSideEncryption::AES256,
            Self::Kms { dual: false, .. } => ServerSideEncryption::AWS_KMS,
            Self::Kms { dual: true, .. } => ServerSideEncryption::AWS_KMS_DSSE,
        })
    }

    /// Returns the ARN of the KMS key, if there is one.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Self::S3 => None,
            Self::Kms { key, .. } => Some(key.to_string()),
        }
    }

    /// Returns `Some(true)` if a Bucket Key is used, otherwise `None`: S3 omits the header without
    /// a Bucket Key.
    pub(crate) fn bucket_key(&self) -> Option<bool> {
        match self {
            Self::Kms { bucket_key: true, .. } => Some(true),
            _ => None,
        }
    }

    /// Returns the value of the encryption context key `aws:s3:arn`: with a Bucket Key the ARN of
    /// the bucket, otherwise the ARN of the object (S3 User Guide, "Reducing the cost of SSE-KMS
    /// with Amazon S3 Bucket Keys").
    pub(crate) fn context(&self, partition: Partition, bucket: &str, key: &str) -> String {
        match self {
            Self::Kms { bucket_key: true, .. } => bucket_arn(partition, bucket),
            _ => object_arn(partition, bucket, key),
        }
    }
}
