//! The command line as hands know it: help, version, short options, variables set to nothing, files that can't be written, and
//! endpoints that can't be reached.

use crate::common::{PAIR, Stand, alone, bare, finished};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[test]
fn help_tells_the_commands_one_of_them_and_the_options_of_all() {
    let help = alone(&["help"]).exits(0).stdout;
    assert!(help.contains("Usage: crrctl") && help.contains("rehearse"), "{help}");
    let one = alone(&["help", "destroy"]).exits(0).stdout;
    assert_eq!(one, alone(&["destroy", "--help"]).exits(0).stdout);
    let nested = alone(&["help", "policy", "render"]).exits(0).stdout;
    assert!(nested.contains("Usage: crrctl policy render"), "{nested}");
    let options = alone(&["help", "options"]).exits(0).stdout;
    assert!(options.contains("--endpoint-url") && !options.contains("--purge-data"), "{options}");
    let unknown = alone(&["help", "destory"]).exits(3).stderr;
    assert!(unknown.contains("no command `destory`") && unknown.contains("`destroy`"), "{unknown}");
    let object = alone(&["help", "plan", "-o", "json"]).exits(0).json();
    assert_eq!(object["schema"], "crrctl/help/v1");
}

/// The options that many commands take are on a page of their own: the help of a command names those
/// that it uses, and is short enough to be read.
#[test]
fn the_help_of_a_command_is_its_own() {
    for command in ["init", "plan", "apply", "check", "destroy", "backfill", "explain", "list"] {
        let help = alone(&["help", command]).exits(0).stdout;
        assert!(help.lines().count() <= 75, "{command}: {}", help.lines().count());
        assert!(
            help.contains("Examples:\n  crrctl ") && !help.contains("CRRCTL_TIMEOUT"),
            "{help}"
        );
        assert_eq!(help.contains("--junit"), !["init", "explain"].contains(&command), "{help}");
    }
    let short = alone(&["plan", "-h"]).exits(0).stdout;
    assert!(short.contains("-f/--file") && short.lines().count() < 40, "{short}");
    let groups = alone(&["help"]).exits(0).stdout;
    for group in ["Start:", "Prove and watch:", "Repair:", "Remove:", "CI:", "Offline:"] {
        assert!(groups.contains(&format!("\n{group}\n")), "{groups}");
    }
}

/// A variable is set for a whole CI job, of which one command alone means it.
#[test]
fn a_variable_fails_no_command_that_has_no_use_for_it() {
    let stand = Stand::new();
    for args in [&["explain", "FAILED"][..], &["schema"], &["version"], &["help", "plan"], &["man"]]
    {
        let mut command = stand.command(args);
        command.env("CRRCTL_TIMEOUT", "soon").env("CRRCTL_ENDPOINT_URL", "nowhere");
        command.env("CRRCTL_JUNIT", stand.path("run.xml")).env("CRRCTL_MAX_CONCURRENCY", "many");
        let _ = finished(&mut command).exits(0);
        assert!(!stand.path("run.xml").exists(), "{args:?} writes a report");
    }
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    let _ = finished(command.env("CRRCTL_TIMEOUT", "soon")).exits(3);
    // What needs no manifest needs not the one of the job either, but that of its own flag.
    for args in [&["list"][..], &["gc"]] {
        let mut command = stand.command(args);
        let _ = finished(command.env("CRRCTL_FILE", "/nowhere.yaml")).exits(0);
        let _ = stand.run(&[args, &["--file", "/nowhere.yaml"]].concat()).exits(3);
    }
    // A flag comes before a variable that says the same in another way.
    let mut command = stand.command(&[&["plan", "-v"], &PAIR[..]].concat());
    let _ = finished(command.env("CRRCTL_FILE", "other.yaml").env("CRRCTL_QUIET", "1")).exits(0);
}

#[test]
fn an_option_that_means_nothing_to_a_command_is_refused() {
    let stand = Stand::new();
    let report = stand.path("run.xml");
    let told = stand.run(&["schema", "--junit", report.to_str().unwrap()]).exits(3).stderr;
    assert!(told.contains("`--junit` means nothing to `crrctl schema`"), "{told}");
    assert!(!report.exists());
    let _ = alone(&["explain", "FAILED", "--name", "orders"]).exits(3);
    let _ = alone(&["explain", "FAILED", "-q", "-v", "--no-progress"]).exits(3);
    let _ = alone(&["explain", "FAILED", "-v", "--no-progress", "--color", "never"]).exits(0);
}

