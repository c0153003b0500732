//! `crrctl compare`: recordings of the sandbox's own runs show no difference, and what is changed in
//! one shows.
//! Not for: what a recording holds (see `recording`).

mod quirks;

use crate::common::{SOURCE, Stand, alone};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Compares a recording inside this process.
fn compared(file: &Path) -> Value {
    let stand = Stand::new();
    let output = stand.run(&["compare", file.to_str().unwrap(), "-o", "json"]);
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

/// Returns whether a difference shows that a change was under way, whose end the recording does not
/// order: what runs at once may be answered either way.
fn is_overlapped(difference: &Value) -> bool {
    let reason = difference["known"]["reason"].as_str().unwrap_or_default();
    reason.starts_with("a change of the same thing was under way")
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
            let differences: Vec<&Value> =
                differences.iter().filter(is_counted).filter(|it| !is_overlapped(it)).collect();
            if !differences.is_empty() {
                faults.lock().unwrap().push(format!("{name} {args:?}: {differences:#?}"));
            }
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}: {}", faults.len(), faults.join("\n"));
}

/// Commands that ask what the life of a pair does not: lists of an account, and a batch job.
#[test]
fn other_commands_differ_in_nothing() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    for args in [&["list"][..], &["gc", "--yes"], &["backfill", "--yes"], &["export", "terraform"]]
    {
        let file = stand.path(args[0]);
        let args = [args, &["--record", file.to_str().unwrap()]].concat();
        let is_of_a_pair = !["list", "gc"].contains(&args[0]);
        let ran = if is_of_a_pair { stand.pair(&args) } else { stand.run(&args) };
        let _ = ran.exits(0);
        assert_alike(&file);
    }
}

/// Returns how a recording differs, beside what is overlapped.
fn unlike(file: &Path) -> Vec<Value> {
    let object = compared(file);
    let differences = object["differences"].as_array().unwrap();
    differences.iter().filter(|it| !is_overlapped(it)).cloned().collect()
}

/// Asserts that a recording differs in nothing that is not overlapped.
fn assert_alike(file: &Path) {
    let unlike = unlike(file);
    assert!(unlike.is_empty(), "{unlike:#?}");
}

#[test]
fn a_job_and_objects_of_any_size_are_done_again() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let _ = stand.in_process(&["probe", "--count", "2", "--keep"]).exits(0);
    // More than crrctl reads of any other answer.
    let large = stand.path("large");
    let record = large.to_str().unwrap();
    let _ = stand.in_process(&["probe", "--size", "17MiB", "--record", record]).exits(0);
    assert_alike(&large);
    let job = stand.path("job");
    let record = job.to_str().unwrap();
    let args = ["backfill", "--status", "completed", "--yes", "--record", record];
    let _ = stand.in_process(&args).exits(0);
    // The names of a job's report are S3's own, and how far a job is depends on the moment.
    let is_of_report = |it: &Value| it["operation"] == "GetObject" || it["kind"] == "member";
    let unlike: Vec<Value> = unlike(&job).into_iter().filter(|it| !is_of_report(it)).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

/// What an adopted bucket may have: a policy about addresses, a rule of others, no public access block.
#[test]
fn what_an_adopted_bucket_has_is_furnished() {
    let stand = Stand::new();
    stand.s3("us-east-1", async |s3| {
        use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
        for bucket in [SOURCE, "others-target"] {
            s3.create_bucket().bucket(bucket).send().await.unwrap();
            let on = BucketVersioningStatus::Enabled;
            let versioning = VersioningConfiguration::builder().status(on).build();
            let put = s3.put_bucket_versioning().bucket(bucket);
            put.versioning_configuration(versioning).send().await.unwrap();
        }
        s3.delete_public_access_block().bucket(SOURCE).send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
            "Resource": format!("arn:aws:s3:::{SOURCE}"),
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "127.0.0.1"]}},
        }]});
        s3.put_bucket_policy().bucket(SOURCE).policy(policy.to_string()).send().await.unwrap();
    });
    let manifest = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
        destinations: [{region: us-west-2}]\n";
    for command in ["apply", "destroy"] {
        let file = stand.path(command);
        let record = file.to_str().unwrap();
        let _ = stand.manifest(&[command, "--yes", "--record", record], manifest).exits(0);
        let is_refusal = |it: &&Value| it["kind"] == "outcome" || it["kind"] == "code";
        let unlike = unlike(&file);
        let refusals: Vec<&Value> = unlike.iter().filter(is_refusal).collect();
        assert!(refusals.is_empty(), "{command}: {refusals:#?}");
    }
}

