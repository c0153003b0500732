//! The invariants of ARCHITECTURE.md: which module may use which, which modules do no I/O, which
//! print, how long a file may be.
//! Not for: the behavior of crrctl (see the other tests).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The source folders of the three packages.
const PACKAGES: [&str; 3] = ["src", "crates/iam/src", "crates/sandbox/src"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all source files of all packages.
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
    for package in PACKAGES {
        walk(&root().join(package), &mut found);
    }
    assert!(found.len() > 60);
    found
}

/// Returns the top-level module of `package` that a file belongs to; `None` if the file belongs to
/// another package.
fn module(package: &str, path: &Path) -> Option<String> {
    let first = path.strip_prefix(root().join(package)).ok()?.components().next()?;
    Some(first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned())
}

/// Returns the top-level module of a file in `src`, or the package of a file in another package.
fn room(path: &Path) -> String {
    module("src", path).unwrap_or_else(|| {
        let package = path.strip_prefix(root().join("crates")).unwrap();
        package.components().next().unwrap().as_os_str().to_string_lossy().into_owned()
    })
}

/// Returns the code of a file before its unit tests, which are exempt.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs" || name == "seeded.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

/// Returns the top-level modules that the code names by `crate::`, including those in
/// `use crate::{a, b}`.
fn named_modules(code: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code = code.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
            .collect()
    };
    let mut found = Vec::new();
    for (index, start) in code.match_indices("crate::") {
        let Some(list) = code[index + start.len()..].strip_prefix('{') else {
            found.push(word(&code[index + start.len()..]));
            continue;
        };
        let (mut depth, mut is_first) = (0, true);
        for (at, letter) in list.char_indices() {
            match letter {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                letter if is_first && !letter.is_whitespace() => {
                    found.push(word(&list[at..]));
                    is_first = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn lists_of_modules_are_read() {
    let code = "//! See `crate::z`.\nuse crate::{a::{b, c}, d, self};\nuse crate::e::F; crate::{\n    g::H,\n};";
    assert_eq!(named_modules(code), ["a", "d", "self", "e", "g"]);
}

/// Each package's `lib.rs` lists its modules from top to bottom, and a module uses only modules
/// below it.
#[test]
fn arrows_only_point_down() {
    for package in PACKAGES {
        let listed = std::fs::read_to_string(root().join(package).join("lib.rs")).unwrap();
        let order: Vec<&str> = listed
            .lines()
            .filter_map(|line| {
                line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
            })
            .collect();
        let place = |name: &str| order.iter().position(|module| *module == name);
        for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
            let here = module(package, path).and_then(|module| place(&module));
            let Some(here) = here else { continue };
            for name in named_modules(code(text)) {
                let is_above = place(&name).is_some_and(|there| there < here);
                assert!(!is_above, "{} uses {name}, which stands above it", path.display());
            }
        }
    }
}

/// Code that two services share belongs in the modules below them.
#[test]
fn a_service_of_the_sandbox_uses_no_other() {
    const SERVICES: [&str; 5] = ["cloudwatch", "iam", "kms", "s3", "sts"];
    for (path, text) in sources() {
        let Some(service) = module("crates/sandbox/src", &path) else { continue };
        if SERVICES.contains(&service.as_str()) {
            for name in named_modules(&text) {
                let is_other = SERVICES.contains(&name.as_str()) && name != service;
                assert!(!is_other, "{} uses {name}", path.display());
            }
        }
    }
}

#[test]
fn only_cli_uses_the_sandbox() {
    for (path, text) in sources() {
        assert!(room(&path) == "cli" || !text.contains("crrctl_sandbox"), "{}", path.display());
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
        // `policy` reads the user's templates, so it may use `std::fs`, but it names no SDK type.
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
    /// A file with more lines must be split.
    const MOST_LINES: usize = 420;
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not say what it is for", path.display());
        let lines = code(&text).lines().count();
        assert!(is_test(&path) || lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}
