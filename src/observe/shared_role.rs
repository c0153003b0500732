//! Reads a role that is not the pair's and that the pair's rules use.
//! Not for: the pair's own roles (see `observe`).

use crate::aws::Aws;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::Arn;
use crate::steps::find::{self, RoleInForce};
use crate::world::SharedRole;

/// Reads a role that is not the pair's, with all its policies.
pub(super) async fn shared_role(
    aws: &Aws,
    direction: &Topology,
    arn: &Arn,
) -> Result<Option<SharedRole>, Failure> {
    let found = find::role_in_force(aws, arn, direction.role_region()).await?;
    let found = found.filter(|role| role.arn == arn.as_str());
    Ok(found.map(RoleInForce::documents).transpose()?)
}