#[test]
fn a_rehearsal_differs_in_nothing() {
    let stand = Stand::new();
    let file = stand.path("r");
    let _ = stand.in_process(&["rehearse", "--record", file.to_str().unwrap()]).exits(0);
    let object = compared(&file);
    let differences = object["differences"].as_array().unwrap();
    assert!(differences.iter().all(is_overlapped), "{object:#}");
    assert_eq!(object["unknown"], json!(0), "{object:#}");
    assert!(object["runs"][0]["exchanges"].as_u64() > Some(150), "{object:#}");
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r");
    for (text, why) in [
        ("", ":1: the file is empty"),
        ("mine", ":1: this is no JSON"),
        ("{}", ":1: this is not a recording"),
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

/// Returns the lines of a recording of a rehearsal.
fn rehearsal() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/rehearse.ndjson");
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

fn is_of(line: &str, operation: &str) -> bool {
    line.contains(&format!("\"operation\":\"{operation}\""))
}

/// Replaces `from` once in each line of `operation` that has it.
fn edit(lines: &mut [String], operation: &str, from: &str, to: &str) {
    let mut count = 0;
    for line in lines.iter_mut().filter(|it| is_of(it, operation) && it.contains(from)) {
        *line = line.replacen(from, to, 1);
        count += 1;
    }
    assert!(count > 0, "{operation}: {from}");
}

/// Compares these lines, and returns the exit code and the answer.
fn compared_lines(lines: &[String]) -> (i32, Value) {
    let stand = Stand::new();
    let file = stand.path("r");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let output = stand.run(&["compare", file.to_str().unwrap(), "-o", "json"]);
    (output.code, output.json())
}

/// Asserts that the answer `recorded` of `operation` is a difference that nobody knows.
#[track_caller]
fn assert_unknown(lines: &[String], operation: &str, recorded: &str) {
    let (code, object) = compared_lines(lines);
    let differences = object["differences"].as_array().unwrap();
    let is_it = |it: &Value| {
        it["operation"] == operation
            && it["known"].is_null()
            && it["recorded"].as_str().unwrap().contains(recorded)
    };
    assert!(code == 2 && differences.iter().any(is_it), "{code}: {object:#}");
}

#[test]
fn another_code_is_a_difference() {
    let mut lines = rehearsal();
    let is_it = |it: &String| is_of(it, "CreateBucket") && it.contains("\"region\":\"us-west-2\"");
    let at = lines.iter().position(is_it).unwrap();
    let mut again: Value = serde_json::from_str(&lines[at]).unwrap();
    again["status"] = json!(400);
    again["code"] = json!("InvalidBucketName");
    again["message"] = json!("The specified bucket is not valid.");
    again["answer"] = json!({});
    lines.insert(at + 1, again.to_string());
    assert_unknown(&lines, "CreateBucket", "InvalidBucketName");
}

#[test]
fn another_policy_is_a_difference() {
    let mut lines = rehearsal();
    edit(&mut lines, "GetBucketPolicy", r#"\"Sid\":\"CrrctlTlsOnly\","#, "");
    assert_unknown(&lines, "GetBucketPolicy", "Statement");
}

/// A new role explains FAILED, and one that is older does not.
#[test]
fn another_replication_status_is_a_difference() {
    let mut lines = rehearsal();
    edit(&mut lines, "HeadObject", "COMPLETED", "FAILED");
    let (code, object) = compared_lines(&lines);
    let differences = object["differences"].as_array().unwrap();
    let is_it = |it: &Value| it["operation"] == "HeadObject" && it["recorded"] == "FAILED";
    assert!(code == 0 && differences.iter().any(is_it), "{code}: {object:#}");

    let at = lines.iter().position(|it| is_of(it, "CreateMultipartUpload")).unwrap();
    let header: Value = serde_json::from_str(&lines[0]).unwrap();
    let (day, time) = header["at"].as_str().unwrap().split_once('T').unwrap();
    let hour: u32 = time[..2].parse().unwrap();
    let (then, later) = (format!("{day}T{hour:02}:"), format!("{day}T{:02}:", hour + 1));
    for line in &mut lines[at..] {
        *line = line.replace(&then, &later);
    }
    assert_unknown(&lines, "HeadObject", "FAILED");
}

/// A new key may be Creating, and is not Disabled.
#[test]
fn another_state_of_a_key_is_a_difference() {
    let with = |state: &str| {
        let mut lines = rehearsal();
        let to = format!("\"KeyState\":\"{state}\"");
        edit(&mut lines, "CreateKey", "\"KeyState\":\"Enabled\"", &to);
        lines
    };
    assert_unknown(&with("Disabled"), "CreateKey", "Disabled");
    let (code, object) = compared_lines(&with("Creating"));
    assert_eq!((code, &object["unknown"]), (0, &json!(0)), "{object:#}");
}

#[test]
fn what_no_time_holds_is_compared() {
    let mut lines = rehearsal();
    let at = lines.iter().rposition(|it| it.contains("\"duration_ms\":")).unwrap();
    let mut last: Value = serde_json::from_str(&lines[at]).unwrap();
    last["duration_ms"] = json!(u64::MAX);
    lines[at] = last.to_string();
    let (code, object) = compared_lines(&lines);
    assert!([0, 2].contains(&code), "{code}: {object:#}");
}

#[test]
fn what_can_not_be_sent_is_told_with_its_line() {
    let owner = r#""ExpectedBucketOwner":""#;
    for (operation, from, to) in [
        ("HeadObject", owner.to_owned(), format!("{owner}\\n")),
        ("CreateRole", r#""region":"us-east-1""#.to_owned(), r#""region":"x""#.into()),
        ("HeadBucket", r#""HeadBucket""#.to_owned(), r#""MakeBucket""#.into()),
    ] {
        let mut lines = rehearsal();
        let line = 1 + lines.iter().position(|it| is_of(it, operation)).unwrap();
        edit(&mut lines, operation, &from, &to);
        let (code, object) = compared_lines(&lines);
        let error = &object["error"];
        let message = error["message"].as_str().unwrap_or_default();
        assert!(code == 3 && error["code"] == "recording-unreadable", "{code}: {object:#}");
        assert!(message.contains(&format!("r:{line}: ")), "{message}");
        assert!(!message.contains("ConstructionFailure"), "{message}");
    }
}
