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

/// Returns the condition keys that the parameters of a request determine.
pub(super) fn of_request(params: &Params, action: &str) -> Context {
    let tags = params.tags("Tags");
    let mut context = Context::new();
    for (key, value) in &tags {
        context.set(&format!("aws:RequestTag/{key}"), value);
    }
    let names: Vec<String> =
        tags.into_iter().map(|(key, _)| key).chain(params.list("TagKeys")).collect();
    if !names.is_empty() {
        context.set_all("aws:TagKeys", names);
    }
    if let Some(boundary) = params.get("PermissionsBoundary") {
        context.set("iam:PermissionsBoundary", boundary);
    }
    if let Some(service) = params.get("AWSServiceName") {
        context.set("iam:AWSServiceName", service);
    }
    let attaches = action.starts_with("iam:Attach") || action.starts_with("iam:Detach");
    if let Some(policy) = params.get("PolicyArn").filter(|_| attaches) {
        context.set("iam:PolicyARN", policy);
    }
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
