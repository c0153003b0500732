//! The events as they happen, one JSON object a line on stdout.

use crate::events::{Event, Sink};
use serde::Serialize;
use std::io::Write;

/// Writes events to stdout.
#[derive(Debug)]
pub struct Ndjson;

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: &'a Event,
    at: jiff::Timestamp,
}

impl Sink for Ndjson {
    fn take(&self, event: &Event) {
        let line = Line { event, at: jiff::Timestamp::now() };
        if let Ok(text) = serde_json::to_string(&line) {
            // A closed stdout is no reason to end a run.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }
}
