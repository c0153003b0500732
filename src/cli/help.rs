//! `crrctl help` and `crrctl version`, and the command line as its help shows it: commands in
//! groups, an example for each, the options of every command on a page of their own.
//! Not for: the texts, which stand beside each command and option and in `pages`.

pub(super) mod pages;

use super::Cli;
use super::objects::{HelpObject, VersionObject};
use super::output::{Ended, Printer};
use crate::failure::{Failure, Kind};
use clap::builder::{Resettable, StyledStr, Styles};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use std::fmt::Write;

#[derive(Debug, clap::Args)]
pub(super) struct HelpArgs {
    /// A command, or `options` for the common options
    #[arg(value_name = "COMMAND")]
    topic: Vec<String>,
}

/// What `crrctl` alone prints: no command is an error of usage.
pub(super) const SHORT: &str = "\
crrctl makes S3 cross-Region replication with KMS multi-Region keys work, and proves that it works

  crrctl rehearse           run plan, apply, probe and destroy of a pair in a sandbox, offline
  crrctl init               write a manifest
  crrctl plan               show what `apply` would do; writes nothing
  crrctl apply              create or update the pair, then prove it with probes
  crrctl probe              prove it again
  crrctl check              say why objects do not replicate, or that nothing is wrong
  crrctl destroy            remove the pair, in the order that AWS needs

every command: `crrctl help`; one of them: `crrctl help COMMAND`; a code: `crrctl explain CODE`";

const EXIT_CODES: &str = "\
Exit codes (`crrctl explain 10` explains one):
  0 done               1 unexpected error   2 changes found, or a failed check
  3 manifest or usage  4 credentials        5 permission denied
  6 FAILED             7 too late           8 replica differs
  9 left behind        10 in the way        130 interrupted";

/// The topic of the common options.
const OPTIONS: &str = "options";

/// Returns the command line as it is declared.
fn bare() -> Command {
    Cli::command()
}

/// Returns the options that every command takes.
fn common(bare: &Command) -> impl Iterator<Item = &Arg> {
    bare.get_arguments().filter(|argument| argument.is_global_set())
}

/// Returns the command line with its help: each command names the common options that it uses, and
/// shows an example.
pub(super) fn program() -> Command {
    let bare = bare();
    let hidden: Vec<Arg> = common(&bare).map(|it| it.clone().hide(true)).collect();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\n{}\n{{options}}{{after-help}}",
        groups(&bare),
        heading("Options")
    );
    let after = format!(
        "{}The common options: `crrctl help options`\n\n{EXIT_CODES}",
        pages::page("").map(examples).unwrap_or_default()
    );
    let program = bare
        .help_template(template)
        .after_help(after)
        .mut_args(|it| if it.is_global_set() { it.hide(true) } else { it });
    program.mut_subcommands(|command| dressed(command, "", &hidden))
}

/// Adds notes, examples and the names of the common options to the help of a command.
fn dressed(command: Command, parent: &str, hidden: &[Arg]) -> Command {
    let path = format!("{parent} {}", command.get_name()).trim().to_owned();
    let command = command.mut_args(|it| it.hide_env_values(true)).args(hidden);
    let command = command.mut_subcommands(|inner| dressed(inner, &path, hidden));
    let Some(page) = pages::page(&path) else { return command };
    let mut after = String::new();
    if !page.note.is_empty() {
        let _ = writeln!(after, "{}\n", page.note);
    }
    after.push_str(&examples(page));
    let used = hidden.iter().filter(|it| page.uses(it.get_id().as_str()));
    let used: Vec<String> = used.filter_map(spelled).collect();
    let _ = write!(after, "Common options (`crrctl help options`): {}", used.join(", "));
    command.after_help(after)
}

/// Returns an option as it is typed, such as `-f/--file`.
fn spelled(option: &Arg) -> Option<String> {
    let long = option.get_long()?;
    Some(match option.get_short() {
        Some(short) => format!("-{short}/--{long}"),
        None => format!("--{long}"),
    })
}

fn examples(page: &pages::Page) -> String {
    let lines = page.example_lines().into_iter().map(|line| format!("  {line}\n"));
    format!("{}\n{}\n", heading("Examples"), lines.collect::<String>())
}

fn heading(text: &str) -> String {
    let styles = Styles::styled();
    let style = styles.get_header();
    format!("{style}{text}:{style:#}")
}

/// Returns the commands in groups, a line each.
fn groups(program: &Command) -> String {
    let mut text = String::new();
    for (title, names) in pages::GROUPS {
        let _ = writeln!(text, "\n{}", heading(title));
        for command in names.iter().filter_map(|name| program.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {:<12} {about}", command.get_name());
        }
    }
    text
}

