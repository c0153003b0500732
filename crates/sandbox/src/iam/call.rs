//! One IAM request, with the functions that operations share: finding users and roles, checking
//! names, error messages.
//! Not for: the operations themselves (see the other files in `iam`).

use crate::gate::{AccessRequest, authorize};
use crate::wire::query::element;
use crate::wire::{Fault, Params};
use crate::world::iam::{Entity, Role};
use crate::world::resource_quotas::Exceeded;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::Context;
use crrctl_iam::names::{AccountId, Arn};

/// One request: its caller, its parameters, and the state that it reads and changes.
pub(super) struct IamCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) params: &'a Params,
}

impl IamCall<'_> {
    /// Checks that the caller may perform `action` on a resource of its own account.
    pub(super) fn permit(&self, action: &str, arn: &str) -> Result<(), Fault> {
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        authorize(&self.state.iam, self.caller, AccessRequest { context: self.asked(), ..request })
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Returns the condition keys for the tags of the request.
    pub(super) fn asked(&self) -> Context {
        let tags = self.params.tags("Tags");
        let mut context = Context::new();
        for (key, value) in &tags {
            context.set(&format!("aws:RequestTag/{key}"), value);
        }
        if !tags.is_empty() {
            context.set_all("aws:TagKeys", tags.iter().map(|(key, _)| key.clone()));
        }
        context
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
        self.permit(action, role.arn.as_str())?;
        self.state.iam.roles.get_mut(&slot).ok_or_else(|| no_such("role", name))
    }

    /// Finds the user or role that an operation such as `PutRolePolicy` changes or reads, and
    /// checks that the caller may perform the operation on it. Returns the name and the entity.
    pub(super) fn entity(&mut self, operation: &str) -> Result<(String, &mut Entity), Fault> {
        let user = is_user(operation);
        let name = self.params.require(if user { "UserName" } else { "RoleName" })?;
        let slot = self.slot(name);
        let (kind, iam) = (kind(operation), &self.state.iam);
        let arn = if user {
            iam.users.get(&slot).map(|user| user.arn.clone())
        } else {
            iam.roles.get(&slot).map(|role| role.arn.clone())
        };
        let missing = || no_such(kind, name);
        let arn = arn.filter(|arn| !self.is_late(arn.as_str()));
        self.permit(&format!("iam:{operation}"), arn.ok_or_else(missing)?.as_str())?;
        let iam = &mut self.state.iam;
        let entity = if user {
            iam.users.get_mut(&slot).map(|user| &mut user.entity)
        } else {
            iam.roles.get_mut(&slot).map(|role| &mut role.entity)
        };
        Ok((name.to_owned(), entity.ok_or_else(missing)?))
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
        given.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{given}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000"
            ))
        })
    }
}

pub(super) fn is_user(operation: &str) -> bool {
    operation.contains("User")
}

pub(super) fn kind(operation: &str) -> &'static str {
    if is_user(operation) { "user" } else { "role" }
}

pub(super) fn checked_path<'p>(call: &IamCall<'p>) -> Result<&'p str, Fault> {
    let path = call.params.get("Path").unwrap_or("/");
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

pub(super) fn no_such(kind: &str, name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
