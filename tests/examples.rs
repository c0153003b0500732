//! `init`, `schema`, graphs of plans, and the manifests under `examples/manifests/`: each planned, drawn and proven.

use crate::common::{Stand, alone};
use insta::{Settings, assert_snapshot};
use serde_json::Value;

/// The example that is pinned whole; of each other what differs from it is pinned.
const WHOLE: &str = "minimal";

/// A plan as it is printed and drawn.
struct Shown {
    text: String,
    mermaid: String,
    dot: String,
    changes: String,
}

impl Shown {
    /// Plans the example `name` in every way there is, and proves its policies.
    fn of(stand: &Stand, name: &str) -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
        let file = folder.join(format!("{name}.yaml"));
        let file = file.to_str().unwrap();
        let text = stand.run(&["plan", "-f", file]).exits(0).stdout;
        let text = text.replace(&stand.endpoint(), "<endpoint>");
        let drawn = stand.run(&["plan", "--graph", "mermaid", "-f", file, "-o", "json"]);
        let drawn = drawn.exits(0).json();
        let mermaid = drawn["graph"].as_str().unwrap().to_owned();
        for change in drawn["changes"].as_array().unwrap() {
            let (kind, name) = (change["kind"].as_str().unwrap(), change["name"].as_str().unwrap());
            assert!(mermaid.contains(&format!("{kind}<br/>{name}<br/>")), "{mermaid}");
        }
        let proof = stand.run(&["policy", "prove", "-f", file, "-o", "json"]).exits(0).json();
        assert_eq!(proof["refused"], serde_json::json!([]), "{name}");
        let dot = stand.run(&["plan", "--graph", "dot", "-f", file]).exits(0).stdout;
        let changes = serde_json::to_string_pretty(&drawn["changes"]).unwrap();
        Self { text, mermaid, dot, changes }
    }

    /// Returns what it says, a line each, without what numbers and column widths alone make differ. The pair is called as the one that
    /// is pinned whole.
    fn lines(&self, name: &str) -> Vec<String> {
        let called = |line: &str| line.replace(name, WHOLE);
        let text = self.text.lines().filter(|line| !line.ends_with(" to create"));
        let text = text.map(|line| called(&line.split_whitespace().collect::<Vec<_>>().join(" ")));
        let nodes: Vec<&str> = self.mermaid.lines().filter_map(|it| it.split('"').nth(1)).collect();
        let node =
            |id: &str| called(&nodes[id[1..].parse::<usize>().unwrap()].replace("<br/>", " "));
        let edges = self.mermaid.lines().filter_map(|line| line.trim().split_once(" --> "));
        let edges: Vec<_> = edges.collect();
        assert_eq!(edges.len(), self.dot.matches(" -> ").count(), "{name}");
        text.chain(edges.iter().map(|(from, to)| format!("{} before {}", node(from), node(to))))
            .filter(|line| !line.is_empty())
            .collect()
    }
}

/// Returns the lines that only one of both has.
fn differences(of: &[String], than: &[String]) -> String {
    let only = |these: &[String], those: &[String], sign: char| {
        let only = these.iter().filter(|line| !those.contains(line));
        only.map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    [only(than, of, '-'), only(of, than, '+')].concat().join("\n")
}

#[test]
fn every_example_is_planned_drawn_and_proven() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let mut names: Vec<String> = names.filter(|name| name != WHOLE).collect();
    names.sort();
    let stand = Stand::furnished();
    let before = stand.leftovers();
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    let whole = Shown::of(&stand, WHOLE);
    let Shown { text, mermaid, dot, changes } = &whole;
    let pinned = format!("{text}\n{mermaid}\n{dot}\n{changes}");
    settings.bind(|| assert_snapshot!(format!("example-{WHOLE}"), pinned));
    let lines = whole.lines(WHOLE);
    for name in names {
        let differs = differences(&Shown::of(&stand, &name).lines(&name), &lines);
        settings.bind(|| assert_snapshot!(format!("example-{name}"), differs));
    }
    assert_eq!(stand.leftovers(), before);
}

