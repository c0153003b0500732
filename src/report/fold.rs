//! The data that reports of a whole run store from its events: the probes, the checks, the
//! failures.
//! Not for: writing a report (see `junit`, `github`, `html`).

use crate::events::{CallOf, CheckDone, Event, PairOf, ProbeDone};
use crate::failure::Failure;
use std::collections::BTreeMap;

/// The data of a run so far.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) command: String,
    pub(super) pair: String,
    pub(super) topology: Option<PairOf>,
    /// The S3 calls of the last proof, and whether the documents allow them.
    pub(super) calls: Vec<CallOf>,
    pub(super) probes: Vec<ProbeDone>,
    pub(super) checks: Vec<CheckDone>,
    pub(super) elapsed_ms: u64,
}

impl Run {
    /// Takes one event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::RunStart { command, pair } => {
                (self.command, self.pair) = ((*command).to_owned(), pair.clone());
            }
            Event::Pair(pair) => self.topology = Some(pair.clone()),
            Event::Proof { calls } => self.calls.clone_from(calls),
            Event::ProbeDone(probe) => self.probes.push(probe.clone()),
            Event::CheckDone(check) => self.checks.push(check.clone()),
            Event::RunDone { elapsed_ms, .. } | Event::PairDone { elapsed_ms, .. } => {
                self.elapsed_ms = *elapsed_ms;
            }
            _ => {}
        }
    }

    /// Returns the checks that failed.
    pub(super) fn failed_checks(&self) -> Vec<&CheckDone> {
        self.checks.iter().filter(|check| check.result == "fail").collect()
    }

    /// Returns the checks, the likeliest causes first.
    pub(super) fn causes_first(&self) -> Vec<&CheckDone> {
        let mut checks: Vec<&CheckDone> = self.checks.iter().collect();
        checks.sort_by_key(|check| check.place);
        checks
    }

    /// Returns the likeliest cause, if any check failed.
    pub(super) fn first_cause(&self) -> Option<&CheckDone> {
        self.causes_first().into_iter().next().filter(|_| !self.failed_checks().is_empty())
    }

    /// Returns the probes, grouped by rule and direction.
    pub(super) fn routes(&self) -> BTreeMap<(&str, String), Vec<&ProbeDone>> {
        let mut routes: BTreeMap<_, Vec<&ProbeDone>> = BTreeMap::new();
        for probe in &self.probes {
            routes.entry((probe.rule.as_str(), probe.route())).or_default().push(probe);
        }
        routes
    }
}

/// The data that a report stores of a run.
pub(super) trait Fold: Default {
    /// Takes one event.
    fn keep(&mut self, event: &Event);
}

impl Fold for Run {
    fn keep(&mut self, event: &Event) {
        self.take(event);
    }
}

/// The data of one pair of several, and its failure.
#[derive(Debug, Default)]
struct OfPair<T> {
    kept: T,
    failure: Option<Failure>,
}

/// The data of a run and, if the run is about several pairs, of each pair separately: equal names
/// in two pairs must not be merged.
#[derive(Debug, Default)]
pub(super) struct Runs<T> {
    whole: T,
    pairs: BTreeMap<String, OfPair<T>>,
}

/// One run to report: the only one, or that of one pair of several.
#[derive(Debug)]
pub(super) struct Part<'a, T> {
    /// The pair's name, if there are several pairs.
    pub(super) pair: Option<&'a str>,
    pub(super) kept: &'a T,
    pub(super) failure: Option<&'a Failure>,
}

impl<T: Fold> Runs<T> {
    /// Takes one event of the run as a whole.
    pub(super) fn take(&mut self, event: &Event) {
        self.whole.keep(event);
    }

    /// Takes one event of one pair of several.
    pub(super) fn take_of(&mut self, pair: &str, event: &Event) {
        if !self.pairs.contains_key(pair) {
            self.pairs.insert(pair.to_owned(), OfPair::default());
        }
        let Some(of) = self.pairs.get_mut(pair) else { return };
        if let Event::PairDone { failure, .. } = event {
            of.failure.clone_from(failure);
        }
        of.kept.keep(event);
    }

    /// Returns the run as a whole.
    pub(super) fn whole(&self) -> &T {
        &self.whole
    }

    /// Returns the runs to report. `failure` is the failure of the whole run; if no pair has
    /// failed, it is reported as a part of its own.
    pub(super) fn parts<'a>(&'a self, failure: Option<&'a Failure>) -> Vec<Part<'a, T>> {
        let mut parts: Vec<Part<'a, T>> = self
            .pairs
            .iter()
            .map(|(pair, of)| Part {
                pair: Some(pair.as_str()),
                kept: &of.kept,
                failure: of.failure.as_ref(),
            })
            .collect();
        let is_told = parts.iter().any(|part| part.failure.is_some());
        if parts.is_empty() || (failure.is_some() && !is_told) {
            parts.push(Part { pair: None, kept: &self.whole, failure });
        }
        parts
    }
}

impl ProbeDone {
    /// Returns the Regions of source and destination, with an arrow between them.
    pub(super) fn route(&self) -> String {
        format!("{} → {}", self.source.region, self.destination.region)
    }
}

/// Returns why something failed: the message, the failure reasons, the causes and the hints.
pub(super) fn why(failure: &Failure) -> String {
    let mut lines = vec![failure.message.clone()];
    if !failure.failure_reasons.is_empty() {
        lines.push(format!("reasons: {}", failure.failure_reasons.join(", ")));
    }
    lines.extend(failure.causes.iter().map(|cause| format!("cause: {cause}")));
    lines.extend(failure.hints.iter().map(|hint| format!("fix: {hint}")));
    lines.join("\n")
}
