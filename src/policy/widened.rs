//! Documents for pairs whose names end in random letters, such as those of `smoke`.
//! Not for: rendering the documents (see `render`).

use serde_json::{Map, Value};

/// Returns a policy for every pair whose name ends like `suffix`: in names and tags `*` stands in its
/// place, and a condition on an equal value becomes one on a pattern.
pub fn widened(policy: &Value, suffix: &str) -> Value {
    match policy {
        Value::String(text) => Value::String(text.replace(suffix, "*")),
        Value::Array(values) => values.iter().map(|it| widened(it, suffix)).collect(),
        Value::Object(fields) => {
            let wide = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("Condition", Value::Object(condition)) => {
                    (name.clone(), Value::Object(wide_condition(condition, suffix)))
                }
                _ => (name.clone(), widened(value, suffix)),
            };
            Value::Object(fields.iter().map(wide).collect())
        }
        other => other.clone(),
    }
}

/// Moves each key with a pattern from `StringEquals` to `StringLike`.
fn wide_condition(condition: &Map<String, Value>, suffix: &str) -> Map<String, Value> {
    let mut wide: Map<String, Value> = Map::new();
    for (operator, keys) in condition {
        let Value::Object(keys) = keys else { continue };
        for (key, value) in keys {
            let value_wide = widened(value, suffix);
            let is_pattern = operator == "StringEquals" && value_wide != *value;
            let operator = if is_pattern { "StringLike" } else { operator.as_str() };
            let of_operator =
                wide.entry(operator).or_insert_with(|| Value::Object(Map::new())).as_object_mut();
            if let Some(of_operator) = of_operator {
                of_operator.insert(key.clone(), value_wide);
            }
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_becomes_a_pattern_where_it_ends_in_the_suffix() {
        let policy = json!({"Statement": [{
            "Action": "kms:TagResource",
            "Resource": ["arn:aws:s3:::demo-abcdef-1", "*"],
            "Condition": {
                "StringEquals": {"aws:RequestTag/crrctl:pair": "demo-abcdef", "aws:RequestedRegion": "us-east-1"},
                "StringLike": {"s3:prefix": "_crrctl/demo-abcdef/*"},
            },
        }]});
        let wide = json!({"Statement": [{
            "Action": "kms:TagResource",
            "Resource": ["arn:aws:s3:::demo-*-1", "*"],
            "Condition": {
                "StringEquals": {"aws:RequestedRegion": "us-east-1"},
                "StringLike": {"aws:RequestTag/crrctl:pair": "demo-*", "s3:prefix": "_crrctl/demo-*/*"},
            },
        }]});
        assert_eq!(widened(&policy, "abcdef"), wide);
    }
}