/// An option of every command, a value that it takes, and a value that it does not take.
const COMMON: [(&str, &[&str], &str); 22] = [
    ("file", &["other.yaml"], "/nowhere.yaml"),
    ("name", &["orders"], "Not A Name"),
    ("source", &["us-east-1"], "nowhere"),
    ("destination", &["us-west-2"], "nowhere"),
    ("pair", &["orders"], "Not A Name"),
    ("sandbox", &[], "perhaps"),
    ("profile", &["b"], "none"),
    ("endpoint-url", &["http://127.0.0.1:9"], "nowhere"),
    ("output", &["json"], "xml"),
    ("timeout", &["1h"], "soon"),
    ("patience", &["1s"], "some"),
    ("max-concurrency", &["2"], "many"),
    ("quota-factor", &["2"], "much"),
    ("quiet", &[], "perhaps"),
    ("verbose", &[], "much"),
    ("color", &["never"], "green"),
    ("no-progress", &[], "perhaps"),
    ("junit", &["a.xml"], "/nowhere/a.xml"),
    ("html", &["a.html"], "/nowhere/a.html"),
    ("github", &[], "perhaps"),
    ("record", &["a.ndjson"], "/nowhere/a.ndjson"),
    ("record-names", &[], "perhaps"),
];

/// Every command either names an option in its help and takes it, or refuses the flag and passes over
/// the variable, whatever that says.
#[test]
fn every_common_option_is_used_or_refused_by_every_command() {
    let options = alone(&["help", "options"]).exits(0).stdout;
    let spelled = |option: &str| {
        [' ', '\n', '.'].iter().any(|end| options.contains(&format!("--{option}{end}")))
    };
    assert!(COMMON.iter().all(|(option, ..)| spelled(option)), "{options}");
    let count = options.lines().filter(|line| line.trim_start().starts_with('-')).count();
    assert_eq!(count, COMMON.len(), "{options}");
    // Each ends at once: without credentials, or because nothing is there.
    let commands: [(&[&str], i32); 27] = [
        (&["init", "--name", "a", "--source", "us-east-1", "--destination", "us-west-2"], 0),
        (&["rehearse"], 0),
        (&["plan"], 3),
        (&["apply", "--yes"], 3),
        (&["import", "bucket"], 4),
        (&["probe"], 3),
        (&["check"], 3),
        (&["status"], 3),
        (&["wait", "s3://bucket/key"], 4),
        (&["watch"], 3),
        (&["explain", "FAILED"], 0),
        (&["backfill"], 3),
        (&["destroy", "--yes"], 3),
        (&["list"], 4),
        (&["gc"], 4),
        (&["smoke"], 3),
        (&["policy", "render"], 3),
        (&["policy", "prove"], 3),
        (&["policy", "operator"], 3),
        (&["export", "terraform"], 3),
        (&["schema"], 0),
        (&["sandbox", "--", "true"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["help"], 0),
        (&["help", "plan"], 0),
        (&["version"], 0),
    ];
    for (command, code) in commands {
        let words = if command[0] == "policy" { &command[..2] } else { &command[..1] };
        let help = alone(&[&["help"], words].concat()).exits(0).stdout;
        let mut refused = 0;
        let home = tempfile::TempDir::new().unwrap();
        let mut blind = bare(&home, command);
        for (option, value, bad) in COMMON {
            if option == "no-progress" || help.contains(&format!("--{option}")) {
                continue;
            }
            refused += 1;
            let flag = format!("--{option}");
            // What follows `--` is another program's.
            let given = [&command[..1], &[flag.as_str()], value, &command[1..]].concat();
            let told = alone(&given).exits(3).stderr;
            assert!(
                told.contains(&format!("`{flag}` means nothing to `crrctl ")),
                "{command:?}: {told}"
            );
            assert!(told.contains("`crrctl help "), "{told}");
            blind.env(format!("CRRCTL_{}", option.to_uppercase().replace('-', "_")), bad);
        }
        assert!(refused > 0 || ["smoke", "probe", "apply"].contains(&command[0]), "{command:?}");
        // The step summary is a report too.
        if !help.contains("--github") {
            blind.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "/nowhere/summary.md");
        }
        let output = finished(blind.stdin(std::process::Stdio::null()));
        assert_eq!(output.code, code, "{command:?}: {output}");
    }
}

