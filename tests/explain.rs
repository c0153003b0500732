//! `explain`: every code that the program can produce has an entry, and what is unknown is told with what was meant.

use crate::common::alone;
use crrctl::check::catalogue;
use std::path::Path;

/// Returns the first literal after each `marker` in `text`, where it looks like a code.
fn codes_after<'t>(text: &'t str, marker: &'static str) -> impl Iterator<Item = &'t str> {
    text.match_indices(marker).filter_map(move |(at, _)| {
        let rest = &text[at + marker.len()..];
        let literal = rest.split('"').nth(1)?;
        let is_code = !literal.is_empty()
            && literal.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        (is_code && rest.find('"')? < 120).then_some(literal)
    })
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            if !name.ends_with("/sandbox") || name.ends_with("cli/sandbox") {
                sources(&path, found);
            }
        } else if path.extension() == Some("rs".as_ref()) && !name.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            found.push((name, code));
        }
    }
}

#[test]
fn every_code_that_the_program_can_produce_is_explained() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut count, mut missing) = (0, Vec::new());
    for (name, text) in &files {
        for marker in ["Failure::new(", "Self::new(Kind::", "in_the_way(", "code: \""] {
            let text = text.replace("code: \"", "code: \"\"");
            for code in codes_after(&text, marker) {
                count += 1;
                if catalogue::entry(code).is_none() {
                    missing.push(format!("{code} ({name})"));
                }
            }
        }
    }
    assert!(count > 40, "the search has found {count} codes alone");
    assert!(
        missing.is_empty(),
        "add entries to src/check/catalogue (errors.rs or things.rs) for {missing:#?}"
    );
}

#[test]
fn every_code_of_aws_that_has_a_class_is_explained() {
    let (class, error) =
        (include_str!("../src/aws/error/class.rs"), include_str!("../src/aws/error.rs"));
    let tables = [(class, "fn classify", "_ if status"), (error, "fn unnamed", "_ => \"Unknown\"")];
    for (text, from, to) in tables {
        let table = text.split(from).nth(1).unwrap().split(to).next().unwrap();
        let codes: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
        assert!(codes.len() > 5, "{from}");
        for code in codes {
            assert!(catalogue::entry(code).is_some(), "no entry for {code}");
        }
    }
}

#[test]
fn a_code_is_explained_as_text_and_as_an_object() {
    let text = alone(&["explain", "dstputobjectnotpermitted"]).exits(0).stdout;
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("explain", text);
        insta::assert_snapshot!("explain-all", alone(&["explain"]).exits(0).stdout);
    });
    let object = alone(&["explain", "AssumeRoleNotPermitted", "-o", "json"]).exits(0).json();
    assert_eq!(object["schema"], "crrctl/explain/v1");
    assert_eq!(object["code"], "AssumeRoleNotPermitted");
    assert_eq!(object["about"], "failure-reason");
    for list in ["causes", "mends"] {
        assert!(!object[list].as_array().unwrap().is_empty(), "{list}");
    }
    let all = alone(&["explain", "-o", "json"]).exits(0).json();
    assert!(all["codes"].as_array().unwrap().len() > 90);
    for (number, code) in [("0", "done"), ("2", "found")] {
        let told = alone(&["explain", number, "-o", "json"]).exits(0).json();
        assert_eq!((&told["code"], &told["about"]), (&code.into(), &"outcome".into()));
    }
    assert_eq!(alone(&["explain", "130", "-o", "json"]).exits(0).json()["code"], "interrupted");
}

#[test]
fn an_unknown_code_is_told_with_what_was_meant() {
    let output = alone(&["explain", "DstPutObjectNotPermited", "-o", "json"]).exits(3);
    let error = &output.json()["error"];
    assert_eq!(error["code"], "unknown-code");
    assert!(error["hints"][0].as_str().unwrap().contains("`DstPutObjectNotPermitted`"), "{error}");
}
