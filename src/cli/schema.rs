//! `crrctl schema`: the JSON Schema of the manifest, for editors and whoever writes manifests by program.

use super::output::Printer;
use crate::manifest;

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {}

pub(super) fn run(printer: &Printer) {
    printer.put("json_schema", manifest::schema());
    printer.text(manifest::SCHEMA);
}
