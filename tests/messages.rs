//! What people read, pinned: help, plans, evidence, errors. Ids, times and counts of milliseconds are blotted out.

use crate::common::{PAIR, Stand, alone};

pub(crate) fn blotted() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    for (pattern, blot) in [
        (r"mrk-[0-9a-f]{32}", "mrk-<id>"),
        (r"\(0[0-9A-Za-z._-]{31}\)", "(<version>)"),
        (r"AROA[A-Z0-9]+", "AROA<id>"),
        (r"\([0-9A-Za-z._]{32}\)", "(<version>)"),
        (r"_crrctl/demo/[a-z]{8}/", "_crrctl/demo/<run>/"),
        (r"\d+ ms\s*", "<ms> "),
        (r"\d+\.\d s\s*", "<ms> "),
        (r"in \d+ calls", "in <n> calls"),
        (r"request id [0-9A-Za-z/+=-]+", "request id <id>"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "<time>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    ] {
        settings.add_filter(pattern, blot);
    }
    settings
}

/// Pins stdout alone: stderr's lines come in the order in which steps end.
macro_rules! pinned {
    ($name:literal, $text:expr) => {
        blotted().bind(|| insta::assert_snapshot!($name, $text))
    };
}

#[test]
fn help() {
    pinned!("help", alone(&["--help"]).exits(0).stdout);
    pinned!("help-apply", alone(&["apply", "--help"]).exits(0).stdout);
    pinned!("help-destroy", alone(&["destroy", "--help"]).exits(0).stdout);
    pinned!("help-gc", alone(&["gc", "--help"]).exits(0).stdout);
    pinned!("help-list", alone(&["list", "--help"]).exits(0).stdout);
    pinned!("help-smoke", alone(&["smoke", "--help"]).exits(0).stdout);
    pinned!("help-probe", alone(&["probe", "--help"]).exits(0).stdout);
    pinned!("help-sandbox", alone(&["sandbox", "--help"]).exits(0).stdout);
}

#[test]
fn plan_apply_and_destroy() {
    let stand = Stand::new();
    let text = |args: &[&str]| stand.run(&[args, &PAIR[..]].concat()).exits(0).stdout;
    pinned!("plan-create", text(&["plan"]));
    pinned!("apply", text(&["apply", "--yes"]));
    pinned!("plan-none", text(&["plan"]));
    pinned!("plan-destroy", text(&["plan", "--destroy"]));
    pinned!("destroy", text(&["destroy", "--yes"]));
    pinned!("destroy-nothing", alone(&["destroy", "--yes", "--sandbox"]).exits(0).stdout);
}

#[test]
fn errors() {
    let stand = Stand::new();
    let wrong = |args: &[&str], code| stand.run(&[args, &PAIR[..]].concat()).exits(code).stderr;
    pinned!("error-no-manifest", alone(&["plan"]).exits(3).stderr);
    pinned!("error-yes", wrong(&["apply"], 3));
    pinned!("error-nothing-to-probe", wrong(&["probe", "-q"], 3));
    let manifest = "name: demo\nsource: {regoin: us-east-1}\n";
    pinned!("error-unknown-key", stand.manifest(&["plan"], manifest).exits(3).stderr);
    stand.bucket_of_somebody_else();
    pinned!("error-bucket-not-ours", wrong(&["apply", "--yes", "-q"], 10));
    let mut command = stand.command(&[&["plan", "-q"], &PAIR[..]].concat());
    let output = crate::common::finished(command.env("AWS_SECRET_ACCESS_KEY", "wrong")).exits(4);
    pinned!("error-credentials", output.stderr);
}

#[test]
fn nothing_is_coloured_off_a_terminal_and_everything_where_it_is_asked_for() {
    let escape = '\u{1b}';
    let plain = alone(&["plan", "--sandbox"]).exits(0);
    assert!(!plain.stdout.contains(escape) && !plain.stderr.contains(escape));
    let coloured = alone(&["plan", "--sandbox", "--color", "always"]).exits(0);
    assert!(coloured.stdout.contains(escape));
}

