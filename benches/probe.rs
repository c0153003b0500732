//! How a probe of many objects goes: objects a second at rising concurrency, memory, and how late COMPLETED is seen.
//!
//! ```sh
//! cargo bench --bench probe                 # all: some ten minutes
//! cargo bench --bench probe -- throughput   # 1,000 objects at each concurrency
//! cargo bench --bench probe -- detection    # replication that takes up to 2 s, and up to a minute
//! cargo bench --bench probe -- recording    # what `--record` costs with 10,000 objects
//! ```
//!
//! The binary is this build's, or the one that `CRRCTL` names. Ends with 1 where a figure is beyond its bound. Not for: what a probe
//! compares, which tests look at.

#![expect(clippy::unwrap_used, reason = "what can't be set up ends the benchmark")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]

#[path = "probe/detection.rs"]
mod detection;
mod process;
#[path = "probe/recording.rs"]
mod recording;
#[path = "probe/throughput.rs"]
mod throughput;

use process::binary;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

/// A folder of this run alone, and the sandbox that its commands call.
struct Stand {
    home: PathBuf,
    address: SocketAddr,
}

impl Stand {
    fn new(address: SocketAddr) -> Self {
        let home = std::env::temp_dir().join(format!("crrctl-probe-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        Self { home, address }
    }

    /// Returns the binary with `args` on a pair of two Regions; nobody reads what it says.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).args(["--name", "demo", "--source", "us-east-1"]);
        command.args(["--destination", "us-west-2"]).current_dir(&self.home);
        command.env("HOME", &self.home).env("AWS_ENDPOINT_URL", format!("http://{}", self.address));
        command.env("AWS_ACCESS_KEY_ID", crrctl_sandbox::DEFAULT_ACCOUNT);
        command.env("AWS_SECRET_ACCESS_KEY", crrctl_sandbox::SECRET);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Makes the pair.
    fn apply(&self) {
        let status = self.command(&["apply", "--yes", "--no-probe"]).status().unwrap();
        assert!(status.success(), "the pair is not there: {status}");
    }

    /// Sends a control request and returns the answer.
    fn control(&self, method: &str, path: &str, body: &str) -> Value {
        process::control(self.address, method, path, body)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|argument| argument != "--bench");
    let well = match wanted.as_deref() {
        Some("throughput") => throughput::run(),
        Some("detection") => detection::run(),
        Some("recording") => recording::run(),
        _ => throughput::run() & detection::run() & recording::run(),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
