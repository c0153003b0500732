//! Users: create, get, list, update, delete.
//! Not for: the users' policies (see `inline`, `attached`), tags (see `tags`) and access keys (see
//! `access_keys`), nor passwords and groups, which are not modelled.

use super::conditions::of_entity;
use crate::iam::call::{
    IamCall, check_name, checked_path, exceeded, no_such, truncation, valid_path,
};
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
    call.permit_creation("iam:CreateUser", "iam:TagUser", arn.as_str())?;
    let tags = super::tags::merged(&[], call.params.tags("Tags"), super::tags::Keys::AnyCase)?;
    let boundary = super::boundaries::given(call)?;
    if is_taken(call.state.iam.users.keys(), &call.slot(name)) {
        return Err(taken(name));
    }
    let quota = call.state.one_more_user(call.caller);
    quota.map_err(|over| exceeded("UsersPerAccount", over))?;
    call.check_room()?;
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

/// IAM API Reference, `GetUser`: without `UserName`, returns the user whose access key signed the
/// request.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let user = call.user("iam:GetUser", true)?;
    Ok(Some(element_of(user, "User")))
}

/// IAM API Reference, `UpdateUser`: changes the name, the path, or both. The caller needs the
/// permission on the user before and after the change. Access keys and policies stay with the user.
pub(super) fn update(call: &mut IamCall<'_>) -> XmlOutput {
    let user = call.user("iam:UpdateUser", false)?.clone();
    let path = match call.params.get("NewPath") {
        Some(path) => valid_path(path)?,
        None => &user.path,
    };
    let name = call.params.get("NewUserName").unwrap_or(&user.name);
    check_name(name, "newUserName", 64)?;
    let arn = call.arn("user", path, name);
    let resource = of_entity(&user.entity, "iam:UpdateUser");
    call.permit_with("iam:UpdateUser", arn.as_str(), resource)?;
    let (old, new) = (call.slot(&user.name), call.slot(name));
    let users = call.state.iam.users.keys().filter(|slot| **slot != old);
    if is_taken(users, &new) {
        return Err(taken(name));
    }
    let (path, name) = (path.to_owned(), name.to_owned());
    for key in call.state.iam.keys.values_mut().filter(|key| key.owner == old) {
        key.owner = new.clone();
    }
    let credentials = call.state.iam.service_credentials.values_mut();
    for credential in credentials.filter(|it| it.owner == old) {
        credential.owner = new.clone();
    }
    call.state.iam.recent.rename(user.arn.as_str(), arn.as_str());
    call.state.iam.users.remove(&old);
    call.state.iam.users.insert(new, User { arn, path, name, ..user });
    Ok(None)
}

/// Returns whether an account has a user of this name, ignoring case (IAM API Reference,
/// `CreateUser`).
fn is_taken<'a>(
    mut users: impl Iterator<Item = &'a (AccountId, String)>,
    (account, name): &(AccountId, String),
) -> bool {
    users.any(|(owner, other)| owner == account && other.eq_ignore_ascii_case(name))
}

fn taken(name: &str) -> Fault {
    let text = format!("User with name {name} already exists.");
    Fault::new(409, "EntityAlreadyExists", text)
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
    let user = call.user("iam:DeleteUser", false)?.clone();
    let slot = call.slot(&user.name);
    let conflict = |what: &str| {
        let text = format!("Cannot delete entity, must {what} first.");
        Err(Fault::new(409, "DeleteConflict", text))
    };
    if call.state.iam.keys.values().any(|key| key.owner == slot) {
        return conflict("delete access keys");
    }
    if call.state.iam.service_credentials.values().any(|it| it.owner == slot) {
        return conflict("remove referenced objects");
    }
    if !user.entity.inline.is_empty() {
        return conflict("delete policies");
    }
    if !user.entity.attached.is_empty() {
        return conflict("detach all policies");
    }
    call.check_removable(user.arn.as_str(), no_such("user", &user.name))?;
    call.state.iam.users.remove(&slot);
    Ok(None)
}