#[test]
fn a_closed_stdout_is_no_error() {
    let stand = Stand::new();
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `/dev/full` takes nothing, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_takes_nothing_is_told() {
    let stand = Stand::new();
    let pair = |args: &[&str]| [args, &PAIR[..]].concat().join(" ");
    let commands = [
        "schema".to_owned(),
        "completions bash".to_owned(),
        "man".to_owned(),
        "explain".to_owned(),
        "help".to_owned(),
        pair(&["policy", "render"]),
        pair(&["apply", "--yes", "--no-probe"]),
        pair(&["export", "terraform"]),
        pair(&["plan"]),
        pair(&["probe"]),
        pair(&["check"]),
        pair(&["status"]),
        "list".to_owned(),
        pair(&["destroy", "--yes"]),
    ];
    for command in commands {
        for form in ["text", "json", "ndjson"] {
            // What has no events has nothing to say in them.
            let is_silent = ["schema", "completions", "man", "explain", "help"];
            let word = command.split(' ').next().unwrap();
            if form == "ndjson" && (is_silent.contains(&word) || word == "policy") {
                continue;
            }
            let words: Vec<&str> = command.split(' ').chain(["-o", form]).collect();
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let output = stand.command(&words).stdout(full).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{words:?}: {stderr}");
            assert!(
                stderr.contains("stdout can't be written: No space left"),
                "{words:?}: {stderr}"
            );
        }
    }
    assert_eq!(stand.leftovers(), [""; 0], "what was to be done is done");
}

#[test]
fn calls_are_shown_with_their_request_ids_and_without_secrets() {
    let output = alone(&["plan", "--sandbox", "-vvv"]).exits(0);
    assert!(output.stderr.contains("STS GetCallerIdentity answered 200, request id"), "{output}");
    for secret in [crrctl_sandbox::SECRET, "Authorization", "authorization", "Signature="] {
        assert!(!output.stderr.contains(secret) && !output.stdout.contains(secret), "{secret}");
    }
}

#[test]
fn completions_offer_the_names_of_pairs_and_regions() {
    let stand = Stand::new();
    let manifest = "name: orders\nsource: {region: xx-new-1}\ndestinations: [{region: us-west-2}]\nrole: {name: not-a-pair}\n";
    std::fs::write(stand.path("crrctl.yaml"), manifest).unwrap();
    let words = |what: &str| {
        let text = stand.run(&["completions", "--offer", what]).exits(0).stdout;
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("pairs"), ["orders"]);
    let regions = words("regions");
    assert!(regions.contains(&"xx-new-1".to_owned()) && regions.contains(&"eu-west-1".to_owned()));
    // What a shell would expand is not offered; what can't be read offers nothing.
    std::fs::write(stand.path("crrctl.yaml"), "name: $(touch owned)\n").unwrap();
    assert_eq!(words("pairs"), [""; 0]);
    std::fs::write(stand.path("crrctl.yaml"), "name: [\n").unwrap();
    assert_eq!(words("pairs"), [""; 0]);
    std::fs::write(stand.path("crrctl.yaml"), manifest).unwrap();
    // In a real bash, with the script as it is sourced.
    let script = alone(&["completions", "bash"]).exits(0).stdout;
    std::fs::write(stand.path("crrctl.bash"), script).unwrap();
    let binary = crate::common::binary();
    let typed = |line: &str| {
        let program = format!(
            "crrctl() {{ {} \"$@\"; }}; source ./crrctl.bash; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             _crrctl_offering crrctl \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            binary.display()
        );
        let mut bash = std::process::Command::new("bash");
        let output = bash.args(["-c", &program]).current_dir(stand.path("")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(typed("crrctl plan --name o"), ["orders"]);
    assert_eq!(typed("crrctl plan --source xx"), ["xx-new-1"]);
    assert!(typed("crrctl plan --destination us-").contains(&"us-west-2".to_owned()));
    assert!(typed("crrctl de").contains(&"destroy".to_owned()));
    for shell in ["zsh", "fish"] {
        let script = alone(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("crrctl completions --offer regions"), "{shell}");
        assert!(script.contains("crrctl completions --offer pairs"), "{shell}");
    }
}

#[test]
fn completions_and_man_pages_are_made_of_the_command_line() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = alone(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("ephemeral") && script.contains("destroy"), "{shell}");
    }
    let _ = alone(&["completions", "csh"]).exits(3);
    let _ = alone(&["completions"]).exits(3);
    let page = alone(&["man"]).exits(0).stdout;
    assert!(page.contains(".TH crrctl") && page.contains("crrctl\\-apply"), "{page}");
    let folder = tempfile::TempDir::new().unwrap();
    let _ = alone(&["man", "--dir", folder.path().to_str().unwrap()]).exits(0);
    assert!(folder.path().join("crrctl-destroy.1").exists());
    let _ = alone(&["man", "--dir", "/dev/null/no"]).exits(3);
}
