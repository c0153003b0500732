//! The S3 Replication metrics of one rule, as CloudWatch returns them.
//! Not for: reading them (see `check::metrics`).

use crate::names::Region;
use serde::Serialize;

/// The metrics of one rule. A value is `None` if CloudWatch has no data point in the last hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct RuleMetrics {
    pub rule: String,
    pub source: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub source_region: Region,
    pub destination: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub destination_region: Region,
    /// `BytesPendingReplication`
    pub bytes_pending: Option<f64>,
    /// `OperationsPendingReplication`
    pub operations_pending: Option<f64>,
    /// `ReplicationLatency`
    pub latency_seconds: Option<f64>,
    /// `OperationsFailedReplication` of the last hour
    pub operations_failed: Option<f64>,
    /// Why they could not be read
    pub unread: Option<String>,
}
