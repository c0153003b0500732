//! Differences between a replica and its source.
//! Not for: finding the differences (see `compare`).

use serde::Serialize;

/// A failed check, with the value that the source requires and the value of the replica.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Difference {
    pub check: &'static str,
    pub source: String,
    pub replica: String,
}

/// Whether the source and the replica have the same value, for values that prove nothing by
/// themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "likeness"))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the contract names the values")]
pub enum Likeness {
    Same,
    Differs,
    Absent,
}
