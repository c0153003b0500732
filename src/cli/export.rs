//! `crrctl export`: exports the pair to Terraform or CloudFormation. Writes nothing to AWS.
//! Not for: the formats (see `crate::export`).

use super::Global;
use super::objects::ExportObject;
use super::output::{self, Ended, Printer};
use super::session::{self, read_one};
use crate::export::{self, File};
use crate::failure::{Failure, Kind};
use crate::ops::{self, Planned};
use clap::ValueEnum;
use serde_json::{Map, Value};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The tool
    #[arg(value_enum)]
    tool: Tool,
    /// Write into this folder, instead of to stdout; a file that is there is never written over
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// A configuration with an `import` block for each resource
    Terraform,
    /// A template a Region, each with its list of resources to import
    Cloudformation,
}

pub(super) async fn run(
    global: &Global,
    args: &ExportArgs,
    printer: &Printer,
    object: &mut ExportObject,
) -> Ended {
    let input = read_one(global, global.sandbox)?;
    let (session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    object.pair.set(session.manifest.name().to_string());
    let Planned { topology, world, plan } = ops::standing(&session).await?;
    if plan.has_changes() {
        output::say(
            "the pair differs from its manifest (`crrctl plan` says in what); it is exported as it stands",
        );
    }
    let files = match args.tool {
        Tool::Terraform => vec![export::terraform(&topology, &world)?],
        Tool::Cloudformation => export::cloudformation(&topology, &world)?,
    };
    session.done(true, false);
    let texts: Map<String, Value> =
        files.iter().map(|file| (file.name.clone(), Value::from(file.text.clone()))).collect();
    object.files.set(texts);
    object.api_calls.set(session.aws.count().total());
    match (&args.out, files.as_slice()) {
        (Some(folder), files) => write(folder, files, printer)?,
        // A single file is printed without a heading, so that it can be piped.
        (None, [file]) => printer.text(&file.text),
        (None, files) => {
            let named = files.iter().map(|file| format!("# {}\n{}", file.name, file.text));
            printer.text(&named.collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(0)
}

fn write(folder: &Path, files: &[File], printer: &Printer) -> Result<(), Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        let message = format!("can't write `{}`: {error}", path.display());
        let failure = Failure::new(Kind::Manifest, "not-written", message);
        match error.kind() {
            ErrorKind::AlreadyExists => failure.hint(
                "no file is written over: delete it first, or name another folder with `--out`",
            ),
            _ => failure.hint("name a folder that you may write to with `--out`"),
        }
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for file in files {
        let path = folder.join(&file.name);
        let mut new = std::fs::File::create_new(&path).map_err(|error| failed(&path, &error))?;
        new.write_all(file.text.as_bytes()).map_err(|error| failed(&path, &error))?;
        printer.text(&format!("{}\n", path.display()));
    }
    Ok(())
}
