//! Roles: their life, trust, tags and boundary. Not for: their inline policies.

use super::policies::document;
use super::{Call, invalid, no_such_role, permit, role_arn};
use crate::names::Arn;
use crate::sandbox::clock::rfc3339;
use crate::sandbox::fault::Fault;
use crate::sandbox::paging::page;
use crate::sandbox::query::{element, wrapped};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The most characters a trust policy may have, white space aside (IAM User Guide, "IAM and AWS STS quotas").
const MAX_TRUST: usize = 2048;

/// A role, as plain data.
#[derive(Debug)]
pub(crate) struct Role {
    pub(super) arn: Arn,
    pub(super) id: String,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) created: SystemTime,
    pub(super) trust: String,
    pub(super) description: Option<String>,
    pub(super) max_session: u32,
    pub(super) tags: Vec<(String, String)>,
    pub(super) boundary: Option<String>,
    /// Inline policies by name.
    pub(super) policies: BTreeMap<String, String>,
}

/// IAM API Reference, `CreateRole`.
pub(super) fn create(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let params = call.params;
    let name = params.require("RoleName")?;
    if crate::names::RoleName::new(name).is_err() {
        return Err(invalid(
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ));
    }
    let path = checked_path(params.get("Path").unwrap_or("/"))?;
    let arn = role_arn(call.caller, path, name);
    permit(call.caller, "iam:CreateRole", arn.as_str())?;
    let trust = document(params.require("AssumeRolePolicyDocument")?, MAX_TRUST)?;
    let tags = merged(&[], params.tags("Tags"))?;
    let max_session = session(params.get("MaxSessionDuration"))?;
    let boundary = params.get("PermissionsBoundary").map(checked_boundary).transpose()?;
    let slot = (call.caller.account.clone(), name.to_owned());
    // Names are unique without regard to case (IAM API Reference, `CreateRole`).
    let taken = |(account, other): &(_, String)| {
        *account == call.caller.account && other.eq_ignore_ascii_case(name)
    };
    if call.state.iam.roles.keys().any(taken) {
        let text = format!("Role with name {name} already exists.");
        return Err(Fault::new(409, "EntityAlreadyExists", text));
    }
    let role = Role {
        arn,
        id: new_id(),
        path: path.to_owned(),
        name: name.to_owned(),
        created: call.state.now(),
        trust,
        description: params.get("Description").map(String::from),
        max_session,
        tags,
        boundary,
        policies: BTreeMap::new(),
    };
    let answer = element_of(&role, true);
    call.state.iam.roles.insert(slot, role);
    Ok(Some(answer))
}

/// Returns a new unique id, `AROA` and 17 letters or digits (IAM User Guide, "IAM identifiers").
fn new_id() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = (0..17).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())]));
    "AROA".chars().chain(letters).collect()
}

fn checked_path(path: &str) -> Result<&str, Fault> {
    let shaped = path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= 512
        && path.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if shaped {
        Ok(path)
    } else {
        Err(invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ))
    }
}

fn session(given: Option<&str>) -> Result<u32, Fault> {
    let Some(given) = given else { return Ok(3600) };
    given.parse().ok().filter(|s| (3600..=43_200).contains(s)).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{given}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
        ))
    })
}

fn checked_boundary(given: &str) -> Result<String, Fault> {
    match Arn::new(given) {
        Ok(arn) if arn.service() == "iam" && arn.resource().starts_with("policy/") => {
            Ok(given.to_owned())
        }
        _ => Err(invalid(format!("ARN {given} is not valid."))),
    }
}

/// Returns `current` with `new` laid over it (IAM API Reference, `TagRole`; 50 tags a role).
fn merged(
    current: &[(String, String)],
    new: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, Fault> {
    let mut tags = current.to_vec();
    for (name, value) in new {
        if !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
            return Err(invalid(format!("Invalid tag {name}")));
        }
        match tags.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => tags.push((name, value)),
        }
    }
    if tags.len() > 50 {
        let text = "The number of tags has reached the maximum limit.";
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    Ok(tags)
}

