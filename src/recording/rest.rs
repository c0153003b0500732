//! The form of S3's requests: where each operation has its members.
//! Source: S3 API Reference and S3 Control API Reference, the syntax of each request.
//! Not for: reading and writing them (see `wire` and `cli::compare`).

/// An operation of S3 or S3 Control.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The name of the operation.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// What the query names the operation by, such as `versioning`; may be empty.
    pub sub_resource: &'static str,
    /// What the body holds.
    pub body: Body,
}

/// What a request has as its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// The data of an object.
    Data,
    /// A policy.
    Policy,
    /// XML: the outermost element, and the member that it is.
    Xml(&'static str, &'static str),
}

const fn of(
    name: &'static str,
    method: &'static str,
    sub_resource: &'static str,
    body: Body,
) -> Operation {
    Operation { name, method, sub_resource, body }
}

const fn same(element: &'static str) -> Body {
    Body::Xml(element, element)
}

const S3: &[Operation] = &[
    of("AbortMultipartUpload", "DELETE", "", Body::None),
    of(
        "CompleteMultipartUpload",
        "POST",
        "",
        Body::Xml("CompleteMultipartUpload", "MultipartUpload"),
    ),
    of("CreateBucket", "PUT", "", same("CreateBucketConfiguration")),
    of("CreateMultipartUpload", "POST", "uploads", Body::None),
    of("DeleteBucket", "DELETE", "", Body::None),
    of("DeleteBucketLifecycle", "DELETE", "lifecycle", Body::None),
    of("DeleteBucketPolicy", "DELETE", "policy", Body::None),
    of("DeleteBucketReplication", "DELETE", "replication", Body::None),
    of("DeleteBucketTagging", "DELETE", "tagging", Body::None),
    of("DeleteObject", "DELETE", "", Body::None),
    of("DeleteObjects", "POST", "delete", same("Delete")),
    of("DeletePublicAccessBlock", "DELETE", "publicAccessBlock", Body::None),
    of("GetBucketAcl", "GET", "acl", Body::None),
    of("GetBucketEncryption", "GET", "encryption", Body::None),
    of("GetBucketLifecycleConfiguration", "GET", "lifecycle", Body::None),
    of("GetBucketLocation", "GET", "location", Body::None),
    of("GetBucketLogging", "GET", "logging", Body::None),
    of("GetBucketNotificationConfiguration", "GET", "notification", Body::None),
    of("GetBucketOwnershipControls", "GET", "ownershipControls", Body::None),
    of("GetBucketPolicy", "GET", "policy", Body::None),
    of("GetBucketReplication", "GET", "replication", Body::None),
    of("GetBucketRequestPayment", "GET", "requestPayment", Body::None),
    of("GetBucketTagging", "GET", "tagging", Body::None),
    of("GetBucketVersioning", "GET", "versioning", Body::None),
    of("GetObject", "GET", "", Body::None),
    of("GetObjectLegalHold", "GET", "legal-hold", Body::None),
    of("GetObjectLockConfiguration", "GET", "object-lock", Body::None),
    of("GetObjectRetention", "GET", "retention", Body::None),
    of("GetObjectTagging", "GET", "tagging", Body::None),
    of("GetPublicAccessBlock", "GET", "publicAccessBlock", Body::None),
    of("HeadBucket", "HEAD", "", Body::None),
    of("HeadObject", "HEAD", "", Body::None),
    of("ListBuckets", "GET", "", Body::None),
    of("ListMultipartUploads", "GET", "uploads", Body::None),
    of("ListObjectVersions", "GET", "versions", Body::None),
    of("ListObjectsV2", "GET", "list-type=2", Body::None),
    of("PutBucketEncryption", "PUT", "encryption", same("ServerSideEncryptionConfiguration")),
    of("PutBucketLifecycleConfiguration", "PUT", "lifecycle", same("LifecycleConfiguration")),
    of("PutBucketLogging", "PUT", "logging", same("BucketLoggingStatus")),
    of(
        "PutBucketNotificationConfiguration",
        "PUT",
        "notification",
        same("NotificationConfiguration"),
    ),
    of("PutBucketOwnershipControls", "PUT", "ownershipControls", same("OwnershipControls")),
    of("PutBucketPolicy", "PUT", "policy", Body::Policy),
    of("PutBucketReplication", "PUT", "replication", same("ReplicationConfiguration")),
    of("PutBucketTagging", "PUT", "tagging", same("Tagging")),
    of("PutBucketVersioning", "PUT", "versioning", same("VersioningConfiguration")),
    of("PutObject", "PUT", "", Body::Data),
    of("PutObjectLegalHold", "PUT", "legal-hold", same("LegalHold")),
    of("PutObjectLockConfiguration", "PUT", "object-lock", same("ObjectLockConfiguration")),
    of("PutObjectRetention", "PUT", "retention", same("Retention")),
    of("PutPublicAccessBlock", "PUT", "publicAccessBlock", same("PublicAccessBlockConfiguration")),
    of("UploadPart", "PUT", "", Body::Data),
];

