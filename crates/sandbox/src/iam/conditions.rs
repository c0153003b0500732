//! The condition keys of IAM requests (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Identity and Access Management"). A key without a value is absent.
//! Not for: the keys that every request has (see `gate::access`).

use crate::wire::Params;
use crate::world::iam::Entity;
use crrctl_iam::Context;

/// The actions whose `iam:PermissionsBoundary` is the permissions boundary that the user or role
/// has. In the creation of a user or role, and where a permissions boundary is set, it is the one
/// in the request.
const BOUND: [&str; 10] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
];

/// The actions with the parameter `PermissionsBoundary`.
const WITH_BOUNDARY: [&str; 4] = [
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
];

/// The actions with the parameter `Tags`.
const WITH_TAGS: [&str; 6] = [
    "iam:CreatePolicy",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:TagUser",
];

/// The actions with the parameter `TagKeys`.
const WITH_TAG_KEYS: [&str; 3] = ["iam:UntagPolicy", "iam:UntagRole", "iam:UntagUser"];

/// Returns the condition keys that the parameters of a request determine. A parameter that the
/// action does not have determines none.
pub(super) fn of_request(params: &Params, action: &str) -> Context {
    let tags = if WITH_TAGS.contains(&action) { params.tags("Tags") } else { Vec::new() };
    let mut context = Context::new();
    for (key, value) in &tags {
        context.set(&format!("aws:RequestTag/{key}"), value);
    }
    let mut names: Vec<String> = tags.into_iter().map(|(key, _)| key).collect();
    if WITH_TAG_KEYS.contains(&action) {
        names = params.list("TagKeys");
    }
    if !names.is_empty() {
        context.set_all("aws:TagKeys", names);
    }
    let mut set = |key: &str, parameter: &str, has: bool| {
        if let Some(value) = params.get(parameter).filter(|_| has) {
            context.set(key, value);
        }
    };
    let attaches = action.starts_with("iam:Attach") || action.starts_with("iam:Detach");
    let links = action == "iam:CreateServiceLinkedRole";
    set("iam:PermissionsBoundary", "PermissionsBoundary", WITH_BOUNDARY.contains(&action));
    set("iam:AWSServiceName", "AWSServiceName", links);
    set("iam:PolicyARN", "PolicyArn", attaches);
    context
}

/// Returns the condition keys that a user or role determines.
pub(super) fn of_entity(entity: &Entity, action: &str) -> Context {
    let mut context = of_tags(&entity.tags);
    if let Some(boundary) = entity.boundary.as_ref().filter(|_| BOUND.contains(&action)) {
        context.set("iam:PermissionsBoundary", boundary);
    }
    context
}

/// Returns the condition keys that the tags of a resource determine.
pub(super) fn of_tags(tags: &[(String, String)]) -> Context {
    let mut context = Context::new();
    for (key, value) in tags {
        context.set(&format!("aws:ResourceTag/{key}"), value);
        context.set(&format!("iam:ResourceTag/{key}"), value);
    }
    context
}
