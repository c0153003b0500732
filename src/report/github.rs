//! Reports a run to GitHub Actions: an annotation for each failure, and a step summary.
//! Section: GitHub Docs, "Workflow commands for GitHub Actions". Annotations go to stderr, which
//! the runner reads too, so that stdout contains only data.
//! Not for: storing the events (see `fold`).

use super::fold::{Part, Run, Runs, why};
use super::harmless::shown;
use super::live;
use super::{About, Report};
use crate::events::{CheckDone, Event, Sink};
use crate::failure::Failure;
use crate::units::format_duration;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Writes the annotations and the step summary when the run has ended.
#[derive(Debug)]
pub struct Github {
    summary: Option<PathBuf>,
    runs: Mutex<Runs<Run>>,
    headline: Mutex<Option<String>>,
}

impl Github {
    /// Creates a report that appends to the file `summary`, which the runner names in
    /// `GITHUB_STEP_SUMMARY`.
    pub fn new(summary: Option<PathBuf>) -> Self {
        Self { summary, runs: Mutex::default(), headline: Mutex::default() }
    }
}

impl Sink for Github {
    fn take(&self, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }

    fn take_of(&self, pair: &str, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take_of(pair, event);
    }
}

impl Report for Github {
    fn headline(&self, text: &str) {
        let mut headline = self.headline.lock().unwrap_or_else(PoisonError::into_inner);
        *headline = Some(text.to_owned());
    }

    fn end(&self, command: &str, failure: Option<&Failure>, about: &About) -> Result<(), String> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = runs.parts(failure);
        // A closed stderr is not an error.
        let told = annotations(&parts);
        let _ = live::around(|| write!(std::io::stderr().lock(), "{told}"));
        let Some(file) = &self.summary else { return Ok(()) };
        let unwritable = |error: std::io::Error| format!("can't write {}: {error}", file.display());
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(file).map_err(unwritable)?;
        let headline = self.headline.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let summary = |part| summary(part, command, headline.as_deref());
        let mut text: String = parts.iter().map(summary).collect();
        text.push_str(&by(about));
        file.write_all(text.as_bytes())
            .map_err(|error| format!("can't write the step summary: {error}"))
    }
}

fn annotations(parts: &[Part<'_, Run>]) -> String {
    let mut text = String::new();
    for part in parts {
        let of = part.pair.map_or_else(String::new, |pair| format!(" {pair}"));
        if let Some(failure) = part.failure {
            let title = escaped(&format!("crrctl{of}: {}", failure.code), true);
            let _ = writeln!(text, "::error title={title}::{}", escaped(&why(failure), false));
        }
        let told = |check: &&CheckDone| ["fail", "unknown"].contains(&check.result);
        for check in part.kept.causes_first().into_iter().filter(told) {
            let level = if check.result == "fail" { "error" } else { "notice" };
            let title = escaped(&format!("crrctl check{of}: {}", check.name), true);
            let remedy = check.remedy.as_deref().unwrap_or_default();
            let message = format!("{}\n{remedy}", check.detail);
            let message = escaped(message.trim_end(), false);
            let _ = writeln!(text, "::{level} title={title}::{message}");
        }
    }
    text
}

/// Escapes characters that have a meaning in a workflow command.
fn escaped(text: &str, property: bool) -> String {
    // A message has no colors of its own.
    let text = shown(text)
        .replace('\u{1b}', "\\u{1b}")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

fn summary(part: &Part<'_, Run>, command: &str, headline: Option<&str>) -> String {
    let (run, failure) = (part.kept, part.failure);
    let failed = run.failed_checks();
    let sign = match headline {
        _ if failure.is_some() || !failed.is_empty() => "❌",
        Some(_) => "⚠",
        None => "✅",
    };
    let pair = part.pair.unwrap_or(&run.pair);
    let mut text = format!("## {sign} crrctl {command} {pair}\n\n");
    if let (None, Some(headline)) = (failure, headline) {
        let _ = writeln!(text, "**{}**\n", cell(headline));
    }
    if let (None, Some(first)) = (failure, run.first_cause()) {
        let (count, all) = (failed.len(), run.checks.len());
        let _ = writeln!(
            text,
            "**{count} of {all} checks failed.** `{}`: {}",
            first.name,
            cell(&first.detail)
        );
        let remedy = first.remedy.iter().map(|remedy| format!("Fix: {}\n", cell(remedy)));
        text.extend(remedy);
        text.push('\n');
    }
    if !run.probes.is_empty() {
        text.push_str("| rule | route | probes | COMPLETED | slowest |\n|---|---|---|---|---|\n");
        for ((rule, route), probes) in run.routes() {
            let completed = probes.iter().filter(|probe| probe.ok()).count();
            let slowest = probes.iter().filter_map(|probe| probe.latency_ms).max();
            let slowest =
                slowest.map_or("-".to_owned(), |ms| format_duration(Duration::from_millis(ms)));
            let (rule, count) = (cell(rule), probes.len());
            let _ = writeln!(text, "| {rule} | {route} | {count} | {completed} | {slowest} |");
        }
        text.push('\n');
    }
    let told = run.causes_first().into_iter().filter(|check| check.result != "pass");
    let told: Vec<_> = told.collect();
    if !run.checks.is_empty() {
        let _ = writeln!(
            text,
            "{} of {} checks passed\n",
            run.checks.len() - told.len(),
            run.checks.len()
        );
    }
    if !told.is_empty() {
        text.push_str("| check | result | Region | detail |\n|---|---|---|---|\n");
        for check in told {
            let region = check.region.as_ref().map_or("-", |region| region.as_str());
            let detail = cell(&check.detail);
            let _ = writeln!(text, "| {} | {} | {region} | {detail} |", check.name, check.result);
        }
        text.push('\n');
    }
    if let Some(failure) = failure {
        let _ = writeln!(text, "```text\n{}\n```\n", why(failure).replace("```", "'''"));
    }
    text
}

/// Returns what was run, by whom and where.
fn by(about: &About) -> String {
    let facts = about.facts();
    let facts = facts.iter().map(|(name, it)| format!("{name} `{}`", cell(it).replace('`', "'")));
    format!("{}\n\n", facts.collect::<Vec<_>>().join(" · "))
}

/// Escapes text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    shown(text).replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;

    #[test]
    fn annotations_escape_what_has_a_meaning() {
        let failure = Failure::new(Kind::Denied, "a:b,c", "100 % of\nit").hint("do");
        let text = annotations(&Runs::default().parts(Some(&failure)));
        assert_eq!(text, "::error title=crrctl%3A a%3Ab%2Cc::100 %25 of%0Ait%0Afix: do\n");
    }
}
