//! `crrctl sandbox`: the stand-in as a server. stdout gets only `export` lines, so that a shell can read them.

use super::Global;
use super::output::{Ended, Printer, say};
use super::session::signal;
use crate::failure::{Failure, Kind};
use crate::sandbox::{Options, Sandbox};
use crate::units;
use std::io::Write;
use std::net::SocketAddr;
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
}

pub(super) async fn run(_: &Global, args: &SandboxArgs, _: &Printer) -> Ended {
    if !args.listen.ip().is_loopback() {
        say(&format!(
            "warning: {} is not loopback: whoever reaches it can use this sandbox",
            args.listen
        ));
    }
    let options = Options { listen: args.listen, latency: args.latency, ..Options::default() };
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::new(
            Kind::Unexpected,
            "sandbox",
            format!("can't listen on {}: {error}", args.listen),
        )
        .hint("`--listen 127.0.0.1:0` picks a free port")
    })?;
    let mut stdout = std::io::stdout().lock();
    for (name, value) in sandbox.environment() {
        // A closed stdout is no error: the port may be known anyway.
        let _ = writeln!(stdout, "export {name}={value}");
    }
    let _ = stdout.flush();
    drop(stdout);
    signal().await;
    sandbox.stop().await;
    Ok(0)
}
