//! `crrctl help` and `crrctl version`.
//! Not for: the texts, which stand beside each command and option.

use super::Cli;
use super::objects::{HelpObject, VersionObject};
use super::output::{Ended, Printer};
use crate::failure::{Failure, Kind};
use clap::{Command, CommandFactory};

#[derive(Debug, clap::Args)]
pub(super) struct HelpArgs {
    /// A command, or `options` for the options that every command takes
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
  crrctl destroy            take the pair away, in the order that AWS needs

every command: `crrctl help`; one of them: `crrctl help COMMAND`; a code: `crrctl explain CODE`";

/// The topic of the options that every command takes.
const OPTIONS: &str = "options";

pub(super) fn run(args: &HelpArgs, printer: &Printer, object: &mut HelpObject) -> Ended {
    let mut program = Cli::command();
    program.build();
    let topic: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    let text = match topic.as_slice() {
        [] => program.render_help(),
        [OPTIONS] => options(&program).render_help(),
        names => find(&mut program, names)?.render_long_help(),
    };
    printer.text(&text.to_string());
    object.text.set(text.to_string());
    Ok(0)
}

/// Returns a command that has the options of every command, and nothing else.
fn options(program: &Command) -> Command {
    let all = program.get_arguments().filter(|argument| argument.is_global_set());
    Command::new("crrctl")
        .override_usage("crrctl COMMAND [OPTIONS]")
        .disable_help_flag(true)
        .args(all.cloned())
}

fn find<'a>(program: &'a mut Command, names: &[&str]) -> Result<&'a mut Command, Failure> {
    let mut found = program;
    for name in names {
        let known: Vec<String> =
            found.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        if !known.iter().any(|it| it == name) {
            let message = format!("there is no command `{}`", names.join(" "));
            let failure = Failure::new(Kind::Manifest, "usage", message);
            let near = |it: &&String| strsim::damerau_levenshtein(it, name) <= 2;
            return Err(match known.iter().find(near) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`crrctl help` lists the commands"),
            });
        }
        found = found.find_subcommand_mut(name).ok_or_else(|| {
            Failure::bug(&format!("the command `{name}` is listed and not found"))
        })?;
    }
    Ok(found)
}

pub(super) fn version(printer: &Printer, object: &mut VersionObject) {
    let version = env!("CARGO_PKG_VERSION");
    object.version.set(version);
    printer.text(&format!("crrctl {version}\n"));
}
