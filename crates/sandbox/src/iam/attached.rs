//! Attaches managed policies to users and roles and detaches them.
//! Not for: the managed policies themselves (see `managed`).

use super::inline::begin_conflict;
use super::managed::{MEMBER, check_exists, policy_arn};
use crate::iam::call::{IamCall, is_user, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};

/// Maximum number of managed policies attached to a user or role (IAM User Guide, "IAM and AWS STS
/// quotas").
const MOST: usize = 10;

/// IAM API Reference, `AttachRolePolicy` and `AttachUserPolicy`.
pub(super) fn attach(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let arn = call.params.require("PolicyArn")?;
    call.entity(operation)?;
    check_exists(call, arn, MEMBER)?;
    let (_, entity) = call.entity(operation)?;
    if entity.attached.len() >= MOST && !entity.attached.contains(arn) {
        let kind = if is_user(operation) { "User" } else { "Role" };
        let text = format!("Cannot exceed quota for PoliciesPer{kind}: {MOST}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    entity.attached.insert(arn.to_owned());
    Ok(None)
}

/// IAM API Reference, `DetachRolePolicy` and `DetachUserPolicy`.
pub(super) fn detach(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let arn = call.params.require("PolicyArn")?;
    policy_arn(arn, MEMBER)?;
    let (_, entity) = call.entity(operation)?;
    if !entity.attached.remove(arn) {
        return Err(Fault::new(404, "NoSuchEntity", format!("Policy {arn} was not found.")));
    }
    begin_conflict(call, operation)?;
    Ok(None)
}

/// IAM API Reference, `ListAttachedRolePolicies` and `ListAttachedUserPolicies`.
pub(super) fn list(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    // The path of a policy is a part of its ARN.
    let prefix = format!(":policy{}", call.params.get("PathPrefix").unwrap_or("/"));
    let attached = call.entity(operation)?.1.attached.iter();
    let arns: Vec<String> = attached.filter(|arn| arn.contains(&prefix)).cloned().collect();
    let page = page(arns, marker, limit, String::clone);
    let member = |arn: &String| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        wrapped("member", &(element("PolicyName", name) + &element("PolicyArn", arn)))
    };
    let members: String = page.items.iter().map(member).collect();
    Ok(Some(wrapped("AttachedPolicies", &members) + &truncation(page.next.as_deref())))
}
