//! Roles and their trust policies: create, get, list, delete.
//! Not for: the roles' permissions policies (see `inline`, `attached`) and tags (see `tags`).

use super::inline::document;
use super::tags::Keys;
use crate::iam::call::{
    IamCall, check_name, checked_path, encoded, exceeded, invalid, no_such, truncation,
};
use crate::wire::paging::page;
use crate::wire::query::{element, in_bounds, wrapped};
use crate::wire::{Fault, Params, XmlOutput};
use crate::world::clock::rfc3339;
use crate::world::iam::{Entity, LINKED_PATH, Role};
use crate::world::random::unique_id;
use crate::world::{Quirk, Slow};
use crrctl_iam::DocumentKind;
use crrctl_iam::names::AccountId;

/// Maximum size of a trust policy, in characters without white space (IAM User Guide, "IAM and AWS
/// STS quotas").
const MAX_TRUST: usize = 2048;

/// IAM API Reference, `CreateRole`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let params = call.params;
    let name = params.require("RoleName")?;
    check_name(name, "roleName", 64)?;
    let path = checked_path(call)?;
    let arn = call.arn("role", path, name);
    call.permit_creation("iam:CreateRole", "iam:TagRole", arn.as_str())?;
    if path.starts_with(LINKED_PATH) {
        // Recorded in tilfin/aws-iam-policy-tool#9.
        let text =
            format!("Path prefix '{LINKED_PATH}' can only be used for AWS Service linked Roles");
        return Err(Fault::bad("InvalidInput", text));
    }
    let trust = params.require("AssumeRolePolicyDocument")?;
    let trust = document(call, DocumentKind::TrustPolicy, trust, MAX_TRUST)?;
    let tags = super::tags::merged(&[], params.tags("Tags"), Keys::AnyCase)?;
    let max_session = session(params.get("MaxSessionDuration"))?;
    let boundary = super::boundaries::given(call)?;
    if is_taken(call, name) {
        let text = format!("Role with name {name} already exists.");
        return Err(Fault::new(409, "EntityAlreadyExists", text));
    }
    let quota = call.state.one_more_role(call.caller);
    quota.map_err(|over| exceeded("RolesPerAccount", over))?;
    call.check_room()?;
    let role = Role {
        arn,
        id: unique_id("AROA"),
        path: path.to_owned(),
        name: name.to_owned(),
        created: call.state.now(),
        usable: call.state.done_at(Slow::Role),
        trust,
        description: description(params)?,
        max_session,
        entity: Entity { boundary, tags, ..Entity::default() },
    };
    let answer = element_of(call, &role, Shown::Created);
    let (slot, arn) = (call.slot(name), role.arn.to_string());
    call.state.iam.roles.insert(slot, role);
    call.begin(&Role::QUIRKS, &arn);
    Ok(Some(answer))
}

/// Returns whether the account has a role of this name, ignoring case (IAM API Reference,
/// `CreateRole`).
pub(super) fn is_taken(call: &IamCall<'_>, name: &str) -> bool {
    let own = |(owner, other): &(AccountId, String)| {
        *owner == call.caller.account && other.eq_ignore_ascii_case(name)
    };
    call.state.iam.roles.keys().any(own)
}

/// The default of `MaxSessionDuration`, in seconds (IAM API Reference, `CreateRole`).
const DEFAULT_SESSION: u32 = 3600;

fn session(given: Option<&str>) -> Result<u32, Fault> {
    let Some(given) = given else { return Ok(DEFAULT_SESSION) };
    in_bounds(given, "maxSessionDuration", (3600, 43_200))
}

/// Reads `Description`, of at most 1000 characters of Latin-1 (IAM API Reference, `CreateRole`).
pub(super) fn description(params: &Params) -> Result<Option<String>, Fault> {
    let Some(given) = params.get("Description") else { return Ok(None) };
    let refused = |bound: &str| {
        Err(invalid(format!(
            "1 validation error detected: Value '{given}' at 'description' failed to satisfy constraint: Member must {bound}"
        )))
    };
    if given.chars().count() > 1000 {
        return refused("have length less than or equal to 1000");
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if !given.chars().all(allowed) {
        return refused(
            "satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
        );
    }
    Ok(Some(given.to_owned()))
}

/// The response that shows a role. AWS was recorded to show other members in each (2024-26).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// `CreateRole`, without the session duration and the description.
    Created,
    /// `GetRole`.
    Whole,
    /// `UpdateRoleDescription`, without the session duration.
    Updated,
    /// A list, without tags and permissions boundary.
    Listed,
}

