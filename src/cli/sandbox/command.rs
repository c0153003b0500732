//! `crrctl sandbox -- COMMAND`: runs a command with the sandbox's variables until it ends.
//! Not for: starting the sandbox (see `sandbox`).

use crate::cli::session::{SignalReceived, Signals};
use crate::failure::{Failure, Kind};
use crrctl_sandbox::Sandbox;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Variables that would lead the command to other credentials or to AWS itself.
const UNSET: [&str; 12] = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ENDPOINT_URL",
];
/// The start of the variables that name the endpoint of one service.
const ENDPOINT_OF: &str = "AWS_ENDPOINT_URL_";

/// Runs the command and returns its exit code, or 128 and the number of the signal that ended it.
/// SIGINT and SIGTERM are passed on to it.
pub(super) async fn run(
    sandbox: &Sandbox,
    command: &[OsString],
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let [program, arguments @ ..] = command else { return Ok(0) };
    let mut started = tokio::process::Command::new(program);
    started.args(arguments);
    for name in UNSET {
        started.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(ENDPOINT_OF) {
            started.env_remove(name);
        }
    }
    started.envs(sandbox.environment());
    let failed = |error: std::io::Error| {
        let text = format!("can't run `{}`: {error}", program.to_string_lossy());
        Failure::new(Kind::Unexpected, "sandbox", text)
    };
    let mut child = started.spawn().map_err(failed)?;
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(failed)?,
            received = signals.next() => pass_on(received, id),
        }
    };
    Ok(code_of(status))
}

/// Passes a signal on to the command. A terminal has sent its SIGINT to the command already.
fn pass_on(received: SignalReceived, id: Option<Pid>) {
    let signal = match received {
        SignalReceived::Interrupt if std::io::stdin().is_terminal() => return,
        SignalReceived::Interrupt => Signal::INT,
        SignalReceived::Terminate => Signal::TERM,
    };
    if let Some(id) = id {
        // The command may have ended in the meantime.
        let _ = kill_process(id, signal);
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
