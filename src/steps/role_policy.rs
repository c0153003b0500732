//! The only inline policy of the role, `replication`: what S3 may do with the role.
//! Not for: the role itself (see `role`).

use super::gone;
use super::role::document;
use super::{Run, known_arn, nothing_to_do};
use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::{Arn, Region, RoleName};
use crate::plan::work::{Owned, RolePolicyDiffers};
use crate::plan::{Action, StatementChange};
use crate::policy::{self, Document};
use serde_json::Value;

/// The name of the inline policy (part of the contract).
pub(super) const NAME: &str = "replication";

pub(super) async fn find(
    aws: &Aws,
    role: &RoleName,
    home: &Region,
) -> Result<Option<Value>, Error> {
    let request = aws.iam(home).get_role_policy().role_name(role.as_str()).policy_name(NAME);
    match request.send().await.at("iam:GetRolePolicy", home) {
        Ok(output) => Ok(Some(document(Some(output.policy_document())))),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<Vec<StatementChange>, RolePolicyDiffers>,
) -> Result<Arn, Failure> {
    match work {
        Owned::Create(_) | Owned::Update(RolePolicyDiffers::Statements(_)) => {
            apply(run, action, &run.scope.served).await
        }
        Owned::Update(RolePolicyDiffers::Pruned) => apply(run, action, &run.scope.topology).await,
        Owned::Remove(_) => {
            remove(run, &action.name, &action.region).await?;
            known_arn(action)
        }
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Writes the policy. `forward` has the destinations that the role of the forward direction
/// serves.
async fn apply(run: Run<'_>, action: &Action, forward: &Topology) -> Result<Arn, Failure> {
    let (home, name) = (&action.region, action.name.as_str());
    let (document, arn, topology) = if run.scope.is_batch_role(name) {
        (Document::BatchReplicationRole, run.scope.topology.batch_role_arn(), forward)
    } else {
        // Each direction is rendered as its own pair.
        let direction = run.scope.direction_of_role(name, home)?;
        let topology = if direction.is_back() { direction } else { forward };
        (Document::ReplicationRole, direction.role_arn(), topology)
    };
    let wanted = if topology.is_back() { topology } else { &run.scope.topology };
    let keys = run.keys.committed_for(wanted)?;
    let policy = policy::render(&document, topology, &keys, &run.templates)?.to_string();
    let put = run
        .aws
        .iam(home)
        .put_role_policy()
        .role_name(name)
        .policy_name(NAME)
        .policy_document(policy);
    run.retry(|| async { put.clone().send().await.at("iam:PutRolePolicy", home) }).await?;
    Ok(arn)
}

pub(super) async fn remove(run: Run<'_>, name: &str, home: &Region) -> Result<(), Failure> {
    let delete = run.aws.iam(home).delete_role_policy().role_name(name).policy_name(NAME);
    let call = || async { delete.clone().send().await.at("iam:DeleteRolePolicy", home).map(drop) };
    let role = RoleName::new(name)?;
    let stands = || async { Ok(find(&run.aws, &role, home).await?.is_some()) };
    gone::removed(run, "the role's policy", call, stands).await
}
