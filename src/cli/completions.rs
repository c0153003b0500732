//! `crrctl completions` and `crrctl man`: generate shell completion scripts and man pages from the
//! definition of the command line.
//! Not for: the values that a shell offers for names and Regions (see `offer`).

mod offer;

use super::Cli;
use super::objects::{CompletionsObject, ManObject};
use super::output::{Ended, Printer};
use crate::failure::{Failure, Kind};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(required_unless_present = "offer")]
    shell: Option<Shell>,
    /// What the scripts ask for while a line is typed
    #[arg(long, value_enum, hide = true, conflicts_with = "shell")]
    offer: Option<offer::Offer>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write a page for each command into this folder, instead of the first one on stdout
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(
    args: &CompletionsArgs,
    printer: &Printer,
    object: &mut CompletionsObject,
) {
    if let Some(what) = args.offer {
        let lines = offer::words(what).into_iter().map(|word| format!("{word}\n"));
        let lines: String = lines.collect();
        printer.text(&lines);
        object.offered.set(lines);
        return;
    }
    let Some(shell) = args.shell else { return };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "crrctl", &mut script);
    let script = offer::offering(shell, &String::from_utf8_lossy(&script));
    printer.text(&script);
    object.script.set(script);
}

pub(super) fn man(args: &ManArgs, printer: &Printer, object: &mut ManObject) -> Ended {
    if let Some(folder) = &args.dir {
        let unwritable = |error: std::io::Error| unwritable(folder, &error);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(unwritable)?;
        return Ok(0);
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
    rendered.map_err(|error| unwritable(Path::new("the page"), &error))?;
    let page = String::from_utf8_lossy(&page).into_owned();
    printer.text(&page);
    object.page.set(page);
    Ok(0)
}

fn unwritable(place: &Path, error: &std::io::Error) -> Failure {
    let message = format!("`{}` can't be written: {error}", place.display());
    Failure::new(Kind::Manifest, "unwritable", message)
}
