//! The results of checks as human-readable text.
//! Not for: running checks (see `check`).

use super::inline;
use super::layout::{self, Row};
use super::style::{BAD, FAINT, GOOD, NOTABLE};
use crate::check::{Finding, Report, Verdict};
use anstyle::Style;
use std::fmt::Write;

/// Returns a line for each check that did not pass, with its remedy, the likeliest causes first, and
/// the totals. With `all`, the checks that passed or were skipped have lines too.
pub fn checks(report: &Report, all: bool) -> String {
    let mut text = String::new();
    let is_told = |it: &&Finding| all || matches!(it.result, Verdict::Fail | Verdict::Unknown);
    let mut told: Vec<&Finding> = report.findings.iter().filter(is_told).collect();
    told.sort_by_key(|finding| finding.place());
    let mut rows = Vec::new();
    for finding in &told {
        let (word, style) = mark(finding.result);
        let region = finding.region.as_ref().map_or("-", |region| region.as_str());
        let cells =
            [format!("{style}{word:<7}{style:#}"), finding.name.to_owned(), region.to_owned()];
        rows.push(Row::new(cells, inline(&finding.detail), FAINT));
    }
    for (line, finding) in layout::each(&rows).into_iter().zip(&told) {
        text.push_str(&line);
        if let Some(remedy) = &finding.remedy {
            let fix = format!("fix: {remedy}");
            text.push_str(&layout::row([" ".repeat(7)], fix, Style::new()));
        }
    }
    if let Some(first) = report.causes().first().filter(|_| report.has_failed()) {
        let _ = writeln!(text, "\nfirst cause: {}", inline(&first.cause()));
    }
    if !report.failure_reasons.is_empty() && report.has_failed() {
        let _ = writeln!(text, "S3 would say: {}", report.failure_reasons.join(", "));
    }
    let count = |verdict| report.count(verdict);
    let list = if all { "" } else { " (-v lists them)" };
    let sum = format!(
        "{} passed{list}, {} failed, {} unknown, {} skipped",
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Unknown),
        count(Verdict::Skip)
    );
    let style = if report.has_failed() { BAD } else { GOOD };
    let _ = writeln!(text, "{style}{sum}{style:#}");
    text
}

fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Pass => ("pass", GOOD),
        Verdict::Fail => ("FAIL", BAD),
        Verdict::Unknown => ("unknown", NOTABLE),
        Verdict::Skip => ("skip", FAINT),
    }
}
