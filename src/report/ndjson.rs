//! The events as they happen, one JSON object a line on stdout.
//! Not for: the fields of the events (see `lines`).

mod lines;
mod recorded;

use super::Stdout;
use crate::events::{Event, Sink};
use crate::failure::Failure;
use jiff::Timestamp;
pub(crate) use lines::Line;
pub use recorded::Recorded;
use std::sync::{Mutex, PoisonError};

/// Writes events to stdout. `run.done` is held back until [`Ndjson::end`], so that it is the last
/// line even if an error follows it.
#[derive(Debug)]
pub struct Ndjson {
    stdout: Stdout,
    done: Mutex<Option<Event>>,
}

impl Ndjson {
    /// Creates a sink that writes to `stdout`.
    pub fn new(stdout: Stdout) -> Self {
        Self { stdout, done: Mutex::default() }
    }

    /// Ends the stream: writes the error, if there is one, then `run.done`, if a run began.
    pub fn end(&self, error: Option<&Failure>) {
        if let Some(failure) = error {
            self.write(&Event::Error { failure: failure.clone() }, None);
        }
        if let Some(done) = self.done.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.write(&done, None);
        }
    }

    fn write(&self, event: &Event, pair: Option<&str>) {
        let line = Line::of(event, pair, Timestamp::now());
        if let Ok(text) = serde_json::to_string(&line) {
            self.stdout.line(&text);
        }
    }
}

impl Sink for Ndjson {
    fn take(&self, event: &Event) {
        if matches!(event, Event::RunDone { .. }) {
            *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.clone());
        } else {
            self.write(event, None);
        }
    }

    fn take_of(&self, pair: &str, event: &Event) {
        // Omitted: `pair` is the name of this event, and its steps name the pair's resources.
        if !matches!(event, Event::Pair(_)) {
            self.write(event, Some(pair));
        }
    }
}