#[test]
fn man_pages_have_examples() {
    let stand = Stand::new();
    let folder = stand.path("man");
    let _ = stand.run(&["man", "--dir", folder.to_str().unwrap()]).exits(0);
    for name in ["crrctl", "crrctl-apply", "crrctl-policy-operator", "crrctl-help"] {
        let page = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH EXAMPLES"), "{name}: {page}");
        assert_eq!(page.contains("quota\\-factor"), name == "crrctl", "{name}: {page}");
    }
}

#[test]
fn version_is_a_command_too() {
    let version = alone(&["version"]).exits(0).stdout;
    assert_eq!(version, alone(&["--version"]).exits(0).stdout);
    let object = alone(&["version", "-o", "json"]).exits(0).json();
    assert_eq!(version, format!("crrctl {}\n", object["version"].as_str().unwrap()));
}

#[test]
fn y_is_yes() {
    let stand = Stand::new();
    let _ = stand.run(&[&["apply", "-y", "--no-probe"], &PAIR[..]].concat()).exits(0);
    let _ = stand.run(&[&["destroy", "-y"], &PAIR[..]].concat()).exits(0);
}

/// A CI job's option that nobody filled in is not an option.
#[test]
fn a_variable_set_to_nothing_is_unset() {
    let stand = Stand::new();
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    for (option, ..) in COMMON {
        command.env(format!("CRRCTL_{}", option.to_uppercase().replace('-', "_")), "");
    }
    for name in ["AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"] {
        command.env(name, "");
    }
    let planned = finished(&mut command).exits(0);
    assert!(planned.stdout.contains("to create"), "{planned}");
}

