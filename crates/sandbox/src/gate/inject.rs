//! Injects faults into requests before they are performed. Not for: the faults in force (see
//! `gate::faults`).

use super::faults::{status_of, throttled};
use crate::gate::Shared;
use crate::wire::{Fault, FaultKind, Note};

/// Injects a fault into a request before the request is performed. For a delay, waits. Returns the
/// error to return instead of performing the request.
pub(crate) async fn inject(
    shared: &Shared,
    service: &str,
    operation: &str,
    note: &Note,
) -> Option<Fault> {
    if shared.faults.is_empty() {
        return None;
    }
    let lifted = shared.faults.lifted();
    let trouble = shared.faults.inject(service, operation, note.attempt)?;
    let _ = note.trouble.set(trouble.clone());
    match trouble.clone() {
        FaultKind::LostReply => None,
        FaultKind::Delay(time) => {
            shared.faults.over(&trouble);
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = lifted => {}
            }
            None
        }
        FaultKind::Throttle => {
            let (code, status, text) = throttled(service);
            Some(Fault::new(status, code, text))
        }
        FaultKind::Error(code) => {
            Some(Fault::new(status_of(&code), code, "A fault was asked for."))
        }
        // The client never receives this response.
        FaultKind::Reset | FaultKind::Hang => Some(Fault::new(503, "ServiceUnavailable", "")),
    }
}
