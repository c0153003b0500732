//! Recordings of runs: what they hold, what they never hold, and what becomes of them when the run
//! is killed, the disk is full, or the file is in the way.
//! Not for: stand-ins by themselves (see `crrctl::recording`).

use crate::common::{PAIR, SOURCE, Stand, alone, finished};
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET};
use futures::FutureExt;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

/// Reads a recording. Each of its lines is held against the schema.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let schema = serde_json::from_str(include_str!("../schemas/recording.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is cut off");
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let faults: Vec<String> = validator.iter_errors(&line).map(|it| it.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}: {line:#}");
        line
    };
    text.lines().map(line).collect()
}

fn exchanges(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line["record"] == "exchange")
}

/// Every call that the sandbox counted is in the recording, beside the events of the run.
#[test]
fn a_run_is_recorded_call_by_call() {
    let stand = Stand::new();
    let file = stand.path("r.ndjson");
    let record = ["--record", file.to_str().unwrap()];
    let _ = stand.in_process(&[&["apply", "--yes"][..], &record].concat()).exits(0);
    let lines = lines(&file);
    assert_eq!((&lines[0]["record"], &lines[0]["command"]), (&"header".into(), &"apply".into()));
    let count = |service: &str, operation: &str| {
        exchanges(&lines)
            .filter(|it| it["service"] == service && it["operation"] == operation)
            .count()
    };
    let calls = stand.calls();
    let total = calls["reads"].as_u64().unwrap() + calls["writes"].as_u64().unwrap();
    assert_eq!(exchanges(&lines).count() as u64, total);
    for (name, made) in calls["by_operation"].as_object().unwrap() {
        let (service, operation) = name.split_once(':').unwrap();
        assert_eq!(count(service, operation) as u64, made.as_u64().unwrap(), "{name}");
    }
    let events: BTreeSet<&str> =
        lines.iter().filter_map(|line| line["event"]["event"].as_str()).collect();
    for event in ["run.start", "step.done", "probe.done", "run.done"] {
        assert!(events.contains(event), "{event}: {events:?}");
    }
    let put = exchanges(&lines).find(|it| it["operation"] == "PutObject").unwrap();
    assert!(put["request"]["Body"]["length"].as_u64() > Some(0), "{put:#}");
    assert_eq!(put["request"]["Body"]["sha256"].as_str().map(str::len), Some(64), "{put:#}");
    assert_eq!((&put["status"], &put["code"]), (&200.into(), &Value::Null));
    assert!(put["request_id"].is_string() && put["answer"]["SSEKMSKeyId"].is_string(), "{put:#}");
}

#[test]
fn names_have_stand_ins_unless_they_are_kept() {
    let stand = Stand::new();
    let (replaced, kept) = (stand.path("replaced"), stand.path("kept"));
    let _ = stand.in_process(&["plan", "--record", replaced.to_str().unwrap()]).exits(0);
    let _ =
        stand.in_process(&["plan", "--record", kept.to_str().unwrap(), "--record-names"]).exits(0);
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    for name in [SOURCE, "demo", DEFAULT_ACCOUNT] {
        assert!(!text(&replaced).contains(name) && text(&kept).contains(name), "{name}");
    }
    assert_eq!(
        (&lines(&replaced)[0]["names"], &lines(&kept)[0]["names"]),
        (&"replaced".into(), &"kept".into())
    );
}

/// A pair that has a mark in each of its names, or a name of words that AWS uses too.
const MARKED: &str = "
name: zqxmark
source: {region: us-east-1, bucket: 'zqxmark-src-{account}'}
destinations:
  - region: us-west-2
    bucket: 'zqxmark-dst-{account}'
    prefix: customer/orders/
    tags: {zqxmark: zqxmark-value}
role: {name: OrderBackupRole}
key: {alias: alias/zqxmark, administrators: ['arn:aws:iam::111122223333:role/zqxmark-admin']}
tags: {zqxmark-key: zqxmark-value, owner: zqxmark@zqxmark.com}
";

