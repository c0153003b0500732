//! A policy proof as human-readable text.
//! Not for: evaluating the calls (see `policy::proof`).

use super::style::{BAD, FAINT, NOTABLE};
use super::{layout, tables};
use crate::policy::proof::{Expectation, Proof, Row};
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
    let wrong = proof.refused().count();
    let of = |expected| proof.rows.iter().filter(|row| row.expected == expected).count();
    let (allowed, denied) = (of(Expectation::Allow), of(Expectation::Deny));
    let note = if organisation { "" } else { " (SCPs and RCPs not read)" };
    if wrong == 0 {
        text.push_str(&tables::verdict(&format!(
            "proven: {allowed} calls are allowed and {denied} denied, as they must be{note}"
        )));
    } else {
        let count = proof.rows.len();
        let _ = writeln!(text, "{BAD}not proven: {wrong} of {count} calls are wrong{BAD:#}");
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
    let is_told = |row: &&Row| all || (by_aws && row.expected == Expectation::Allow);
    let told: Vec<_> = rows().filter(is_told).map(line).collect();
    text.push_str(&layout::rows(&told));
    text.push('\n');
    text
}

fn line(row: &Row) -> layout::Row {
    let context = row.context.iter().map(|(key, value)| given(key, value));
    let by = [row.document.as_deref(), row.statement.as_deref()].into_iter().flatten();
    let by: Vec<&str> = by.collect();
    let why: Vec<String> = context.chain(Some(by.join(" ")).filter(|by| !by.is_empty())).collect();
    let cells = [format!("  {}", row.reads), row.action.clone(), short(&row.resource)];
    layout::Row::new(cells, why.join("; "), FAINT)
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
