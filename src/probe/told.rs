//! Converts a probe to the event that reports it.
//! Not for: judging the probe (see `verdict`).

use super::{Difference, Probe};
use crate::events::{PlaceOf, ProbeDone};
use crate::names::{BucketName, Region};

/// Returns the event that reports a probe.
pub(super) fn done(probe: &Probe) -> ProbeDone {
    let place = |bucket: &BucketName, region: &Region| PlaceOf {
        bucket: bucket.to_string(),
        region: region.clone(),
    };
    let difference = |it: &Difference| {
        format!("{}: expected {}, the replica has {}", it.check, it.source, it.replica)
    };
    ProbeDone {
        rule: probe.rule.clone(),
        key: probe.source.key.clone(),
        version_id: probe.source.version_id.clone(),
        source: place(&probe.source.bucket, &probe.source.region),
        destination: place(&probe.destination.bucket, &probe.destination.region),
        status: probe.status.as_str().to_owned(),
        latency_ms: probe.latency_ms,
        attempts: probe.attempts,
        checked: probe.checks.all(),
        differences: probe.differences.iter().map(difference).collect(),
    }
}
