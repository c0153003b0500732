//! How replication gets on under one rule, as S3 tells CloudWatch. Not for: asking (see `check::metrics`).

use crate::names::Region;
use serde::Serialize;

/// What CloudWatch knows of one rule; nothing where it has no value of the last hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct RuleMetrics {
    pub rule: String,
    pub source: String,
    pub source_region: Region,
    pub destination: String,
    pub destination_region: Region,
    pub bytes_pending: Option<f64>,
    pub operations_pending: Option<f64>,
    pub latency_seconds: Option<f64>,
    /// In the last hour.
    pub operations_failed: Option<f64>,
    /// Why it could not be read.
    pub unread: Option<String>,
}
