//! The events of a run in its recording, as `-o ndjson` prints them.
//! Not for: what takes the place of names (see `recording`).

use super::Line;
use crate::events::{Event, Sink};
use crate::recording::Recorder;
use jiff::Timestamp;

/// Writes the events to the recording.
#[derive(Debug)]
pub struct Recorded(Recorder);

impl Recorded {
    /// Creates a sink that writes to `recorder`.
    pub fn new(recorder: Recorder) -> Self {
        Self(recorder)
    }

    fn write(&self, event: &Event, pair: Option<&str>) {
        // The proof is made of the documents, which the exchanges show.
        if matches!(event, Event::Proof { .. }) {
            return;
        }
        if let Ok(line) = serde_json::to_value(Line::of(event, pair, Timestamp::now())) {
            self.0.event(line);
        }
    }
}

impl Sink for Recorded {
    fn take(&self, event: &Event) {
        self.write(event, None);
    }

    fn take_of(&self, pair: &str, event: &Event) {
        self.write(event, Some(pair));
    }
}
