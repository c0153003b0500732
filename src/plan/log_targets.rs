//! Refuses a target of server access logs that can't take them. S3 accepts the configuration all
//! the same, and writes no logs (S3 User Guide, "Enabling Amazon S3 server access logging").
//! Not for: the configuration of logging (see `settings::logging`).

use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Side, Topology};
use crate::policy::proof::logging::takes_logs;
use crate::policy::{self, Document, Templates};
use crate::settings::LogTarget;
use crate::world::{LogTargetFound, World};

/// Returns warnings about the targets that were read.
///
/// # Errors
/// A target does not exist, or its policy lets no logs be written and nothing else can.
pub(super) fn check(
    topology: &Topology,
    world: &World,
    templates: &Templates,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for side in topology.sides() {
        let Some(target) = topology.wanted.log_target(side) else { continue };
        let Some(found) = world.log_targets.get(&target.bucket) else { continue };
        let Some(LogTargetFound { policy, has_acls }) = found else {
            return Err(missing(side, &target));
        };
        if takes_logs(topology, side, &target, policy.as_ref()) {
            continue;
        }
        let message = format!(
            "the policy of `{}` does not let S3 write the access logs of `{}` there",
            target.bucket, side.bucket
        );
        if *has_acls {
            warnings.push(format!(
                "{message}, and whether its ACL does is not read: `crrctl policy render {}`",
                Document::LogTarget(target.bucket).name()
            ));
            continue;
        }
        let document = Document::LogTarget(target.bucket.clone());
        let wanted = policy::render(&document, topology, &PairKeys::default(), templates)?;
        return Err(Failure::new(Kind::Denied, "log-target-denies", message)
            .in_region(&side.region)
            .hint(format!(
                "add to the policy of `{}`: {}",
                target.bucket, wanted["Statement"][0]
            )));
    }
    warnings.dedup();
    Ok(warnings)
}

fn missing(side: &Side, target: &LogTarget) -> Failure {
    let message = format!(
        "there is no bucket `{}`, to which the access logs of `{}` are to go",
        target.bucket, side.bucket
    );
    Failure::new(Kind::Manifest, "log-target-missing", message).in_region(&side.region).hint(
        format!(
            "make it in {}, in the account of `{}`; crrctl makes no bucket for logs",
            side.region, side.bucket
        ),
    )
}