#[test]
fn a_plan_is_drawn_for_graphviz_too() {
    let stand = Stand::new();
    let args = ["plan", "--graph", "dot", "--name", "a", "--source", "us-east-1"];
    let dot = stand.run(&[&args[..], &["--destination", "us-west-2"]].concat()).exits(0).stdout;
    assert!(dot.starts_with("digraph plan {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("[label=\"create kms:key\\nalias/crrctl/a\\nus-east-1\"]"), "{dot}");
    assert!(dot.contains(" -> "), "{dot}");
}

#[test]
fn the_schema_is_printed() {
    let schema: Value = serde_json::from_str(&alone(&["schema"]).exits(0).stdout).unwrap();
    assert_eq!(
        schema["anyOf"][0]["required"],
        serde_json::json!(["name", "source", "destinations"])
    );
    assert_eq!(alone(&["schema", "-o", "json"]).exits(0).json()["json_schema"], schema);
}

#[test]
fn init_writes_a_manifest_that_lives() {
    let stand = Stand::new();
    let init = [
        "init",
        "--name",
        "orders",
        "--source",
        "us-east-1:orders-src-{account}",
        "--destination",
        "us-west-2",
        "--destination",
        "eu-west-1:orders-dst-{account}",
    ];
    let _ = stand.run(&init).exits(0);
    let text = std::fs::read_to_string(stand.path("crrctl.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema="), "{text}");
    let planned = stand.run(&["plan", "-o", "json"]).exits(0).json();
    let buckets: Vec<&str> = planned["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] == "s3:bucket")
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let wanted =
        ["orders-src-111122223333", "orders-111122223333-us-west-2", "orders-dst-111122223333"];
    assert_eq!(buckets, wanted);
    // What is there is not written over unasked.
    std::fs::write(stand.path("crrctl.yaml"), "mine").unwrap();
    assert!(stand.run(&init).exits(3).stderr.contains("is there already"));
    assert_eq!(std::fs::read_to_string(stand.path("crrctl.yaml")).unwrap(), "mine");
    let _ = stand.run(&[&init[..], &["--force"]].concat()).exits(0);
    let _ = stand.run(&["plan"]).exits(0);
}

/// Every option that a comment of the file shows is taken when its comment is taken away.
#[test]
fn what_init_comments_out_is_what_holds() {
    let stand = Stand::new();
    let init = ["init", "--name", "a", "--source", "us-east-1", "--destination", "us-west-2"];
    let _ = stand.run(&init).exits(0);
    let before = stand.run(&["plan", "-o", "json"]).exits(0).json();
    let text = std::fs::read_to_string(stand.path("crrctl.yaml")).unwrap();
    let (head, rest) = text.split_once("\n# key:\n").unwrap();
    let lines: Vec<&str> =
        rest.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    let rest = lines.join("\n");
    let rest = rest.replace("alias/crrctl/{name}", "alias/crrctl/a");
    std::fs::write(stand.path("crrctl.yaml"), format!("{head}\nkey:\n{rest}")).unwrap();
    let after = stand.run(&["plan", "-o", "json"]).exits(0).json();
    assert_eq!(before["changes"], after["changes"]);
}

/// At a terminal each answer is checked at once, and asked for again.
#[test]
fn init_asks_until_an_answer_is_right() {
    let stand = Stand::new();
    let typed =
        "My Orders\norders\nus-east1\nus-esat-1\nus-east-1:orders-src-{account}\nus-west-2\n";
    let shown = stand.on_a_terminal(&["init"], typed).exits(0).stdout;
    for told in [
        "`My Orders` is not a valid pair name",
        "did you mean `my-orders`?",
        "did you mean `us-east-1`?",
        "is `us-east-1` meant?; enter it again to keep it",
        "next: `crrctl rehearse`",
    ] {
        assert_eq!(shown.matches(told).count(), 1, "{told}: {shown}");
    }
    let planned = stand.run(&["plan", "-o", "json"]).exits(0).json();
    assert_eq!(planned["pair"], "orders");
    // Ctrl-D ends the questions.
    let gone = stand.on_a_terminal(&["init", "--file", "other.yaml"], "a\n\u{4}").exits(3).stdout;
    assert!(gone.contains("the input ended"), "{gone}");
    assert!(!stand.path("other.yaml").exists());
    // A flag that is wrong is told before anything is asked.
    let wrong = ["init", "--file", "other.yaml", "--source", "us-east-1:A"];
    let wrong = stand.on_a_terminal(&wrong, "").exits(3).stdout;
    assert!(!wrong.contains("the pair's name"), "{wrong}");
}

#[test]
fn init_wants_all_that_it_can_not_ask_for() {
    assert!(alone(&["init"]).exits(3).stderr.contains("there is no terminal to ask on"));
    let bad =
        alone(&["init", "--name", "A", "--source", "us-east-1", "--destination", "us-west-2"]);
    assert!(bad.exits(3).stderr.contains("`A` is not a valid pair name"));
}
