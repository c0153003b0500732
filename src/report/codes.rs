//! Codes and their explanations as human-readable text.
//! Not for: the explanations themselves (see `check::catalogue`).

use super::layout::{self, Row};
use super::style::{FAINT, GOOD};
use crate::check::catalogue::{About, Entry};
use anstyle::Style;
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
            text.push_str(&layout::row([String::new()], format!("- {line}"), Style::new()));
        }
    }
    text
}

/// Returns every code with its meaning, grouped by class.
pub fn codes(all: &[&Entry]) -> String {
    let mut text = String::new();
    for (heading, about) in [
        ("failure reasons of S3", About::FailureReason),
        ("replication statuses of an object", About::Status),
        ("checks", About::Check),
        ("errors", About::Error),
        ("classes of errors", About::Kind),
        ("outcomes", About::Outcome),
    ] {
        let _ = writeln!(text, "{GOOD}{heading}{GOOD:#}");
        let of = all.iter().filter(|entry| entry.about == about);
        let row = |entry: &&Entry| Row::new([format!("  {}", entry.code)], entry.means, FAINT);
        text.push_str(&layout::rows(&of.map(row).collect::<Vec<_>>()));
        text.push('\n');
    }
    text.push_str("`crrctl explain CODE` says what causes it and how to fix it\n");
    text
}
