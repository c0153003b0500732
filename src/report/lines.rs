//! One plain line a change on stderr: what a log or a pipe gets.

use super::{Volume, line};
use crate::events::{Event, Sink};
use std::io::Write;

/// Writes lines to stderr.
#[derive(Debug)]
pub struct Lines(pub Volume);

impl Sink for Lines {
    fn take(&self, event: &Event) {
        if self.0 > Volume::Quiet
            && let Some(line) = line(event, self.0)
        {
            // A closed stderr is no reason to end a run.
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }
}
