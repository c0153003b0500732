//! The object or the event of a command line that can't be parsed.
//! Not for: its text on stderr (see `output`).

use super::Format;
use super::objects::{AnyObject, NoCommandObject, UsageObject};
use crate::failure::Failure;
use crate::report::{Ndjson, Stdout};
use clap::ValueEnum;
use std::ffi::OsString;

/// Prints the object or the event of a command line that can't be parsed, if its readable part, or
/// else the environment, asks for it.
pub(super) fn print(command: Option<&str>, failure: &Failure, args: &[OsString]) {
    match asked_format(args) {
        Some(Format::Json) => {
            let mut object: Box<dyn AnyObject> = match command {
                Some(command) => Box::new(UsageObject::new(command)),
                None => Box::new(NoCommandObject::default()),
            };
            object.end(Some(failure.clone()));
            Stdout::default().object(|out| object.write(out));
        }
        Some(Format::Ndjson) => Ndjson::new(Stdout::default()).end(Some(failure)),
        Some(Format::Text) | None => {}
    }
}

/// Returns the format that a command line asks for, whatever else it says.
fn asked_format(args: &[OsString]) -> Option<Format> {
    // What follows `--` is another program's.
    let words = args.iter().filter_map(|arg| arg.to_str()).take_while(|word| *word != "--");
    let (mut asked, mut is_value) = (None, false);
    for word in words {
        let given = ["--output=", "-o=", "-o"].iter().find_map(|flag| word.strip_prefix(flag));
        let value = if is_value { Some(word) } else { given };
        asked = value.and_then(|it| Format::from_str(it, false).ok()).or(asked);
        is_value = ["-o", "--output"].contains(&word);
    }
    let by_job = || Format::from_str(&std::env::var("CRRCTL_OUTPUT").ok()?, false).ok();
    asked.or_else(by_job)
}
