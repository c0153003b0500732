//! Evidence for people and machines: `wait`, `status`, `watch`, delete markers, and reports as `JUnit`, for GitHub and as HTML.

use crate::common::{DESTINATION, Output, PAIR, SOURCE, Stand, alone, finished, signal};
use aws_sdk_s3::types::{DeleteMarkerReplication, DeleteMarkerReplicationStatus as Status};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

fn built() -> Stand {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand
}

fn rule(stand: &Stand, edit: impl FnOnce(&mut aws_sdk_s3::types::ReplicationRule)) {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let mut live = live.replication_configuration().unwrap().clone();
        edit(&mut live.rules[0]);
        let put = s3.put_bucket_replication().bucket(SOURCE).replication_configuration(live);
        put.send().await.unwrap();
    });
}

fn markers_on(stand: &Stand) {
    markers(stand, Status::Enabled);
}

fn markers(stand: &Stand, status: Status) {
    rule(stand, |rule| {
        let markers = DeleteMarkerReplication::builder().status(status).build();
        rule.delete_marker_replication = Some(markers);
    });
}

#[test]
fn wait_for_any_object_needs_no_manifest() {
    let stand = built();
    stand.put_theirs("a/b c");
    let uri = format!("s3://{SOURCE}/a/b c");
    let waited = stand.run(&["wait", &uri, "-o", "json"]).exits(0).json();
    assert_eq!(waited["schema"], "crrctl/wait/v1");
    assert_eq!(
        (&waited["status"], &waited["object"]["region"]),
        (&"COMPLETED".into(), &"us-east-1".into())
    );
    let version = waited["object"]["version_id"].as_str().unwrap();
    let _ = stand.run(&["wait", &uri, "--version-id", version, "--for", "completed"]).exits(0);
    // The bucket lies in another Region than the one that is asked first; a replica has arrived.
    let replica = format!("s3://{DESTINATION}/a/b c");
    let replica = stand.run(&["wait", &replica, "-o", "json"]).exits(0).json();
    assert_eq!(
        (&replica["status"], &replica["object"]["region"]),
        (&"REPLICA".into(), &"us-west-2".into())
    );
}

