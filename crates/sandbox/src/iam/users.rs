//! Users: create, get, list, delete.
//! Not for: the users' policies (see `inline`, `attached`), tags (see `tags`) and access keys (see
//! `access_keys`), nor passwords and groups, which are not modelled.

use crate::iam::call::{IamCall, check_name, checked_path, exceeded, invalid, no_such, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Quirk;
use crate::world::clock::rfc3339;
use crate::world::iam::{Entity, User};
use crate::world::random::unique_id;
use crrctl_iam::names::AccountId;

/// IAM API Reference, `CreateUser`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let name = call.params.require("UserName")?;
    check_name(name, "userName", 64)?;
    let path = checked_path(call)?;
    let arn = call.arn("user", path, name);
    call.permit("iam:CreateUser", arn.as_str())?;
    let tags = super::tags::merged(&[], call.params.tags("Tags"))?;
    let boundary = super::boundaries::given(call)?;
    let account = &call.caller.account;
    let taken = |(owner, other): &(_, String)| owner == account && other.eq_ignore_ascii_case(name);
    if call.state.iam.users.keys().any(taken) {
        let text = format!("User with name {name} already exists.");
        return Err(Fault::new(409, "EntityAlreadyExists", text));
    }
    let quota = call.state.one_more_user(call.caller);
    quota.map_err(|over| exceeded("UsersPerAccount", over))?;
    let user = User {
        arn,
        id: unique_id("AIDA"),
        path: path.to_owned(),
        name: name.to_owned(),
        created: call.state.now(),
        entity: Entity { boundary, tags, ..Entity::default() },
    };
    let answer = element_of(&user, "User");
    let (slot, arn) = (call.slot(name), user.arn.to_string());
    call.state.iam.users.insert(slot, user);
    let quirks = [Quirk::LateEntity, Quirk::LatePrincipal, Quirk::RemovalNotFound];
    call.begin(&quirks, &arn);
    Ok(Some(answer))
}

fn element_of(user: &User, name: &str) -> String {
    let mut xml = element("Path", &user.path)
        + &element("UserName", &user.name)
        + &element("UserId", &user.id)
        + &element("Arn", user.arn.as_str())
        + &element("CreateDate", rfc3339(user.created));
    if name == "User" {
        xml += &super::boundaries::element_of(user.entity.boundary.as_deref());
        xml += &super::tags::element_of(&user.entity.tags);
    }
    wrapped(name, &xml)
}

/// Finds a user of the caller's account by its name.
pub(super) fn find<'a>(call: &'a IamCall<'_>, name: &str) -> Result<&'a User, Fault> {
    let user = call.state.iam.users.get(&call.slot(name));
    user.filter(|user| !call.is_late(user.arn.as_str())).ok_or_else(|| no_such("user", name))
}

/// IAM API Reference, `GetUser`: without `UserName`, returns the user whose access key signed the
/// request.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let own = match &call.caller.principal {
        crrctl_iam::Principal::User { arn, .. } => arn.resource().rsplit('/').next(),
        _ => None,
    };
    let name =
        call.params.get("UserName").or(own).ok_or_else(|| {
            invalid("Must specify userName when calling with non-User credentials")
        })?;
    let user = find(call, name)?;
    call.permit("iam:GetUser", user.arn.as_str())?;
    Ok(Some(element_of(user, "User")))
}

/// IAM API Reference, `ListUsers`.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    call.permit("iam:ListUsers", call.arn("user", "/", "*").as_str())?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let own = |account: &AccountId| *account == call.caller.account;
    let users = call.state.iam.users.iter();
    let users: Vec<_> = users
        .filter(|((account, _), user)| own(account) && user.path.starts_with(prefix))
        .map(|(_, user)| user)
        .collect();
    let page = page(users, call.params.get("Marker"), call.limit()?, |user| user.name.clone());
    let members: String = page.items.iter().map(|user| element_of(user, "member")).collect();
    Ok(Some(wrapped("Users", &members) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `DeleteUser`: the access keys and inline policies must be deleted and the
/// managed policies detached first.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let name = call.params.require("UserName")?;
    let slot = call.slot(name);
    let user = find(call, name)?;
    call.permit("iam:DeleteUser", user.arn.as_str())?;
    let conflict = |what: &str| {
        let text = format!("Cannot delete entity, must {what} first.");
        Err(Fault::new(409, "DeleteConflict", text))
    };
    if call.state.iam.keys.values().any(|key| key.owner == slot) {
        return conflict("delete access keys");
    }
    if !user.entity.inline.is_empty() {
        return conflict("delete policies");
    }
    if !user.entity.attached.is_empty() {
        return conflict("detach all policies");
    }
    call.check_removable(user.arn.as_str(), no_such("user", name))?;
    call.state.iam.users.remove(&slot);
    Ok(None)
}
