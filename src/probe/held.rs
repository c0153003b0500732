//! Why there must be no probes: what nobody can delete.
//! Not for: how long a probe is held (see `steps::hold`).

use crate::failure::{Failure, Kind};
use crate::manifest::{RetentionMode, Topology};
use crate::units::counted;

/// Returns why there must be no probes, where that is so: if the explicit retention were lost on the way, they would stay for as long
/// as the bucket says, and nobody could delete them.
pub fn refused(topology: &Topology) -> Option<Failure> {
    let retention = topology.buckets.retention()?;
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
