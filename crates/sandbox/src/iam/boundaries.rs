//! Permissions boundaries of users and roles. Not for: enforcing them (see `gate::access`).

use super::managed::check_exists;
use crate::iam::call::{IamCall, kind};
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crrctl_iam::names::Arn;

/// The name of `PermissionsBoundary` in error messages.
const MEMBER: &str = "permissionsBoundary";

/// Returns the permissions boundary in a request that creates a user or role, if the request has
/// one. The policy must exist.
pub(super) fn given(call: &IamCall<'_>) -> Result<Option<String>, Fault> {
    let given = call.params.get("PermissionsBoundary");
    given.map(|arn| check(call, arn).map(|()| arn.to_owned())).transpose()
}

/// Checks that a policy exists. The texts are recorded answers of IAM (2026).
fn check(call: &IamCall<'_>, arn: &str) -> Result<(), Fault> {
    check_exists(call, arn, MEMBER).map_err(|fault| match &*fault.code {
        "NoSuchEntity" => Fault {
            message: format!("Scope ARN: {arn} does not exist or is not attachable."),
            ..fault
        },
        "ValidationError" if Arn::new(arn).is_ok() => {
            Fault::bad("InvalidInput", format!("ARN {arn} is not valid."))
        }
        _ => fault,
    })
}

/// IAM API Reference, `PutRolePermissionsBoundary` and `PutUserPermissionsBoundary`.
pub(super) fn put(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let arn = call.params.require("PermissionsBoundary")?;
    call.entity(operation)?;
    check(call, arn)?;
    call.entity(operation)?.1.boundary = Some(arn.to_owned());
    Ok(None)
}

/// IAM API Reference, `DeleteRolePermissionsBoundary` and `DeleteUserPermissionsBoundary`.
pub(super) fn delete(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (name, entity) = call.entity(operation)?;
    if entity.boundary.take().is_some() {
        return Ok(None);
    }
    let text = format!("The {} {name} has no permissions boundary.", kind(operation));
    Err(Fault::new(404, "NoSuchEntity", text))
}

/// Returns the `PermissionsBoundary` element of a user or role; empty without a permissions
/// boundary.
pub(super) fn element_of(boundary: Option<&str>) -> String {
    let Some(arn) = boundary else { return String::new() };
    let inner =
        element("PermissionsBoundaryType", "Policy") + &element("PermissionsBoundaryArn", arn);
    wrapped("PermissionsBoundary", &inner)
}
