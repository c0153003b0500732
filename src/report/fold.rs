//! What reports of a whole run keep of its events: the probes, the checks, what failed, in bounded words.
//! Not for: writing any of them (see `junit`, `github`, `html`).

use crate::events::{CallOf, CheckDone, Event, PairOf, ProbeDone};
use crate::failure::Failure;
use std::collections::BTreeMap;

/// A run as far as it got.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) command: String,
    pub(super) pair: String,
    pub(super) topology: Option<PairOf>,
    /// What S3 is allowed, as the documents of the last proof say.
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
            Event::RunDone { elapsed_ms, .. } => self.elapsed_ms = *elapsed_ms,
            _ => {}
        }
    }

    /// Returns the probes by rule and direction.
    pub(super) fn routes(&self) -> BTreeMap<(&str, String), Vec<&ProbeDone>> {
        let mut routes: BTreeMap<_, Vec<&ProbeDone>> = BTreeMap::new();
        for probe in &self.probes {
            routes.entry((probe.rule.as_str(), probe.route())).or_default().push(probe);
        }
        routes
    }
}

impl ProbeDone {
    /// Returns from where to where it went.
    pub(super) fn route(&self) -> String {
        format!("{} → {}", self.source.region, self.destination.region)
    }
}

/// Returns why something failed, the cause first where it is known.
pub(super) fn why(failure: &Failure) -> String {
    let mut lines = vec![failure.message.clone()];
    if !failure.failure_reasons.is_empty() {
        lines.push(format!("reasons: {}", failure.failure_reasons.join(", ")));
    }
    lines.extend(failure.causes.iter().map(|cause| format!("cause: {cause}")));
    lines.extend(failure.hints.iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}
