//! The only inline policy of the role, `replication`: what S3 may do with the role.
//! Not for: the role itself (see `role`).

use super::role::document;
use super::{Steps, known_arn, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
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

impl Steps {
    pub(super) async fn run_role_policy(
        &self,
        action: &Action,
        work: &Owned<Vec<StatementChange>, RolePolicyDiffers>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        match work {
            Owned::Create(_) | Owned::Update(RolePolicyDiffers::Statements(_)) => {
                self.apply_role_policy(action, &self.scope.served, progress).await
            }
            Owned::Update(RolePolicyDiffers::Pruned) => {
                self.apply_role_policy(action, &self.scope.topology, progress).await
            }
            Owned::Remove(_) => {
                self.remove_role_policy(&action.name, &action.region, progress).await?;
                known_arn(action)
            }
            Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
        }
    }

    /// Writes the policy. `forward` has the destinations that the role of the forward direction
    /// serves.
    async fn apply_role_policy(
        &self,
        action: &Action,
        forward: &Topology,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let (home, name) = (&action.region, action.name.as_str());
        let (document, arn, topology) = if self.scope.is_batch_role(name) {
            (Document::BatchReplicationRole, self.scope.topology.batch_role_arn(), forward)
        } else {
            // Each direction is rendered as its own pair.
            let direction = self.scope.direction_of_role(name, home)?;
            let topology = if direction.is_back() { direction } else { forward };
            (Document::ReplicationRole, direction.role_arn(), topology)
        };
        let wanted = if topology.is_back() { topology } else { &self.scope.topology };
        let keys = self.keys.committed_for(wanted)?;
        let policy = policy::render(&document, topology, &keys, &self.templates)?.to_string();
        let put = self
            .aws
            .iam(home)
            .put_role_policy()
            .role_name(name)
            .policy_name(NAME)
            .policy_document(policy);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("iam:PutRolePolicy", home)
        })
        .await?;
        Ok(arn)
    }

    pub(super) async fn remove_role_policy(
        &self,
        name: &str,
        home: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let delete = self.aws.iam(home).delete_role_policy().role_name(name).policy_name(NAME);
        let call =
            || async { delete.clone().send().await.at("iam:DeleteRolePolicy", home).map(drop) };
        let role = RoleName::new(name)?;
        let stands = || async { Ok(find(&self.aws, &role, home).await?.is_some()) };
        self.removed("the role's policy", progress, call, stands).await
    }
}
