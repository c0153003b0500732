//! The invariants of ARCHITECTURE.md: who may use whom, who does no I/O, who prints, how long a file may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The modules of `lib.rs`, each above all that it may use.
fn order() -> Vec<String> {
    let text = include_str!("../src/lib.rs");
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

fn sources() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension() == Some("rs".as_ref()) {
                found.insert(path.clone(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 60);
    found
}

/// Returns the top-level module a file belongs to.
fn room(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Returns the code of a file up to its unit tests, which may use more.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn arrows_only_point_down() {
    let order = order();
    let place = |name: &str| order.iter().position(|module| module == name);
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let Some(here) = place(&room(path)) else { continue };
        for (index, _) in code(text).match_indices("crate::") {
            let name: String = text[index + 7..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            if let Some(there) = place(&name) {
                assert!(there >= here, "{} uses {name}, which stands above it", path.display());
            }
        }
    }
}

#[test]
fn only_cli_uses_the_sandbox() {
    for (path, text) in sources() {
        let is_allowed = ["cli", "sandbox", "lib"].contains(&room(&path).as_str());
        assert!(is_allowed || !text.contains("crate::sandbox"), "{}", path.display());
    }
}

#[test]
fn the_sandbox_knows_nothing_of_policies_or_the_workflow() {
    for (path, text) in sources().iter().filter(|(path, _)| room(path) == "sandbox") {
        for other in ["policy", "plan", "steps", "manifest", "observe", "probe", "engine", "aws"] {
            assert!(!text.contains(&format!("crate::{other}")), "{} uses {other}", path.display());
        }
    }
}

#[test]
fn pure_rooms_do_no_io_and_name_no_sdk_type() {
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let room = room(path);
        if [
            "names", "iam", "world", "plan", "export", "import", "engine", "events", "failure",
            "manifest", "units",
        ]
        .contains(&room.as_str())
        {
            for word in [
                "aws_sdk",
                "aws_smithy",
                "std::fs",
                "TcpStream",
                "TcpListener",
                "UdpSocket",
                "std::env",
                "std::io",
            ] {
                assert!(!code(text).contains(word), "{} names {word}", path.display());
            }
        }
        // The one room that reads the user's templates reads nothing else.
        if room == "policy" {
            assert!(!code(text).contains("aws_s"), "{}", path.display());
        }
    }
}

#[test]
fn only_report_and_one_printer_print() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        let name = path.display().to_string();
        let prints = ["stdout()", "stderr()", "println!", "eprintln!", "print!("]
            .iter()
            .any(|word| code(&text).contains(word));
        let is_allowed = room(&path) == "report"
            || ["cli/output.rs", "cli/sandbox.rs", "cli/session.rs", "cli.rs"]
                .iter()
                .any(|end| name.ends_with(end));
        assert!(!prints || is_allowed, "{name} prints");
    }
}

#[test]
fn only_settle_the_engine_and_the_sandbox_sleep() {
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let is_allowed = room(path) == "sandbox"
            || path.ends_with("aws/settle.rs")
            || path.ends_with("cli/session/ends.rs");
        assert!(is_allowed || !code(text).contains("time::sleep"), "{}", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for_and_none_is_too_long() {
    /// Longer than this, something wants to move out.
    const MOST_LINES: usize = 420;
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not say what it is for", path.display());
        let lines = code(&text).lines().count();
        assert!(is_test(&path) || lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}
