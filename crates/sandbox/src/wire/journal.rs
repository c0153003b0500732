//! The data collected about a request while it is processed, and the log of all requests as NDJSON.
//! Not for: counting calls (see `world::calls`).

use crate::world::Caller;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The kind of fault that is injected into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The service responds with its throttling error.
    Throttle,
    /// The service responds with this error code.
    Error(String),
    /// The connection closes. The operation is not performed.
    Reset,
    /// The operation is performed, but the connection closes before the response.
    LostReply,
    /// The response never arrives. The operation is not performed.
    Hang,
    /// The response is delayed by this duration.
    Delay(Duration),
}

/// The data that the services collect about a request. It is stored in the extensions of the
/// request.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) service: OnceLock<&'static str>,
    pub(crate) operation: OnceLock<String>,
    caller: OnceLock<(String, String, String)>,
    /// The fault that was injected into the request.
    pub(crate) trouble: OnceLock<FaultKind>,
    /// The number of this attempt of the call, from 1.
    pub(crate) attempt: u64,
    /// Whether the request is written to a log, which names the caller.
    is_logged: bool,
}

impl Note {
    /// Creates the note of a request with these headers.
    pub(crate) fn new(headers: &http::HeaderMap, is_logged: bool) -> Self {
        Self { attempt: attempt(headers).unwrap_or(1), is_logged, ..Self::default() }
    }

    /// Returns the note of a request from its extensions.
    pub(crate) fn of(extensions: &http::Extensions) -> Option<&Arc<Self>> {
        extensions.get::<Arc<Self>>()
    }

    /// Records the caller, for the log.
    pub(crate) fn set_caller(&self, caller: &Caller) {
        if !self.is_logged {
            return;
        }
        let (account, region) = (caller.account.to_string(), caller.region.to_string());
        // A request has one caller; a second call would set the same value.
        let _ = self.caller.set((account, caller.arn(), region));
    }
}

/// Reads the attempt number that an SDK sends: `amz-sdk-request: attempt=1; max=3`.
fn attempt(headers: &http::HeaderMap) -> Option<u64> {
    let said = headers.get("amz-sdk-request")?.to_str().ok()?;
    said.split(';').find_map(|part| part.trim().strip_prefix("attempt="))?.parse().ok()
}

/// The code of an error, stored in the extensions of its response.
#[derive(Debug, Clone)]
pub(crate) struct Code(pub(crate) String);

/// The log file of `--log`.
#[derive(Debug)]
pub(crate) struct Journal(Mutex<File>);

impl Journal {
    /// Creates a log that writes to `file`.
    pub(crate) fn new(file: File) -> Self {
        Self(Mutex::new(file))
    }

    /// Writes one request to the log. A `status` of `None` means that the request received no
    /// response.
    pub(crate) fn write(&self, note: &Note, status: Option<u16>, code: Option<&str>) {
        let caller = note.caller.get();
        let line = json!({
            "time": jiff::Timestamp::now().to_string(),
            "account": caller.map(|(account, _, _)| account),
            "principal": caller.map(|(_, principal, _)| principal),
            "service": note.service.get(),
            "operation": note.operation.get(),
            "region": caller.map(|(_, _, region)| region),
            "outcome": match status {
                None => "no answer",
                Some(status) if status < 400 => "ok",
                Some(_) => "error",
            },
            "status": status,
            "code": code,
        });
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(file, "{line}") {
            tracing::warn!(%error, "the log can't be written");
        }
    }
}
