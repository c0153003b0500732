//! One IAM request, with the functions that operations share: finding users and roles, checking
//! names, error messages.
//! Not for: the operations themselves (see the other files in `iam`).

use crate::gate::{AccessRequest, authorize};
use crate::wire::query::{element, in_bounds};
use crate::wire::{Fault, Params};
use crate::world::iam::{Entity, Role, User};
use crate::world::resource_quotas::Exceeded;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{Context, Principal};

/// One request: its caller, its parameters, and the state that it reads and changes.
pub(super) struct IamCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) params: &'a Params,
}

impl IamCall<'_> {
    /// Checks that the caller may perform `action` on a resource of its own account.
    pub(super) fn permit(&self, action: &str, arn: &str) -> Result<(), Fault> {
        self.permit_with(action, arn, Context::new())
    }

    /// Like [`Self::permit`], with the condition keys that depend on the resource.
    pub(super) fn permit_with(
        &self,
        action: &str,
        arn: &str,
        resource: Context,
    ) -> Result<(), Fault> {
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        let context = || resource.overlaid(super::conditions::of_request(self.params, action));
        authorize(&self.state.iam, self.caller, request, context)
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Like [`Self::permit`], for an operation that creates a resource with the tags of the
    /// request. If there are any, the caller also needs the permission `tagging` (IAM User Guide,
    /// "Controlling access to and for IAM users and roles using tags").
    pub(super) fn permit_creation(
        &self,
        action: &str,
        tagging: &str,
        arn: &str,
    ) -> Result<(), Fault> {
        self.permit(action, arn)?;
        if self.params.tags("Tags").is_empty() { Ok(()) } else { self.permit(tagging, arn) }
    }

    /// Checks that the sandbox can keep what an operation creates.
    pub(super) fn check_room(&self) -> Result<(), Fault> {
        self.state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))
    }

    pub(super) fn slot(&self, name: &str) -> (AccountId, String) {
        (self.caller.account.clone(), name.to_owned())
    }

    /// Begins quirks on a user, a role or a managed policy.
    pub(super) fn begin(&mut self, quirks: &[Quirk], arn: &str) {
        for quirk in quirks {
            let end = self.state.quirk_end(*quirk);
            self.state.iam.recent.begin(*quirk, arn, end);
        }
    }

    /// Returns whether calls do not find a user, role or managed policy yet.
    pub(super) fn is_late(&self, arn: &str) -> bool {
        self.state.iam.recent.lasts(Quirk::LateEntity, || arn)
    }

    /// Refuses to remove what IAM finds but, by a quirk, says is not there.
    pub(super) fn check_removable(&self, arn: &str, missing: Fault) -> Result<(), Fault> {
        let is_late = self.state.iam.recent.lasts(Quirk::RemovalNotFound, || arn);
        if is_late { Err(missing) } else { Ok(()) }
    }

    /// Finds the role that `RoleName` names and checks that the caller may perform `action` on it.
    pub(super) fn role(&mut self, action: &str) -> Result<&mut Role, Fault> {
        let name = self.params.require("RoleName")?;
        let slot = self.slot(name);
        let role = self.state.iam.roles.get(&slot).filter(|role| !self.is_late(role.arn.as_str()));
        let role = role.ok_or_else(|| no_such("role", name))?;
        let resource = super::conditions::of_entity(&role.entity, action);
        self.permit_with(action, role.arn.as_str(), resource)?;
        unprotected(role, action)?;
        self.state.iam.roles.get_mut(&slot).ok_or_else(|| no_such("role", name))
    }

    /// Finds the user that `UserName` names and checks that the caller may perform `action` on it.
    /// Some operations take the user whose access key signed the request where `UserName` is left
    /// out; these set `own`.
    pub(super) fn user(&mut self, action: &str, own: bool) -> Result<&mut User, Fault> {
        let signer = match &self.caller.principal {
            Principal::User { arn, .. } if own => arn.resource().rsplit('/').next(),
            _ => None,
        };
        let name = match self.params.get("UserName").or(signer) {
            Some(name) => name.to_owned(),
            None if own => {
                let text = "Must specify userName when calling with non-User credentials";
                return Err(invalid(text));
            }
            None => self.params.require("UserName")?.to_owned(),
        };
        let slot = self.slot(&name);
        let user = self.state.iam.users.get(&slot).filter(|user| !self.is_late(user.arn.as_str()));
        let user = user.ok_or_else(|| no_such("user", &name))?;
        let resource = super::conditions::of_entity(&user.entity, action);
        self.permit_with(action, user.arn.as_str(), resource)?;
        self.state.iam.users.get_mut(&slot).ok_or_else(|| no_such("user", &name))
    }

    /// Finds the user or role that an operation such as `PutRolePolicy` changes or reads, and
    /// checks that the caller may perform the operation on it. Returns the name and the entity.
    pub(super) fn entity(&mut self, operation: &str) -> Result<(String, &mut Entity), Fault> {
        let action = format!("iam:{operation}");
        if is_user(operation) {
            let user = self.user(&action, false)?;
            return Ok((user.name.clone(), &mut user.entity));
        }
        let role = self.role(&action)?;
        Ok((role.name.clone(), &mut role.entity))
    }

    /// Returns the ARN of a resource of the caller's account, such as `role/path/name`.
    pub(super) fn arn(&self, kind: &str, path: &str, name: &str) -> Arn {
        let resource = format!("{kind}{path}{name}");
        let (partition, account) = (self.caller.partition(), self.caller.account.as_str());
        Arn::known(partition, "iam", "", account, &resource)
    }

    /// Returns `MaxItems`; the default is 100 (IAM API Reference, `ListRoles`).
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        let Some(given) = self.params.get("MaxItems") else { return Ok(100) };
        in_bounds(given, "maxItems", (1, 1000))
    }
}

