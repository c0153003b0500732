//! Service-linked roles as plain data, and KMS's, which multi-Region keys need.
//! Not for: which services have one (see `linked_services`).

use super::{Entity, Iam, LINKED_PATH, LinkedService, Role, linked_service};
use crate::world::Stored;
use crate::world::random::unique_id;
use crrctl_iam::names::{AccountId, Arn, Partition};
use std::time::SystemTime;

/// A task that deletes a service-linked role. It has ended: without uses, it has succeeded.
#[derive(Debug, Clone)]
pub(crate) struct LinkedRoleDeletion {
    pub(crate) account: AccountId,
    pub(crate) started: SystemTime,
    /// The Regions and ARNs of the resources that use the role.
    pub(crate) uses: Vec<(String, String)>,
}

/// The maximum number of deletion tasks. The oldest are removed first.
const MAX_DELETIONS: usize = 1_000;

impl Iam {
    /// Stores a task that deletes a service-linked role.
    pub(crate) fn begin_deletion(&mut self, id: String, task: LinkedRoleDeletion) {
        if self.deletions.len() >= MAX_DELETIONS {
            let oldest = self.deletions.iter().min_by_key(|(_, task)| task.started);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.deletions.remove(&oldest);
            }
        }
        self.deletions.insert(id, task);
    }

    /// Returns the role with the name of KMS's service-linked role for multi-Region keys. Its path
    /// tells whether it is that role.
    pub(crate) fn kms_role(&self, account: &AccountId) -> Option<&Role> {
        let name = linked_service(KMS_SERVICE).map(LinkedService::role)?;
        self.roles.get(&(account.clone(), name))
    }

    /// Creates KMS's service-linked role for multi-Region keys in an account.
    pub(crate) fn link(&mut self, account: &AccountId, partition: Partition, now: SystemTime) {
        if let Some(service) = linked_service(KMS_SERVICE) {
            let role = service.role();
            let role = linked_role(account, partition, (KMS_SERVICE, service), role, now);
            self.roles.insert((account.clone(), role.name.clone()), role);
        }
    }
}

/// KMS's service for multi-Region keys (KMS Developer Guide, "Authorizing AWS KMS to synchronize
/// multi-Region keys").
pub(crate) const KMS_SERVICE: &str = "mrk.kms.amazonaws.com";

/// Builds the service-linked role `name` of a service.
pub(crate) fn linked_role(
    account: &AccountId,
    partition: Partition,
    (principal, service): (&str, LinkedService),
    name: String,
    now: SystemTime,
) -> Role {
    let path = format!("{LINKED_PATH}{principal}/");
    let trust = Stored::known(&serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": [principal]},
            "Action": ["sts:AssumeRole"],
        }],
    }));
    let policy = service.policy;
    let attached = format!("arn:{partition}:iam::aws:policy/aws-service-role/{policy}");
    Role {
        arn: Arn::known(partition, "iam", "", account.as_str(), &format!("role{path}{name}")),
        id: unique_id("AROA"),
        path,
        name,
        created: now,
        usable: now,
        trust,
        description: None,
        max_session: 3600,
        entity: Entity { attached: [attached].into(), ..Entity::default() },
    }
}
