//! The paging that KMS's list operations share: limits and markers. Not for: the listed items.

use crate::kms::call::invalid;
use crate::wire::Fault;
use serde_json::{Value, json};

/// Returns the page size: `default` without a `limit`. A `limit` outside `1..=most` is a
/// `ValidationException`.
pub(super) fn clip(limit: Option<i64>, default: usize, most: usize) -> Result<usize, Fault> {
    let Some(limit) = limit else { return Ok(default) };
    usize::try_from(limit).ok().filter(|l| (1..=most).contains(l)).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and {most}"
        ))
    })
}

/// Adds `Truncated`, and `NextMarker` if there are more items.
pub(super) fn truncated(mut answer: Value, next: Option<String>) -> Value {
    answer["Truncated"] = json!(next.is_some());
    if let Some(next) = next {
        answer["NextMarker"] = json!(next);
    }
    answer
}
