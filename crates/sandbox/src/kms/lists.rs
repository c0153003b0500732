//! The paging that KMS's list operations share: limits and markers. Not for: the listed items.

use crate::kms::call::in_bounds;
use crate::wire::Fault;
use serde_json::{Value, json};

/// Returns the page size: `default` without a `limit`. A `limit` outside `1..=most` is a
/// `ValidationException`.
pub(super) fn clip(limit: Option<i64>, default: usize, most: i64) -> Result<usize, Fault> {
    limit.map_or(Ok(default), |limit| in_bounds(limit, "limit", (1, most)))
}

/// Adds `Truncated`, and `NextMarker` if there are more items.
pub(super) fn truncated(mut answer: Value, next: Option<String>) -> Value {
    answer["Truncated"] = json!(next.is_some());
    if let Some(next) = next {
        answer["NextMarker"] = json!(next);
    }
    answer
}
