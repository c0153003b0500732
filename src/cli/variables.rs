//! Environment variables that are set to nothing: they count as unset, as an option of a CI job that
//! nobody filled in does.
//! Not for: what the variables mean (see each option).

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// What the variables begin with that crrctl and AWS's SDK read.
const PREFIXES: [&str; 2] = ["AWS_", "CRRCTL_"];
/// The others that tell how AWS is reached.
const NETWORK: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
];

/// Returns the variables that are set to nothing.
fn empty() -> Vec<OsString> {
    let is_ours = |name: &OsStr| {
        let name = name.to_string_lossy();
        PREFIXES.iter().any(|it| name.starts_with(it)) || NETWORK.contains(&name.as_ref())
    };
    let all = std::env::vars_os().filter(|(name, value)| value.is_empty() && is_ours(name));
    all.map(|(name, _)| name).collect()
}

/// Starts the program again without the variables that are set to nothing, if there are any. The
/// SDK reads its own, so they can't be left out one by one. Returns where nothing is to be left
/// out, or where the program can't be started again.
#[cfg(unix)]
pub(super) fn leave_out_empty(args: &[OsString]) {
    use std::os::unix::process::CommandExt;
    let names = empty();
    let Ok(program) = std::env::current_exe() else { return };
    if names.is_empty() {
        return;
    }
    let mut again = Command::new(program);
    again.args(args.iter().skip(1));
    for name in &names {
        again.env_remove(name);
    }
    let error = again.exec();
    tracing::info!(%error, "crrctl can't be started again");
}

/// Elsewhere a program can't take the place of another.
#[cfg(not(unix))]
pub(super) fn leave_out_empty(_: &[OsString]) {}
