//! A pair as reports draw it: its places, the ways between them, and what S3 is allowed on each.

use crate::names::Region;
use serde::Serialize;

/// A pair's places, as reports draw them.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct PairOf {
    pub source: PlaceOf,
    pub destinations: Vec<DestinationOf>,
    pub alias: String,
    pub role: String,
    /// From the source, then, where the pair is two-way, back from each destination.
    pub ways: Vec<WayOf>,
}

/// A bucket and its Region.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct PlaceOf {
    pub bucket: String,
    pub region: Region,
}

/// A destination and the rule that fills it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct DestinationOf {
    pub bucket: String,
    pub region: Region,
    pub rule: String,
    pub prefix: String,
}

/// One direction: from a bucket, by a role, to others.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct WayOf {
    pub source: SideOf,
    /// The role's ARN.
    pub role: String,
    pub destinations: Vec<TargetOf>,
}

/// A bucket with its account and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct SideOf {
    pub bucket: String,
    pub region: Region,
    pub account: String,
    /// The alias or ARN of its key; none for SSE-S3.
    pub key: Option<String>,
}

/// A destination with all rules that lead to it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct TargetOf {
    #[serde(flatten)]
    pub side: SideOf,
    pub rules: Vec<RuleOf>,
}

/// A rule in a few words.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct RuleOf {
    pub id: String,
    pub prefix: String,
    pub tags: Vec<String>,
    pub delete_markers: bool,
}

/// A call that S3 makes, and the statement that decides about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct CallOf {
    /// Who calls: a role or a service.
    pub caller: String,
    pub action: String,
    pub resource: String,
    /// The condition keys that matter, each with its value.
    pub context: Vec<String>,
    pub allowed: bool,
    pub document: Option<String>,
    pub statement: Option<String>,
}
