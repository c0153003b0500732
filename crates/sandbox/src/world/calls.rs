//! Counts requests by operation, so that tests can check which AWS calls a run made.
//! Not for: control requests and requests that failed to authenticate, which are not counted.

use std::collections::BTreeMap;

/// The maximum number of names that are counted by themselves.
const MAX_NAMES: usize = 1000;
/// The name that all others are counted under.
const OTHERS: &str = "other";

/// The number of calls of each operation, by `service:Operation`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    by_operation: BTreeMap<String, u64>,
}

impl Calls {
    /// Counts one call.
    pub(crate) fn count(&mut self, service: &str, operation: &str) {
        let name = format!("{service}:{operation}");
        if let Some(count) = self.by_operation.get_mut(&name) {
            *count += 1;
            return;
        }
        // Clients choose the names of operations, so that their number needs a bound.
        let name = if self.by_operation.len() >= MAX_NAMES { OTHERS.into() } else { name };
        *self.by_operation.entry(name).or_default() += 1;
    }

    /// Returns the counts as `GET /_crrctl/calls` shows them.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let sum = |wanted: bool| -> u64 {
            self.by_operation
                .iter()
                .filter(|(name, _)| is_read(name) == wanted)
                .map(|(_, n)| n)
                .sum()
        };
        serde_json::json!({"reads": sum(true), "writes": sum(false), "by_operation": self.by_operation})
    }
}

/// Returns whether an operation leaves the state unchanged, based on the prefix of AWS's operation
/// name.
fn is_read(name: &str) -> bool {
    const READS: [&str; 8] =
        ["Get", "Head", "List", "Describe", "Simulate", "Encrypt", "Decrypt", "GenerateDataKey"];
    let operation = name.split_once(':').map_or(name, |(_, operation)| operation);
    READS.iter().any(|prefix| operation.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_what_changes_state() {
        let mut calls = Calls::default();
        calls.count("kms", "CreateKey");
        calls.count("kms", "DescribeKey");
        calls.count("s3", "HeadBucket");
        calls.count("s3", "HeadBucket");
        let json = calls.to_json();
        assert_eq!((json["reads"].as_u64(), json["writes"].as_u64()), (Some(3), Some(1)));
        assert_eq!(json["by_operation"]["s3:HeadBucket"], 2);
    }
}
