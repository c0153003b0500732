//! A role with every policy that affects its permissions, whoever created it.
//! Not for: creating or changing roles (see `role`).

use super::role::document;
use crate::aws::{At, Aws, Error};
use crate::names::{Arn, Region};
use crate::world::{SharedRole, Tags};
use futures::future::join;
use serde_json::Value;

type Read<T> = Result<T, Error>;

/// A role. A part that can't be read does not hide the other parts.
pub(crate) struct RoleInForce {
    pub(crate) arn: String,
    pub(crate) tags: Tags,
    pub(crate) trust: Value,
    /// Inline and attached policies, by the names that users see.
    pub(crate) policies: Read<Vec<(String, Value)>>,
    pub(crate) boundary: Read<Option<(String, Value)>>,
}

impl RoleInForce {
    /// Returns the documents of the role. Fails if one of them could not be read.
    pub(crate) fn documents(self) -> Read<SharedRole> {
        Ok(SharedRole { trust: self.trust, policies: self.policies?, boundary: self.boundary? })
    }
}

/// Finds the role with the name in `arn`, in the account whose IAM is called in `home`, with its
/// policies. A role of that name under another path is another role.
pub(crate) async fn find(aws: &Aws, arn: &Arn, home: &Region) -> Read<Option<RoleInForce>> {
    let iam = aws.iam(home);
    let name = arn.resource().rsplit('/').next().unwrap_or_default();
    let found = async { iam.get_role().role_name(name).send().await.at("iam:GetRole", home) };
    let (found, policies) = join(found, policies(aws, name, home)).await;
    let output = match found {
        Ok(output) => output,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(role) = output.role() else { return Ok(None) };
    let boundary = match role.permissions_boundary().and_then(|it| it.permissions_boundary_arn()) {
        Some(arn) => {
            managed(aws, arn, home).await.map(|value| Some((format!("boundary {arn}"), value)))
        }
        None => Ok(None),
    };
    let tag = |tag: &aws_sdk_iam::types::Tag| (tag.key().to_owned(), tag.value().to_owned());
    Ok(Some(RoleInForce {
        arn: role.arn().to_owned(),
        tags: role.tags().iter().map(tag).collect(),
        trust: document(role.assume_role_policy_document()),
        policies,
        boundary,
    }))
}

/// Reads every policy of the role: inline, then attached.
async fn policies(aws: &Aws, role: &str, home: &Region) -> Read<Vec<(String, Value)>> {
    let iam = aws.iam(home);
    let mut policies = Vec::new();
    let mut pages = iam.list_role_policies().role_name(role).into_paginator().send();
    while let Some(page) = pages.next().await {
        for name in page.at("iam:ListRolePolicies", home)?.policy_names() {
            let get = iam.get_role_policy().role_name(role).policy_name(name);
            let output = get.send().await.at("iam:GetRolePolicy", home)?;
            let value = document(Some(output.policy_document()));
            policies.push((format!("role policy {name}"), value));
        }
    }
    let mut pages = iam.list_attached_role_policies().role_name(role).into_paginator().send();
    while let Some(page) = pages.next().await {
        for policy in page.at("iam:ListAttachedRolePolicies", home)?.attached_policies() {
            let arn = policy.policy_arn().unwrap_or_default();
            policies.push((format!("attached policy {arn}"), managed(aws, arn, home).await?));
        }
    }
    Ok(policies)
}

/// Reads the default version of a managed policy.
async fn managed(aws: &Aws, arn: &str, home: &Region) -> Read<Value> {
    let iam = aws.iam(home);
    let policy = iam.get_policy().policy_arn(arn).send().await.at("iam:GetPolicy", home)?;
    let version = policy.policy().and_then(|it| it.default_version_id()).unwrap_or("v1");
    let get = iam.get_policy_version().policy_arn(arn).version_id(version);
    let output = get.send().await.at("iam:GetPolicyVersion", home)?;
    Ok(document(output.policy_version().and_then(|it| it.document())))
}