/// What a server that is none of AWS's answers, whatever is asked.
const HOSTILE: &str = "<Error><Code>zqxmarkCode</Code><Message>zqxmark is zqxmark-message of https://zqxmark.zqxmark.com/zqxmark \
    and arn:aws:iam::999988887777:user/zqxmark ZQXMARK: \
    User: arn:aws:sts::999988887777:assumed-role/OrderBackupRole/482913 is not authorized to perform: s3:GetObject on resource: \
    \"arn:aws:s3:::zqxmark/customer data/order 123456\"</Message><zqxmark>zqxmark</zqxmark><Zqxmark><Status>zqxmark</Status></Zqxmark></Error>";

/// Answers every request with [`HOSTILE`], until its listener is dropped with the test.
fn hostile() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let mut connection = connection;
            let _ = connection.read(&mut vec![0; 65_536]);
            let head = "x-amz-request-id: zqxmark\r\nx-amz-id-2: zqxmark\r\nx-amz-meta-zqxmark: zqxmark\r\netag: zqxmark\r\nx-amz-replication-status: zqxmark";
            let _ = write!(
                connection,
                "HTTP/1.1 400 Bad\r\n{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{HOSTILE}",
                HOSTILE.len()
            );
        }
    });
    endpoint
}

#[test]
fn marked_values_are_in_no_recording() {
    let stand = Stand::new();
    stand.iam(async |iam| {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
        let role = iam.create_role().role_name("zqxmark-admin").assume_role_policy_document(trust);
        role.send().await.unwrap();
    });
    let manifest = stand.path("crrctl.yaml");
    std::fs::write(&manifest, MARKED).unwrap();
    let record = |name: &str, args: &[&str]| {
        let file = stand.path(name);
        let file = file.to_str().unwrap();
        finished(
            stand
                .command(
                    &[args, &["-f", manifest.to_str().unwrap(), "--record", file, "-o", "json"]]
                        .concat(),
                )
                .env("HTTPS_PROXY", "http://zqxmark:zqxmark@zqxmark.com")
                .stdin(Stdio::null()),
        )
    };
    for args in
        [&["apply", "--yes"][..], &["check"], &["status"], &["probe"], &["destroy", "--yes"]]
    {
        let _ = record(&format!("{}.ndjson", args[0]), args).exits(0);
    }
    // Wrong credentials, and a server that is none.
    let mut wrong = stand.command(
        &[&["plan"], &PAIR[..], &["--record", stand.path("wrong.ndjson").to_str().unwrap()]]
            .concat(),
    );
    let wrong = wrong.env("AWS_SECRET_ACCESS_KEY", "zqxmark").env("AWS_SESSION_TOKEN", "zqxmark");
    let _ = finished(wrong.env("AWS_ACCESS_KEY_ID", "zqxmark").stdin(Stdio::null()));
    let _ = record("hostile.ndjson", &["plan", "--endpoint-url", &hostile()]);
    let mut searched = 0;
    for entry in std::fs::read_dir(stand.path("")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_none_or(|it| it != "ndjson") {
            continue;
        }
        let lines = lines(&entry);
        assert!(exchanges(&lines).count() > 0, "{}", entry.display());
        for line in lines {
            let text = line.to_string().to_lowercase();
            let named = [
                "zqxmark",
                "orderbackuprole",
                "/482913",
                "customer/orders/",
                "customer data",
                DEFAULT_ACCOUNT,
                "999988887777",
                SECRET,
                "aws4-hmac",
                "signature=",
                "127.0.0.1",
            ];
            for mark in named {
                assert!(!text.contains(mark), "{}: `{mark}` in {line:#}", entry.display());
            }
            searched += 1;
        }
    }
    assert!(searched > 300, "{searched}");
}

