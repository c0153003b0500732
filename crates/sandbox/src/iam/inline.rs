//! Inline policies of users and roles. Not for: managed policies (see `managed`).

use super::policy_flaws::refused;
use crate::iam::call::{IamCall, check_name, encoded, is_user, kind, truncation};
use crate::wire::paging::page;
use crate::wire::query::element;
use crate::wire::{Fault, XmlOutput};
use crate::world::documents::read;
use crate::world::{Quirk, Slow, Stored};
use crrctl_iam::DocumentKind;
use std::collections::BTreeMap;

/// Maximum total size of the inline policies of a role, in characters without white space
/// (IAM User Guide, "IAM and AWS STS quotas").
const MAX_ROLE: usize = 10_240;
/// The same maximum for a user.
const MAX_USER: usize = 2048;

/// Validates and parses a policy document of at most `most` characters, white space not counted.
pub(super) fn document(
    call: &IamCall<'_>,
    kind: DocumentKind,
    text: &str,
    most: usize,
) -> Result<Stored, Fault> {
    if size(text) > most {
        let text = format!("Cannot exceed quota for PolicySize: {most}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    read(kind, text, &call.state.iam).map_err(|flaw| refused(kind, text, &flaw))
}

fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// IAM API Reference, `PutRolePolicy` and `PutUserPolicy`.
pub(super) fn put(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let name = call.params.require("PolicyName")?;
    check_name(name, "policyName", 128)?;
    let text = call.params.require("PolicyDocument")?;
    let (owner, entity) = call.entity(operation)?;
    let others = entity.inline.iter().filter(|(other, _)| *other != name);
    let others: usize = others.map(|(_, policy)| size(policy.text())).sum();
    let (most, grammar) = if is_user(operation) {
        (MAX_USER, DocumentKind::UserPolicy)
    } else {
        (MAX_ROLE, DocumentKind::RolePolicy)
    };
    if others + size(text) > most {
        let kind = kind(operation);
        let text = format!("Maximum policy size of {most} bytes exceeded for {kind} {owner}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    let policy = document(call, grammar, text, most)?;
    set(call, operation, |inline| {
        inline.insert(name.to_owned(), policy);
    })?;
    Ok(None)
}

/// IAM API Reference, `GetRolePolicy` and `GetUserPolicy`: the policy document is URL-encoded in
/// the response.
pub(super) fn get(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let name = call.params.require("PolicyName")?;
    let (owner, entity) = call.entity(operation)?;
    let policy = entity.inline.get(name).ok_or_else(|| missing(operation, name))?;
    let label = if is_user(operation) { "UserName" } else { "RoleName" };
    Ok(Some(
        element(label, owner)
            + &element("PolicyName", name)
            + &element("PolicyDocument", encoded(policy.text())),
    ))
}

/// IAM API Reference, `DeleteRolePolicy` and `DeleteUserPolicy`.
pub(super) fn delete(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let name = call.params.require("PolicyName")?;
    let (_, entity) = call.entity(operation)?;
    if !entity.inline.contains_key(name) {
        return Err(missing(operation, name));
    }
    set(call, operation, |inline| {
        inline.remove(name);
    })?;
    begin_conflict(call, operation)?;
    Ok(None)
}

/// Begins the quirk by which the deletion of a role fails after a policy was removed from it.
pub(super) fn begin_conflict(call: &mut IamCall<'_>, operation: &str) -> Result<(), Fault> {
    if !is_user(operation) {
        let arn = call.role(&format!("iam:{operation}"))?.arn.to_string();
        call.begin(&[Quirk::DeleteConflict], &arn);
    }
    Ok(())
}

/// Changes the inline policies of a user or role. The change takes effect after the delay
/// `Slow::Policy`.
fn set(
    call: &mut IamCall<'_>,
    operation: &str,
    change: impl FnOnce(&mut BTreeMap<String, Stored>),
) -> Result<(), Fault> {
    let (now, from) = (call.state.now(), call.state.done_at(Slow::Policy));
    let (_, entity) = call.entity(operation)?;
    let mut inline = (*entity.inline).clone();
    change(&mut inline);
    entity.inline.set(inline, now, from);
    Ok(())
}

/// IAM API Reference, `ListRolePolicies` and `ListUserPolicies`.
pub(super) fn list(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let names: Vec<String> = call.entity(operation)?.1.inline.keys().cloned().collect();
    let page = page(names, marker, limit, String::clone);
    let members: String = page.items.iter().map(|name| element("member", name)).collect();
    Ok(Some(format!("<PolicyNames>{members}</PolicyNames>{}", truncation(page.next.as_deref()))))
}

fn missing(operation: &str, name: &str) -> Fault {
    let text = format!("The {} policy with name {name} cannot be found.", kind(operation));
    Fault::new(404, "NoSuchEntity", text)
}
