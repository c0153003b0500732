//! `crrctl compare`: recordings of the sandbox's own runs show no difference, and each quirk shows as
//! itself.
//! Not for: what a recording holds (see `recording`).

use crate::common::{Stand, alone};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Compares a recording inside this process.
fn compared(file: &Path) -> Value {
    let stand = Stand::new();
    let output = stand.in_process(&["compare", file.to_str().unwrap()]);
    assert!([0, 2].contains(&output.code), "{output}");
    output.json()
}

/// Runs `work` on each of `items`, four at a time.
fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = Mutex::new(items.iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap().next();
                    match item {
                        Some(item) => work(item),
                        None => return,
                    }
                }
            });
        }
    });
}

fn manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(found.len() > 10);
    found
}

/// Each command is a recording of its own: what the ones before it made is furnished from what its
/// first reads show.
#[test]
fn the_life_of_every_example_differs_in_nothing() {
    let faults = Mutex::new(Vec::new());
    each(&manifests(), |manifest| {
        let stand = Stand::furnished();
        let name = manifest.file_stem().unwrap().to_str().unwrap();
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let life =
            [&["apply", "--yes"][..], &["check"], &["status"], &["probe"], &["destroy", "--yes"]];
        for args in life {
            let file = stand.path(args[0]);
            let record = ["--record", file.to_str().unwrap()];
            let ran = stand.in_process_with(&[args, &record].concat(), &manifest);
            assert!([0, 9].contains(&ran.code), "{name}: {args:?}: {ran}");
            let object = compared(&file);
            let differences = object["differences"].as_array().unwrap();
            // What KMS counted before is told of, and is in no recording.
            let is_counted =
                |it: &&Value| it["operation"] != "GetKeyLastUsage" || it["known"].is_null();
            let differences: Vec<&Value> = differences.iter().filter(is_counted).collect();
            if !differences.is_empty() {
                faults.lock().unwrap().push(format!("{name} {args:?}: {differences:#?}"));
            }
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}: {}", faults.len(), faults.join("\n"));
}

#[test]
fn a_rehearsal_differs_in_nothing() {
    let stand = Stand::new();
    let file = stand.path("r");
    let _ = stand.in_process(&["rehearse", "--record", file.to_str().unwrap()]).exits(0);
    let object = compared(&file);
    assert_eq!((&object["differences"], &object["unknown"]), (&json!([]), &json!(0)), "{object:#}");
    assert!(object["runs"][0]["exchanges"].as_u64() > Some(150), "{object:#}");
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r");
    for (text, why) in [
        ("", ":1: the file is empty"),
        ("mine", ":1: this is no JSON"),
        ("{}", ":1: this is no recording"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = alone(&["compare", file.to_str().unwrap()]).exits(3);
        assert!(output.stderr.contains(why), "{output}");
    }
    let output = alone(&["compare", "/nowhere/r", "-o", "json"]).exits(3);
    assert_eq!(output.json()["error"]["code"], "recording-unreadable");
}

/// The recordings that are kept: of the sandbox's own runs, as long as nobody sent one of AWS.
#[test]
fn no_recording_that_is_kept_has_an_unknown_difference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let object = compared(&file);
        assert_eq!(object["unknown"], json!(0), "{}: {object:#}", file.display());
        count += 1;
    }
    assert!(count > 0);
}
