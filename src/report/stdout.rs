//! Stdout, which gets only data. A closed stdout is not an error, since its reader has read enough.
//! Any other write error is stored, since a run whose output is cut off must not be reported as
//! complete.
//! Not for: messages, which go to stderr.

use super::{harmless, live};
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, OnceLock};

/// Writes to stdout, and stores the first write error.
#[derive(Debug, Clone, Default)]
pub struct Stdout {
    unwritten: Arc<OnceLock<String>>,
}

impl Stdout {
    /// Writes human-readable text, with colors where the terminal and `--color` allow them.
    pub fn text(&self, text: &str) {
        let text = harmless(text);
        live::around(|| self.written(write(&mut anstream::stdout().lock(), &text)));
    }

    /// Writes machine-readable text unchanged, and ends the line.
    pub fn line(&self, text: &str) {
        live::around(|| self.written(write(&mut io::stdout().lock(), &format!("{text}\n"))));
    }

    /// Writes a machine-readable object by `print`, piece by piece, and ends the line.
    pub fn object(&self, print: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = BufWriter::new(io::stdout().lock());
        let printed = || print(&mut out).and_then(|()| write(&mut out, "\n"));
        live::around(|| self.written(printed()));
    }

    /// Returns the first write error, if there was one.
    pub fn unwritten(&self) -> Option<&str> {
        self.unwritten.get().map(String::as_str)
    }

    fn written(&self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.unwritten.get_or_init(|| format!("stdout can't be written: {error}"));
        }
    }
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}
