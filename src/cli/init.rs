//! `crrctl init`: writes an initial manifest, from flags or from answers to questions.
//! Not for: a manifest of a bucket that already replicates (see `import`).

use super::Global;
use super::output::{self, Ended, Printer};
use crate::failure::{Failure, Kind};
use crate::manifest::{self, Origin, SideFlag};
use crate::settings;
use crate::stop::Stop;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Write over a manifest that is there
    #[arg(long)]
    force: bool,
}

/// The file's content beside name, source and destinations: every key at its default, as a comment.
const REST: &str = include_str!("init.yaml");

pub(super) async fn run(global: &Global, args: &InitArgs, printer: &Printer) -> Ended {
    let path = PathBuf::from(global.file.as_deref().unwrap_or("crrctl.yaml"));
    if path.exists() && !args.force {
        let message = format!("`{}` is there already", path.display());
        return Err(Failure::new(Kind::Manifest, "file-exists", message)
            .hint("`--force` writes over it; `--file` names another"));
    }
    let (name, source, destinations) = answers(global).await?;
    // Validated before the file is written; the values of flags can't contain `{run}`.
    manifest::from_flags(&name, &source, &destinations, &Origin::Flags, None)?;
    let text = text(&name, &source, &destinations);
    write(&path, &text)?;
    printer.put("file", path.display().to_string());
    printer.put("manifest", &text);
    printer.text(&format!("{}\n", path.display()));
    output::say("next: `crrctl rehearse` lives its whole life offline, `crrctl plan` asks AWS");
    Ok(0)
}

/// Returns the values of the flags, and asks for missing values if there is a terminal.
async fn answers(global: &Global) -> Result<(String, SideFlag, Vec<SideFlag>), Failure> {
    let is_whole =
        global.name.is_some() && global.source.is_some() && !global.destination.is_empty();
    if !is_whole && !output::can_ask() {
        let message = "there is no terminal to ask on: `--name`, `--source` and `--destination` are all wanted";
        return Err(Failure::new(Kind::Manifest, "usage", message).hint(
            "such as `crrctl init --name orders --source us-east-1 --destination us-west-2`",
        ));
    }
    let stop = Stop::default();
    let name = match &global.name {
        Some(name) => name.clone(),
        None => output::ask("the pair's name (such as `orders`):", &stop).await?,
    };
    let source = match &global.source {
        Some(source) => source.clone(),
        None => output::ask("the source, REGION[:BUCKET]:", &stop).await?.as_str().into(),
    };
    if !global.destination.is_empty() {
        return Ok((name, source, global.destination.clone()));
    }
    let answer = output::ask("the destinations, REGION[:BUCKET], by commas:", &stop).await?;
    let destinations = answer.split(',').map(|side| side.trim().into()).collect();
    Ok((name, source, destinations))
}

fn text(name: &str, source: &SideFlag, destinations: &[SideFlag]) -> String {
    let (head, rest) = REST.split_once("{pair}\n").unwrap_or((REST, ""));
    let mut text = format!("{head}name: {name}\nsource:\n{}destinations:\n", source.lines("  "));
    for side in destinations {
        text.push_str("  - ");
        text.push_str(side.lines("    ").trim_start());
    }
    let documents = settings::examples().into_iter().map(|line| format!("#   {line}\n"));
    text + &rest
        .replace("alias/crrctl/{name}", &format!("alias/crrctl/{name}"))
        .replace("{documents}", &documents.collect::<String>())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        let message = format!("can't write `{}`: {error}", path.display());
        Failure::new(Kind::Manifest, "not-written", message)
    })
}