#[test]
fn a_report_that_cannot_be_written_ends_the_run_before_anything_is_made() {
    let stand = Stand::new();
    for report in ["--junit", "--html"] {
        let args = [&["apply", "--yes", report, "/nowhere/report"], &PAIR[..]].concat();
        let refused = stand.run(&args).exits(3).stderr;
        assert!(refused.contains("/nowhere/report"), "{refused}");
        assert_eq!(refused.matches("error:").count(), 1, "{refused}");
    }
    assert_eq!(stand.leftovers(), Vec::<String>::new());
    let _ = alone(&["sandbox", "--listen", "127.0.0.1:0", "--log", "/nowhere/log"]).exits(3);
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_told_soon() {
    let stand = Stand::new();
    let begun = Instant::now();
    // Port 9 ("discard") has no listener.
    let args = ["plan", "--endpoint-url", "http://127.0.0.1:9", "-o", "json"];
    let told = stand.run(&[&args, &PAIR[..]].concat()).exits(4).json();
    assert_eq!(told["error"]["kind"], "unreachable");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn no_such_pair_or_object_is_3() {
    let stand = Stand::new();
    let _ = stand.pair(&["probe"]).exits(3);
    stand.s3("us-east-1", async |s3| s3.create_bucket().bucket("theirs").send().await.unwrap());
    let missing = stand.run(&["wait", "s3://theirs/none", "-o", "json"]).exits(3).json();
    assert_eq!(missing["error"]["code"], "object-missing");
}

/// What one command made with `--sandbox` is gone for the next.
#[test]
fn a_fresh_sandbox_says_that_it_is_empty() {
    let told = |args: &[&str]| {
        let output = alone(args);
        output.stderr.matches("a fresh sandbox is empty: `crrctl sandbox -- sh`").count()
    };
    let object = "s3://demo-111122223333-us-east-1/key";
    for args in [
        &["status", "--sandbox"][..],
        &["check", "--sandbox"],
        &["probe", "--sandbox"],
        &["destroy", "--yes", "--sandbox"],
        &["wait", object, "--sandbox"],
        &["list", "--sandbox"],
    ] {
        assert_eq!(told(args), 1, "{args:?}");
    }
    assert_eq!(told(&["status", "--sandbox", "-q"]), 0);
    assert_eq!(told(&["plan", "--sandbox"]), 0, "it says what `apply` would make");
}

#[test]
fn plan_says_for_whom_it_is() {
    let stand = Stand::new();
    let plan = stand.pair(&["plan"]).exits(0).json();
    assert_eq!(plan["account"], "111122223333");
    assert_eq!(plan["caller"], "arn:aws:iam::111122223333:root");
    assert_eq!(plan["endpoint"], stand.endpoint());
}

#[test]
fn statuses_of_objects_are_explained() {
    for status in ["PENDING", "COMPLETED", "FAILED", "REPLICA", "failed"] {
        let told = alone(&["explain", status, "-o", "json"]).exits(0).json();
        assert_eq!(told["about"], "status");
    }
}

#[test]
fn a_bundle_of_certificates_that_is_none_is_refused() {
    let stand = Stand::new();
    let mut command = stand.command(&[&["plan", "-o", "json"], &PAIR[..]].concat());
    let _ = finished(command.env("AWS_CA_BUNDLE", "/nowhere.pem")).exits(3).told("ca-bundle");
}

/// What a profile says of certificates counts, and a code that nobody asks for is told by name.
#[test]
fn settings_of_a_profile_count() {
    let stand = Stand::new();
    let role = "role_arn = arn:aws:iam::111122223333:role/a\nsource_profile = b\n";
    let mfa = format!("[profile a]\n{role}mfa_serial = arn:aws:iam::111122223333:mfa/ann\n");
    // Keys of the environment come before a profile that is not named.
    std::fs::write(stand.path("config"), mfa.replace("profile a", "default")).unwrap();
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    let _ = finished(command.env("AWS_CONFIG_FILE", stand.path("config"))).exits(0);
    for (config, exit, code) in
        [("[profile a]\nca_bundle = /nowhere.pem\n", 3, "ca-bundle"), (&mfa, 4, "mfa-required")]
    {
        std::fs::write(stand.path("config"), config).unwrap();
        let mut command =
            stand.command(&[&["plan", "--profile", "a", "-o", "json"], &PAIR[..]].concat());
        let told = finished(command.env("AWS_CONFIG_FILE", stand.path("config"))).exits(exit);
        assert_eq!(told.json()["error"]["code"], code);
        if code == "mfa-required" {
            let _ = told.told(code);
        }
    }
}

/// Passes connections on, and counts them.
fn relay(to: SocketAddr) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(to).unwrap());
            counted.fetch_add(1, Ordering::Relaxed);
            let pairs = [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
            for (mut from, mut to) in pairs {
                std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            }
        }
    });
    (address, count)
}

/// A log-in page of the network is no absence of anything.
#[test]
fn an_answer_of_something_between_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut request = [0; 4096];
            let _ = client.read(&mut request);
            let page = "HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
            let _ = client.write_all(page.as_bytes());
        }
    });
    let stand = Stand::new();
    let mut command = stand.command(&[&["plan", "-o", "json"], &PAIR[..]].concat());
    let told = finished(command.env("AWS_ENDPOINT_URL", url)).exits(4);
    let _ = told.told("NotFromAws");
}

#[test]
fn requests_go_through_the_proxy_of_the_environment() {
    let stand = Stand::new();
    let (proxy, count) = relay(stand.sandbox().address());
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    // Nothing listens there; whoever goes through the proxy does not notice.
    command.env("AWS_ENDPOINT_URL", "http://198.51.100.1:9");
    let planned = finished(command.env("HTTP_PROXY", format!("http://{proxy}"))).exits(0);
    assert!(planned.stdout.contains("to create"), "{planned}");
    assert!(count.load(Ordering::Relaxed) > 0);
}

