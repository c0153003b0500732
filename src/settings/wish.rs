//! What is wanted of the documents of a bucket: the manifest's settings, and the default encryption
//! that follows from a key.
//! Not for: what follows for a document (see each document's file).

use crate::names::{Arn, Partition};

/// Settings that apply to all buckets of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketSettings {
    /// Object Lock, on both sides: S3 replicates from a bucket with Object Lock only to buckets
    /// with Object Lock (S3 User Guide, "Requirements and considerations for replication").
    pub lock: Option<ObjectLock>,
    /// Lifecycle of noncurrent versions and incomplete multipart uploads.
    pub lifecycle: Lifecycle,
    /// Whether bucket names are in the account regional namespace (S3 User Guide, "Namespaces for
    /// general purpose buckets").
    pub account_regional: bool,
    /// Whether the default encryption is the one that the manifest's keys give. `None`: of buckets
    /// that the pair makes.
    pub encryption: Option<bool>,
    /// The encryption types of which S3 refuses uploads, as S3 names them: `SSE-C` or `NONE`. `None`
    /// keeps what a bucket has.
    pub blocked_encryption: Option<Vec<String>>,
    /// Server access logging.
    pub logging: LoggingWish,
    /// Whether the public access block is all on. `None`: of buckets that the pair makes.
    pub public_access_block: Option<bool>,
    /// Whether the bucket owner owns every object. `None`: of buckets that the pair makes.
    pub ownership: Option<bool>,
}

impl BucketSettings {
    /// Returns the default retention.
    pub fn retention(&self) -> Option<Retention> {
        self.lock.as_ref().and_then(|lock| lock.retention)
    }

    /// Returns whether the pair manages the default encryption of a bucket that it makes or adopts.
    pub fn manages_encryption(&self, adopted: bool) -> bool {
        self.encryption.unwrap_or(!adopted)
    }
}

/// What is wanted of the documents of one bucket.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The manifest's settings.
    pub settings: &'a BucketSettings,
    /// The default encryption that follows from the side's key.
    pub encryption: Encryption,
    /// Whether the bucket exists.
    pub exists: bool,
    /// Whether somebody else made it.
    pub adopted: bool,
    /// The bucket's account.
    pub account: &'a str,
    /// The bucket's Region.
    pub region: &'a str,
}

/// Object Lock settings of the manifest. Object Lock is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// Default retention of new versions whose request sets no retention.
    pub retention: Option<Retention>,
}

/// A default retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Retention mode.
    pub mode: RetentionMode,
    /// Retention period in days.
    pub days: i32,
}

/// Retention mode (S3 User Guide, "Object Lock retention modes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionMode {
    /// Principals with the bypass permission can delete a version before its retention period ends.
    Governance,
    /// Nobody can delete a version before its retention period ends.
    Compliance,
}

impl RetentionMode {
    /// Returns S3's name of the mode.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// Lifecycle of noncurrent versions and incomplete multipart uploads. Without either setting, the
/// pair has no lifecycle rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Days after which noncurrent versions expire.
    pub noncurrent_days: Option<i32>,
    /// Days after which incomplete multipart uploads are aborted.
    pub incomplete_upload_days: Option<i32>,
}

impl Lifecycle {
    /// Returns whether any setting is given.
    pub fn is_wanted(&self) -> bool {
        *self != Self::default()
    }
}

/// What the manifest wants of server access logging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LoggingWish {
    /// What a bucket has stays.
    #[default]
    Keep,
    /// There is no logging.
    Off,
    /// Logs go to this target. Bucket and prefix may contain `{account}` and `{region}`.
    To(LogTarget),
}

impl LoggingWish {
    /// Returns the target for a bucket of this account and Region.
    pub fn target(&self, account: &str, region: &str) -> Option<LogTarget> {
        let Self::To(LogTarget { bucket, prefix }) = self else { return None };
        let fill = |text: &str| text.replace("{account}", account).replace("{region}", region);
        Some(LogTarget { bucket: fill(bucket), prefix: fill(prefix) })
    }
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTarget {
    /// The target bucket.
    pub bucket: String,
    /// What the keys of the logs begin with.
    pub prefix: String,
}

impl LogTarget {
    /// Returns the ARN of the target bucket.
    pub fn arn(&self, partition: Partition) -> Arn {
        Arn::known(partition, "s3", "", "", &self.bucket)
    }
}

/// A bucket's default encryption, as it is found or wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The algorithm, such as `aws:kms`.
    pub algorithm: String,
    /// The key.
    pub key: DefaultKey,
    /// Whether the Bucket Key is enabled.
    pub bucket_key: bool,
    /// The encryption types of which S3 refuses uploads: `SSE-C` or `NONE` (S3 User Guide, "Blocking
    /// or unblocking SSE-C for a general purpose bucket"). Empty if S3 does not say. What a write
    /// without them does is not documented, so every write sends back those that were read.
    pub blocked: Vec<String>,
}

/// The key of a default encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultKey {
    /// None, as with SSE-S3. With KMS, it is the key that AWS manages.
    None,
    /// This key: an id, an ARN or an alias, as it is set on the bucket.
    Known(String),
    /// A key that the run makes.
    New,
}

impl Encryption {
    /// SSE-S3, which is S3's default (S3 User Guide, "Default encryption FAQ").
    pub const SSE_S3: &'static str = "AES256";
    /// No encryption type is blocked.
    pub const BLOCKS_NONE: &'static str = "NONE";
    /// What a key that the run makes is called.
    pub const LATER: &'static str = "(known after apply)";

    /// Returns the default encryption of a bucket for which none was ever set.
    pub fn by_default() -> Self {
        let algorithm = Self::SSE_S3.to_owned();
        Self { algorithm, key: DefaultKey::None, bucket_key: false, blocked: Vec::new() }
    }

    /// Returns the key as it is set on the bucket.
    pub fn key(&self) -> Option<&str> {
        match &self.key {
            DefaultKey::Known(key) => Some(key),
            DefaultKey::None | DefaultKey::New => None,
        }
    }

    /// Returns whether objects are under the key that AWS manages for S3, which is also meant where
    /// no key is named.
    pub fn is_managed_by_aws(&self) -> bool {
        self.is_kms() && self.key().is_none_or(|key| key.ends_with("alias/aws/s3"))
    }

    /// Returns the encryption types that are blocked.
    pub(super) fn blocks(&self) -> Vec<&str> {
        self.blocked.iter().map(String::as_str).filter(|it| *it != Self::BLOCKS_NONE).collect()
    }

    /// Returns whether new objects are encrypted under a KMS key.
    pub fn is_kms(&self) -> bool {
        self.algorithm != Self::SSE_S3
    }
}
