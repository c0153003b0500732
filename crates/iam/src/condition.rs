//! Decides whether one line of a `Condition` block holds for a request.
//! Sections: "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued
//! context keys".
//! Not for: which values a policy may contain (see `grammar`). A value that can't be parsed matches
//! nothing.

pub(super) mod value;

use std::cmp::Ordering;

use super::Context;
use super::document::{Comparison, Condition, Quantifier};
use super::pattern::{Pattern, Rules, arn_like};

/// Returns whether `condition` holds in `context`. `variables` is whether the document's version
/// supports policy variables.
pub fn holds(condition: &Condition, context: &Context, variables: bool) -> bool {
    let Condition { operator, key, values } = condition;
    let found = context.get(key).filter(|found| !found.is_empty());
    let line =
        Line { comparison: operator.comparison, values, variables: variables.then_some(context) };
    if operator.comparison == Comparison::Null {
        // "true": the key is absent; "false": the key is present and its value is not null.
        let null = found.is_none_or(all_empty);
        return values.iter().any(|wanted| value::boolean(wanted) == Some(null));
    }
    match (operator.quantifier, found) {
        // Missing keys: a positive operator fails; a negated operator and `IfExists` hold.
        (Quantifier::None, None) => operator.if_exists || operator.comparison.negated(),
        // Several values without a quantifier are undocumented: a negated operator must hold for
        // all values, other operators for any value.
        (Quantifier::None, Some(found)) if operator.comparison.negated() => {
            found.iter().all(|value| line.holds(value))
        }
        (Quantifier::None, Some(found)) => found.iter().any(|value| line.holds(value)),
        // An empty set: `ForAllValues` holds, `ForAnyValue` fails. Empty texts count as an empty
        // set.
        (Quantifier::ForAllValues, None) => true,
        (Quantifier::ForAllValues, Some(found)) => {
            all_empty(found) || found.iter().all(|value| line.holds(value))
        }
        (Quantifier::ForAnyValue, None) => operator.if_exists,
        (Quantifier::ForAnyValue, Some(found)) => {
            !all_empty(found) && found.iter().any(|value| line.holds(value))
        }
    }
}

fn all_empty(values: &[String]) -> bool {
    values.iter().all(String::is_empty)
}

/// An operator with the policy's values, which are compared with each value of the request.
struct Line<'a> {
    comparison: Comparison,
    values: &'a [String],
    variables: Option<&'a Context>,
}

impl Line<'_> {
    /// The policy's values are alternatives. Under a negated operator none of them may match.
    /// A variable without a value fails in both cases ("Variables and tags": it makes the statement
    /// invalid).
    fn holds(&self, found: &str) -> bool {
        let mut results = self.values.iter().map(|wanted| self.matches(wanted, found));
        if self.comparison.negated() {
            results.all(|result| result == Some(false))
        } else {
            results.any(|result| result == Some(true))
        }
    }

    /// Returns whether the values match, before any negation; `None` if a variable has no value.
    fn matches(&self, wanted: &str, found: &str) -> Option<bool> {
        use Comparison as C;
        match self.comparison {
            C::StringEquals | C::StringNotEquals => {
                Some(self.pattern(wanted, false)?.matches(found))
            }
            C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => {
                Some(self.pattern(wanted, false)?.matches_ignoring_case(found))
            }
            C::StringLike | C::StringNotLike => Some(self.pattern(wanted, true)?.matches(found)),
            C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => {
                let rules = Rules { wildcards: true, variables: self.variables };
                arn_like(wanted, found, rules)
            }
            C::NumericEquals
            | C::NumericNotEquals
            | C::NumericLessThan
            | C::NumericLessThanEquals
            | C::NumericGreaterThan
            | C::NumericGreaterThanEquals => {
                Some(self.ordered(value::compare_numbers(found, wanted)))
            }
            C::DateEquals
            | C::DateNotEquals
            | C::DateLessThan
            | C::DateLessThanEquals
            | C::DateGreaterThan
            | C::DateGreaterThanEquals => {
                let order = value::date(found).zip(value::date(wanted)).map(|(a, b)| a.cmp(&b));
                Some(self.ordered(order))
            }
            C::Bool => {
                // A variable can stand for a Boolean ("Boolean condition operators").
                let pattern = self.pattern(wanted, false)?;
                Some(value::boolean(found).is_some() && pattern.matches_ignoring_case(found))
            }
            C::BinaryEquals => {
                let decoded = value::base64(found).zip(value::base64(wanted));
                Some(decoded.is_some_and(|(a, b)| a == b))
            }
            C::IpAddress | C::NotIpAddress => {
                let parsed = found.parse().ok().zip(value::Network::parse(wanted));
                Some(parsed.is_some_and(|(address, network)| network.contains(address)))
            }
            C::Null => Some(false),
        }
    }

    fn pattern(&self, wanted: &str, wildcards: bool) -> Option<Pattern> {
        Pattern::new(wanted, Rules { wildcards, variables: self.variables })
    }

    /// Returns whether `order`, the request's value compared with the policy's value, satisfies the
    /// operator.
    fn ordered(&self, order: Option<Ordering>) -> bool {
        use Comparison as C;
        order.is_some_and(|order| match self.comparison {
            C::NumericLessThan | C::DateLessThan => order.is_lt(),
            C::NumericLessThanEquals | C::DateLessThanEquals => order.is_le(),
            C::NumericGreaterThan | C::DateGreaterThan => order.is_gt(),
            C::NumericGreaterThanEquals | C::DateGreaterThanEquals => order.is_ge(),
            _ => order.is_eq(),
        })
    }
}

#[cfg(test)]
mod tests;