/// The words of other tools lead on, and nothing leads to `destroy` by a slip.
#[test]
fn words_of_other_tools_are_told_and_destroy_is_suggested_for_no_slip() {
    for (word, told) in [
        ("delete", "crrctl destroy"),
        ("down", "crrctl destroy"),
        ("up", "crrctl apply"),
        ("diff", "crrctl plan"),
        ("verify", "crrctl check"),
        ("ls", "crrctl list"),
        ("test", "crrctl probe"),
    ] {
        let output = alone(&[word]).exits(3).stderr;
        assert!(output.contains(told), "{word}: {output}");
        assert_eq!(output.contains("destroy"), told.contains("destroy"), "{word}: {output}");
    }
    for (option, told) in [
        ("--dest", "--destination"),
        ("--auto-approve", "--yes"),
        ("--json", "--output json"),
        ("--dry-run", "crrctl plan"),
        ("--manifest", "--file"),
        ("--region", "--source"),
    ] {
        let output = alone(&["plan", option, "x"]).exits(3).stderr;
        assert!(output.contains(told) && !output.contains("destroy"), "{option}: {output}");
    }
    for slip in ["destory", "destry", "destroyy"] {
        assert!(!alone(&[slip]).exits(3).stderr.contains("'destroy'"), "{slip}");
    }
    let near = alone(&["aply"]).exits(3).stderr;
    assert!(near.contains("'apply'"), "{near}");
}

/// A host name as endpoint has no host for each bucket; its buckets may have dots.
#[test]
fn an_endpoint_with_a_host_name_is_called_in_path_style() {
    let stand = Stand::new();
    let port = stand.sandbox().address().port();
    let flags = ["--name", "demo", "--source", "us-east-1:logs.example.com"];
    let args = [&["apply", "-y", "--no-probe"], &flags[..], &["--destination", "us-west-2"]];
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let mut command = stand.command(&args.concat());
        let _ = finished(command.env(name, format!("http://localhost:{port}"))).exits(0);
    }
}

/// Whatever AWS, a manifest or an object is called: neither a terminal nor a CI runner acts on it.
#[test]
fn nothing_that_is_printed_acts() {
    let stand = Stand::new();
    stand.s3("us-east-1", async |s3| s3.create_bucket().bucket("theirs").send().await.unwrap());
    let key = "s3://theirs/a\u{1b}]0;x\u{7}\n::error::forged\n\u{9b}31m\u{202e}";
    let mut command = stand.command(&["wait", key]);
    let told = finished(command.env("GITHUB_ACTIONS", "true")).exits(3);
    for text in [&told.stderr, &told.stdout] {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let lines: Vec<&str> = text.lines().filter(|it| it.contains("forged")).collect();
        assert!(!lines.iter().any(|line| line.contains(acts)), "{text:?}");
        assert!(
            !lines.iter().any(|line| line.trim_start().starts_with("::error::forged")),
            "{text}"
        );
    }
    let proxy = "http://ann:s3cret@127.0.0.1:9";
    let mut command = stand.command(&[&["plan"], &PAIR[..]].concat());
    command.env("AWS_ENDPOINT_URL", "http://198.51.100.1:9").env("HTTP_PROXY", proxy);
    let told = finished(command.env("HTTPS_PROXY", proxy)).exits(4);
    assert!(told.stderr.contains("127.0.0.1:9") && !told.stderr.contains("s3cret"), "{told}");
}

/// A value that can't be read may hold a password all the same.
#[test]
fn a_usage_error_tells_no_password() {
    let home = tempfile::TempDir::new().unwrap();
    for given in [
        "http://ann:s3cret@@bad host",
        "http://ann:s3cret@127.0.0.1:9",
        "ann:s3cret@127.0.0.1:9",
        "//ann:s3cret@127.0.0.1:9",
        "http:/ann:s3cret@127.0.0.1:9",
        "http://127.0.0.1:9?token=s3cret",
        "127.0.0.1:9/?X-Amz-Security-Token=s3cret",
    ] {
        for format in ["text", "json"] {
            let told = alone(&["plan", "--endpoint-url", given, "-o", format]).exits(3);
            assert!(!format!("{told}").contains("s3cret"), "{told}");
            let mut command = bare(&home, &["plan", "-o", format]);
            let told = finished(command.env("CRRCTL_ENDPOINT_URL", given)).exits(3);
            assert!(!format!("{told}").contains("s3cret"), "{told}");
            for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"] {
                let args = [&["plan", "-o", format], &PAIR[..]].concat();
                let mut command = bare(&home, &args);
                command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
                let told = finished(command.env(variable, given)).exits(3);
                assert!(!format!("{told}").contains("s3cret"), "{told}");
                assert!(told.stderr.contains(variable), "{told}");
            }
        }
    }
    // No option and no variable tells what a URL holds, whatever it is for.
    for (option, ..) in COMMON {
        let given = "https://ann:s3cret@127.0.0.1:9/x?X-Amz-Signature=s3cret";
        let (flag, args) = (format!("--{option}={given}"), [&["plan"], &PAIR[..]].concat());
        let told = alone(&[&args[..], &[&flag]].concat());
        assert!(!format!("{told}").contains("s3cret"), "{flag}: {told}");
        let mut command = bare(&home, &args);
        let variable = format!("CRRCTL_{}", option.to_uppercase().replace('-', "_"));
        let told = finished(command.env(&variable, given));
        assert!(!format!("{told}").contains("s3cret"), "{variable}: {told}");
    }
}

