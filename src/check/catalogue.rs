//! The meaning, causes and remedies of every code: S3's failure reasons, crrctl's own errors, AWS's
//! error codes, the checks.
//! Not for: finding which code applies (see `check`).

mod alerts;
mod aws;
mod checks;
mod errors;
mod reasons;
mod refusals;
mod statuses;
mod things;

use crate::failure::Kind;
use serde::Serialize;

/// The kind of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A `failureReason` of S3, in the order in which S3 evaluates them.
    FailureReason,
    /// An error code of crrctl, or an error code of AWS for which crrctl has a remedy.
    Error,
    /// A check of `crrctl check`.
    Check,
    /// The replication status of an object.
    Status,
    /// A class of errors, with its exit code.
    Kind,
    /// An exit code that is no error.
    Outcome,
}

impl About {
    /// Returns the kind in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailureReason => "a failure reason of S3",
            Self::Error => "an error",
            Self::Check => "a check",
            Self::Status => "a replication status of an object",
            Self::Kind => "a class of errors",
            Self::Outcome => "an outcome",
        }
    }
}

/// The explanation of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Entry {
    /// The code as printed.
    pub code: &'static str,
    /// The kind of the code.
    pub about: About,
    /// Its meaning, in one sentence.
    pub means: &'static str,
    /// Its causes, the most common first.
    pub causes: &'static [&'static str],
    /// Its remedies.
    pub mends: &'static [&'static str],
}

/// Returns every entry: reasons, statuses, checks, errors, classes.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    reasons::ALL
        .iter()
        .chain(statuses::ALL)
        .chain(checks::ALL)
        .chain(errors::ALL)
        .chain(alerts::ALL)
        .chain(things::ALL)
        .chain(aws::ALL)
        .chain(refusals::ALL)
        .chain(errors::KINDS)
        .chain(errors::OUTCOMES)
}

/// Returns the entry of `code`, regardless of case; a number is an exit code.
pub fn entry(code: &str) -> Option<&'static Entry> {
    let by_number = |number: u8| {
        let code = match number {
            0 => "done",
            2 => "found",
            _ => Kind::TABLE.iter().find(|row| row.1 == number)?.0.as_str(),
        };
        all().find(|entry| entry.code == code)
    };
    match code.parse() {
        Ok(number) => by_number(number),
        Err(_) => all().find(|entry| entry.code.eq_ignore_ascii_case(code)),
    }
}

/// Returns what to do about an error that ends with `code` of AWS, where more helps than to run the
/// same command again.
pub fn mends(code: &str) -> &'static [&'static str] {
    let entry = all().find(|entry| entry.about == About::Error && entry.code == code);
    entry.map(|entry| entry.mends).filter(|mends| *mends != errors::AGAIN).unwrap_or_default()
}

/// Returns the codes most similar to `code`, the nearest first.
pub fn near(code: &str) -> Vec<&'static str> {
    nearest(code, all().map(|entry| entry.code))
}

/// Returns the names of all checks, in order.
pub fn check_names() -> impl Iterator<Item = &'static str> {
    checks::ALL.iter().map(|entry| entry.code)
}

/// Returns at most three of `names` that are similar to `given`, the nearest first.
pub fn nearest(given: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let given = given.to_lowercase();
    let distance = |name: &'static str| {
        let lower = name.to_lowercase();
        let contains = given.len() > 3 && lower.contains(&given);
        let distance = if contains { 1 } else { strsim::damerau_levenshtein(&given, &lower) };
        (distance <= 2.max(name.len() / 3)).then_some((distance, name))
    };
    let mut near: Vec<_> = names.filter_map(distance).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// Returns the position of a failure reason in S3's order of evaluation: lower is earlier.
pub(super) fn rank(reason: &str) -> usize {
    let place = reasons::ALL.iter().position(|entry| entry.code == reason);
    place.unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_there_once_and_says_everything() {
        let mut seen = BTreeSet::new();
        for entry in all() {
            assert!(seen.insert(entry.code.to_lowercase()), "{} is there twice", entry.code);
            assert!(!entry.means.is_empty() && !entry.mends.is_empty(), "{}", entry.code);
            assert!(
                !entry.causes.is_empty() || matches!(entry.about, About::Check | About::Outcome),
                "{}",
                entry.code
            );
        }
        assert!(seen.len() > 90, "{}", seen.len());
    }

    #[test]
    fn codes_are_found_by_case_number_and_nearness() {
        assert_eq!(entry("dstputobjectnotpermitted").unwrap().code, "DstPutObjectNotPermitted");
        assert_eq!(entry("6").unwrap().code, "replication-failed");
        assert_eq!(entry("0").unwrap().code, "done");
        assert_eq!(entry("2").unwrap().code, "found");
        assert_eq!(entry("DstPutObjectNotPermited"), None);
        assert_eq!(near("DstPutObjectNotPermited")[0], "DstPutObjectNotPermitted");
        assert_eq!(near("role.polcy")[0], "role.policy");
        assert!(near("something else altogether").is_empty());
    }

    #[test]
    fn every_kind_has_an_entry() {
        for (kind, code, _) in Kind::TABLE {
            assert!(entry(kind.as_str()).is_some(), "{kind:?}");
            assert!(entry(&code.to_string()).is_some(), "{code}");
        }
    }
}
