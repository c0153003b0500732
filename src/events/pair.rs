//! A pair in the form that reports draw: its buckets, the directions between them, and the calls
//! that S3 makes in each.
//! Not for: drawing (see `report`).

use crate::names::Region;
use serde::Serialize;

/// The buckets and directions of a pair.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct PairOf {
    pub source: PlaceOf,
    pub destinations: Vec<DestinationOf>,
    pub alias: String,
    pub role: String,
    /// The forward direction and, for a two-way pair, the reverse direction of each destination.
    pub ways: Vec<WayOf>,
}

/// A bucket and its Region.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "place"))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct PlaceOf {
    pub bucket: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
}

/// A destination and the rule that replicates to it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct DestinationOf {
    pub bucket: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
    pub rule: String,
    pub prefix: String,
}

/// One direction: a source bucket, a role, and the destinations.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct WayOf {
    pub source: SideOf,
    /// The role's ARN
    pub role: String,
    pub destinations: Vec<TargetOf>,
}

/// A bucket with its account and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct SideOf {
    pub bucket: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
    pub account: String,
    /// The alias or ARN of its key; null for SSE-S3
    pub key: Option<String>,
}

/// A destination and all rules that replicate to it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct TargetOf {
    pub bucket: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
    pub account: String,
    /// The alias or ARN of its key; null for SSE-S3
    pub key: Option<String>,
    pub rules: Vec<RuleOf>,
}

/// A summary of a rule.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct RuleOf {
    pub id: String,
    pub prefix: String,
    pub tags: Vec<String>,
    pub delete_markers: bool,
}

/// A call that S3 makes, and the policy statement that allows or denies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct CallOf {
    /// A role or a service
    pub caller: String,
    pub action: String,
    pub resource: String,
    /// Condition keys with their values
    pub context: Vec<String>,
    pub allowed: bool,
    pub document: Option<String>,
    pub statement: Option<String>,
}
