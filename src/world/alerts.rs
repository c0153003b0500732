//! A topic or queue that tells of failed replication, and the key of its messages.
//! Not for: whether S3 or CloudWatch can publish to it (see `plan::alert_target`).

use serde_json::Value;

/// A topic or queue of `replication.alerts` or `replication.alarm`.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertTarget {
    /// It does not exist.
    Missing,
    /// The caller may not read it, for this reason.
    Unread(String),
    /// It exists.
    Found {
        /// Its policy.
        policy: Option<Value>,
        /// The key of its messages.
        key: AlertKey,
    },
}

/// The key of the messages of a topic or queue.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertKey {
    /// None in KMS.
    None,
    /// One that AWS manages, by this name.
    ManagedByAws(String),
    /// One that the caller may not read, for this reason.
    Unread(String),
    /// A customer managed key.
    Own {
        /// Its ARN.
        arn: String,
        /// Its policy.
        policy: Value,
    },
}
