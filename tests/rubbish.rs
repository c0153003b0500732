//! Rubbish of every kind: each ends with an exit code that says of which kind it is, and with a
//! sentence of crrctl's own.
//! Not for: the text of each message (see `told`).

use crate::common::{Output, PAIR, Stand, alone, bare, finished};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// What no message has: names of the SDK's layers, debug output, a panic.
const DEBRIS: [&str; 8] = [
    "dispatch failure",
    "service error",
    "io error",
    ": other:",
    "Request {",
    "panicked",
    "RUST_BACKTRACE",
    "a bug in crrctl",
];

/// Asserts that a run ended with `code`, and in plain words.
fn ends(what: &str, output: &Output, code: i32) -> String {
    let text = format!("{}{}", output.stdout, output.stderr);
    assert_eq!(output.code, code, "{what}: {output}");
    for debris in DEBRIS {
        assert!(!text.contains(debris), "{what} says `{debris}`: {output}");
    }
    assert_eq!(text.matches("error:").count(), usize::from(code != 0), "{what}: {output}");
    text
}

/// A folder with files of every bad kind.
fn folder() -> TempDir {
    let home = TempDir::new().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(home.path().join(name), text).unwrap();
    write("empty.yaml", b"");
    write("bad.yaml", b"name: [");
    write("bytes.yaml", b"\xff\xfe\x00");
    write("scalar.yaml", b"nonsense");
    let templates = "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        policy: {templates: none}\n";
    write("templates.yaml", templates.as_bytes());
    std::fs::create_dir(home.path().join("folder.yaml")).unwrap();
    std::os::unix::fs::symlink("loop.yaml", home.path().join("loop.yaml")).unwrap();
    home
}

fn run(home: &TempDir, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = bare(home, args);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    finished(&mut command)
}

#[test]
fn files_that_cannot_be_read_or_written_are_3() {
    let home = folder();
    for name in ["empty", "bad", "bytes", "scalar", "folder", "loop", "none"] {
        let file = format!("{name}.yaml");
        let told = ends(name, &run(&home, &["plan", "-f", &file], &[]), 3);
        assert!(told.contains(&file), "{told}");
    }
    for args in [
        &["plan", "-f", "-"][..],
        &["plan", "-f", "/dev/null"],
        &["plan", "--sandbox", "-f", "templates.yaml"],
        &["check", "--sandbox", "--scp", "folder.yaml"],
        &["policy", "prove", "--sandbox", "--rcp", "bytes.yaml"],
        &["plan", "--sandbox", "--junit", "none/a.xml"],
        &["plan", "--sandbox", "--html", "folder.yaml"],
        &["man", "--dir", "/dev/null/man"],
        &["sandbox", "--log", "none/log", "--", "true"],
        &["sandbox", "--", "/no/such/command"],
        &["sandbox", "--listen", "192.0.2.1:9"],
    ] {
        let _ = ends(&args.join(" "), &run(&home, args, &[]), 3);
    }
    let init = [&["init", "-f", "/dev/null/a.yaml"], &PAIR[..]].concat();
    let _ = ends("init", &run(&home, &init, &[]), 3);
}

#[test]
fn values_that_cannot_be_are_3() {
    for args in [
        &["plan", "--sandbox", "--timeout", "99999999999999d"][..],
        &["plan", "--sandbox", "--max-concurrency", "0"],
        &["probe", "--sandbox", "--count", "0"],
        &["probe", "--sandbox", "--size", "99999TB"],
        &["wait", "s3://bucket"],
        &["check", "s3://"],
        &["import", "BAD_name"],
        &["list", "--regions", "nonsense"],
        &["explain", "Nonsense"],
        &["completions", "tcsh"],
        &["policy", "operator", "--account", "12"],
        &["smoke", "--key", "nonsense"],
        &["backfill", "--since", "yesterday"],
        &["sandbox", "--fault", "nonsense"],
        &["sandbox", "--quirk", "nonsense"],
    ] {
        let told = ends(&args.join(" "), &alone(args), 3);
        // What is right of it is not told to be wrong.
        assert!(!told.contains("tip: each side"), "{told}");
    }
}

/// Writes the shared configuration of AWS.
fn configured(home: &TempDir, text: &[u8]) {
    let folder = home.path().join(".aws");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config"), text).unwrap();
}

