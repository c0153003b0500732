//! The shape of what machines read: keys that scripts rely on, in every object.

use crate::common::{PAIR, Stand};
use serde_json::Value;

/// Returns the keys of `object` that `wanted` lacks.
fn lacks<'a>(object: &Value, wanted: &[&'a str]) -> Vec<&'a str> {
    wanted.iter().copied().filter(|key| object.get(key).is_none()).collect()
}

const KINDS: [&str; 14] = [
    "kms:key",
    "kms:replica-key",
    "kms:alias",
    "kms:rotation",
    "s3:bucket",
    "s3:versioning",
    "s3:encryption",
    "s3:public-access-block",
    "s3:ownership",
    "s3:policy",
    "s3:tags",
    "s3:replication",
    "iam:role",
    "iam:role-policy",
];

#[test]
fn the_objects_of_plan_apply_probe_and_destroy() {
    let stand = Stand::new();
    let plan = stand.pair(&["plan"]).exits(0).json();
    assert_eq!(plan["schema"], "crrctl/plan/v1");
    for change in plan["changes"].as_array().unwrap() {
        let wanted = ["step", "kind", "region", "name", "action", "reason", "detail"];
        assert_eq!(lacks(change, &wanted), [""; 0]);
    }

    let apply = stand.pair(&["apply", "--yes"]).exits(0).json();
    assert_eq!(apply["schema"], "crrctl/apply/v1");
    let wanted = [
        "pair",
        "changed",
        "resources",
        "probes",
        "summary",
        "api_calls",
        "elapsed_ms",
        "activated_at",
    ];
    assert_eq!(lacks(&apply, &wanted), [""; 0]);
    assert!(apply.get("error").is_none());
    let resources = apply["resources"].as_array().unwrap();
    for resource in resources {
        assert_eq!(lacks(resource, &["step", "kind", "region", "arn", "action"]), [""; 0]);
        assert!(resource["arn"].as_str().unwrap().starts_with("arn:aws:"), "{resource}");
    }
    for kind in KINDS {
        assert!(resources.iter().any(|resource| resource["kind"] == kind), "{kind}");
    }

    let probe = stand.pair(&["probe"]).exits(0).json();
    assert_eq!(probe["schema"], "crrctl/probe/v1");
    for probe in
        probe["probes"].as_array().unwrap().iter().chain(apply["probes"].as_array().unwrap())
    {
        let wanted = [
            "rule",
            "source",
            "destination",
            "status",
            "replica_status",
            "kms_key_arn",
            "latency_ms",
            "attempts",
            "checks",
            "differences",
            "etag",
            "checksum",
        ];
        assert_eq!(lacks(probe, &wanted), [""; 0]);
        assert_eq!(lacks(&probe["source"], &["bucket", "key", "version_id", "region"]), [""; 0]);
        assert_eq!(lacks(&probe["destination"], &["bucket", "region"]), [""; 0]);
        let checks = ["version_id", "size", "body", "kms_key", "bucket_key", "status"];
        assert!(checks.iter().all(|check| probe["checks"][check] == true), "{probe}");
        assert_eq!(
            (&probe["status"], &probe["replica_status"]),
            (&"COMPLETED".into(), &"REPLICA".into())
        );
        assert_eq!(probe["etag"], "same");
    }
    let summary = ["count", "completed", "failed", "p50_ms", "p95_ms", "p99_ms", "max_ms"];
    assert_eq!(lacks(&probe["summary"], &summary), [""; 0]);

    let destroy = stand.pair(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(destroy["schema"], "crrctl/destroy/v1");
    assert_eq!(lacks(&destroy, &["removed", "left", "keys"]), [""; 0]);
    for key in destroy["keys"].as_array().unwrap() {
        assert_eq!(lacks(key, &["arn", "state", "deletes_not_before"]), [""; 0]);
    }
}

#[test]
fn json_is_all_there_is_on_stdout() {
    let stand = Stand::new();
    let output = stand.run(&["apply", "--sandbox", "--yes", "-o", "json"]).exits(0);
    let object = output.json();
    assert_eq!((&object["pair"], &object["changed"]), (&"demo".into(), &true.into()));
    assert!(!output.stderr.is_empty(), "progress goes to stderr");
    let quiet = stand.run(&["apply", "--sandbox", "--yes", "-o", "json", "-q"]).exits(0);
    assert_eq!(quiet.stderr, "");
    assert_eq!(
        stand.calls()["by_operation"],
        serde_json::json!({}),
        "--sandbox calls nothing outside this process"
    );
}

#[test]
fn the_manifest_in_the_folder_is_found_and_flags_have_variables() {
    let stand = Stand::new();
    let manifest =
        "name: found\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
    std::fs::write(stand.path("crrctl.yaml"), manifest).unwrap();
    assert_eq!(stand.run(&["plan", "-o", "json"]).exits(0).json()["pair"], "found");
    let mut command = stand.command(&["plan"]);
    command.env("CRRCTL_OUTPUT", "json").env("CRRCTL_NAME", "by-variable");
    command.env("CRRCTL_SOURCE", "us-east-1").env("CRRCTL_DESTINATION", "us-west-2,eu-west-1");
    let output = crate::common::finished(&mut command).exits(0).json();
    assert_eq!(output["pair"], "by-variable");
    assert_eq!(
        output["changes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["kind"] == "kms:replica-key")
            .count(),
        2
    );
}

#[test]
fn aws_region_does_not_override_the_manifest() {
    let stand = Stand::new();
    let mut command =
        stand.command(&[&["apply", "--yes", "--no-probe", "-o", "json"], &PAIR[..]].concat());
    let applied =
        crate::common::finished(command.env("AWS_REGION", "eu-central-1")).exits(0).json();
    let regions: std::collections::BTreeSet<&str> = applied["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["region"].as_str().unwrap())
        .collect();
    assert_eq!(regions.into_iter().collect::<Vec<_>>(), ["us-east-1", "us-west-2"]);
}

#[test]
fn the_sandbox_server_prints_exports_and_ends_on_a_signal() {
    use std::io::{BufRead, BufReader};
    let stand = Stand::new();
    let mut command = stand.command(&["sandbox", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines: Vec<String> =
        BufReader::new(child.stdout.take().unwrap()).lines().take(5).map(Result::unwrap).collect();
    let value = |name: &str| {
        let start = format!("export {name}=");
        lines
            .iter()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("{name} in {lines:?}"))
            .to_owned()
    };
    assert!(value("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    let mut apply = stand.command(&[&["apply", "--yes"], &PAIR[..]].concat());
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ] {
        apply.env(name, value(name));
    }
    let _ = crate::common::finished(&mut apply).exits(0);
    assert!(
        std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn rehearse_makes_what_the_manifest_adopts() {
    let manifest = "name: demo\nsource: {region: us-east-1, adopt: true}\ndestinations: [{region: us-west-2, adopt: true}]\n";
    let home = tempfile::TempDir::new().unwrap();
    let command = crate::common::bare(&home, &["rehearse", "-o", "json", "-f", "-"]);
    let rehearsed = crate::common::fed(command, manifest).exits(0).json();
    assert_eq!(rehearsed["left"], serde_json::json!([]));
    let phases = rehearsed["phases"].to_string();
    assert!(phases.contains("2 adopted buckets"), "{phases}");
}

/// Keys, roles, boundaries and log targets that exist by the manifest are there in a rehearsal, and several pairs take
/// their turns.
#[test]
fn rehearse_tells_every_pair() {
    let manifest = "pairs:\n  - {name: one, source: {region: us-east-1}, destinations: [{region: us-west-2}]}\n  \
        - {name: two, source: {region: eu-west-1}, destinations: [{region: eu-central-1}]}\n";
    let home = tempfile::tempdir().unwrap();
    let command = crate::common::bare(&home, &["rehearse", "-o", "json", "-f", "-"]);
    let rehearsed = crate::common::fed(command, manifest).exits(0).json();
    let pairs = rehearsed["pairs"].as_array().unwrap();
    let told: Vec<_> = pairs.iter().map(|it| (it["pair"].as_str().unwrap(), &it["left"])).collect();
    assert_eq!(told, [("one", &serde_json::json!([])), ("two", &serde_json::json!([]))]);
    for pair in pairs {
        assert_eq!(pair["probes"][0]["status"], "COMPLETED", "{pair:#}");
        assert_eq!((&pair["exit_code"], pair["phases"].as_array().unwrap().len()), (&0.into(), 4));
    }
    assert_eq!((&rehearsed["count"], &rehearsed["failed"]), (&2.into(), &0.into()));
}

#[test]
fn rehearse_has_what_exists_by_the_manifest() {
    const MRK: &str = "key/mrk-11111111111111111111111111111111";
    let by_arn = format!(
        "name: ex\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n\
         key: {{kind: existing, arns: [\"arn:aws:kms:us-east-1:222233334444:{MRK}\", \"arn:aws:kms:us-west-2:222233334444:{MRK}\"]}}\n\
         role: {{arn: \"arn:aws:iam::222233334444:role/service-role/mine\"}}\n"
    );
    let by_alias = "name: al\nsource: {region: us-east-1, bucket: al-src, adopt: true}\n\
        destinations: [{region: us-west-2, bucket: al-dst}]\n\
        key: {kind: existing, arns: {us-east-1: alias/mine, us-west-2: alias/theirs}}\n\
        role: {permissions_boundary: \"arn:aws:iam::111122223333:policy/limits/b\"}\n\
        buckets: {logging: {bucket: \"logs-{account}-{region}\", prefix: x/}}\n";
    let pairs = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        pairs: [{name: one}, {name: two, key: {kind: none}}]\n";
    for manifest in [by_arn.as_str(), by_alias, pairs] {
        let home = tempfile::TempDir::new().unwrap();
        let command = crate::common::bare(&home, &["rehearse", "-o", "json", "-f", "-"]);
        let rehearsed = crate::common::fed(command, manifest).exits(0).json();
        assert_eq!(rehearsed["left"], serde_json::json!([]), "{manifest}");
    }
}

#[test]
fn rehearse_lives_the_whole_life() {
    let rehearsed = crate::common::alone(&["rehearse", "-o", "json"]).exits(0).json();
    let phases: Vec<&str> = rehearsed["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["plan", "apply", "apply again", "destroy"]);
    assert_eq!(rehearsed["left"], serde_json::json!([]));
    assert!(
        rehearsed["probes"].as_array().unwrap().iter().all(|probe| probe["status"] == "COMPLETED")
    );
}

#[test]
fn a_failed_run_ends_its_events_with_the_error() {
    let stand = Stand::new();
    stand.bucket_of_somebody_else();
    let output = stand.run(&[&["apply", "--yes", "-o", "ndjson"], &PAIR[..]].concat()).exits(10);
    let events: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [.., error, done] = &events[..] else { panic!("{output}") };
    assert_eq!((&done["event"], &done["ok"]), (&"run.done".into(), &false.into()));
    assert_eq!(
        (&error["event"], &error["failure"]["kind"]),
        (&"error".into(), &"in-the-way".into())
    );
}

#[test]
fn usage_errors_are_objects_too_where_json_is_asked_for() {
    for args in
        [&["plan", "-o", "json", "--timeout", "5"][..], &["plan", "--nope", "--output=json"]]
    {
        let object = crate::common::alone(args).exits(3).json();
        assert_eq!(
            (&object["schema"], &object["error"]["code"]),
            (&"crrctl/plan/v1".into(), &"usage".into())
        );
    }
}

#[test]
fn switches_in_variables_are_read_as_everybody_writes_them() {
    let stand = Stand::new();
    for (value, code) in [("1", 0), ("true", 0), ("0", 3), ("", 3)] {
        let mut command = stand.command(&[&["apply", "--no-probe"], &PAIR[..]].concat());
        let output = crate::common::finished(
            command.env("CRRCTL_YES", value).stdin(std::process::Stdio::null()),
        );
        assert_eq!(output.code, code, "{value}: {output}");
    }
}

/// Runs `crrctl sandbox` with a shell as its command.
fn sandboxed(script: &str) -> crate::common::Output {
    crate::common::alone(&["sandbox", "--", "sh", "-c", script])
}

#[test]
fn sandbox_runs_a_command_and_ends_with_its_code() {
    let set = r#"for name in AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION; do
        eval "echo $name=\$$name"; done"#;
    let ran = sandboxed(set).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("AWS_ENDPOINT_URL=http://127.0.0.1:"), "{lines:?}");
    assert!(lines[1..].iter().all(|line| !line.ends_with('=')) && lines.len() == 5, "{lines:?}");
    let _ = sandboxed("exit 7").exits(7);
    let _ = sandboxed("kill -9 $$").exits(137);
    let missing = crate::common::alone(&["sandbox", "--", "/no/such/command"]).exits(3);
    assert!(missing.stderr.contains("can't run `/no/such/command`"), "{}", missing.stderr);
}

#[test]
fn sandbox_keeps_its_command_away_from_aws_and_passes_signals_on() {
    use std::io::{BufRead, BufReader};
    let stand = Stand::new();
    let script = r#"echo "${AWS_PROFILE-}${AWS_SESSION_TOKEN-}${AWS_ENDPOINT_URL_S3-}"
        echo "$AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
        trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.05; done"#;
    let mut command = stand.command(&["sandbox", "--", "sh", "-c", script]);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"] {
        command.env(name, "elsewhere");
    }
    command.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some(""));
    assert_eq!(lines.next().as_deref(), Some("false"));
    assert_eq!(lines.next().as_deref(), Some("ready"));
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.unwrap().success());
    assert_eq!(lines.next().as_deref(), Some("ended"));
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

/// A shell that tells each SIGINT at once and ends on SIGTERM, on SIGQUIT or after a minute.
#[cfg(target_os = "linux")]
const TELLS: &str = "trap 'echo got' INT; trap 'kill $!; exit 3' TERM QUIT; sleep 60 & echo ready; while kill -0 $!; do wait; done";

/// Ctrl-C reaches the command of the terminal's foreground once, whatever its stdin is.
#[test]
#[cfg(target_os = "linux")]
fn sandbox_leaves_ctrl_c_to_the_terminal() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    let program = crate::common::binary().display().to_string();
    for input in ["", "< /dev/null"] {
        // `script` runs its command in a terminal of its own, and passes its input on to it.
        let line = format!(r#"exec {program} sandbox -- sh -c "$TELLS" {input}"#);
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TELLS", TELLS);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut keys = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with("ready")), "{input}");
        keys.write_all(b"\x03").unwrap();
        // A second SIGINT would come a moment later.
        std::thread::sleep(std::time::Duration::from_millis(500));
        keys.write_all(b"\x1c").unwrap();
        assert_eq!(lines.filter(|line| line.ends_with("got")).count(), 1, "{input}");
        child.wait().unwrap();
    }
}

/// A SIGINT from elsewhere is passed on where no terminal sends one.
#[test]
#[cfg(target_os = "linux")]
fn sandbox_passes_sigint_on_without_a_terminal() {
    use std::io::{BufRead, BufReader};
    let mut command = std::process::Command::new("setsid");
    command.arg(crate::common::binary()).args(["sandbox", "--", "sh", "-c", TELLS]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    crate::common::signal(&child, "INT");
    assert_eq!(lines.next().as_deref(), Some("got"));
    crate::common::signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

/// A plan tells each value that will be written, and never an id that no key has.
#[test]
fn a_plan_tells_what_it_will_set() {
    let stand = Stand::new();
    let detail = |plan: &serde_json::Value, kind: &str| {
        let changes = plan["changes"].as_array().unwrap();
        let of_kind = changes.iter().find(|it| it["kind"] == kind).unwrap();
        of_kind["detail"].as_array().unwrap().clone()
    };
    let fresh = stand.pair(&["plan"]).exits(0);
    assert!(!fresh.stdout.contains("00000000000000000000000000000000"), "a placeholder is told");
    let fresh = fresh.json();
    for change in fresh["changes"].as_array().unwrap() {
        assert_ne!(change["detail"], serde_json::json!([]), "{change:#}");
    }
    let rule = &detail(&fresh, "s3:replication")[1];
    let key = "arn:aws:kms:us-west-2:111122223333:key/(known after apply)";
    assert_eq!(rule["to"]["replica_key"], key);
    assert_eq!(rule["known_after_apply"], true);

    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let settled = stand.pair(&["plan"]).exits(0).json();
    let removal = stand.pair(&["plan", "--destroy"]).exits(0).json();
    for plan in [&settled, &removal] {
        for change in plan["changes"].as_array().unwrap() {
            assert_eq!(change["detail"], serde_json::json!([]), "{change:#}");
        }
    }

    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {rotation_days: 90}\nbuckets: {tls_only: false}\n";
    std::fs::write(stand.path("changed.yaml"), manifest).unwrap();
    let changed = stand.run(&["plan", "-f", "changed.yaml", "-o", "json"]).exits(0).json();
    let days = &detail(&changed, "kms:rotation")[0];
    assert_eq!((&days["from"], &days["to"]), (&365.into(), &90.into()));
    let statement = &detail(&changed, "s3:policy")[0];
    assert_eq!(statement["what"], "statement");
    assert_eq!(statement["to"], serde_json::Value::Null);
}