/// The tags of a pair find it: no manifest is at hand where an alarm rings.
#[test]
fn a_name_alone_finds_the_pair() {
    let stand = Stand::new();
    let missing = stand.run(&["status", "--name", "demo", "-o", "json"]).exits(3);
    let _ = missing.told("pair-not-found");
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let named = ["--name", "demo", "-o", "json"];
    stand.s3("us-east-1", async |s3| {
        s3.put_object().bucket(crate::common::SOURCE).key("k").send().await.unwrap();
    });
    let object = format!("s3://{}/k", crate::common::SOURCE);
    let waited = stand.run(&[&["wait", &object], &named[..]].concat()).exits(0).json();
    assert_eq!(waited["status"], "COMPLETED");
    let backfill = stand.run(&[&["backfill", "--resume"], &named[..]].concat()).exits(3);
    let _ = backfill.told("no-job");
    let status = stand.run(&[&["status"], &named[..]].concat()).exits(0).json();
    assert_eq!(status["pair"], "demo");
    assert_eq!(status["drift"], serde_json::json!([]), "{status}");
    let check = stand.run(&[&["check"], &named[..]].concat()).exits(0).json();
    assert!(check["checks"].as_array().unwrap().len() > 20);
    let probe = stand.run(&[&["probe"], &named[..]].concat()).exits(0).json();
    assert_eq!(probe["summary"]["completed"], 1);
    let _ = stand.run(&[&["plan"], &named[..]].concat()).exits(3);
    let _ = stand.run(&[&["destroy", "-y", "--purge-data"], &named[..]].concat()).exits(0);
    assert_eq!(stand.leftovers(), Vec::<String>::new());
}

#[test]
fn two_pairs_of_one_name_are_told_apart_by_more_than_it() {
    let stand = Stand::new();
    for (source, destination) in [("us-east-1", "us-west-2"), ("eu-west-1", "eu-central-1")] {
        let pair = ["--name", "twin", "--source", source, "--destination", destination];
        let _ = stand.run(&[&["apply", "-y", "--no-probe"], &pair[..]].concat()).exits(0);
    }
    let told = stand.run(&["destroy", "-y", "--name", "twin", "-o", "json"]).exits(3);
    let _ = told.told("pair-ambiguous");
}

#[test]
fn a_pair_across_accounts_wants_its_manifest() {
    let stand = Stand::new();
    stand.profile("archive", "444455556666");
    let far = "name: far\nsource: {region: us-east-1}\n\
        destinations: [{region: us-west-2, profile: archive}]\nkey: {kind: per-region}\n";
    let _ = stand.manifest(&["apply", "-y", "--no-probe"], far).exits(0);
    let told = stand.run(&["status", "--name", "far", "-o", "json"]).exits(3);
    let _ = told.told("pair-in-part");
}

#[test]
fn crrctl_alone_says_in_twelve_lines_what_to_begin_with() {
    let told = alone(&[]).exits(3);
    let lines: Vec<&str> = told.stderr.lines().collect();
    assert!(lines.len() <= 12 && lines.iter().all(|line| line.len() <= 100), "{told}");
    assert!(told.stderr.contains("crrctl rehearse") && told.stdout.is_empty(), "{told}");
}