/// Returns the command line without the environment variables of the common options that mean
/// nothing to the command that was given, or that a flag takes the place of: a variable that is set
/// for a whole job fails no command.
pub(super) fn with_variables(given: &ArgMatches) -> Command {
    let (page, innermost) = chosen(given);
    let has = |ids: &[&str]| ids.iter().any(|id| is_given(innermost, id));
    let mut replaced: Vec<&str> = Vec::new();
    if has(&["name", "source", "destination"]) {
        replaced.push("file");
    } else if has(&["file"]) {
        replaced.extend(["name", "source", "destination"]);
    }
    if has(&["quiet"]) {
        replaced.push("verbose");
    } else if has(&["verbose"]) {
        replaced.push("quiet");
    } else if let Some(quiet) = std::env::var_os("CRRCTL_QUIET") {
        let is_off = FALSE.iter().any(|it| quiet.eq_ignore_ascii_case(it));
        replaced.push(if is_off { "quiet" } else { "verbose" });
    }
    let is_missing = |file| !std::path::Path::new(&file).exists();
    let wants_none = page.is_some_and(pages::Page::wants_no_manifest);
    // Some of the parts of a pair, of which the whole job is given one, make no pair.
    let is_there = |id: &str| {
        has(&[id]) || std::env::var_os(format!("CRRCTL_{}", id.to_uppercase())).is_some()
    };
    let may_do_without = wants_none || page.is_some_and(|page| page.command == "rehearse");
    if may_do_without && !PARTS.iter().all(|id| is_there(id)) {
        replaced.extend(PARTS);
    }
    if wants_none && std::env::var_os("CRRCTL_FILE").is_some_and(is_missing) {
        replaced.push("file");
    }
    let is_read = |id: &str| page.is_none_or(|page| page.uses(id)) && !replaced.contains(&id);
    read_only(program(), &is_read)
}

/// What names a pair in place of a manifest, all of it together.
const PARTS: [&str; 3] = ["name", "source", "destination"];

/// The values of a variable that say no, as clap reads them.
const FALSE: [&str; 6] = ["n", "no", "f", "false", "off", "0"];

/// Returns whether `--pair` of this command counts only for a manifest of several pairs. `rehearse`
/// calls no AWS, so that no pair is meant that the job does not name.
pub(super) fn passes_over_pair(given: &ArgMatches) -> bool {
    let (page, innermost) = chosen(given);
    page.is_some_and(|page| page.command == "rehearse") && !is_given(innermost, "pair")
}

fn read_only(command: Command, is_read: &dyn Fn(&str) -> bool) -> Command {
    let command = command.mut_args(|it| {
        let is_kept = !it.is_global_set() || is_read(it.get_id().as_str());
        if is_kept { it } else { it.env(Resettable::Reset) }
    });
    command.mut_subcommands(|inner| read_only(inner, is_read))
}

/// Returns the first option on the command line that means nothing to its command, and the command.
pub(super) fn meaningless(given: &ArgMatches) -> Option<(String, &'static str)> {
    let (page, innermost) = chosen(given);
    let page = page?;
    let bare = bare();
    let refused = |it: &&Arg| {
        let id = it.get_id().as_str();
        page.refuses(id) && is_given(innermost, id)
    };
    let option = common(&bare).find(refused)?;
    Some((format!("--{}", option.get_long()?), page.command))
}

/// Returns whether the command that was given uses this option of every command.
pub(super) fn uses(given: &ArgMatches, option: &str) -> bool {
    chosen(given).0.is_some_and(|page| page.uses(option))
}

/// Returns the page of the command that was given, and its matches.
fn chosen(given: &ArgMatches) -> (Option<&'static pages::Page>, &ArgMatches) {
    let (mut path, mut matches) = (String::new(), given);
    while let Some((name, inner)) = matches.subcommand() {
        path = if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
        matches = inner;
    }
    (pages::page(&path), matches)
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

pub(super) fn run(args: &HelpArgs, printer: &Printer, object: &mut HelpObject) -> Ended {
    let topic: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    let text = match topic.as_slice() {
        [OPTIONS] => options().render_help(),
        names => shown(names)?,
    };
    printer.text(&text.to_string());
    object.text.set(text.to_string());
    Ok(0)
}

/// Returns what `--help` shows of the command `names`.
fn shown(names: &[&str]) -> Result<StyledStr, Failure> {
    let line = ["crrctl"].iter().chain(names).chain(&["--help"]);
    match program().try_get_matches_from(line) {
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(error.render()),
        _ => Err(unknown(names)),
    }
}

/// Returns a command that has the common options, and nothing else.
fn options() -> Command {
    let bare = bare();
    let all = common(&bare).map(|it| it.clone().hide_env_values(true));
    Command::new("crrctl")
        .about(
            "The options that many commands take. The help of a command names those that it uses.",
        )
        .override_usage("crrctl COMMAND [OPTIONS]")
        .max_term_width(100)
        .disable_help_flag(true)
        .after_help(
            "A variable that is set to nothing counts as unset. A flag comes before its variable.",
        )
        .args(all)
}

fn unknown(names: &[&str]) -> Failure {
    let message = format!("there is no command `{}`", names.join(" "));
    let failure = Failure::new(Kind::Manifest, "usage", message);
    let mut program = program();
    for name in names {
        let near = |it: &&Command| strsim::damerau_levenshtein(it.get_name(), name) <= 2;
        match program.find_subcommand(name) {
            Some(inner) => program = inner.clone(),
            None => match program.get_subcommands().find(near) {
                Some(near) => return failure.hint(format!("did you mean `{}`?", near.get_name())),
                None => break,
            },
        }
    }
    failure.hint("`crrctl help` lists the commands")
}

pub(super) fn version(printer: &Printer, object: &mut VersionObject) {
    let version = env!("CARGO_PKG_VERSION");
    object.version.set(version);
    printer.text(&format!("crrctl {version}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_80_columns() {
        let text = program().render_help().to_string();
        let commands = text.lines().filter(|line| line.starts_with("  "));
        let long: Vec<&str> = commands.filter(|line| line.chars().count() > 80).collect();
        // The table of exit codes is as wide as it was.
        assert!(
            long.iter().all(|line| line.contains("denied") || line.contains("done")),
            "{long:?}"
        );
    }
}
