//! `UpdateJobStatus` and `UpdateJobPriority`.
//! Not for: the status changes that a job makes as it runs (see `run`).

use crate::s3control::call::{ControlCall, invalid, result};
use crate::wire::query::element;
use crate::wire::{Fault, XmlOutput};
use crate::world::jobs::Status;

/// S3 API Reference, `UpdateJobStatus`: `Ready` confirms a job that awaits confirmation;
/// `Cancelled` cancels a job that is not already ending.
pub(super) fn status(call: &mut ControlCall<'_>) -> XmlOutput {
    let wanted = call.parameter("requestedJobStatus").unwrap_or_default();
    let reason = call.parameter("statusUpdateReason").filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 256) {
        return Err(invalid("StatusUpdateReason has at most 256 characters."));
    }
    let now = call.state.now();
    let (id, job) = call.job("s3:UpdateJobStatus")?;
    let next = match (wanted.as_str(), job.status) {
        ("Ready", Status::Suspended) => Status::Ready,
        ("Cancelled", status) if status.is_open() => Status::Cancelling,
        ("Ready" | "Cancelled", status) => {
            let text = format!("A job that is {} can't be made {wanted}.", status.name());
            return Err(Fault::bad("JobStatusException", text));
        }
        _ => return Err(invalid("RequestedJobStatus is Ready or Cancelled.")),
    };
    (job.status, job.due) = (next, now);
    job.reason = reason;
    let answer = element("JobId", id)
        + &element("Status", job.status.name())
        + &job.reason.as_ref().map(|text| element("StatusUpdateReason", text)).unwrap_or_default();
    Ok(Some(result("UpdateJobStatusResult", &answer)))
}

/// S3 API Reference, `UpdateJobPriority`.
pub(super) fn priority(call: &mut ControlCall<'_>) -> XmlOutput {
    let given = call.parameter("priority").and_then(|text| text.parse().ok());
    let given = given.filter(|priority: &i32| *priority >= 0);
    let (id, job) = call.job("s3:UpdateJobPriority")?;
    let given = given.ok_or_else(|| invalid("Priority must be a number from 0 on."))?;
    if job.status.is_final() {
        let text = format!("The job is {}.", job.status.name());
        return Err(Fault::bad("BadRequestException", text));
    }
    job.priority = given;
    let answer = element("JobId", id) + &element("Priority", given.to_string());
    Ok(Some(result("UpdateJobPriorityResult", &answer)))
}
