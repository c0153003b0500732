//! Reports bugs in crrctl itself. The binary does not unwind: a panic in any thread is reported and
//! ends the run. The next run finds the existing resources by their tags.
//! Not for: failures of any other kind (see `failure`).

use super::Format;
use super::output::Printer;
use crate::failure::{Failure, Kind};
use std::panic::PanicHookInfo;

/// Installs a panic hook that reports a panic as an error of `command` and exits with code 1.
pub(super) fn tell_panics(format: Format, command: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let printer = Printer::new(format, command, Vec::new());
        printer.end(Err(failure(panic)));
        #[expect(clippy::exit, reason = "there is nobody to return to")]
        std::process::exit(Kind::Unexpected.exit_code().into());
    }));
}

fn failure(panic: &PanicHookInfo<'_>) -> Failure {
    let message = panic.payload_as_str().unwrap_or("it panicked");
    let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
    let place = place.unwrap_or_default();
    Failure::bug(&format!("{message}{place}"))
        .hint("report it, with this message and the output of `-vvv`")
        .hint("`crrctl plan` shows what stands; `crrctl apply` goes on from there, `crrctl destroy` removes it")
}
