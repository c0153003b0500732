//! `crrctl sandbox`: serves the sandbox. stdout gets only `export` lines, so that a shell can read
//! them.
//! Not for: `--sandbox`, which embeds the sandbox in the process (see `session`).

use super::Global;
use super::output::{Ended, Printer, say};
use super::session::Signals;
use crate::failure::{Failure, Kind};
use crate::units;
use crrctl_sandbox::{FaultSpec, Lag, Options, Sandbox};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct SandboxArgs {
    /// Where to listen; port 0 picks one
    #[arg(
        long,
        default_value = "127.0.0.1:4700",
        value_name = "ADDRESS:PORT",
        env = "CRRCTL_LISTEN"
    )]
    listen: SocketAddr,
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
    /// Writes every request down, one line of JSON each
    #[arg(long, value_name = "FILE", env = "CRRCTL_LOG")]
    log: Option<PathBuf>,
    /// Serves S3 in virtual-hosted style under this host name too: `BUCKET.HOST`. `localhost` needs no flag
    #[arg(long, value_name = "HOST", env = "CRRCTL_HOSTNAME")]
    hostname: Vec<String>,
    /// Lets plain HTTP count as such for `aws:SecureTransport`
    #[arg(long, env = "CRRCTL_PLAIN_HTTP_IS_INSECURE")]
    plain_http_is_insecure: bool,
}

pub(super) async fn run(_: &Global, args: &SandboxArgs, _: &Printer) -> Ended {
    if !args.listen.ip().is_loopback() {
        say(&format!(
            "warning: {} is not loopback: whoever reaches it can use this sandbox",
            args.listen
        ));
    }
    let options = Options {
        listen: args.listen,
        latency: args.latency,
        lag: args.lag,
        seed: args.seed,
        quotas: args.quotas,
        faults: args.fault.clone(),
        log: args.log.clone(),
        plain_http_is_insecure: args.plain_http_is_insecure,
        hostnames: args.hostname.clone(),
        ..Options::default()
    };
    let mut signals = Signals::listen();
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::new(
            Kind::Unexpected,
            "sandbox",
            format!("can't start on {}: {error}", args.listen),
        )
        .hint("`--listen 127.0.0.1:0` picks a free port; `--log` must name a file that can be written")
    })?;
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
