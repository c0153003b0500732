//! `crrctl completions` and `crrctl man`: generate shell completion scripts and man pages from the
//! definition of the command line.
//! Not for: the values that a shell offers for names and Regions (see `offer`).

mod offer;

use super::Cli;
use super::help::{self, pages};
use super::objects::{CompletionsObject, ManObject};
use super::output::{Ended, Printer};
use crate::failure::{Failure, Kind};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;
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
    let main = Cli::command();
    if let Some(folder) = &args.dir {
        let unwritable = |error: std::io::Error| unwritable(folder, &error);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        let mut program = help::program();
        program.build();
        write(folder, "", &main).map_err(unwritable)?;
        for command in program.get_subcommands() {
            write_all(folder, command.get_name(), command).map_err(unwritable)?;
        }
        return Ok(0);
    }
    let page = page("", &main).map_err(|error| unwritable(Path::new("the page"), &error))?;
    let page = String::from_utf8_lossy(&page).into_owned();
    printer.text(&page);
    object.page.set(page);
    Ok(0)
}

/// Writes the page of a command, and those of the commands inside it.
fn write_all(folder: &Path, path: &str, command: &Command) -> io::Result<()> {
    write(folder, path, command)?;
    for inner in command.get_subcommands() {
        write_all(folder, &format!("{path} {}", inner.get_name()), inner)?;
    }
    Ok(())
}

fn write(folder: &Path, path: &str, command: &Command) -> io::Result<()> {
    let name = format!("crrctl {path}").trim().replace(' ', "-");
    std::fs::write(folder.join(format!("{name}.1")), page(path, command)?)
}

/// Returns the man page of the command `path`; that of the program has the common options.
fn page(path: &str, command: &Command) -> io::Result<Vec<u8>> {
    let page = pages::page(path);
    // The notes and examples that its help shows have sections of their own.
    let man = Man::new(command.clone().after_help(""));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    let mut more = Roff::new();
    if let Some(note) = page.map(|page| page.note).filter(|note| !note.is_empty()) {
        more.control("PP", []).text([roman(note)]);
        more.to_writer(&mut text)?;
    }
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut more = Roff::new();
    more.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in page.map(pages::Page::example_lines).unwrap_or_default() {
        more.text([roman(line)]);
    }
    more.control("fi", []);
    if !path.is_empty() {
        more.control("SH", ["SEE ALSO"]);
        more.text([bold("crrctl"), roman("(1) has the options that many commands take.")]);
    }
    more.to_writer(&mut text)?;
    man.render_version_section(&mut text)?;
    Ok(text)
}

fn unwritable(place: &Path, error: &std::io::Error) -> Failure {
    let message = format!("`{}` can't be written: {error}", place.display());
    Failure::new(Kind::Manifest, "unwritable", message)
}
