//! Codes and their explanations as human-readable text.
//! Not for: the explanations themselves (see `check::catalogue`).

use super::style::{FAINT, GOOD};
use crate::check::catalogue::{About, Entry};
use std::fmt::Write;

/// Returns what a code means, its causes and its remedies.
pub fn explanation(entry: &Entry) -> String {
    let mut text =
        format!("{GOOD}{}{GOOD:#}: {}\n\n{}\n", entry.code, entry.about.as_str(), entry.means);
    for (heading, lines) in [("causes", entry.causes), ("fix", entry.mends)] {
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{heading}:");
        for line in lines {
            let _ = writeln!(text, "  - {line}");
        }
    }
    text
}

/// Returns every code with its meaning, grouped by class.
pub fn codes(all: &[&Entry]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|entry| entry.code.len()).max().unwrap_or_default();
    for (heading, about) in [
        ("failure reasons of S3", About::FailureReason),
        ("replication statuses of an object", About::Status),
        ("checks", About::Check),
        ("errors", About::Error),
        ("classes of errors", About::Kind),
        ("outcomes", About::Outcome),
    ] {
        let _ = writeln!(text, "{GOOD}{heading}{GOOD:#}");
        for entry in all.iter().filter(|entry| entry.about == about) {
            let _ = writeln!(text, "  {:<width$}  {FAINT}{}{FAINT:#}", entry.code, entry.means);
        }
        text.push('\n');
    }
    text.push_str("`crrctl explain CODE` says what causes it and how to fix it\n");
    text
}
