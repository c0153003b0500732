//! What `crrctl status` prints with `-o json`.
//! Not for: the text of the screen (see `report::status`).

use super::object;
use super::of_many::Part;
use crate::check::Sample;
use crate::events::RuleMetrics;
use crate::names::{Arn, BucketName, Region};
use crate::report::Change;
use crate::world::KeyState;
use jiff::Timestamp;
use serde::Serialize;

object! {
    /// What `crrctl status` prints.
    StatusObject, "status", "status-output",
    [
        [pair, keys, buckets, role, rules, drift, objects, stands, api_calls, metrics],
        [pairs, count, failed, api_calls, elapsed_ms],
        [pair, keys, buckets, role, rules, drift, objects, stands, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        keys: Vec<KeyStatus>,
        buckets: Vec<BucketStatus>,
        /// The role's ARN
        role: Option<String>,
        /// The roles by which destinations replicate back
        back_roles: Vec<String>,
        rules: Vec<RuleStatus>,
        /// What `apply` would change; null where it can't be planned
        drift: Option<Vec<Change>>,
        /// The newest objects of the source; null where none were looked at
        objects: Option<Sample>,
        /// What CloudWatch knows of each rule with metrics
        metrics: Vec<RuleMetrics>,
        /// Whether any of the pair stands
        stands: bool,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<StatusObject>>,
        ; exit_code: u8,
    }
}

/// A key as it is
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct KeyStatus {
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) region: Region,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) arn: Arn,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) state: KeyState,
    pub(in crate::cli) alias: Option<String>,
    pub(in crate::cli) rotation_days: Option<u32>,
    pub(in crate::cli) deletes_not_before: Option<Timestamp>,
}

/// A bucket as it is
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct BucketStatus {
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) bucket: BucketName,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::cli) region: Option<Region>,
    /// Null where it was never set
    pub(in crate::cli) versioning: Option<String>,
    pub(in crate::cli) encryption: Option<String>,
    pub(in crate::cli) key: Option<String>,
    pub(in crate::cli) bucket_key: bool,
}

/// A replication rule as it is
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct RuleStatus {
    pub(in crate::cli) id: String,
    /// The bucket that it replicates from
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) source: BucketName,
    pub(in crate::cli) ours: bool,
    pub(in crate::cli) enabled: bool,
    /// Null of a rule without a filter, which covers the whole bucket
    pub(in crate::cli) prefix: Option<String>,
    pub(in crate::cli) delete_markers: bool,
    pub(in crate::cli) destination: String,
    pub(in crate::cli) key: Option<String>,
}