#[test]
fn credentials_that_cannot_be_had_are_4() {
    let home = TempDir::new().unwrap();
    let role = "role_arn = arn:aws:iam::111122223333:role/a\n";
    for (config, told) in [
        ("[default".to_owned(), "the shared configuration can't be read"),
        ("[profile x]\n".to_owned(), "no such profile"),
        ("[profile other]\nregion = us-east-1\n".to_owned(), "x"),
        (format!("[profile x]\n{role}source_profile = y\n"), "`y`"),
        (format!("[profile x]\n{role}source_profile = x\n"), "NoCredentials"),
        (format!("[profile x]\n{role}credential_source = Rubbish\n"), "Rubbish"),
        (format!("[profile x]\n{role}web_identity_token_file = /none\n"), "No such file"),
        ("[profile x]\nsso_session = q\n".to_owned(), "`q`"),
        ("[profile x]\ncredential_process = /none/such\n".to_owned(), "127"),
        ("[profile x]\ncredential_process = echo text\n".to_owned(), "JSON"),
        ("[profile x]\naws_access_key_id = a\n".to_owned(), "aws_secret_access_key"),
    ] {
        configured(&home, config.as_bytes());
        let args = [&["plan", "--profile", "x"], &PAIR[..]].concat();
        let text = ends(&config, &run(&home, &args, &[]), 4);
        assert!(text.contains(told), "{config}: {text}");
        // One sentence, not the SDK's table of providers.
        let second = text.lines().nth(1).unwrap();
        assert!(
            second.starts_with("  region: ") || second.starts_with("fix: "),
            "{config}: {text}"
        );
    }
    // Keys of the environment need no files.
    configured(&home, b"[default");
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let args = [&["plan", "--endpoint-url", "http://127.0.0.1:9"], &PAIR[..]].concat();
    let text = ends("keys beside a broken file", &run(&home, &args, &keys), 4);
    assert!(text.contains("ConnectionFailed"), "{text}");
}

#[test]
fn without_a_home_or_a_folder_a_run_ends_in_words() {
    let nowhere = TempDir::new().unwrap();
    let mut command = bare(&nowhere, &[&["plan"], &PAIR[..]].concat());
    let _ = ends("no home", &finished(command.env_remove("HOME").stdin(Stdio::null())), 4);
    let mut command = bare(&nowhere, &["plan", "--sandbox"]);
    let _ = ends("no home", &finished(command.env_clear().stdin(Stdio::null())), 0);
    let script = format!("mkdir gone && cd gone && rmdir ../gone && {} plan --sandbox", binary());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).current_dir(nowhere.path()).stdin(Stdio::null());
    let _ = ends("no folder", &finished(&mut shell), 0);
}

fn binary() -> String {
    crate::common::binary().display().to_string()
}

#[test]
fn endpoints_that_are_none_or_do_not_answer_are_told() {
    let home = TempDir::new().unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let plan = [&["plan"], &PAIR[..]].concat();
    for variable in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_S3_CONTROL",
        "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API",
    ] {
        // It may hold a password.
        let variables = [&keys[..], &[(variable, "user:secret@host:8080")]].concat();
        let text = ends(variable, &run(&home, &plan, &variables), 3);
        assert!(text.contains("is not a URL") && text.contains(variable), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    configured(&home, b"[default]\nendpoint_url = nonsense\n");
    let _ = ends("endpoint of a profile", &run(&home, &plan, &keys), 3);
    // A flag takes the place of the variable.
    let args = [&plan[..], &["--endpoint-url", "http://127.0.0.1:9"]].concat();
    let variables = [&keys[..], &[("AWS_ENDPOINT_URL", "nonsense")]].concat();
    let _ = ends("a flag before a variable", &run(&home, &args, &variables), 4);
    let refused = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    let variables = [&keys[..], &refused].concat();
    for args in [
        &["list"][..],
        &["gc"],
        &["import", "bucket"],
        &["wait", "s3://bucket/key"],
        &["status", "--name", "a"],
        &["destroy", "--yes", "--name", "a"],
    ] {
        let text = ends(&args.join(" "), &run(&home, args, &variables), 4);
        assert!(text.contains("http://127.0.0.1:9"), "{text}");
    }
}

#[test]
fn a_closed_stream_is_no_error() {
    let stand = Stand::new();
    let home = stand.path("");
    for closed in [">&-", "2>&- >/dev/null", "<&-", ">&- 2>&- <&-"] {
        let script = format!("{} plan --sandbox {closed}", binary());
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(Path::new(&home));
        let _ = ends(closed, &finished(&mut shell), 0);
    }
}
