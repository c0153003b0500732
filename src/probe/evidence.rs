//! What probes show: the status of each object at each destination, and the checks of its replica.
//! Not for: uploading and comparing (see `super`), or printing (see `report`).

use super::{Difference, Likeness};
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::{BucketName, Region};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A replication status, as `HeadObject` returns it; `Complete` and `Completed` are the same status
/// (both are in S3's model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Replication is in progress.
    Pending,
    /// Replicated to every destination.
    Completed,
    /// Failed at one or more destinations; final.
    Failed,
    /// No status: no rule selects the object.
    None,
}

impl Status {
    /// Returns the status as S3 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::None => "NONE",
        }
    }
}

/// The result of one object at one destination.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "probe"))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Probe {
    /// The replication rule's id
    pub rule: String,
    pub source: SourceObject,
    pub destination: Place,
    /// The source's replication status
    pub status: Status,
    pub replica_status: Option<Cow<'static, str>>,
    /// The key that the replica is encrypted under
    #[serde(serialize_with = "as_text")]
    pub kms_key_arn: Option<Arc<str>>,
    /// From the upload's answer to COMPLETED
    pub latency_ms: Option<u64>,
    /// How many fresh probes it took
    pub attempts: u32,
    /// What holds of the replica
    pub checks: Checks,
    pub differences: Vec<Difference>,
    pub etag: Likeness,
    pub checksum: Likeness,
    /// Why the object can't replicate as required, if the response to its upload already shows
    /// that.
    #[serde(skip)]
    pub unfit: Option<String>,
    /// How long fresh objects were uploaded, from the first one on.
    #[serde(skip)]
    pub tried_for: Duration,
}

/// The source object.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct SourceObject {
    #[cfg_attr(test, schemars(with = "String"))]
    pub bucket: BucketName,
    pub key: String,
    pub version_id: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
}

/// A bucket and its Region.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "place"))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Place {
    #[cfg_attr(test, schemars(with = "String"))]
    pub bucket: BucketName,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
}

#[expect(clippy::ref_option, reason = "serde passes the field so")]
fn as_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// The checks of a replica, each true if the replica has the required value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "the contract names the fields")]
#[expect(clippy::struct_excessive_bools, reason = "each is a check of the contract")]
pub struct Checks {
    pub version_id: bool,
    pub size: bool,
    pub body: bool,
    pub kms_key: bool,
    pub bucket_key: bool,
    pub status: bool,
}

impl Checks {
    /// Returns whether every check passes.
    pub fn all(self) -> bool {
        self.version_id && self.size && self.body && self.kms_key && self.bucket_key && self.status
    }
}

/// The result of a probe run: the evidence collected, and the failure that ended it early.
#[derive(Debug, Default)]
pub struct Evidence {
    /// One entry per object and destination.
    pub probes: Vec<Probe>,
    /// The first failure: of a call, of replication, or of a check.
    pub failure: Option<Failure>,
}

impl Evidence {
    /// Returns evidence without probes: `failure` came before the first probe.
    pub fn cut_short(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }

    /// Returns evidence of a probe run that `failure` interrupted: its results are lost, and
    /// objects that it uploaded may still exist.
    pub fn cut_off(failure: Failure, topology: &Topology) -> Self {
        let places = topology.probe_prefixes(&topology.source).join("`, `");
        let failure = failure.leaving(format!("probes under `{places}`"));
        Self::cut_short(
            failure.hint("`crrctl destroy` removes probes that are left, with the pair"),
        )
    }
}
