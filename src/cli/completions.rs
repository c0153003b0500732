//! `crrctl completions` and `crrctl man`: what shells and `man` read, made from the command line itself.

use super::Cli;
use super::output::{Ended, Printer};
use crate::failure::{Failure, Kind};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write a page for each command into this folder, instead of the first one on stdout
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs, printer: &Printer) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "crrctl", &mut script);
    say(&script, "script", printer);
}

pub(super) fn man(args: &ManArgs, printer: &Printer) -> Ended {
    if let Some(folder) = &args.dir {
        let unwritable = |error: std::io::Error| unwritable(folder, &error);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(unwritable)?;
        return Ok(0);
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
    rendered.map_err(|error| unwritable(Path::new("the page"), &error))?;
    say(&page, "page", printer);
    Ok(0)
}

fn say(bytes: &[u8], name: &str, printer: &Printer) {
    let text = String::from_utf8_lossy(bytes);
    printer.put(name, &text);
    printer.text(&text);
}

fn unwritable(place: &Path, error: &std::io::Error) -> Failure {
    let message = format!("`{}` can't be written: {error}", place.display());
    Failure::new(Kind::Unexpected, "unwritable", message)
}
