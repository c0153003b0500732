//! `crrctl schema`: prints the JSON Schemas, for editors and for programs that write manifests or
//! read crrctl's output.
//! Not for: checking a manifest (see `manifest`).

use super::output::Printer;
use crate::manifest;
use clap::ValueEnum;
use serde_json::Value;

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
}

impl SchemaOf {
    fn text(self) -> &'static str {
        match self {
            Self::Manifest => manifest::SCHEMA,
            Self::Objects => include_str!("../../schemas/objects.schema.json"),
            Self::Events => include_str!("../../schemas/events.schema.json"),
        }
    }
}

pub(super) fn run(args: &SchemaArgs, printer: &Printer) {
    let text = args.of.text();
    // The files are part of the crate, and a test reads each of them.
    printer.put("json_schema", serde_json::from_str::<Value>(text).unwrap_or_default());
    printer.text(text);
}

#[cfg(test)]
mod tests;
