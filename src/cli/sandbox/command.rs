//! `crrctl sandbox -- COMMAND`: runs a command with the sandbox's variables until it ends.
//! Not for: starting the sandbox (see `sandbox`).

use crate::cli::session::{SignalReceived, Signals};
use crate::failure::{Failure, Kind};
use crrctl_sandbox::Sandbox;
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Variables that would lead the command to other credentials or to AWS itself.
const UNSET: [&str; 11] = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
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
    // The profile in the user's configuration file may ignore the endpoint; the variable has
    // precedence (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
    started.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
    let failed = |kind: Kind, error: std::io::Error| {
        let text = format!("can't run `{}`: {error}", program.to_string_lossy());
        Failure::new(kind, "sandbox", text)
    };
    let mut child = started.spawn().map_err(|error| failed(Kind::Manifest, error))?;
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(|error| failed(Kind::Unexpected, error))?,
            received = signals.next() => pass_on(received, id),
        }
    };
    Ok(code_of(status))
}

/// Passes a signal on to the command. SIGINT is not passed on in the foreground of a terminal, whose
/// Ctrl-C reaches the command too.
fn pass_on(received: SignalReceived, id: Option<Pid>) {
    let signal = match received {
        SignalReceived::Interrupt if is_in_foreground() => return,
        SignalReceived::Interrupt => Signal::INT,
        SignalReceived::Terminate => Signal::TERM,
    };
    if let Some(id) = id {
        // The command may have ended in the meantime.
        let _ = kill_process(id, signal);
    }
}

/// Returns whether this process is in the foreground of its controlling terminal. Where it reads and
/// writes does not matter.
fn is_in_foreground() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    tcgetpgrp(&terminal).is_ok_and(|foreground| foreground == getpgrp())
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
