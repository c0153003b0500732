//! Service-linked roles: create, delete, and the state of a deletion.
//! Not for: which services have one (see `world::iam::linked_services`), and KMS's, which
//! `CreateKey` creates (see `kms::keys`).

use super::call::{IamCall, invalid, no_such};
use super::roles;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Slow;
use crate::world::iam::{
    KMS_SERVICE, LINKED_PATH, LinkedRoleDeletion, LinkedService, Role, linked_role, linked_service,
};

/// IAM API Reference, `CreateServiceLinkedRole`. The error for a custom suffix is recorded
/// (2024-26). The role counts toward the quota of roles, but can exceed it (IAM User Guide, "Create
/// a service-linked role").
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let principal = call.params.require("AWSServiceName")?;
    check_text("aWSServiceName", principal, 128)?;
    let suffix = call.params.get("CustomSuffix");
    suffix.map(|suffix| check_text("customSuffix", suffix, 64)).transpose()?;
    let description = roles::description(call.params)?;
    let found = linked_service(principal);
    let name = found.map_or_else(|| "*".to_owned(), LinkedService::role);
    let name = suffix.map_or_else(|| name.clone(), |suffix| format!("{name}_{suffix}"));
    let path = format!("{LINKED_PATH}{principal}/");
    let arn = call.arn("role", &path, &name);
    call.permit("iam:CreateServiceLinkedRole", arn.as_str())?;
    let Some(service) = found else {
        return Err(Fault::not_implemented(&format!("the service-linked role of {principal}")));
    };
    if suffix.is_some() && !service.suffix {
        let text = format!("Custom suffix is not allowed for {principal}");
        return Err(Fault::bad("InvalidInput", text));
    }
    check_text("roleName", &name, 64)?;
    if roles::is_taken(call, &name) {
        let text = format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        );
        return Err(Fault::bad("InvalidInput", text));
    }
    call.check_room()?;
    let slot = call.slot(&name);
    let (account, partition) = (&call.caller.account, call.caller.partition());
    let mut role = linked_role(account, partition, (principal, service), name, call.state.now());
    role.description = description;
    role.usable = call.state.done_at(Slow::Role);
    let answer = roles::created(call, &role);
    call.state.iam.roles.insert(slot, role);
    call.begin(&Role::QUIRKS, arn.as_str());
    Ok(Some(answer))
}

/// Checks a service principal, a custom suffix, or the name that they make (IAM API Reference,
/// `CreateServiceLinkedRole` and `Role`).
fn check_text(member: &str, value: &str, most: usize) -> Result<(), Fault> {
    let refused = |bound: &str| {
        Err(invalid(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {bound}"
        )))
    };
    if value.is_empty() {
        return refused("have length greater than or equal to 1");
    }
    if value.chars().count() > most {
        return refused(&format!("have length less than or equal to {most}"));
    }
    if value.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        return Ok(());
    }
    refused("satisfy regular expression pattern: [\\w+=,.@-]+")
}

/// IAM API Reference, `DeleteServiceLinkedRole`: starts a deletion, which fails where the service
/// still uses the role. Here, the deletion ends at once. Only KMS has resources that use a role.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let role = call.role("iam:DeleteServiceLinkedRole")?.clone();
    if !role.is_service_linked() {
        let text = format!("{} is not a service-linked role.", role.name);
        return Err(Fault::bad("InvalidInput", text));
    }
    call.check_removable(role.arn.as_str(), no_such("role", &role.name))?;
    let slot = call.slot(&role.name);
    let uses = if role.path.ends_with(&format!("/{KMS_SERVICE}/")) {
        call.state.kms.multi_region_keys(&call.caller.account)
    } else {
        Vec::new()
    };
    if uses.is_empty() {
        call.state.iam.roles.remove(&slot);
    }
    let id = format!("task{}{}/{}", role.path, role.name, uuid::Uuid::new_v4());
    let started = call.state.now();
    let task = LinkedRoleDeletion { account: slot.0, started, uses };
    call.state.iam.begin_deletion(id.clone(), task);
    Ok(Some(element("DeletionTaskId", id)))
}

/// IAM API Reference, `GetServiceLinkedRoleDeletionStatus`.
pub(super) fn deletion_status(call: &mut IamCall<'_>) -> XmlOutput {
    let id = call.params.require("DeletionTaskId")?;
    let Some(role) = id.strip_prefix("task/").and_then(|rest| rest.rsplit_once('/')) else {
        return Err(invalid(format!("Invalid deletion task id {id}")));
    };
    let arn = call.arn("role", "/", role.0);
    call.permit("iam:GetServiceLinkedRoleDeletionStatus", arn.as_str())?;
    let task = call.state.iam.deletions.get(id);
    let own = task.filter(|task| task.account == call.caller.account);
    let Some(LinkedRoleDeletion { uses, .. }) = own else {
        let text = format!("Deletion task {id} cannot be found.");
        return Err(Fault::new(404, "NoSuchEntity", text));
    };
    if uses.is_empty() {
        return Ok(Some(element("Status", "SUCCEEDED")));
    }
    let usage = |(region, arn): &(String, String)| {
        let resources = wrapped("Resources", &element("member", arn));
        wrapped("member", &(element("Region", region) + &resources))
    };
    let usages: String = uses.iter().map(usage).collect();
    // The text is the sandbox's own.
    let reason = element("Reason", "The service-linked role is used by resources of its service.")
        + &wrapped("RoleUsageList", &usages);
    Ok(Some(element("Status", "FAILED") + &wrapped("Reason", &reason)))
}
