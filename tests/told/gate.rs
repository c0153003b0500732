//! Every message is pinned: every code of the catalogue, every check and every exit code appears in
//! a snapshot. A table lists the codes that the sandbox can't produce, and why.
//! Not for: the text of the messages (see the other modules of `told`).

use crrctl::check::catalogue::{self, About};
use crrctl::failure::Kind;
use std::fmt::Write;
use std::path::Path;

/// Codes that no test raises, and why.
const UNRAISED: [(&str, &str); 7] = [
    (
        "name-invalid",
        "names are checked where they are typed or written: `usage`, `manifest-invalid`",
    ),
    ("bug", "what can't happen can't be had"),
    ("plan-circle", "no plan has one; `engine`'s own tests make one"),
    ("runtime", "wants a system without room for threads"),
    ("not-converged", "the sandbox answers with every setting as it was given"),
    ("no-pair", "no error of its own: `list` names such things among what it could not read"),
    ("NotSent", "no request of crrctl's lacks what it needs"),
];

/// Returns the texts of all snapshots of messages.
fn told() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut told = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_pinned = path.extension().is_some_and(|it| it == "snap");
        // The failures in `told-every-kind` are made up; no run prints them.
        if is_pinned && stem.starts_with("told-") && stem != "told-every-kind" {
            told.push((stem, std::fs::read_to_string(path).unwrap()));
        }
    }
    told
}

#[test]
fn every_code_stands_in_a_snapshot_or_in_the_table() {
    let texts = told();
    let holds = |line: &str| texts.iter().any(|(_, text)| text.lines().any(|it| it == line));
    let is_in_the_table = |code: &str| UNRAISED.iter().any(|(it, _)| *it == code);
    let (mut faults, mut count) = (String::new(), 0);
    for entry in catalogue::all() {
        let is_held = match entry.about {
            About::Error => holds(&format!("more: crrctl explain {}", entry.code)),
            About::Check => {
                let starts = [format!("{} in ", entry.code), format!("{}: ", entry.code)];
                let has = |text: &str| {
                    text.lines().any(|line| starts.iter().any(|it| line.starts_with(it)))
                };
                texts.iter().any(|(name, text)| name.starts_with("told-checks") && has(text))
            }
            // These codes are not printed by themselves: every diagnosis names them, and
            // `confusion` covers all of them.
            About::FailureReason | About::Status | About::Kind | About::Outcome => continue,
        };
        count += 1;
        match (is_held, is_in_the_table(entry.code)) {
            (false, false) => {
                let _ = writeln!(
                    faults,
                    "no snapshot holds {} of {}",
                    entry.about.as_str(),
                    entry.code
                );
            }
            (true, true) => {
                let _ = writeln!(faults, "{} is pinned: take it out of the table", entry.code);
            }
            _ => {}
        }
    }
    for (code, _) in UNRAISED {
        if catalogue::entry(code).is_none() {
            let _ = writeln!(faults, "{code} stands in the table and not in the catalogue");
        }
    }
    println!("{count} codes and checks, {} of them in the table", UNRAISED.len());
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn every_exit_code_stands_in_a_snapshot() {
    let texts = told();
    for (_, code, meaning) in Kind::TABLE {
        let line = format!("[exit status: {code}]");
        assert!(texts.iter().any(|(_, text)| text.contains(&line)), "{code}: {meaning}");
    }
}
