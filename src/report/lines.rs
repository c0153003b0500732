//! One plain line a change on stderr: what a log or a pipe gets.

use super::{Volume, line, line_of};
use crate::events::{Event, Sink};
use std::io::Write;

/// Writes lines to stderr.
#[derive(Debug)]
pub struct Lines(pub Volume);

impl Sink for Lines {
    fn take(&self, event: &Event) {
        if self.0 > Volume::Quiet {
            print(line(event, self.0));
        }
    }

    fn take_of(&self, pair: &str, event: &Event) {
        print(line_of(pair, event, self.0));
    }
}

fn print(line: Option<String>) {
    if let Some(line) = line {
        // A closed stderr is no reason to end a run.
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}