/// A run is killed while its N-th call is under way: all that was answered before is there, whole.
#[test]
fn a_killed_run_leaves_whole_lines() {
    let step = if std::env::var_os("CRRCTL_THOROUGH").is_some() { 1 } else { 17 };
    let mut struck = 0;
    for after in (0..80).step_by(step) {
        let fault = format!("*:*:delay=600s:after={after}:times=1").parse().unwrap();
        let stand = Stand::with(Options { faults: vec![fault], ..Options::default() });
        let file = stand.path("r.ndjson");
        let args = ["apply", "--yes", "--record", file.to_str().unwrap()];
        let mut command = stand.command(&[&args[..], &PAIR].concat());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = std::time::Instant::now();
        loop {
            if stand.sandbox().injected().now_or_never().is_some() {
                struck += 1;
                break;
            }
            if child.try_wait().unwrap().is_some() || begun.elapsed().as_secs() > 60 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = lines(&file);
        assert_eq!(lines[0]["record"], "header");
        // Of those that were under way beside it some may not have been read yet.
        assert!(exchanges(&lines).count() + 40 > after, "{after}: {}", lines.len());
    }
    assert!(struck > 3, "{struck}");
}

#[test]
fn a_file_in_the_way_ends_the_run_before_any_call() {
    let stand = Stand::new();
    let mine = stand.path("mine");
    std::fs::write(&mine, "mine\n").unwrap();
    std::fs::set_permissions(&mine, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _ = stand.calls();
    for (file, why) in
        [(mine.to_str().unwrap(), "is not a recording"), ("/nowhere/r.ndjson", "can't write")]
    {
        let output = stand.pair(&["apply", "--yes", "--record", file]).exits(3);
        assert!(output.stderr.contains(why), "{output}");
    }
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine\n");
    assert_eq!(std::fs::metadata(&mine).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
    let output = alone(&["explain", "FAILED", "--record", "r"]).exits(3);
    assert!(output.stderr.contains("`--record` means nothing to `crrctl explain`"), "{output}");
    let mut command = stand.command(&["explain", "FAILED"]);
    let _ = finished(command.env("CRRCTL_RECORD", "/nowhere/r").stdin(Stdio::null())).exits(0);
}

#[test]
fn a_full_disk_fails_no_run_and_is_told_once() {
    let stand = Stand::new();
    let output = stand.pair(&["apply", "--yes", "--record", "/dev/full"]).exits(0);
    assert_eq!(output.stderr.matches("can't write /dev/full").count(), 1, "{output}");
    assert!(
        output.stderr.contains("warning: ") && output.stderr.contains("the recording ends early")
    );
}

/// A variable of a whole job has every command record itself in the same file.
#[test]
fn runs_are_appended() {
    let stand = Stand::new();
    let file = stand.path("job.ndjson");
    for args in [&["apply", "--yes", "--no-probe"][..], &["status"], &["destroy", "--yes"]] {
        let mut command = stand.command(&[args, &PAIR].concat());
        let _ = finished(command.env("CRRCTL_RECORD", &file).stdin(Stdio::null())).exits(0);
    }
    let lines = lines(&file);
    let commands = lines.iter().filter(|it| it["record"] == "header").map(|it| &it["command"]);
    assert_eq!(commands.collect::<Vec<_>>(), ["apply", "status", "destroy"]);
}

/// Of two runs at once, whose lines nobody could tell apart, the second is told which one has the file.
#[test]
fn two_runs_at_once_do_not_share_a_file() {
    let stand = Stand::new();
    let file = stand.path("r.ndjson");
    let record = ["--record", file.to_str().unwrap()];
    let first = [&["apply", "--yes", "--no-probe"][..], &record].concat();
    let ran = stand.held("iam:CreateRole", &first, || {
        let before = std::fs::read_to_string(&file).unwrap();
        let second = stand.pair(&[&["status"][..], &record].concat()).exits(3);
        let is_told = second.stderr.contains("`crrctl apply`, which began at ")
            && second.stderr.contains("r.ndjson");
        assert!(is_told, "{second}");
        assert!(std::fs::read_to_string(&file).unwrap().starts_with(&before));
    });
    let _ = ran.exits(0);
    let _ = stand.pair(&[&["status"][..], &record].concat()).exits(0);
    let headers = |lines: &[Value]| lines.iter().filter(|it| it["record"] == "header").count();
    assert_eq!(headers(&lines(&file)), 2);
}