/// Returns a role as XML; lists leave out tags and boundary, as AWS's do.
fn element_of(role: &Role, whole: bool) -> String {
    let trust: String = form_urlencoded::byte_serialize(role.trust.as_bytes()).collect();
    let mut xml = element("Path", &role.path)
        + &element("RoleName", &role.name)
        + &element("RoleId", &role.id)
        + &element("Arn", role.arn.as_str())
        + &element("CreateDate", rfc3339(role.created))
        // The document is URL-encoded (RFC 3986), where a space is %20.
        + &element("AssumeRolePolicyDocument", trust.replace('+', "%20"))
        + &element("MaxSessionDuration", role.max_session.to_string());
    if let Some(description) = &role.description {
        xml += &element("Description", description);
    }
    if whole {
        if let Some(arn) = &role.boundary {
            let inner = element("PermissionsBoundaryType", "Policy")
                + &element("PermissionsBoundaryArn", arn);
            xml += &wrapped("PermissionsBoundary", &inner);
        }
        xml += &wrapped("Tags", &tag_elements(&role.tags));
    }
    wrapped(if whole { "Role" } else { "member" }, &xml)
}

fn tag_elements(tags: &[(String, String)]) -> String {
    let member = |(key, value): &(String, String)| {
        wrapped("member", &(element("Key", key) + &element("Value", value)))
    };
    tags.iter().map(member).collect()
}

/// IAM API Reference, `GetRole`.
pub(super) fn get(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    Ok(Some(element_of(call.role("iam:GetRole")?, true)))
}

/// IAM API Reference, `DeleteRole`: inline policies must go first.
pub(super) fn delete(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let role = call.role("iam:DeleteRole")?;
    if !role.policies.is_empty() {
        let text = "Cannot delete entity, must delete policies first.";
        return Err(Fault::new(409, "DeleteConflict", text));
    }
    let slot = (call.caller.account.clone(), call.params.require("RoleName")?.to_owned());
    call.state.iam.roles.remove(&slot);
    Ok(None)
}

/// IAM API Reference, `UpdateAssumeRolePolicy`.
pub(super) fn update_trust(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let trust = document(call.params.require("PolicyDocument")?, MAX_TRUST)?;
    call.role("iam:UpdateAssumeRolePolicy")?.trust = trust;
    Ok(None)
}

/// IAM API Reference, `TagRole`.
pub(super) fn tag(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let new = call.params.tags("Tags");
    let role = call.role("iam:TagRole")?;
    role.tags = merged(&role.tags, new)?;
    Ok(None)
}

/// IAM API Reference, `UntagRole`.
pub(super) fn untag(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let names = call.params.list("TagKeys");
    call.role("iam:UntagRole")?.tags.retain(|(name, _)| !names.contains(name));
    Ok(None)
}

/// IAM API Reference, `ListRoleTags`.
pub(super) fn list_tags(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let (marker, limit) = (call.params.get("Marker"), limit(call)?);
    let tags = call.role("iam:ListRoleTags")?.tags.clone();
    let page = page(tags, marker, limit, |(name, _)| name.clone());
    Ok(Some(wrapped("Tags", &tag_elements(&page.items)) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `ListRoles`.
pub(super) fn list(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    permit(call.caller, "iam:ListRoles", role_arn(call.caller, "/", "*").as_str())?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let limit = limit(call)?;
    let roles: Vec<&Role> = call
        .state
        .iam
        .roles
        .iter()
        .filter(|((account, _), role)| {
            *account == call.caller.account && role.path.starts_with(prefix)
        })
        .map(|(_, role)| role)
        .collect();
    let page = page(roles, call.params.get("Marker"), limit, |role| role.name.clone());
    let members: String = page.items.iter().map(|role| element_of(role, false)).collect();
    Ok(Some(format!("<Roles>{members}</Roles>{}", truncation(page.next.as_deref()))))
}

/// Returns `MaxItems`, 100 unless given (IAM API Reference, `ListRoles`).
pub(super) fn limit(call: &Call<'_>) -> Result<usize, Fault> {
    let Some(given) = call.params.get("MaxItems") else { return Ok(100) };
    given.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{given}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000"
        ))
    })
}

pub(super) fn truncation(next: Option<&str>) -> String {
    let marker = next.map(|marker| element("Marker", marker)).unwrap_or_default();
    element("IsTruncated", next.is_some().to_string()) + &marker
}

/// IAM API Reference, `PutRolePermissionsBoundary`.
pub(super) fn put_boundary(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let boundary = checked_boundary(call.params.require("PermissionsBoundary")?)?;
    call.role("iam:PutRolePermissionsBoundary")?.boundary = Some(boundary);
    Ok(None)
}

/// IAM API Reference, `DeleteRolePermissionsBoundary`.
pub(super) fn delete_boundary(call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    let name = call.params.require("RoleName")?;
    match call.role("iam:DeleteRolePermissionsBoundary")?.boundary.take() {
        Some(_) => Ok(None),
        None => Err(no_such_role(name)),
    }
}
