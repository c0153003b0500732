//! The verdict on a probe: what it proves, or what is wrong with it.
//! Not for: why a replication FAILED (see `check`).

use super::{Probe, Status};
use crate::failure::{Failure, Kind};
use crate::units::{counted, format_duration};

/// Returns what is wrong with a probe, if anything.
pub(super) fn judged(probe: &Probe) -> Option<Failure> {
    let (key, route) =
        (&probe.source.key, format!("{} → {}", probe.source.region, probe.destination.region));
    let failure = match probe.status {
        Status::Completed if probe.checks.all() => return None,
        Status::Completed => {
            let names: Vec<&str> =
                probe.differences.iter().map(|difference| difference.check).collect();
            let message = format!(
                "the replica of `{key}` ({route}) differs from its source: {}",
                names.join(", ")
            );
            Failure::new(Kind::ReplicaDiffers, "replica-differs", message)
                .hint("the differences stand in the evidence; `crrctl plan` shows whether the settings drifted")
        }
        Status::Failed => {
            let message = format!("replication of `{key}` ({route}) FAILED{}", tried(probe));
            Failure::new(Kind::ReplicationFailed, "replication-failed", message)
                .hint("check the role's rights, the key policies and states in both Regions, and deny statements of bucket policies")
                .hint("if all of these allow it, a service or resource control policy of the organisation is the first suspect")
        }
        Status::Pending => {
            let message = format!("`{key}` ({route}) is still PENDING");
            Failure::new(Kind::TooLate, "replication-pending", message)
                .hint("most objects replicate within 15 minutes; `crrctl probe --timeout 1h` waits longer")
        }
        Status::None if probe.unfit.is_some() => {
            let why = probe.unfit.as_deref().unwrap_or_default();
            let message = format!("`{key}` ({route}) can't replicate{}: {why}", tried(probe));
            Failure::new(Kind::ReplicationFailed, "source-drifted", message)
                .hint("`crrctl plan` shows what drifted; `crrctl apply` puts it right")
        }
        Status::None => {
            let message = format!(
                "S3 gives `{key}` ({route}) no replication status{}: no rule selects it",
                tried(probe)
            );
            Failure::new(Kind::ReplicationFailed, "not-eligible", message).hint(
                "`crrctl plan` shows whether the rules drifted; `crrctl apply` puts them right",
            )
        }
    };
    Some(failure.in_region(&probe.source.region))
}

/// Returns how often and how long it was tried, as the end of a clause.
fn tried(probe: &Probe) -> String {
    let attempts = counted(probe.attempts, "attempt");
    if probe.attempts > 1 {
        format!(" after {attempts} in {}", format_duration(probe.tried_for))
    } else {
        format!(" after {attempts}")
    }
}
