//! What the manifest wants of all buckets beside their encryption: Object Lock, lifecycle, the namespace of their names.
//! Not for: checking it (see `check`) or what buckets have (see `world`).

/// What holds of all buckets of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketSettings {
    /// Object Lock, on both sides: S3 replicates from a bucket that has it into such alone
    /// (S3 User Guide, "Requirements and considerations for replication").
    pub lock: Option<ObjectLock>,
    /// What becomes of old versions and unfinished uploads.
    pub lifecycle: Lifecycle,
    /// Whether bucket names are in the account's own namespace
    /// (S3 User Guide, "Namespaces for general purpose buckets").
    pub account_regional: bool,
}

/// Object Lock that is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// What new versions get that ask for nothing else.
    pub retention: Option<Retention>,
}

/// A default retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How strictly it binds.
    pub mode: RetentionMode,
    /// For how many days.
    pub days: i32,
}

/// How strictly a retention binds (S3 User Guide, "Object Lock retention modes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionMode {
    /// Who may bypass it can delete a version before its time.
    Governance,
    /// Nobody can.
    Compliance,
}

impl RetentionMode {
    /// Returns S3's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// What becomes of old versions and unfinished uploads; of nothing where neither is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Days after which a version that is not the newest goes.
    pub noncurrent_days: Option<i32>,
    /// Days after which an upload that was never completed goes.
    pub incomplete_upload_days: Option<i32>,
}

impl Lifecycle {
    /// Returns whether anything is wanted.
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
