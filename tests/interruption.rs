//! Every command ends in order: on the first signal, on the second, at its deadline, and where nobody reads its output.

use crate::common::{PAIR, Stand, signal};
use std::io::BufRead;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Every command that talks to AWS for as long as it takes.
const COMMANDS: [&[&str]; 7] = [
    &["plan"],
    &["apply", "--yes"],
    &["probe"],
    &["destroy", "--yes"],
    &["list"],
    &["gc", "--yes"],
    &["smoke"],
];

/// Starts a command against a stand-in that answers nothing for a minute, and waits until it runs.
fn hanging(stand: &Stand, endpoint: &str, args: &[&str]) -> Child {
    let mut command = stand.command(&[args, &PAIR[..], &["-o", "ndjson"]].concat());
    command.env("AWS_ENDPOINT_URL", endpoint).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("run.start"), "{args:?}");
    child
}

#[test]
fn a_signal_ends_each_command_while_it_reads() {
    let stand = Stand::new();
    let slow = stand.slow_by(Duration::from_mins(1));
    let started = Instant::now();
    let mut children: Vec<(Child, &[&str], &str)> = Vec::new();
    for args in COMMANDS {
        for name in ["INT", "TERM"] {
            let child = hanging(&stand, &slow.endpoint, args);
            signal(&child, name);
            children.push((child, args, name));
        }
    }
    for (mut child, args, name) in children {
        assert_eq!(child.wait().unwrap().code(), Some(130), "{args:?} on {name}");
    }
    assert!(started.elapsed().as_secs() < 50);
}

#[test]
fn the_deadline_ends_each_command() {
    let stand = Stand::new();
    let slow = stand.slow_by(Duration::from_mins(1));
    for args in COMMANDS.iter().chain([&&["rehearse"][..]]) {
        let args = [args, &PAIR[..], &["-o", "json", "--timeout", "0s"]].concat();
        let mut command = stand.command(&args);
        command.env("AWS_ENDPOINT_URL", &slow.endpoint).stdin(Stdio::null());
        let output = crate::common::finished(&mut command).exits(7).json();
        assert_eq!(output["error"]["code"], "timeout", "{args:?}");
    }
}

#[test]
fn nobody_reading_is_no_error() {
    let stand = Stand::new();
    for args in [
        &["apply", "--yes"][..],
        &["plan"],
        &["probe"],
        &["list"],
        &["gc"],
        &["smoke"],
        &["policy", "render"],
        &["destroy", "--yes"],
    ] {
        for output in ["text", "json", "ndjson"] {
            let mut command = stand.command(&[args, &PAIR[..], &["-o", output]].concat());
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            let ended = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(0), "{args:?} -o {output}: {stderr}");
            if args == ["destroy", "--yes"] {
                break;
            }
        }
    }
}

#[test]
fn the_first_signal_lets_a_removal_end_its_calls_and_a_second_destroy_goes_on() {
    let stand = Stand::new();
    let run = |args: &[&str]| {
        let mut command = stand.command(&[args, &PAIR[..], &["-o", "json"]].concat());
        command.stdin(Stdio::null());
        command
    };
    let _ = crate::common::finished(&mut run(&["apply", "--yes", "--no-probe"])).exits(0);
    // The signal comes while the aliases are deleted, and has three seconds to be heard.
    stand.faults(&["kms:DeleteAlias:delay=3s"]);
    let mut command = run(&["destroy", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    stand.wait(async {
        let injected = tokio::time::timeout(Duration::from_mins(1), stand.sandbox().injected());
        injected.await.expect("an alias is deleted");
    });
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!object["left"].as_array().unwrap().is_empty(), "{object}");
    assert!(!stand.leftovers().is_empty());
    stand.faults(&[]);
    let _ = crate::common::finished(&mut run(&["destroy", "--yes"])).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// Calls in flight may end, but one that hangs keeps nobody for ever.
#[test]
fn one_signal_ends_a_run_whose_call_hangs() {
    let stand = Stand::with(crrctl_sandbox::Options {
        faults: vec!["kms:ReplicateKey:hang".parse().unwrap()],
        ..crrctl_sandbox::Options::default()
    });
    let mut command = stand.command(&[&["apply", "--yes", "-o", "ndjson"], &PAIR[..]].concat());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut error = serde_json::Value::Null;
    for line in lines {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "step.start" && event["step"] == "kms:replica-key/us-west-2" {
            signal(&child, "INT");
        }
        if event["event"] == "error" {
            error = event;
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(error["failure"]["step"], "kms:replica-key/us-west-2", "{error}");
    assert_eq!(error["failure"]["region"], "us-west-2", "{error}");
}