const S3_CONTROL: &[Operation] = &[
    of("CreateJob", "POST", "/v20180820/jobs", same("CreateJobRequest")),
    of("DescribeJob", "GET", "/v20180820/jobs/{JobId}", Body::None),
    of("ListJobs", "GET", "/v20180820/jobs", Body::None),
    of("UpdateJobStatus", "POST", "/v20180820/jobs/{JobId}/status", Body::None),
    of("TagResource", "POST", "/v20180820/tags/{ResourceArn}", same("TagResourceRequest")),
    of("UntagResource", "DELETE", "/v20180820/tags/{ResourceArn}", Body::None),
    of("ListTagsForResource", "GET", "/v20180820/tags/{ResourceArn}", Body::None),
];

/// Returns the operation of S3 that is called `name`.
pub fn s3(name: &str) -> Option<&'static Operation> {
    S3.iter().find(|it| it.name == name)
}

/// Returns the operation of S3 Control that is called `name`. Its `sub_resource` is its path.
pub fn s3control(name: &str) -> Option<&'static Operation> {
    S3_CONTROL.iter().find(|it| it.name == name)
}

/// Parameters of the query, and the members that they are.
pub const QUERY: &[(&str, &str)] = &[
    ("bucket-region", "BucketRegion"),
    ("continuation-token", "ContinuationToken"),
    ("delimiter", "Delimiter"),
    ("encoding-type", "EncodingType"),
    ("jobStatuses", "JobStatuses"),
    ("key-marker", "KeyMarker"),
    ("max-buckets", "MaxBuckets"),
    ("max-keys", "MaxKeys"),
    ("max-uploads", "MaxUploads"),
    ("maxResults", "MaxResults"),
    ("nextToken", "NextToken"),
    ("partNumber", "PartNumber"),
    ("prefix", "Prefix"),
    ("requestedJobStatus", "RequestedJobStatus"),
    ("start-after", "StartAfter"),
    ("statusUpdateReason", "StatusUpdateReason"),
    ("tagKeys", "TagKeys"),
    ("upload-id-marker", "UploadIdMarker"),
    ("uploadId", "UploadId"),
    ("version-id-marker", "VersionIdMarker"),
    ("versionId", "VersionId"),
];

/// Headers of requests and answers, and the members that they are.
pub const HEADERS: &[(&str, &str)] = &[
    ("accept-ranges", "AcceptRanges"),
    ("content-type", "ContentType"),
    ("etag", "ETag"),
    ("expires", "Expires"),
    ("if-match", "IfMatch"),
    ("if-none-match", "IfNoneMatch"),
    ("last-modified", "LastModified"),
    ("location", "Location"),
    ("x-amz-abort-date", "AbortDate"),
    ("x-amz-access-point-alias", "AccessPointAlias"),
    ("x-amz-account-id", "AccountId"),
    ("x-amz-acl", "ACL"),
    ("x-amz-bucket-arn", "BucketArn"),
    ("x-amz-bucket-namespace", "BucketNamespace"),
    ("x-amz-bucket-object-lock-enabled", "ObjectLockEnabledForBucket"),
    ("x-amz-bucket-region", "BucketRegion"),
    ("x-amz-bypass-governance-retention", "BypassGovernanceRetention"),
    ("x-amz-checksum-algorithm", "ChecksumAlgorithm"),
    ("x-amz-checksum-crc32", "ChecksumCRC32"),
    ("x-amz-checksum-crc32c", "ChecksumCRC32C"),
    ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"),
    ("x-amz-checksum-mode", "ChecksumMode"),
    ("x-amz-checksum-sha1", "ChecksumSHA1"),
    ("x-amz-checksum-sha256", "ChecksumSHA256"),
    ("x-amz-checksum-type", "ChecksumType"),
    ("x-amz-delete-marker", "DeleteMarker"),
    ("x-amz-expected-bucket-owner", "ExpectedBucketOwner"),
    ("x-amz-missing-meta", "MissingMeta"),
    ("x-amz-mp-parts-count", "PartsCount"),
    ("x-amz-object-lock-legal-hold", "ObjectLockLegalHoldStatus"),
    ("x-amz-object-lock-mode", "ObjectLockMode"),
    ("x-amz-object-lock-retain-until-date", "ObjectLockRetainUntilDate"),
    ("x-amz-object-ownership", "ObjectOwnership"),
    ("x-amz-replication-status", "ReplicationStatus"),
    ("x-amz-request-charged", "RequestCharged"),
    ("x-amz-request-payer", "RequestPayer"),
    ("x-amz-server-side-encryption", "ServerSideEncryption"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "SSEKMSKeyId"),
    ("x-amz-server-side-encryption-bucket-key-enabled", "BucketKeyEnabled"),
    ("x-amz-storage-class", "StorageClass"),
    ("x-amz-tagging", "Tagging"),
    ("x-amz-tagging-count", "TagCount"),
    ("x-amz-transition-default-minimum-object-size", "TransitionDefaultMinimumObjectSize"),
    ("x-amz-version-id", "VersionId"),
];

/// What the header of user metadata begins with.
pub const METADATA: &str = "x-amz-meta-";

/// Answers whose outermost element is a member, not the answer itself.
pub const MEMBERS: [&str; 5] = [
    "ReplicationConfiguration",
    "ServerSideEncryptionConfiguration",
    "PublicAccessBlockConfiguration",
    "OwnershipControls",
    "ObjectLockConfiguration",
];
