//! Refuses probes that no principal could delete.
//! Not for: how long a probe is held (see `steps::hold`).

use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::settings::RetentionMode;
use crate::units::counted;

/// Returns why no probe may be uploaded, if so. If the explicit retention period of a probe were
/// lost in replication, the bucket's default retention would hold the probe, and no principal could
/// delete it.
pub fn refused(topology: &Topology) -> Option<Failure> {
    let retention = topology.wanted.buckets.retention()?;
    if retention.mode != RetentionMode::Compliance {
        return None;
    }
    let message = format!(
        "`{}` holds new versions in COMPLIANCE mode for {}: a probe could stay there, and nobody could delete it",
        topology.source.bucket,
        counted(retention.days, "day")
    );
    Some(
        Failure::new(Kind::InTheWay, "probe-held", message)
            .in_region(&topology.source.region)
            .hint("to build the pair without proof: `crrctl apply --no-probe`, with `replication.activation: direct` where others write")
            .hint("to have it proven: `mode: governance`, and `compliance` once it is"),
    )
}
