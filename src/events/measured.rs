//! The S3 Replication metrics of one rule, as CloudWatch returns them.
//! Not for: reading them (see `check::metrics`).

use crate::names::Region;
use serde::Serialize;

/// The metrics of one rule. A value is `None` if CloudWatch has no data point in the last hour.
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
    /// Sum over the last hour.
    pub operations_failed: Option<f64>,
    /// Reason why the metrics could not be read.
    pub unread: Option<String>,
}
