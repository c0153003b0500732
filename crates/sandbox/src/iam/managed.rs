//! Managed policies: customer managed policies with one version each, and `AdministratorAccess` as
//! the only AWS managed policy.
//! Not for: further policy versions, which are not modelled, and attaching policies (see
//! `attached`).

use super::inline::document;
use crate::iam::call::{IamCall, check_name, checked_path, encoded, exceeded, invalid, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Quirk;
use crate::world::clock::rfc3339;
use crate::world::iam::{Managed, aws_document};
use crate::world::random::unique_id;
use crrctl_iam::DocumentKind;
use crrctl_iam::names::Arn;

/// Maximum size of a managed policy, in characters without white space (IAM User Guide, "IAM and
/// AWS STS quotas").
const MAX_POLICY: usize = 6144;

/// Checks that `arn` names an existing managed policy: one of the caller's account or an AWS
/// managed policy.
pub(super) fn check_exists(call: &IamCall<'_>, arn: &str) -> Result<(), Fault> {
    let parsed = Arn::new(arn)
        .ok()
        .filter(|arn| arn.service() == "iam" && arn.resource().starts_with("policy/"))
        .ok_or_else(|| invalid("Invalid ARN:  Could not be parsed!"))?;
    if parsed.account() == "aws" && aws_document(arn).is_none() {
        return Err(Fault::not_implemented(&format!("the AWS managed policy {arn}")));
    }
    let own = parsed.account() == "aws" || parsed.account() == call.caller.account.as_str();
    let exists = call.state.iam.managed_document(arn).is_some() && !call.is_late(arn);
    if own && exists { Ok(()) } else { Err(missing(arn)) }
}

fn missing(arn: &str) -> Fault {
    let text = format!("Policy {arn} does not exist or is not attachable.");
    Fault::new(404, "NoSuchEntity", text)
}

/// IAM API Reference, `CreatePolicy`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let name = call.params.require("PolicyName")?;
    check_name(name, "policyName", 128)?;
    let path = checked_path(call)?;
    let arn = call.arn("policy", path, name).to_string();
    call.permit("iam:CreatePolicy", &arn)?;
    let text = call.params.require("PolicyDocument")?;
    let stored = document(call, DocumentKind::ManagedPolicy, text, MAX_POLICY)?;
    if call.params.get("Tags.member.1.Key").is_some() {
        return Err(Fault::not_implemented("tags of managed policies"));
    }
    if call.state.iam.managed.contains_key(&arn) {
        let text =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(Fault::new(409, "EntityAlreadyExists", text));
    }
    let quota = call.state.one_more_policy(call.caller);
    quota.map_err(|over| exceeded("PoliciesPerAccount", over))?;
    let (path, name, created) = (path.to_owned(), name.to_owned(), call.state.now());
    let managed = Managed { stored, id: unique_id("ANPA"), path, name, created };
    let shown = element_of(call, &arn, &managed, "Policy");
    call.state.iam.managed.insert(arn.clone(), managed);
    call.begin(&[Quirk::LateEntity, Quirk::RemovalNotFound], &arn);
    Ok(Some(shown))
}

fn element_of(call: &IamCall<'_>, arn: &str, managed: &Managed, name: &str) -> String {
    let created = rfc3339(managed.created);
    let shown = element("PolicyName", &managed.name)
        + &element("PolicyId", &managed.id)
        + &element("Arn", arn)
        + &element("Path", &managed.path)
        + &element("DefaultVersionId", "v1")
        + &element("AttachmentCount", attachments(call, arn).to_string())
        + &element("PermissionsBoundaryUsageCount", boundaries(call, arn).to_string())
        + &element("IsAttachable", "true")
        + &element("CreateDate", &created)
        + &element("UpdateDate", &created);
    wrapped(name, &shown)
}

fn attachments(call: &IamCall<'_>, arn: &str) -> usize {
    let iam = &call.state.iam;
    let entities = iam.roles.values().map(|role| &role.entity);
    let entities = entities.chain(iam.users.values().map(|user| &user.entity));
    entities.filter(|entity| entity.attached.contains(arn)).count()
}

/// Returns how many users and roles have the policy as their permissions boundary.
fn boundaries(call: &IamCall<'_>, arn: &str) -> usize {
    let iam = &call.state.iam;
    let entities = iam.roles.values().map(|role| &role.entity);
    let entities = entities.chain(iam.users.values().map(|user| &user.entity));
    entities.filter(|entity| entity.boundary.as_deref() == Some(arn)).count()
}

fn find<'a>(call: &'a IamCall<'_>, action: &str) -> Result<(&'a str, &'a Managed), Fault> {
    let arn = call.params.require("PolicyArn")?;
    call.permit(action, arn)?;
    let own = |(found, _): &(&String, &Managed)| {
        Arn::new(found.as_str()).is_ok_and(|arn| arn.account() == call.caller.account.as_str())
    };
    let found = call.state.iam.managed.get_key_value(arn).filter(own);
    found
        .filter(|(arn, _)| !call.is_late(arn))
        .map(|(arn, managed)| (arn.as_str(), managed))
        .ok_or_else(|| not_found(arn))
}

fn not_found(arn: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("Policy {arn} was not found."))
}

/// IAM API Reference, `GetPolicy`.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let (arn, managed) = find(call, "iam:GetPolicy")?;
    Ok(Some(element_of(call, arn, managed, "Policy")))
}

/// IAM API Reference, `GetPolicyVersion`: the only version is `v1`.
pub(super) fn get_version(call: &mut IamCall<'_>) -> XmlOutput {
    let version = call.params.require("VersionId")?;
    let (arn, managed) = find(call, "iam:GetPolicyVersion")?;
    if version != "v1" {
        let text = format!("Policy {arn} version {version} does not exist or is not attachable.");
        return Err(Fault::new(404, "NoSuchEntity", text));
    }
    let shown = element("Document", encoded(managed.stored.text()))
        + &element("VersionId", "v1")
        + &element("IsDefaultVersion", "true")
        + &element("CreateDate", rfc3339(managed.created));
    Ok(Some(wrapped("PolicyVersion", &shown)))
}

/// IAM API Reference, `ListPolicies`: lists the customer managed policies of the account.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    call.permit("iam:ListPolicies", call.arn("policy", "/", "*").as_str())?;
    if call.params.get("Scope") != Some("Local") {
        return Err(Fault::not_implemented("lists of AWS's own policies; ask with Scope=Local"));
    }
    let own = call.arn("policy", "/", "").to_string();
    let managed = call.state.iam.managed.iter().filter(|(arn, _)| arn.starts_with(&own));
    let page = page(managed.collect(), call.params.get("Marker"), call.limit()?, |(arn, _)| {
        (*arn).clone()
    });
    let members: String =
        page.items.iter().map(|(arn, managed)| element_of(call, arn, managed, "member")).collect();
    Ok(Some(wrapped("Policies", &members) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `DeletePolicy`: the policy must not be attached to a user or role, nor be a
/// permissions boundary.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let arn = find(call, "iam:DeletePolicy")?.0.to_owned();
    if attachments(call, &arn) > 0 || boundaries(call, &arn) > 0 {
        let text = "Cannot delete a policy attached to entities.";
        return Err(Fault::new(409, "DeleteConflict", text));
    }
    call.check_removable(&arn, not_found(&arn))?;
    call.state.iam.managed.remove(&arn);
    Ok(None)
}