#[test]
fn wait_ends_by_what_became_of_the_object() {
    let stand = built();
    stand.disable_replica_key();
    stand.put_theirs("broken");
    let failed =
        stand.run(&["wait", &format!("s3://{SOURCE}/broken"), "-o", "json"]).exits(6).json();
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&"FAILED".into(), &"replication-failed".into())
    );
    let missing =
        stand.run(&["wait", &format!("s3://{SOURCE}/nothing"), "-o", "json"]).exits(3).json();
    assert_eq!(missing["error"]["code"], "object-missing");
    let missing = stand.run(&["wait", "s3://no-such-bucket-here/k", "-o", "json"]).exits(3).json();
    assert_eq!(missing["error"]["code"], "object-missing");
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
    });
    stand.put_theirs("plain");
    let none = stand.run(&["wait", &format!("s3://{SOURCE}/plain"), "-o", "json"]).exits(6).json();
    assert_eq!(none["error"]["code"], "no-replication-status");
    for wrong in ["orders/key", "s3://bucket", "s3://bucket/", "s3://B/k"] {
        let _ = stand.run(&["wait", wrong]).exits(3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_is_too_late_where_an_object_stays_pending() {
    use crate::sandbox::{ACCOUNT, EAST, WEST};
    use crrctl_sandbox::{Lag, Options, SECRET};
    let options =
        Options { lag: Lag::Aws, seed: Some(1), clock_stands: true, ..Options::default() };
    let stand = crate::sandbox::Stand::with(options).await;
    stand.bucket("late-src", EAST, true).await;
    stand.bucket("late-dst", WEST, true).await;
    stand.role().await;
    stand.control("POST", "clock", r#"{"advance": "1m"}"#).await;
    let rule = crate::sandbox::rule("one", 1, "late-dst", None).build().unwrap();
    stand.replicate("late-src", [rule]).await;
    stand.control("POST", "clock", r#"{"advance": "1m"}"#).await;
    stand.put("late-src", "k").await;
    let home = tempfile::TempDir::new().unwrap();
    let args = ["wait", "s3://late-src/k", "--timeout", "1s", "-o", "json"];
    let mut wait = crate::common::bare(&home, &args);
    wait.env("AWS_ENDPOINT_URL", stand.sandbox.endpoint())
        .env("AWS_ACCESS_KEY_ID", ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .stdin(Stdio::null());
    let output = finished(&mut wait).exits(7).told("replication-pending").json();
    assert_eq!(output["status"], "PENDING");
    assert_eq!(output["error"]["code"], "replication-pending");
}

#[test]
fn status_shows_the_pair_its_drift_and_its_objects() {
    let stand = Stand::new();
    let nothing = stand.in_process(&["status"]).exits(3).json();
    assert_eq!(nothing["error"]["code"], "pair-missing");
    assert_eq!((&nothing["stands"], &nothing["keys"]), (&false.into(), &serde_json::json!([])));
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let _ = stand.in_process(&["probe", "--keep"]).exits(0);
    stand.put_theirs("good");
    let _ = stand.run(&["wait", &format!("s3://{SOURCE}/good")]).exits(0);
    let whole = stand.in_process(&["status"]).exits(0).json();
    assert_eq!(whole["schema"], "crrctl/status/v1");
    assert_eq!((&whole["stands"], &whole["drift"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(
        (whole["keys"].as_array().unwrap().len(), whole["rules"].as_array().unwrap().len()),
        (2, 1)
    );
    assert_eq!(
        (&whole["objects"]["completed"], &whole["objects"]["kept_probes"]),
        (&1.into(), &1.into())
    );
    markers_on(&stand);
    stand.disable_replica_key();
    stand.put_theirs("bad");
    let _ = stand.run(&["wait", &format!("s3://{SOURCE}/bad")]).exits(6);
    let text = stand.run(&[&["status"], &PAIR[..]].concat());
    assert!(text.stdout.contains("Disabled") && text.stdout.contains("1 FAILED"), "{text}");
    let object = stand.in_process(&["status", "--sample", "0"]).json();
    assert_eq!(object["objects"], serde_json::Value::Null);
    assert_eq!(object["keys"][1]["state"], "Disabled");
}

#[test]
fn delete_markers_replicate_or_do_not_as_the_manifest_says() {
    let stand = built();
    let probe = |code| stand.in_process(&["probe", "--delete-marker"]).exits(code).json();
    let off = probe(0);
    assert_eq!(
        (&off["delete_markers"][0]["expected"], &off["delete_markers"][0]["replicated"]),
        (&false.into(), &false.into())
    );
    markers_on(&stand);
    // The rule lets them through now; the role does not.
    let still = probe(0);
    assert_eq!(still["delete_markers"][0]["replicated"], false);

    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nreplication: {delete_markers: true}\n";
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], manifest).exits(0);
    let on = stand
        .in_process_with(&["probe", "--delete-marker", "-o", "json"], manifest)
        .exits(0)
        .json();
    assert_eq!(
        (&on["delete_markers"][0]["expected"], &on["delete_markers"][0]["replicated"]),
        (&true.into(), &true.into())
    );
    assert!(on["delete_markers"][0]["latency_ms"].is_u64());
    // What replicates although the manifest says that nothing does is wrong.
    let wrong = stand.pair(&["probe", "--delete-marker"]).exits(8).told("marker-replicated").json();
    assert_eq!(wrong["error"]["code"], "marker-replicated");
    markers(&stand, Status::Disabled);
    let late = stand
        .manifest(&["probe", "--delete-marker", "--timeout", "8s", "-o", "json"], manifest)
        .exits(7)
        .told("marker-not-replicated")
        .json();
    assert_eq!(late["error"]["code"], "marker-not-replicated");
    // Nothing of it stays, on either side.
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let page = stand
            .s3(region, async |s3| s3.list_object_versions().bucket(bucket).send().await.unwrap());
        assert!(
            page.versions().is_empty() && page.delete_markers().is_empty(),
            "{region}: {page:?}"
        );
    }
}

/// Returns the metrics that are served at `address`.
fn scraped(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: canary\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn watch_probes_until_a_signal_and_serves_metrics() {
    let stand = built();
    let args = ["watch", "--every", "1s", "--listen", "127.0.0.1:0"];
    let mut child = stand
        .command(&[&args, &PAIR[..]].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address =
        stderr.find_map(|line| line.strip_prefix("metrics at http://").map(str::to_owned));
    let address = address.unwrap().trim_end_matches("/metrics").to_owned();
    std::thread::spawn(move || stderr.for_each(drop));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let good = lines.next().unwrap();
    assert!(good.contains("us-east-1 → us-west-2 COMPLETED"), "{good}");
    let metrics = scraped(&address, "/metrics");
    for line in [
        "crrctl_up{pair=\"demo\"",
        "crrctl_replication_latency_seconds_bucket{",
        "status=\"COMPLETED\"} ",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(scraped(&address, "/other").starts_with("HTTP/1.1 404"));
    // A round that fails is told and does not end it.
    stand.disable_replica_key();
    let bad = lines.find(|line| line.contains("replication-failed")).unwrap();
    assert!(bad.contains("ERROR"), "{bad}");
    let metrics = scraped(&address, "/metrics");
    assert!(
        metrics.contains("status=\"FAILED\"} ")
            && metrics.contains("code=\"replication-failed\"} "),
        "{metrics}"
    );
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let _ = alone(&["watch", "--sandbox", "--junit", "x.xml"]).exits(3);
}

#[test]
fn watch_tells_each_round_as_an_event() {
    let stand = built();
    let events = stand
        .watched("name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n");
    let round = events.iter().find(|event| event["event"] == "watch.round").unwrap();
    assert_eq!(round["ok"], true);
    assert!(
        events.iter().any(|event| event["event"] == "probe.done" && event["status"] == "COMPLETED")
    );
}

fn reported(stand: &Stand, command: &[&str], name: &str) -> (Output, String) {
    let path = stand.path(name);
    let flag = format!("--{}", if name.ends_with("xml") { "junit" } else { "html" });
    let output = stand.pair(&[command, &[&flag, path.to_str().unwrap()]].concat());
    (output, std::fs::read_to_string(&path).unwrap())
}

#[test]
fn junit_has_a_testcase_a_rule_with_its_latency_and_the_cause() {
    let stand = built();
    let (output, good) = reported(&stand, &["probe", "--count", "3"], "good.xml");
    let _ = output.exits(0);
    assert!(good.contains(r#"tests="1" skipped="0" errors="0" failures="0""#), "{good}");
    assert!(
        good.contains(
            r#"<testcase name="us-east-1 → us-west-2" classname="crrctl.demo.us-west-2" time=""#
        ),
        "{good}"
    );
    stand.disable_replica_key();
    let (output, bad) = reported(&stand, &["probe"], "bad.xml");
    let _ = output.exits(6);
    assert!(
        bad.contains("<failure message=\"key.state in us-west-2: ")
            && bad.contains("DstKmsKeyInvalidState"),
        "{bad}"
    );
    let (output, checks) = reported(&stand, &["check"], "checks.xml");
    let _ = output.exits(2);
    assert!(checks.contains(r#"<testcase name="us-west-2" classname="key.state""#), "{checks}");
    // A run that ends before anything could be probed is an error of its own.
    let path = stand.path("usage.xml");
    let _ = alone(&["probe", "--junit", path.to_str().unwrap()]).exits(3);
    let usage = std::fs::read_to_string(path).unwrap();
    assert!(usage.contains(r#"errors="1""#) && usage.contains("there is no manifest"), "{usage}");
    let nowhere = stand.pair(&["probe", "--junit", "/no/such/folder/a.xml"]);
    assert!(nowhere.stderr.contains("can't write /no/such/folder/a.xml"), "{nowhere}");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let stand = built();
    let summary = stand.path("summary.md");
    let run = |args: &[&str]| {
        let mut command = stand.command(&[args, &PAIR[..], &["-q"]].concat());
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .stdin(Stdio::null());
        finished(&mut command)
    };
    let good = run(&["probe"]).exits(0);
    assert!(!good.stderr.contains("::error"), "{good}");
    let _ = run(&["plan"]).exits(0);
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.contains("✅ crrctl plan demo"), "{text}");
    stand.disable_replica_key();
    let bad = run(&["probe"]).exits(6);
    assert!(bad.stderr.contains("::error title=crrctl%3A replication-failed::"), "{bad}");
    assert!(bad.stderr.contains("key.state in us-west-2"), "{bad}");
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.contains("| crrctl.demo.us-west-2 | us-east-1 → us-west-2 | 1 | 1 |"), "{text}");
    assert!(
        text.contains("❌ crrctl probe demo") && text.contains("DstKmsKeyInvalidState"),
        "{text}"
    );
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    let _ = run(&["plan", "--detailed-exitcode"]).exits(2);
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.contains("⚠ crrctl plan demo\n\n**22 to create**"), "{text}");
}

#[test]
fn the_html_report_needs_nothing_but_itself() {
    let stand = Stand::new();
    let (output, page) = reported(&stand, &["apply", "--yes"], "apply.html");
    let _ = output.exits(0);
    for part in [
        "<h2 id=\"evidence\">",
        "<h2 id=\"steps\">",
        "s3:replication",
        "<strong>critical path</strong>",
        "COMPLETED",
        SOURCE,
        DESTINATION,
    ] {
        assert!(page.contains(part), "{part}");
    }
    let page = page.replace(&stand.endpoint(), "");
    for outside in ["http://", "https://", "src=", "<script", "@import", "url("] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
    stand.disable_replica_key();
    let (output, page) = reported(&stand, &["probe"], "bad.html");
    let _ = output.exits(6);
    assert!(page.contains("What went wrong") && page.contains("key.state in us-west-2"), "{page}");
    let (output, page) = reported(&stand, &["check"], "check.html");
    let _ = output.exits(2);
    assert!(page.contains("<strong>fix:</strong>") && page.contains("enable-key"), "{page}");
}

#[test]
fn the_html_report_draws_both_ways_with_keys_roles_accounts_and_policies() {
    let stand = Stand::new();
    stand.profile("archive", "444455556666");
    let path = stand.path("page.html");
    let page = |manifest: &str| {
        let args = ["apply", "--yes", "-q", "--html", path.to_str().unwrap()];
        let _ = stand.manifest(&args, manifest).exits(0);
        std::fs::read_to_string(&path).unwrap().replace("&#x2f;", "/")
    };
    let both = page(
        "name: both\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1, prefix: shared/}]\nreplication: {two_way: true}\n",
    );
    assert_eq!(both.matches("<div class=\"way\">").count(), 3, "there, and back from each");
    for part in [
        "role/crrctl/crrctl-both-us-east-1",
        "role/crrctl/crrctl-both-us-west-2",
        "role/crrctl/crrctl-both-eu-west-1",
        "<code>crrctl.both.eu-west-1</code><br><span class=\"faint\">prefix</span> <code>shared/</code>",
        "<code>alias/crrctl/both</code>",
        "<h2 id=\"policies\">",
        "<caption id=\"policy-1\"><code>",
        "<code>s3:GetObjectVersionForReplication</code>",
        "Statement[1] (SourceObjects)",
        "<td data-label=\"step\">look <code>",
        "<td data-label=\"step\">probe <code>2 × us-west-2 → us-east-1</code>",
    ] {
        assert!(both.contains(part), "{part}: {both}");
    }
    let far = page(
        "name: far\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: archive}]\nkey: {kind: none}\n",
    );
    for part in ["444455556666 (another one)", "none (SSE-S3)", "s3:ReplicateObject"] {
        assert!(far.contains(part), "{part}: {far}");
    }
}

#[test]
fn what_decides_about_each_call_is_an_event_of_its_own() {
    let stand = built();
    let said = |command: &[&str]| {
        let output = stand.run(&[command, &PAIR[..], &["-o", "ndjson"]].concat());
        let mut lines = output.stdout.lines();
        let line = lines.find(|line| line.contains(r#""event":"proof""#)).unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()["calls"].clone()
    };
    for command in [&["plan"][..], &["check"]] {
        let calls = said(command);
        let calls = calls.as_array().unwrap();
        assert!(calls.len() > 8, "{calls:?}");
        assert!(calls.iter().all(|it| it["allowed"] == true && it["statement"].is_string()));
    }
    stand.iam(async |iam| {
        let put = iam.put_role_policy().role_name("crrctl-demo-us-east-1");
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        put.policy_name("replication").policy_document(text).send().await.unwrap()
    });
    let calls = said(&["check"]);
    let denied: Vec<&serde_json::Value> =
        calls.as_array().unwrap().iter().filter(|it| it["allowed"] == false).collect();
    assert!(
        !denied.is_empty()
            && denied.iter().all(|it| it["action"].as_str().unwrap().starts_with("kms:"))
    );
}

#[test]
fn reports_are_turned_on_by_variables_too() {
    let stand = built();
    let (junit, html) = (stand.path("v.xml"), stand.path("v.html"));
    let mut command = stand.command(&[&["probe", "-q"], &PAIR[..]].concat());
    command.env("CRRCTL_JUNIT", &junit).env("CRRCTL_HTML", &html).stdin(Stdio::null());
    let _ = finished(&mut command).exits(0);
    assert!(junit.exists() && html.exists());
}

/// Checks, steps and policies bear the same names in every pair: in each report every pair has a place of its own.
#[test]
fn reports_of_many_pairs_keep_them_apart() {
    let stand = Stand::new();
    let text = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{name: a}, {name: b}, {name: c}]\n";
    stand.s3("us-east-1", async |s3| {
        let bucket = "b-111122223333-us-east-1";
        s3.create_bucket().bucket(bucket).send().await.unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"theirs");
        s3.put_object().bucket(bucket).key("k").body(body).send().await.unwrap();
    });
    std::fs::write(stand.path("crrctl.yaml"), text).unwrap();
    let reported = |command: &[&str], code: i32| {
        let files = ["--junit", "run.xml", "--html", "run.html", "--github", "-o", "json"];
        let mut command = stand.command(&[command, &["--quota-factor", "1000"], &files].concat());
        command.env("GITHUB_STEP_SUMMARY", stand.path("summary.md")).stdin(Stdio::null());
        let output = finished(&mut command).exits(code);
        let read = |name: &str| std::fs::read_to_string(stand.path(name)).unwrap();
        (output, read("run.xml"), read("run.html"), read("summary.md"))
    };
    let (output, junit, html, summary) = reported(&["apply", "--yes"], 10);
    for (pair, ok) in [("a", true), ("b", false), ("c", true)] {
        let suite = format!("<testsuite name=\"crrctl apply {pair}\" tests=\"1\"");
        assert_eq!(junit.matches(&suite).count(), 1, "{junit}");
        let case = format!("classname=\"{pair}/crrctl.{pair}.us-west-2\"");
        assert_eq!(junit.matches(&case).count(), usize::from(ok), "{junit}");
        assert_eq!(html.matches(&format!("<h2 id=\"of-{pair}\">{pair}</h2>")).count(), 1);
        let sign = if ok { "✅" } else { "❌" };
        assert_eq!(summary.matches(&format!("## {sign} crrctl apply {pair}\n")).count(), 1);
    }
    // The pair that failed comes first and is open; the others are folded.
    let folds: Vec<&str> = html.split("<details class=\"pairs\"").skip(1).collect();
    assert_eq!(folds.len(), 3, "{html}");
    assert!(folds[0].starts_with(" open>") && folds[0].contains("id=\"of-b\""), "{}", folds[0]);
    assert!(folds[1..].iter().all(|fold| fold.starts_with('>')), "{html}");
    assert!(html.contains("<a href=\"#in-b\">") && folds[0].contains("id=\"in-b\""), "{html}");
    assert!(junit.contains("type=\"bucket-not-ours\""), "{junit}");
    assert_eq!(output.stderr.matches("::error title=crrctl b%3A bucket-not-ours").count(), 1);
    let (_, junit, html, _) = reported(&["check", "--skip-check", "bucket.owner"], 2);
    let mut names = BTreeSet::new();
    for case in junit.split("<testcase ").skip(1) {
        let name: Vec<&str> = case.split('"').take(4).collect();
        assert!(names.insert(name.join(" ")), "twice: {name:?}");
    }
    assert!(names.len() > 60, "{names:?}");
    // Ids are what links and names of tables go by.
    let mut ids = BTreeSet::new();
    for id in html.split(" id=\"").skip(1) {
        assert!(ids.insert(id.split('"').next().unwrap()), "twice: {id:.40}");
    }
    assert!(ids.contains("checks-a") && ids.contains("checks-c"), "{ids:?}");
}

/// A failed check is a failure in every report, and its first cause and fix stand on top.
#[test]
fn a_failed_check_is_the_headline_of_every_report() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let reported = |code: i32| {
        let _ = std::fs::remove_file(stand.path("summary.md"));
        let files = ["check", "--html", "run.html", "--junit", "run.xml", "--github"];
        let mut command = stand.command(&[&files, &crate::common::PAIR[..]].concat());
        command.env("GITHUB_STEP_SUMMARY", stand.path("summary.md")).stdin(Stdio::null());
        let _ = finished(&mut command).exits(code);
        let read = |name: &str| std::fs::read_to_string(stand.path(name)).unwrap();
        [read("summary.md"), read("run.html"), read("run.xml")]
    };
    let [summary, html, junit] = reported(0);
    assert!(summary.starts_with("## ✅") && html.contains("<strong class=\"good\">done"), "{html}");
    assert!(junit.contains("failures=\"0\""), "{junit}");
    stand.disable_replica_key();
    let [summary, html, junit] = reported(2);
    assert!(summary.starts_with("## ❌"), "{summary}");
    let top: String = summary.lines().take(4).collect();
    assert!(top.contains("checks failed.** `key.state`") && top.contains("Fix: "), "{summary}");
    assert!(html.contains("checks failed</strong>") && html.contains("Fix: "), "{html}");
    assert!(!html.contains("<strong class=\"good\">done"), "{html}");
    assert!(!junit.contains("failures=\"0\""), "{junit}");
    for fact in
        ["crrctl check --html run.html", "111122223333", ":root", &stand.endpoint(), "crrctl 0."]
    {
        // A slash is escaped in HTML.
        for report in [&summary, &html.replace("&#x2f;", "/"), &junit] {
            assert!(report.contains(fact), "{fact}: {report}");
        }
    }
}

/// What a removal deleted is drawn as deleted, and no heading stands over nothing.
#[test]
fn what_is_deleted_is_drawn_as_deleted() {
    let stand = Stand::new();
    let (output, page) = reported(&stand, &["apply", "--yes", "--no-probe"], "apply.html");
    let _ = output.exits(0);
    assert!(!page.contains("<em>deleted</em>") && !page.contains("Replication latency"), "{page}");
    let (output, page) = reported(&stand, &["destroy", "--yes"], "destroy.html");
    let _ = output.exits(0);
    assert_eq!(page.matches("<em>deleted</em>").count(), 3, "{page}");
}
