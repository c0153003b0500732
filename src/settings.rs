//! The manifest's settings for all buckets except encryption: Object Lock, lifecycle, and the
//! namespace of bucket names.
//! Not for: validation (see `check`) or live bucket settings (see `world`).

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
}

/// Object Lock settings. Object Lock is on.
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

impl BucketSettings {
    /// Returns the default retention.
    pub fn retention(&self) -> Option<Retention> {
        self.lock.as_ref().and_then(|lock| lock.retention)
    }
}
