//! Pages of the guide that are made from what they describe, and held against it:
//! `CRRCTL_UPDATE_DOCS=1 cargo test generated` writes them again.
//! Not for: pages that people write (see `guide`).

use crate::common::alone;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Holds the file `name` against `text`, or writes it where that is asked for.
fn held(name: &str, text: &str, seen: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("CRRCTL_UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(seen(&there), seen(text), "{name}: `CRRCTL_UPDATE_DOCS=1 cargo test generated`");
}

const HEAD: &str = "\
# Manifest reference

<!-- Made from schemas/manifest.schema.json by `CRRCTL_UPDATE_DOCS=1 cargo test generated`. -->

This page lists every key of the manifest with what it may hold and its default. [The manifest](manifest.md) shows how to use them.

`null` stands for the default wherever a key is optional. `crrctl schema` prints the JSON Schema that this page is made from.
";

/// Returns the reference of the manifest.
fn reference() -> String {
    let schema: Value =
        serde_json::from_str(include_str!("../schemas/manifest.schema.json")).unwrap();
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\n## Top level\n");
    table(&mut text, &schema);
    for (name, key) in schema["properties"].as_object().unwrap() {
        sections(&mut text, name, key);
    }
    text
}

/// Writes a section for each object and each list of objects in `key`.
fn sections(text: &mut String, path: &str, key: &Value) {
    let choices = key["oneOf"].as_array().into_iter().flatten();
    for (object, path) in std::iter::once(key)
        .chain(choices)
        .map(|it| (it, path.to_owned()))
        .chain(key.get("items").map(|items| (items, format!("{path}[]"))))
        .filter(|(it, _)| it.get("properties").is_some())
    {
        // Each of `pairs` has the keys of the top level.
        if path == "pairs[]" {
            continue;
        }
        let about = key["description"].as_str().unwrap_or_default();
        let _ = writeln!(text, "\n## `{path}`\n\n{about}.\n");
        table(text, object);
        for (name, inner) in object["properties"].as_object().unwrap() {
            sections(text, &format!("{path}.{name}"), inner);
        }
    }
}

fn table(text: &mut String, object: &Value) {
    text.push_str("| key | may be | default | meaning |\n|---|---|---|---|\n");
    let required = object["required"].as_array();
    for (name, key) in object["properties"].as_object().unwrap() {
        let is_required = required.is_some_and(|all| all.iter().any(|it| it == name));
        let default = match key.get("default") {
            Some(default) => format!("`{}`", default.to_string().trim_matches('"')),
            None if is_required => "required".to_owned(),
            None => "-".to_owned(),
        };
        let may = allowed(key).replace('|', "\\|");
        let means = key["description"].as_str().unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(text, "| `{name}` | {may} | {default} | {means} |");
    }
}

/// Returns what a key may hold, in words.
fn allowed(key: &Value) -> String {
    let mut words: Vec<String> = Vec::new();
    for choice in key["oneOf"].as_array().into_iter().flatten() {
        words.push(allowed(choice));
    }
    let types: Vec<&str> = match &key["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let values = key["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let values: Vec<String> = values.map(|value| format!("`{value}`")).collect();
    for name in types.iter().filter(|name| **name != "null") {
        words.push(match *name {
            "string" if !values.is_empty() => values.join(", "),
            "string" => limits(key, "text", "maxLength", "characters"),
            "integer" => range(key),
            "boolean" => "`true`, `false`".to_owned(),
            "array" if key["items"]["const"].is_string() => {
                format!("list of `{}`", key["items"]["const"].as_str().unwrap())
            }
            "array" if key["items"].get("properties").is_some() => "list of objects".to_owned(),
            "array" => "list".to_owned(),
            "object" if key["additionalProperties"].is_object() => "keys with text".to_owned(),
            other => other.to_owned(),
        });
    }
    words.retain(|it| !it.is_empty());
    words.join(", or ")
}

fn limits(key: &Value, word: &str, most: &str, of: &str) -> String {
    match key[most].as_u64() {
        Some(most) => format!("{word}, at most {most} {of}"),
        None => word.to_owned(),
    }
}

fn range(key: &Value) -> String {
    match (key["minimum"].as_i64(), key["maximum"].as_i64()) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        _ => "number".to_owned(),
    }
}

#[test]
fn the_reference_of_the_manifest_is_that_of_the_schema() {
    let text = reference();
    assert!(
        text.contains("| `rotation_days` | 90 to 2560") && text.matches("\n## ").count() > 8,
        "{text}"
    );
    held("docs/reference.md", &text, str::to_owned);
}

/// What the picture of the README shows of a run: its command, the first of its lines, and its result.
const SHOWN: usize = 4;

/// Returns the picture of a run of `apply`, which is as it was printed.
fn picture() -> String {
    let run = alone(&["apply", "--sandbox", "--yes", "--color", "always"]).exits(0);
    let steps = run.stderr.lines().filter(|line| line.contains("created"));
    // Steps end in another order each time.
    let mut steps: Vec<&str> = steps.collect();
    steps.sort_by_key(|line| line.split(' ').find(|word| word.contains(':')).map(str::to_owned));
    let more = format!("\u{1b}[2m… {} more …\u{1b}[0m", steps.len() - SHOWN);
    let command = "\u{1b}[1m$ crrctl apply --sandbox --yes\u{1b}[0m";
    let first = std::iter::once(command).chain(steps.iter().take(SHOWN).copied());
    let lines: Vec<&str> = first.chain([more.as_str()]).chain(run.stdout.lines()).collect();
    svg(&lines)
}

const LINE: usize = 19;

fn svg(lines: &[&str]) -> String {
    let height = lines.len() * LINE + 30;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" role=\"img\" aria-label=\"A run of crrctl apply\">\n\
         <rect width=\"860\" height=\"{height}\" rx=\"8\" fill=\"#0f141a\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\" fill=\"#e6edf3\" xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = (number + 1) * LINE + 10;
        let _ = writeln!(text, "<text x=\"16\" y=\"{y}\">{}</text>", spans(line));
    }
    text.push_str("</g>\n</svg>\n");
    text
}

