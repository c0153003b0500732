//! Inline policies of roles. Not for: managed policies, which are not modelled; none is ever attached.

use super::roles::{limit, truncation};
use super::{Call, invalid};
use crate::sandbox::fault::Fault;
use crate::sandbox::paging::page;
use crate::sandbox::query::element;
use serde_json::Value;

/// The most characters all inline policies of a role may have together, white space aside (IAM User Guide, "IAM and AWS STS quotas").
const MAX_INLINE: usize = 10_240;

/// Returns a policy document as it was given, if it is a JSON object with a statement and within `most` characters.
pub(super) fn document(text: &str, most: usize) -> Result<String, Fault> {
    let shaped = serde_json::from_str::<Value>(text)
        .is_ok_and(|policy| policy.is_object() && !policy["Statement"].is_null());
    if !shaped {
        let text = "Syntax errors in policy.";
        return Err(Fault::bad("MalformedPolicyDocument", text));
    }
    if size(text) > most {
        let text = format!("Cannot exceed quota for policy size: {most}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    Ok(text.to_owned())
}

fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// IAM API Reference, `PutRolePolicy`.
pub(super) fn put(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let name = call.params.require("PolicyName")?;
    let shaped = (1..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if !shaped {
        return Err(invalid(
            "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ));
    }
    let text = call.params.require("PolicyDocument")?;
    let role = call.role("iam:PutRolePolicy")?;
    let policy = document(text, MAX_INLINE)?;
    let others: usize =
        role.policies.iter().filter(|(other, _)| *other != name).map(|(_, p)| size(p)).sum();
    if others + size(&policy) > MAX_INLINE {
        let text =
            format!("Maximum policy size of {MAX_INLINE} bytes exceeded for role {}", role.name);
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    role.policies.insert(name.to_owned(), policy);
    Ok(None)
}

/// IAM API Reference, `GetRolePolicy`: the document comes URL-encoded.
pub(super) fn get(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let name = call.params.require("PolicyName")?;
    let role = call.role("iam:GetRolePolicy")?;
    let policy = role.policies.get(name).ok_or_else(|| no_such_policy(name))?;
    let encoded: String = form_urlencoded::byte_serialize(policy.as_bytes()).collect();
    Ok(Some(
        element("RoleName", &role.name)
            + &element("PolicyName", name)
            + &element("PolicyDocument", encoded.replace('+', "%20")),
    ))
}

/// IAM API Reference, `DeleteRolePolicy`.
pub(super) fn delete(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let name = call.params.require("PolicyName")?;
    let role = call.role("iam:DeleteRolePolicy")?;
    role.policies.remove(name).map(|_| None).ok_or_else(|| no_such_policy(name))
}

/// IAM API Reference, `ListRolePolicies`.
pub(super) fn list(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let (marker, limit) = (call.params.get("Marker"), limit(call)?);
    let names: Vec<String> = call.role("iam:ListRolePolicies")?.policies.keys().cloned().collect();
    let page = page(names, marker, limit, String::clone);
    let members: String = page.items.iter().map(|name| element("member", name)).collect();
    Ok(Some(format!("<PolicyNames>{members}</PolicyNames>{}", truncation(page.next.as_deref()))))
}

/// IAM API Reference, `ListAttachedRolePolicies`: there is no way to attach one yet.
pub(super) fn list_attached(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    call.role("iam:ListAttachedRolePolicies")?;
    Ok(Some(format!("<AttachedPolicies></AttachedPolicies>{}", truncation(None))))
}

fn no_such_policy(name: &str) -> Fault {
    let text = format!("The role policy with name {name} cannot be found.");
    Fault::new(404, "NoSuchEntity", text)
}
