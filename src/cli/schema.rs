//! `crrctl schema`: prints the JSON Schemas, for editors and for programs that write manifests or
//! read crrctl's output.
//! Not for: checking a manifest (see `manifest`).

use super::objects::SchemaObject;
use super::output::{Ended, Printer};
use crate::failure::Failure;
use crate::manifest;
use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// What it describes
    #[arg(value_enum, default_value_t = SchemaOf::Manifest)]
    of: SchemaOf,
}

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaOf {
    /// The manifest
    Manifest,
    /// What `-o json` prints
    Objects,
    /// The lines of `-o ndjson`
    Events,
    /// The lines of `--record`
    Recording,
}

impl SchemaOf {
    fn text(self) -> &'static str {
        match self {
            Self::Manifest => manifest::SCHEMA,
            Self::Objects => include_str!("../../schemas/objects.schema.json"),
            Self::Events => include_str!("../../schemas/events.schema.json"),
            Self::Recording => include_str!("../../schemas/recording.schema.json"),
        }
    }
}

pub(super) fn run(args: &SchemaArgs, printer: &Printer, object: &mut SchemaObject) -> Ended {
    let text = args.of.text();
    // The files are part of the crate, and a test reads each of them.
    let schema = serde_json::from_str(text)
        .map_err(|error| Failure::bug(&format!("a schema is not an object: {error}")))?;
    object.json_schema.set(schema);
    printer.text(text);
    Ok(0)
}

#[cfg(test)]
mod tests;
