//! What a replica is not, though its source is.

use serde::Serialize;

/// A check that does not hold, with what was expected of the source and what the replica has.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Difference {
    pub check: &'static str,
    pub source: String,
    pub replica: String,
}

/// Whether two values that prove nothing by themselves are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the contract names the values")]
pub enum Likeness {
    Same,
    Differs,
    Absent,
}
