//! A policy proof as human-readable text.
//! Not for: evaluating the calls (see `policy::proof`).

use super::style::NOTABLE;
use super::tables;
use crate::policy::proof::{Expectation, Proof, Row};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use std::fmt::Write;

/// Returns the proof: a row for each call that S3 makes and that must be allowed, the number of the
/// other calls unless `all` is set, and everything that is wrong. `organisation` says whether the
/// organization's policies were evaluated.
pub fn proof(proof: &Proof, organisation: bool, all: bool) -> String {
    let mut text = String::new();
    let mut sections: Vec<&str> = proof.rows.iter().map(|row| row.section.as_str()).collect();
    sections.dedup();
    for section in sections {
        text.push_str(&of_section(proof, section, all));
    }
    for row in proof.refused() {
        text.push_str(&wrong(row));
    }
    if proof.refused().next().is_none() {
        let note = if organisation { "" } else { "; policies of an organisation were not given" };
        let count = proof.rows.len();
        text.push_str(&tables::verdict(&format!(
            "all {count} calls come to what they should{note}"
        )));
    }
    text
}

fn of_section(proof: &Proof, section: &str, all: bool) -> String {
    let rows = || proof.rows.iter().filter(|row| row.section == section);
    let of = |expected| rows().filter(move |row| row.expected == expected);
    let (allowed, denied) = (of(Expectation::Allow).count(), of(Expectation::Deny).count());
    let mut text =
        format!("{section}: {allowed} calls must be allowed, {denied} must stay denied\n");
    // The calls of people are many and simple, so only their number is shown.
    let by_aws = matches!(section, "replication" | "batch" | "uploads");
    let mut table = Table::new();
    table.load_style(NOTHING);
    for row in rows() {
        if all || (by_aws && row.expected == Expectation::Allow) {
            table.add_row(cells(row));
        }
    }
    if !table.is_empty() {
        // A table also pads its last column.
        for line in table.lines() {
            let _ = writeln!(text, " {}", line.trim_end());
        }
    }
    text.push('\n');
    text
}

fn cells(row: &Row) -> [String; 5] {
    let context: Vec<String> = row.context.iter().map(|(key, value)| given(key, value)).collect();
    let statement = row.statement.as_deref().unwrap_or_default();
    let by = format!("{} {statement}", row.document.as_deref().unwrap_or_default());
    let (action, resource) = (row.action.clone(), short(&row.resource));
    [row.reads.to_owned(), action, resource, context.join("\n"), by.trim().to_owned()]
}

fn wrong(row: &Row) -> String {
    let (document, element) = (row.document.as_deref(), row.element.as_deref());
    let context: Vec<String> = row.context.iter().map(|(key, value)| given(key, value)).collect();
    let context =
        if context.is_empty() { String::new() } else { format!(" ({})", context.join(", ")) };
    format!(
        "{NOTABLE}wrong{NOTABLE:#}  {} on {}{context} by {} is {}\n       {} {}\n       {}\n",
        row.action,
        row.resource,
        row.caller,
        row.reads,
        document.unwrap_or("no document"),
        element.unwrap_or_default(),
        row.mend.as_deref().unwrap_or_default()
    )
}

/// Returns the short form of a resource: the URI of a bucket or object; of other resources, the ARN
/// without the parts that all ARNs share.
fn short(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "s3", _, _, name] => format!("s3://{name}"),
        ["arn", _, "kms", region, _, name] => format!("{name} in {region}"),
        ["arn", _, _, _, _, name] => name.to_owned(),
        _ => arn.to_owned(),
    }
}

fn given(key: &str, value: &str) -> String {
    match key {
        "kms:ViaService" => format!("via {value}"),
        "kms:EncryptionContext:aws:s3:arn" => format!("for {}", short(value)),
        _ => format!("{key}={}", short(value)),
    }
}