/// Returns a line with its colours as spans.
fn spans(line: &str) -> String {
    let mut text = String::new();
    for (number, part) in line.split("\u{1b}[").enumerate() {
        let (code, shown) = match part.split_once('m') {
            Some((code, shown)) if number > 0 => (code, shown),
            _ => ("0", part),
        };
        let shown = shown.replace('&', "&amp;").replace('<', "&lt;");
        let style = match code {
            "32" => " fill=\"#56d364\"",
            "33" => " fill=\"#e3b341\"",
            "31" => " fill=\"#ff8f88\"",
            "2" => " fill=\"#a5b0bb\"",
            "1" => " font-weight=\"bold\"",
            _ => "",
        };
        match (shown.is_empty(), style) {
            (true, _) => {}
            (false, "") => text.push_str(&shown),
            (false, style) => {
                let _ = write!(text, "<tspan{style}>{shown}</tspan>");
            }
        }
    }
    text
}

/// Returns a picture without what differs from run to run: times and counts of calls.
fn without_times(picture: &str) -> String {
    let mut text = String::new();
    for line in picture.lines() {
        // A time may stand right after a tag and before one.
        let line = line.replace('>', "> ").replace('<', " <");
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let is_number = |word: &str| {
            word.chars().any(|c| c.is_ascii_digit()) && !word.contains('-') && !word.contains("=\"")
        };
        let kept = words.iter().enumerate().filter(|(at, word)| {
            let next = words.get(at + 1).map_or("", String::as_str);
            let is_unit = next.starts_with("ms")
                || next.starts_with("s<")
                || next == "s"
                || next.starts_with("calls");
            !(word.is_empty() || is_number(word) && is_unit)
        });
        // A time of a second has another unit.
        let words = kept.map(|(_, word)| if word == "s" { "ms" } else { word.as_str() });
        let _ = writeln!(text, "{}", words.collect::<Vec<_>>().join(" "));
    }
    text
}

#[test]
fn the_picture_of_the_readme_is_a_run() {
    held("docs/apply.svg", &picture(), without_times);
}