/// Returns a role as XML.
fn element_of(call: &IamCall<'_>, role: &Role, shown: Shown) -> String {
    let trust = role.trust.shown(&call.state.iam);
    let mut xml = element("Path", &role.path)
        + &element("RoleName", &role.name)
        + &element("RoleId", &role.id)
        + &element("Arn", role.arn.as_str())
        + &element("CreateDate", rfc3339(role.created))
        + &element("AssumeRolePolicyDocument", encoded(&trust));
    if matches!(shown, Shown::Whole | Shown::Listed) {
        xml += &element("MaxSessionDuration", role.max_session.to_string());
    }
    if let Some(description) = role.description.as_ref().filter(|_| shown != Shown::Created) {
        xml += &element("Description", description);
    }
    if shown != Shown::Listed {
        xml += &super::boundaries::element_of(role.entity.boundary.as_deref());
        xml += &super::tags::element_of(&role.entity.tags);
    }
    if shown == Shown::Whole {
        // No use of a role is modelled.
        xml += &wrapped("RoleLastUsed", "");
    }
    wrapped(if shown == Shown::Listed { "member" } else { "Role" }, &xml)
}

/// Returns a role as the response to its creation shows it.
pub(super) fn created(call: &IamCall<'_>, role: &Role) -> String {
    element_of(call, role, Shown::Created)
}

/// IAM API Reference, `GetRole`.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let name = call.role("iam:GetRole")?.name.clone();
    let slot = call.slot(&name);
    let role = call.state.iam.roles.get(&slot);
    Ok(role.map(|role| element_of(call, role, Shown::Whole)))
}

/// IAM API Reference, `UpdateRole`. Without `MaxSessionDuration`, that of the role stays (recorded
/// answer of IAM, 2026; the reference says otherwise).
pub(super) fn update(call: &mut IamCall<'_>) -> XmlOutput {
    let given = call.params.get("MaxSessionDuration");
    let max_session = given.map(|given| session(Some(given))).transpose()?;
    let description = description(call.params)?;
    let role = call.role("iam:UpdateRole")?;
    role.max_session = max_session.unwrap_or(role.max_session);
    if description.is_some() {
        role.description = description;
    }
    Ok(Some(String::new()))
}

/// IAM API Reference, `UpdateRoleDescription`.
pub(super) fn update_description(call: &mut IamCall<'_>) -> XmlOutput {
    call.params.require("Description")?;
    let description = description(call.params)?;
    let role = call.role("iam:UpdateRoleDescription")?;
    role.description = description;
    let slot = call.slot(call.params.require("RoleName")?);
    let role = call.state.iam.roles.get(&slot);
    Ok(role.map(|role| element_of(call, role, Shown::Updated)))
}

/// IAM API Reference, `DeleteRole`: the inline policies must be deleted and the managed policies
/// detached first.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let role = call.role("iam:DeleteRole")?;
    let conflict = |what: &str| {
        let text = format!("Cannot delete entity, must {what} first.");
        Err(Fault::new(409, "DeleteConflict", text))
    };
    if !role.entity.attached.is_empty() {
        return conflict("detach all policies");
    }
    if !role.entity.inline.is_empty() {
        return conflict("delete policies");
    }
    let arn = role.arn.to_string();
    if call.state.iam.recent.lasts(Quirk::DeleteConflict, || &*arn) {
        return conflict("delete policies");
    }
    let name = call.params.require("RoleName")?;
    call.check_removable(&arn, no_such("role", name))?;
    call.state.iam.roles.remove(&call.slot(name));
    Ok(None)
}

/// IAM API Reference, `UpdateAssumeRolePolicy`.
pub(super) fn update_trust(call: &mut IamCall<'_>) -> XmlOutput {
    call.role("iam:UpdateAssumeRolePolicy")?;
    let text = call.params.require("PolicyDocument")?;
    let trust = document(call, DocumentKind::TrustPolicy, text, MAX_TRUST)?;
    call.role("iam:UpdateAssumeRolePolicy")?.trust = trust;
    Ok(None)
}

/// IAM API Reference, `ListRoles`.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    call.permit("iam:ListRoles", call.arn("role", "/", "*").as_str())?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let own = |account: &AccountId| *account == call.caller.account;
    let roles = call.state.iam.roles.iter();
    let roles: Vec<_> = roles
        .filter(|((account, _), role)| own(account) && role.path.starts_with(prefix))
        .map(|(_, role)| role)
        .collect();
    let page = page(roles, call.params.get("Marker"), call.limit()?, |role| role.name.clone());
    let members: String =
        page.items.iter().map(|role| element_of(call, role, Shown::Listed)).collect();
    Ok(Some(format!("<Roles>{members}</Roles>{}", truncation(page.next.as_deref()))))
}

/// IAM API Reference, `ListInstanceProfilesForRole`: the list is empty, because the sandbox creates
/// no instance profiles.
pub(super) fn instance_profiles(call: &mut IamCall<'_>) -> XmlOutput {
    call.entity("ListInstanceProfilesForRole")?;
    Ok(Some(format!("<InstanceProfiles></InstanceProfiles>{}", truncation(None))))
}
