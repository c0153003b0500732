//! A run on a terminal: a live line for each step under way, with what it waits for, and a line that stays for each that is
//! done.

use super::{NOTABLE, Volume, line};
use crate::events::{Event, Sink, StepId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Draws on stderr.
#[derive(Debug)]
pub struct Screen {
    volume: Volume,
    all: MultiProgress,
    live: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Screen {
    /// Begins with nothing under way.
    pub fn new(volume: Volume) -> Self {
        Self { volume, all: MultiProgress::new(), live: Mutex::default() }
    }

    fn begin(&self, name: &str, message: String) {
        let bar = self.all.add(ProgressBar::new_spinner());
        // The template is ours and valid; the default spinner does as well.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        self.live.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bar);
    }

    fn change(&self, name: &str, message: String) {
        if let Some(bar) = self.live.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            bar.set_message(message);
        }
    }

    fn end(&self, name: &str) {
        if let Some(bar) = self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(name) {
            bar.finish_and_clear();
        }
    }

    fn follow(&self, event: &Event) {
        let waiting = |step: &StepId, why: &str| {
            (step.to_string(), format!("{step} {NOTABLE}{why}{NOTABLE:#}"))
        };
        match event {
            Event::RunStart { command, pair } => {
                self.begin("", format!("{command} {pair}: looking at what is there"));
            }
            Event::Observed { .. } => self.end(""),
            Event::StepStart { step, action, .. } => {
                self.begin(step.as_str(), format!("{action} {step}"));
            }
            Event::StepWait { step, reason, .. } => {
                let (name, message) = waiting(step, reason);
                self.change(&name, message);
            }
            Event::StepRetry { step, code, reason } => {
                let (name, message) = waiting(step, &format!("{code}: {reason}"));
                self.change(&name, message);
            }
            Event::StepDone { step, .. } | Event::StepFailed { step, .. } => {
                self.end(step.as_str());
            }
            Event::ProbeStatus { key, status, .. } => {
                self.end(key);
                if status == "PENDING" {
                    self.begin(key, format!("{key} {NOTABLE}is PENDING{NOTABLE:#}"));
                }
            }
            Event::RunDone { .. } => {
                for bar in
                    std::mem::take(&mut *self.live.lock().unwrap_or_else(PoisonError::into_inner))
                        .into_values()
                {
                    bar.finish_and_clear();
                }
            }
            Event::BackfillStatus { job, status, total, succeeded, failed } => {
                self.end(job);
                if !["Complete", "Failed", "Cancelled"].contains(&status.as_str()) {
                    self.begin(job, super::progress(status, *total, *succeeded, *failed));
                }
            }
            Event::StepNote { .. }
            | Event::ProbeRetry { .. }
            | Event::Pair(_)
            | Event::ProbeDone(_)
            | Event::CheckDone(_)
            | Event::WatchRound { .. }
            | Event::Error { .. } => {}
        }
    }
}

impl Sink for Screen {
    fn take(&self, event: &Event) {
        self.follow(event);
        let Some(text) = line(event, self.volume) else { return };
        let text = if anstream::stderr().current_choice() == anstream::ColorChoice::Never {
            anstream::adapter::strip_str(&text).to_string()
        } else {
            text
        };
        // A closed stderr is no reason to end a run.
        let _ = self.all.println(text);
    }
}
