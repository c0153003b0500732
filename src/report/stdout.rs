//! Stdout, which gets data alone. Who closes it has read enough; any other failure to write is kept, since a run whose output is cut off
//! must not pass for one that was told whole.
//! Not for: messages, which stderr gets.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

/// Writes to stdout, and keeps the first failure.
#[derive(Debug, Clone, Default)]
pub struct Stdout {
    unwritten: Arc<OnceLock<String>>,
}

impl Stdout {
    /// Writes text for people; its colours stay where the terminal and `--color` take them.
    pub fn text(&self, text: &str) {
        self.write(&mut anstream::stdout().lock(), text);
    }

    /// Writes text for programs as it is, and ends the line.
    pub fn line(&self, text: &str) {
        self.write(&mut io::stdout().lock(), &format!("{text}\n"));
    }

    /// Returns what went wrong first, if something did.
    pub fn unwritten(&self) -> Option<&str> {
        self.unwritten.get().map(String::as_str)
    }

    fn write(&self, out: &mut impl Write, text: &str) {
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.unwritten.get_or_init(|| format!("stdout can't be written: {error}"));
        }
    }
}
