//! Many pairs at the pace that KMS's quotas allow: how long against how long they must take, how much memory, how often throttled.
//!
//! ```sh
//! cargo bench --bench fleet                        # 1,000 pairs at AWS's own quotas: some seven minutes
//! cargo bench --bench fleet -- 200 10              # 200 pairs, quotas ten times as high
//! ```
//!
//! The stand-in throttles as KMS does (`crrctl sandbox --quotas`) in a process of its own, and crrctl is another; the binary is this
//! build's, or the one that `CRRCTL` names. Ends with 1 where a figure is beyond its bound. Not for: what is made, which tests look at.

#![expect(clippy::unwrap_used, reason = "what can't be set up ends the benchmark")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod process;

use process::{Running, binary, peak_memory};
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Keys a second that KMS takes in a Region; a replica key counts as two (KMS Developer Guide, "Request quotas").
const KEYS: f64 = 5.0;
const MOST_OVER: f64 = 1.10;
const MOST_MEMORY: usize = 200 << 20;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let (pairs, factor) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1));
    let folder = std::env::temp_dir().join(format!("crrctl-fleet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let binary = binary();
    let mut text =
        "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs:\n".to_owned();
    for n in 0..pairs {
        writeln!(text, "  - name: p{n:04}").unwrap();
    }
    std::fs::write(folder.join("crrctl.yaml"), text).unwrap();
    let log = folder.join("log");
    let mut server = Command::new(&binary);
    server.args(["sandbox", "--listen", "127.0.0.1:0", "--quotas", &factor.to_string(), "--log"]);
    let mut server = Running(server.arg(&log).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let environment: Vec<(String, String)> = lines
        .take(4)
        .map(|line| {
            let line = line.unwrap();
            let (name, value) = line.trim_start_matches("export ").split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let run = |args: &[&str]| -> (Duration, usize, bool) {
        let mut command = Command::new(&binary);
        command.args(args).args(["--quota-factor", &factor.to_string(), "-q"]);
        command.envs(environment.clone()).env("HOME", &folder).current_dir(&folder);
        let began = Instant::now();
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        loop {
            peak = peak.max(peak_memory(child.id()));
            if let Some(status) = child.try_wait().unwrap() {
                return (began.elapsed(), peak, status.success());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let (made, peak, ok) = run(&["apply", "--yes", "--no-probe"]);
    let throttled = std::fs::read_to_string(&log).unwrap().matches("ThrottlingException").count();
    let rate = KEYS * f64::from(factor);
    // What a second allows may come at once.
    let least = ((2.0 * f64::from(pairs) - rate) / rate).max(0.1);
    let over = made.as_secs_f64() / least;
    println!(
        "fleet: {pairs} pairs, quotas {factor} times AWS's: {:.1} s where they allow {least:.1} s ({over:.3}), {} MiB, {throttled} throttled",
        made.as_secs_f64(),
        peak >> 20,
    );
    let (again, memory_again, same) = run(&["plan", "--detailed-exitcode"]);
    println!(
        "fleet: nothing to change is found in {:.1} s, {} MiB",
        again.as_secs_f64(),
        memory_again >> 20
    );
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
    let well =
        ok && same && over <= MOST_OVER && peak.max(memory_again) <= MOST_MEMORY && throttled == 0;
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
