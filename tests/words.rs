//! One word for one thing: what people read has none of the words that another word replaced.
//! Not for: names of the contract and of JSON, which stay as they are.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Words that are not used, and what is said instead. They are found as whole words.
const REPLACED: [(&str, &str); 22] = [
    ("mend", "fix"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("hint:", "fix:"),
    ("take away", "remove, or delete one thing"),
    ("takes away", "removes"),
    ("taken away", "removed"),
    ("take it away", "remove it"),
    ("takes it away", "removes it"),
    ("takes it all away", "removes all of it"),
    ("took it away", "removed it"),
    ("takes the pair away", "removes the pair"),
    ("taking it away", "removing it"),
    ("whoever", "the caller, the owner"),
    ("as it should be", "as the manifest says"),
    ("as they should be", "in order"),
    ("what they should", "proven"),
    ("noughts", "zeros"),
    ("for want of", "no"),
    ("whole life of", "plan, apply, probe, apply and destroy"),
    ("not right", "wrong, failed"),
    ("95th percentile", "p95"),
];

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

/// Returns the text of a Rust file that people read: its literals, and the help beside the options.
fn literals(text: &str, is_cli: bool) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut read = String::new();
    for line in code.lines().map(str::trim_start) {
        if let Some(help) = line.strip_prefix("/// ") {
            // The documentation of an option is its help; that of a function is not.
            if is_cli && !help.starts_with("Returns ") {
                let _ = writeln!(read, "{help}");
            }
        } else if !line.starts_with("//") {
            for literal in line.split('"').skip(1).step_by(2) {
                let _ = writeln!(read, "{literal}");
            }
            // A literal that goes on from the line above.
            if line.matches('"').count() % 2 == 1 {
                let _ = writeln!(read, "{line}");
            }
        }
    }
    read
}

fn has(text: &str, words: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-');
    text.match_indices(words).any(|(at, _)| {
        is_edge(text[..at].chars().next_back()) && is_edge(text[at + words.len()..].chars().next())
    })
}

#[test]
fn one_word_is_used_for_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), "rs", &mut all);
    files(&root.join("docs"), "md", &mut all);
    files(&root.join("src/report/html"), "html", &mut all);
    all.extend(["README.md", "SECURITY.md", "policies/README.md"].map(|name| root.join(name)));
    let mut faults = String::new();
    for path in &all {
        let text = std::fs::read_to_string(path).unwrap();
        let is_rust = path.extension().is_some_and(|it| it == "rs");
        let is_cli = path.components().any(|it| it.as_os_str() == "cli");
        let read = if is_rust { literals(&text, is_cli) } else { text };
        for line in read.lines().map(str::to_lowercase) {
            for (word, instead) in REPLACED.iter().filter(|(word, _)| has(&line, word)) {
                let path = path.strip_prefix(root).unwrap().display();
                let _ = writeln!(faults, "{path}: `{word}`, better: {instead}: {}", line.trim());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn whole_words_are_found() {
    assert!(has("mend it", "mend") && has("to mend", "mend") && has("(mend)", "mend"));
    assert!(!has("recommend", "mend") && !has("mends", "mend") && !has("the mend_it", "mend"));
}
