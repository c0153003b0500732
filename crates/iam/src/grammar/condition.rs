//! Checks the keys and values of conditions.
//! Section: "IAM JSON policy elements: Condition operators".
//! Not for: whether a service has a condition key.

use crate::condition::value::{Network, base64, boolean, date, is_number};
use crate::document::{Comparison, Condition, Version};
use crate::pattern::arn_parts;

/// Checks one line of a `Condition` block and returns the problem, if any.
pub(super) fn check(condition: &Condition, version: Option<Version>) -> Option<String> {
    let Condition { operator, key, values } = condition;
    let shaped = key.split_once(':').is_some_and(|(prefix, name)| {
        !prefix.is_empty() && !name.is_empty() && !prefix.contains(char::is_whitespace)
    });
    if !shaped {
        return Some(format!("\"{key}\" is not a condition key such as aws:PrincipalArn"));
    }
    let variables = version == Some(Version::V2012);
    let wrong = values.iter().find(|value| !fits(operator.comparison, value, variables))?;
    Some(format!("\"{wrong}\" is not {}", wanted(operator.comparison)))
}

fn fits(comparison: Comparison, value: &str, variables: bool) -> bool {
    use Comparison as C;
    let variable = variables && value.contains("${");
    match comparison {
        C::StringEquals
        | C::StringNotEquals
        | C::StringEqualsIgnoreCase
        | C::StringNotEqualsIgnoreCase
        | C::StringLike
        | C::StringNotLike => true,
        C::NumericEquals
        | C::NumericNotEquals
        | C::NumericLessThan
        | C::NumericLessThanEquals
        | C::NumericGreaterThan
        | C::NumericGreaterThanEquals => is_number(value),
        C::DateEquals
        | C::DateNotEquals
        | C::DateLessThan
        | C::DateLessThanEquals
        | C::DateGreaterThan
        | C::DateGreaterThanEquals => date(value).is_some(),
        C::Bool => variable || boolean(value).is_some(),
        C::Null => boolean(value).is_some(),
        C::BinaryEquals => base64(value).is_some(),
        C::IpAddress | C::NotIpAddress => Network::parse(value).is_some(),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => {
            let parts = arn_parts(value);
            value == "*" || variable || (parts.len() == 6 && parts[0] == "arn")
        }
    }
}

fn wanted(comparison: Comparison) -> &'static str {
    let name = comparison.as_str();
    match () {
        () if name.starts_with("Numeric") => "a number",
        () if name.starts_with("Date") => "a date such as 2026-01-31T12:00:00Z, or epoch seconds",
        () if name.starts_with("Arn") => "an ARN of six parts",
        () if name.starts_with("Binary") => "base64",
        () if name.ends_with("IpAddress") => "an IP address or a range such as 203.0.113.0/24",
        () => "\"true\" or \"false\"",
    }
}
