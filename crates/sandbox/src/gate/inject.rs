//! Injects faults into requests that are about to be performed. Not for: which faults are in force (see `faults`).

use super::faults::status_of;
use super::faults::throttled;
use crate::gate::Shared;
use crate::wire::Fault;
use crate::wire::FaultKind;
use crate::wire::Note;

/// Injects a fault into a request that is about to be performed: waits where it is a delay, and returns what is to be answered in
/// place of performing it.
pub(crate) async fn inject(
    shared: &Shared,
    service: &str,
    operation: &str,
    note: &Note,
) -> Option<Fault> {
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
        // Nobody sees this answer.
        FaultKind::Reset | FaultKind::Hang => Some(Fault::new(503, "ServiceUnavailable", "")),
    }
}
