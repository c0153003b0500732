//! `ListEntitiesForPolicy`: the users and roles that a managed policy is attached to or is the
//! permissions boundary of. Not for: the policies of a user or role (see `attached`).

use super::managed::{find, find_of_aws};
use crate::iam::call::{IamCall, invalid, truncation};
use crate::wire::XmlOutput;
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::world::iam::Entity;

/// A user or role as a member of a list. It is sorted by `kind`, then by name.
struct Member {
    kind: &'static str,
    name: String,
    id: String,
}

/// IAM API Reference, `ListEntitiesForPolicy`. No groups are modelled.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    let arn = call.params.require("PolicyArn")?;
    if find_of_aws(call, "iam:ListEntitiesForPolicy")?.is_none() {
        find(call, "iam:ListEntitiesForPolicy")?;
    }
    let filter = call.params.get("EntityFilter");
    let known = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    if let Some(other) = filter.filter(|it| !known.contains(it)) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{other}' at 'entityFilter' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            known.join(", ")
        )));
    }
    let members = members(call, arn, filter);
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let page = page(members, marker, limit, |it| format!("{}/{}", it.kind, it.name));
    let of = |kind: &str| -> String {
        let members = page.items.iter().filter(|it| it.kind == kind);
        let member = |it: &Member| {
            let (name, id) = (format!("{kind}Name"), format!("{kind}Id"));
            wrapped("member", &(element(&name, &it.name) + &element(&id, &it.id)))
        };
        members.map(member).collect()
    };
    Ok(Some(
        wrapped("PolicyGroups", "")
            + &wrapped("PolicyUsers", &of("User"))
            + &wrapped("PolicyRoles", &of("Role"))
            + &truncation(page.next.as_deref()),
    ))
}

fn members(call: &IamCall<'_>, arn: &str, filter: Option<&str>) -> Vec<Member> {
    let usage = call.params.get("PolicyUsageFilter");
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let is_used = |entity: &Entity| {
        let attached = entity.attached.contains(arn);
        let bounded = entity.boundary.as_deref() == Some(arn);
        match usage {
            Some("PermissionsPolicy") => attached,
            Some("PermissionsBoundary") => bounded,
            _ => attached || bounded,
        }
    };
    let wanted = |kind: &str, path: &str, entity: &Entity| {
        filter.is_none_or(|filter| filter == kind) && path.starts_with(prefix) && is_used(entity)
    };
    let (account, iam) = (&call.caller.account, &call.state.iam);
    let users = iam
        .users
        .iter()
        .filter(|((owner, _), user)| owner == account && wanted("User", &user.path, &user.entity));
    let roles = iam
        .roles
        .iter()
        .filter(|((owner, _), role)| owner == account && wanted("Role", &role.path, &role.entity));
    let member =
        |kind, name: &String, id: &String| Member { kind, name: name.clone(), id: id.clone() };
    let users = users.map(|(_, user)| member("User", &user.name, &user.id));
    users.chain(roles.map(|(_, role)| member("Role", &role.name, &role.id))).collect()
}
