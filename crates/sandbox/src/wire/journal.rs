//! What is known about a request while it is on its way, and the log of all requests as NDJSON.
//! Not for: counting (see `calls`).

use crate::world::Caller;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The fault that is injected into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The service says that it is asked too often.
    Throttle,
    /// The service answers with this code.
    Error(String),
    /// The connection ends; nothing was done.
    Reset,
    /// It is done, but the connection ends before the answer.
    LostReply,
    /// No answer ever comes; nothing was done.
    Hang,
    /// The answer takes longer.
    Delay(Duration),
}

/// What the services find out about a request; it travels in the request's extensions.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) service: OnceLock<&'static str>,
    pub(crate) operation: OnceLock<String>,
    caller: OnceLock<(String, String, String)>,
    /// The fault that struck the request.
    pub(crate) trouble: OnceLock<FaultKind>,
    /// Which try of its call the request is, from 1.
    pub(crate) attempt: u64,
}

impl Note {
    /// Begins the note of a request with these headers.
    pub(crate) fn new(headers: &http::HeaderMap) -> Self {
        Self { attempt: attempt(headers).unwrap_or(1), ..Self::default() }
    }

    /// Finds the note of a request.
    pub(crate) fn of(extensions: &http::Extensions) -> Option<&Arc<Self>> {
        extensions.get::<Arc<Self>>()
    }

    /// Notes who asks.
    pub(crate) fn set_caller(&self, caller: &Caller) {
        let (account, region) = (caller.account.to_string(), caller.region.to_string());
        // A request has one caller; a second note would say the same.
        let _ = self.caller.set((account, caller.arn(), region));
    }
}

/// Reads what an SDK says of its tries: `amz-sdk-request: attempt=1; max=3`.
fn attempt(headers: &http::HeaderMap) -> Option<u64> {
    let said = headers.get("amz-sdk-request")?.to_str().ok()?;
    said.split(';').find_map(|part| part.trim().strip_prefix("attempt="))?.parse().ok()
}

/// The code of an error, in the extensions of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Code(pub(crate) String);

/// The file of `--log`.
#[derive(Debug)]
pub(crate) struct Journal(Mutex<File>);

impl Journal {
    /// Writes into `file`.
    pub(crate) fn new(file: File) -> Self {
        Self(Mutex::new(file))
    }

    /// Writes down one request: a status of `None` is a request that got no answer.
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