pub(super) fn is_user(operation: &str) -> bool {
    operation.contains("User")
}

pub(super) fn kind(operation: &str) -> &'static str {
    if is_user(operation) { "user" } else { "role" }
}

pub(super) fn checked_path<'p>(call: &IamCall<'p>) -> Result<&'p str, Fault> {
    valid_path(call.params.get("Path").unwrap_or("/"))
}

/// Checks a path (IAM API Reference, `pathType`).
pub(super) fn valid_path(path: &str) -> Result<&str, Fault> {
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

/// Rejects a name that IAM rejects. `what` is the name of the parameter in IAM's error message.
pub(super) fn check_name(name: &str, what: &str, most: usize) -> Result<(), Fault> {
    let shaped = (1..=most).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if shaped {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {what} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )))
}

pub(super) fn truncation(next: Option<&str>) -> String {
    let marker = next.map(|marker| element("Marker", marker)).unwrap_or_default();
    element("IsTruncated", next.is_some().to_string()) + &marker
}

/// URL-encodes a policy document for a response (RFC 3986, where a space is `%20`).
pub(super) fn encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Returns the error for a resource quota. The wording is the one of `PoliciesPerRole`, which was
/// observed (aws/eks-hybrid#741).
pub(super) fn exceeded(name: &str, Exceeded { quota }: Exceeded) -> Fault {
    Fault::new(409, "LimitExceeded", format!("Cannot exceed quota for {name}: {quota}"))
}

/// Returns an error if `action` changes a service-linked role in a way that only the service may
/// (IAM User Guide, "Service-linked roles"; IAM API Reference, `UnmodifiableEntity`; its text is
/// not recorded). The description and the tags can be changed (IAM API Reference, `UpdateRole` and
/// `TagRole`).
fn unprotected(role: &Role, action: &str) -> Result<(), Fault> {
    const OPEN: [&str; 4] =
        ["iam:TagRole", "iam:UntagRole", "iam:UpdateRole", "iam:UpdateRoleDescription"];
    let reads = action.starts_with("iam:Get") || action.starts_with("iam:List");
    let deletion = action == "iam:DeleteServiceLinkedRole";
    if reads || deletion || OPEN.contains(&action) || !role.is_service_linked() {
        return Ok(());
    }
    let text = format!(
        "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
        role.name
    );
    Err(Fault::bad("UnmodifiableEntity", text))
}

/// Returns the `Status` of a credential.
pub(super) fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

/// Reads the `Status` that a request sets (IAM API Reference, `statusType`).
pub(super) fn is_active(params: &Params) -> Result<bool, Fault> {
    match params.require("Status")? {
        "Active" => Ok(true),
        "Inactive" => Ok(false),
        other => Err(invalid(format!(
            "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"
        ))),
    }
}

pub(super) fn no_such(kind: &str, name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
