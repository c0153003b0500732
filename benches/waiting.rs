//! What crrctl adds to AWS's own waits: how long a run takes until it has its proof, against the earliest time at which any tool could
//! have had it with the same writes.
//!
//! ```sh
//! cargo bench --bench waiting                      # thirty sandboxes side by side: some three minutes
//! cargo bench --bench waiting -- 10                # ten of them
//! cargo bench --profile dev --bench waiting        # without a release build: the waits are the sandbox's
//! ```
//!
//! Each sandbox draws its own delays (`--lag aws`): their bounds are AWS's documentation's, their values the sandbox's own. An upload
//! replicates from the moment that `GET /_crrctl/effective` tells, and takes what the replicated probe took. Ends with 1 where the median
//! is beyond its bound. Not for: what a run costs without waits (see the peer `bench`).

#![expect(clippy::unwrap_used, reason = "what can't be set up ends the benchmark")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]

mod process;

use crrctl_sandbox::{DEFAULT_ACCOUNT, Lag, Options, SECRET, Sandbox};
use jiff::Timestamp;
use process::{binary, control};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The most that the median of the runs of a manifest may be, in parts of the earliest time.
const MOST: f64 = 1.15;
/// The manifests, and how many objects each round of their proof has: where a rule is proven before it is
/// live, that first proof counts, whose second round begins when the first object is COMPLETED.
const PAIRS: [(&str, &[usize], &str); 2] = [
    (
        "direct",
        &[2],
        "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n",
    ),
    (
        "proven-first",
        &[1, 2],
        "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nreplication: {activation: proven-first}\n",
    ),
];

/// What one run of `apply` took, in seconds.
struct Run {
    /// From the start until the first proof: all of its objects are COMPLETED.
    proof: f64,
    /// From the start until the process ended.
    end: f64,
    /// From the start until they could have been COMPLETED.
    earliest: f64,
    /// What the rule waited for last.
    waited_for: String,
    calls: u64,
    /// How long `destroy` took, and its calls.
    destroyed: f64,
    destroy_calls: u64,
}

fn main() -> ExitCode {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse::<u64>().ok());
    let count = count.unwrap_or(30);
    let mut well = true;
    for (name, rounds, manifest) in PAIRS {
        let mut runs: Vec<Run> = std::thread::scope(|scope| {
            let runs: Vec<_> = (1..=count)
                .map(|seed| scope.spawn(move || measured(manifest, rounds, seed)))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        runs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        println!("{name}: ratio, seconds to the proof, earliest, to the end, waited for, calls");
        for run in &runs {
            println!(
                "{:8.3} {:8.1} {:8.1} {:8.1}   {:<24} {:>5}",
                run.ratio(),
                run.proof,
                run.earliest,
                run.end,
                run.waited_for,
                run.calls
            );
        }
        let median = runs[runs.len() / 2].ratio();
        let mean =
            |value: &dyn Fn(&Run) -> f64| runs.iter().map(value).sum::<f64>() / runs.len() as f64;
        println!(
            "{name}: median {median:.3} of at most {MOST}; {:.0} calls on average; destroy {:.1} s and {:.0} calls on average",
            mean(&|run| run.calls as f64),
            mean(&|run| run.destroyed),
            mean(&|run| run.destroy_calls as f64),
        );
        well &= median <= MOST;
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Run {
    fn ratio(&self) -> f64 {
        self.proof / self.earliest
    }
}

/// Builds, proves and removes a pair in a sandbox of its own.
fn measured(manifest: &str, rounds: &[usize], seed: u64) -> Run {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.unwrap();
    let options = Options { lag: Lag::Aws, seed: Some(seed), ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let home = std::env::temp_dir().join(format!("crrctl-waiting-{}-{seed}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let (began, start) = (Instant::now(), Timestamp::now());
    let apply = || run(&sandbox, &home, &["apply", "--yes", "-f", "-", "-o", "ndjson"], manifest);
    let (completed, rules) = std::thread::scope(|scope| {
        let run = scope.spawn(apply);
        let mut rules = BTreeSet::new();
        while !run.is_finished() {
            rules.append(&mut effective(&sandbox));
            std::thread::sleep(Duration::from_millis(200));
        }
        rules.append(&mut effective(&sandbox));
        (run.join().unwrap(), rules)
    });
    let end = began.elapsed().as_secs_f64();
    let proof = completed[rounds.iter().sum::<usize>() - 1];
    let calls = total(&sandbox);
    // A rule that goes live after its proof takes effect later.
    let (at, waited_for) = rules.into_iter().rfind(|(at, _)| *at <= proof).unwrap();
    let earliest = since(start, at) + replication(&sandbox, rounds, proof);
    let began = Instant::now();
    run(&sandbox, &home, &["destroy", "--yes", "-f", "-", "-o", "ndjson"], manifest);
    let destroyed = began.elapsed().as_secs_f64();
    let destroy_calls = total(&sandbox) - calls;
    std::fs::remove_dir_all(&home).unwrap();
    runtime.block_on(sandbox.stop());
    let proof = since(start, proof);
    Run { proof, end, earliest, waited_for, calls, destroyed, destroy_calls }
}

/// Runs the binary and returns when it told of each object that it is COMPLETED.
fn run(sandbox: &Sandbox, home: &std::path::Path, args: &[&str], manifest: &str) -> Vec<Timestamp> {
    let mut command = Command::new(binary());
    command.args(args).current_dir(home).env_clear().env("HOME", home);
    command.env("AWS_ENDPOINT_URL", sandbox.endpoint());
    command.env("AWS_ACCESS_KEY_ID", DEFAULT_ACCOUNT).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    let mut completed = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let now = Timestamp::now();
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "probe.status" && event["status"] == "COMPLETED" {
            completed.push(now);
        }
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{args:?}: {status}");
    completed
}

/// Returns when an upload would first have replicated by each rule, and what that waits for. A rule
/// that lacks something is left out.
fn effective(sandbox: &Sandbox) -> BTreeSet<(Timestamp, String)> {
    let rules = control(sandbox.address(), "GET", "effective", "");
    let rules = rules.as_array().unwrap().iter().filter(|rule| rule["at"].is_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rules.map(|rule| (time(&rule["at"]), text(&rule["waited_for"]))).collect()
}

/// Returns how long the replications took that the proof needed, in seconds: of each round the longest.
fn replication(sandbox: &Sandbox, rounds: &[usize], proof: Timestamp) -> f64 {
    let records = control(sandbox.address(), "GET", "replication", "");
    let completed = records.as_array().unwrap().iter().filter(|it| it["status"] == "COMPLETED");
    let times = completed.map(|it| (time(&it["begun_at"]), time(&it["ended_at"])));
    let mut times: Vec<_> = times.filter(|(_, ended)| *ended <= proof).collect();
    times.sort_unstable();
    let mut times = times.into_iter().map(|(begun, ended)| since(begun, ended));
    rounds.iter().map(|count| times.by_ref().take(*count).fold(0.0, f64::max)).sum()
}

fn total(sandbox: &Sandbox) -> u64 {
    let calls = sandbox.calls();
    calls["reads"].as_u64().unwrap() + calls["writes"].as_u64().unwrap()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn since(start: Timestamp, at: Timestamp) -> f64 {
    at.duration_since(start).as_secs_f64()
}
