//! `crrctl sandbox`: serves the sandbox until a signal, or while a command runs. stdout gets only
//! `export` lines, so that a shell can read them; with a command, it is the command's.
//! Not for: `--sandbox`, which embeds the sandbox in the process (see `session`).

mod command;

use super::Global;
use super::objects::SandboxObject;
use super::output::{Ended, say};
use super::session::Signals;
use crate::failure::{Failure, Kind};
use crate::units;
use crrctl_sandbox::{FaultSpec, Lag, Limits, Options, Quirk, QuirkSpec, Sandbox};
use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct SandboxArgs {
    /// Where to listen; port 0 picks one [default: 127.0.0.1:4700, or a free port with COMMAND]
    #[arg(long, value_name = "ADDRESS:PORT", env = "CRRCTL_LISTEN")]
    listen: Option<SocketAddr>,
    /// Added to every request
    #[arg(long, default_value = "0ms", value_name = "DURATION", value_parser = units::duration)]
    latency: Duration,
    /// Lets things take as long as on AWS: roles, replica keys, settings, rules, replication
    #[arg(long, default_value = "none", value_name = "none|aws", env = "CRRCTL_LAG")]
    lag: Lag,
    /// What chance is drawn from, so that a run can be had again
    #[arg(long, value_name = "N", env = "CRRCTL_SEED")]
    seed: Option<u64>,
    /// Lets KMS throttle as on AWS; FACTOR is how many times as high as usual its quotas are
    #[arg(long, value_name = "FACTOR", num_args = 0..=1, default_missing_value = "1", env = "CRRCTL_QUOTAS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    quotas: Option<u32>,
    /// Makes requests go wrong: KIND is throttle, error=CODE, reset, lost-reply, hang or delay=DURATION; either name may be `*`
    #[arg(long, value_name = "SERVICE:OPERATION:KIND[:after=N][:times=N][:attempt=N]")]
    fault: Vec<FaultSpec>,
    /// Switches on one behaviour of AWS that is rare; SECONDS is how long it lasts after a change
    #[arg(long, value_name = "NAME[=SECONDS]", long_help = quirk_help())]
    quirk: Vec<QuirkSpec>,
    /// Writes every request down, one line of JSON each
    #[arg(long, value_name = "FILE", env = "CRRCTL_LOG")]
    log: Option<PathBuf>,
    /// Serves S3 in virtual-hosted style under this host name too: `BUCKET.HOST`. `localhost` needs no flag
    #[arg(long, value_name = "HOST", env = "CRRCTL_HOSTNAME")]
    hostname: Vec<String>,
    /// Lets plain HTTP count as such for `aws:SecureTransport`
    #[arg(long, env = "CRRCTL_PLAIN_HTTP_IS_INSECURE")]
    plain_http_is_insecure: bool,
    /// How much data all buckets together may hold [default: 4GiB, of which one bucket holds 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    max_bytes: Option<u64>,
    /// How many buckets, keys, roles and the like there may be [default: 200000]
    #[arg(long, value_name = "N")]
    max_resources: Option<usize>,
    /// Runs this command with the variables of the sandbox, and ends with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl SandboxArgs {
    fn listen(&self) -> SocketAddr {
        let port = if self.command.is_empty() { 4700 } else { 0 };
        self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            total: self.max_bytes.unwrap_or(usual.total),
            bucket: self.max_bytes.unwrap_or(usual.bucket),
            resources: self.max_resources.unwrap_or(usual.resources),
            ..usual
        }
    }
}

/// Checks that the log can be written, before anything listens.
fn writable(log: &Path) -> Result<(), Failure> {
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(log);
    opened.map(drop).map_err(|error| {
        let message = format!("can't write `{}`: {error}", log.display());
        Failure::new(Kind::Manifest, "not-written", message)
    })
}

/// The text of `--help` about quirks, with the table of all.
fn quirk_help() -> String {
    format!(
        "Switches on one behaviour of AWS that is rare; may be given more than once.\n\
         SECONDS is how long it lasts after a change. The quirks, with their usual seconds:\n{}",
        Quirk::list().trim_end()
    )
}

pub(super) async fn run(_: &Global, args: &SandboxArgs, _: &mut SandboxObject) -> Ended {
    let listen = args.listen();
    if !listen.ip().is_loopback() {
        say(&format!(
            "warning: {listen} is not loopback: anybody who reaches it can use this sandbox"
        ));
    }
    if let Some(log) = &args.log {
        writable(log)?;
    }
    let options = Options {
        listen,
        latency: args.latency,
        lag: args.lag,
        seed: args.seed,
        quotas: args.quotas,
        quirks: args.quirk.clone(),
        faults: args.fault.clone(),
        log: args.log.clone(),
        limits: args.limits(),
        plain_http_is_insecure: args.plain_http_is_insecure,
        hostnames: args.hostname.clone(),
        ..Options::default()
    };
    let mut signals = Signals::listen();
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::new(Kind::Manifest, "sandbox", format!("can't start on {listen}: {error}"))
            .hint("`--listen 127.0.0.1:0` picks a free port")
    })?;
    if !args.command.is_empty() {
        let ended = command::run(&sandbox, &args.command, &mut signals).await;
        sandbox.stop().await;
        return ended;
    }
    let mut stdout = std::io::stdout().lock();
    for (name, value) in sandbox.environment() {
        // A closed stdout is not an error: the port may be known anyway.
        let _ = writeln!(stdout, "export {name}={value}");
    }
    let _ = stdout.flush();
    drop(stdout);
    signals.next().await;
    sandbox.stop().await;
    Ok(0)
}
