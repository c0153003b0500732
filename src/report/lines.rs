//! Plain lines on stderr, one for each change, for logs and pipes. A long wait is reported from
//! time to time.
//! Not for: terminals (see `screen`).

use super::harmless;
use super::line::{Volume, line, line_of};
use crate::events::{Event, Sink, StepId};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// A wait is reported after `FIRST` milliseconds, and again after every further `AGAIN`
/// milliseconds.
const FIRST: u64 = 5_000;
const AGAIN: u64 = 30_000;

/// Writes lines to stderr.
#[derive(Debug)]
pub struct Lines {
    volume: Volume,
    /// How long each step had waited when the wait was last reported.
    waits: Mutex<BTreeMap<StepId, u64>>,
}

impl Lines {
    /// Creates a sink that writes the events that `volume` includes.
    pub fn new(volume: Volume) -> Self {
        Self { volume, waits: Mutex::default() }
    }

    /// Returns the volume for `event`: a long wait and the progress of a
    /// long search are reported like a note.
    fn volume_of(&self, event: &Event) -> Volume {
        match event {
            Event::StepWait { step, waited_ms, .. } if self.is_due(step, *waited_ms) => {
                self.volume.max(Volume::Verbose)
            }
            Event::Search { .. } => self.volume.max(Volume::Verbose),
            _ => self.volume,
        }
    }

    fn is_due(&self, step: &StepId, waited: u64) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match waits.get(step) {
            // A step may have several waits, one after another.
            Some(last) if *last <= waited => waited - last >= AGAIN,
            _ => waited >= FIRST,
        };
        if is_due {
            waits.insert(step.clone(), waited);
        }
        is_due
    }
}

impl Sink for Lines {
    fn take(&self, event: &Event) {
        if self.volume > Volume::Quiet {
            print(line(event, self.volume_of(event)));
        }
    }

    fn take_of(&self, pair: &str, event: &Event) {
        print(line_of(pair, event, self.volume));
    }
}

fn print(line: Option<String>) {
    if let Some(line) = line {
        // A closed stderr does not end the run.
        let _ = writeln!(anstream::stderr().lock(), "{}", harmless(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Kind;

    #[test]
    fn a_long_wait_is_told_now_and_then() {
        let lines = Lines::new(Volume::Usual);
        let (one, other) = (StepId::new(Kind::Bucket, "a"), StepId::new(Kind::Bucket, "b"));
        let told = |step: &StepId, waits: &[u64]| -> Vec<u64> {
            waits.iter().copied().filter(|waited| lines.is_due(step, *waited)).collect()
        };
        let waits = [0, 1_000, 5_000, 15_000, 34_999, 35_000, 45_000, 65_000];
        assert_eq!(told(&one, &waits), [5_000, 35_000, 65_000]);
        assert_eq!(told(&other, &[4_999]), [0; 0]);
        assert_eq!(told(&one, &[100, 6_000]), [6_000], "the next thing that it waits for");
    }
}
