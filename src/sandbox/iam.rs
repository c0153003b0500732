//! IAM: AWS Query, one function an operation; so far roles with inline policies and boundaries.
//! Not for: evaluating policies (see `access`), nor users, groups and managed policies, which are not modelled.

mod policies;
mod roles;

use super::access::{Resource, authorize};
use super::auth::{Caller, verify};
use super::fault::Fault;
use super::query::{self, Params};
use super::server::{Answer, answer as reply, with_request_id};
use super::state::{Shared, State};
use crate::names::{AccountId, Arn};
use http::StatusCode;
use http::request::Parts;
use roles::Role;
use std::collections::BTreeMap;

const VERSION: &str = "2010-05-08";
const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The roles of all accounts, by account and name.
#[derive(Debug, Default)]
pub(crate) struct Iam {
    roles: BTreeMap<(AccountId, String), Role>,
}

impl Iam {
    /// Returns whether a role of this ARN exists in `account`.
    pub(crate) fn has_role(&self, account: &AccountId, arn: &str) -> bool {
        self.roles.iter().any(|((owner, _), role)| owner == account && role.arn.as_str() == arn)
    }

    /// Returns the ARNs of all roles.
    pub(crate) fn arns(&self) -> Vec<String> {
        self.roles.values().map(|role| role.arn.to_string()).collect()
    }
}

/// Answers one IAM request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = verify(parts, body, "iam").map_err(query::refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("iam", operation);
        if params.get("Version") != Some(VERSION) {
            return Err(Fault::not_implemented("this version of the Query API"));
        }
        perform(operation, &mut Call { state: &mut state, caller: &caller, params })
    });
    let (status, text) = match done {
        Ok(result) => (200, query::answer(NAMESPACE, operation, result.as_deref(), id)),
        Err(fault) => (fault.status, query::error(NAMESPACE, &fault, id)),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_request_id(reply(status, "text/xml", text), "x-amzn-requestid", id)
}

/// Performs an operation; `None` is the answer of those that answer nothing.
fn perform(operation: &str, call: &mut Call<'_>) -> Result<Option<String>, Fault> {
    match operation {
        "CreateRole" => roles::create(call),
        "DeleteRole" => roles::delete(call),
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(call),
        "DeleteRolePolicy" => policies::delete(call),
        "GetRole" => roles::get(call),
        "GetRolePolicy" => policies::get(call),
        "ListAttachedRolePolicies" => policies::list_attached(call),
        "ListRolePolicies" => policies::list(call),
        "ListRoleTags" => roles::list_tags(call),
        "ListRoles" => roles::list(call),
        "PutRolePermissionsBoundary" => roles::put_boundary(call),
        "PutRolePolicy" => policies::put(call),
        "TagRole" => roles::tag(call),
        "UntagRole" => roles::untag(call),
        "UpdateAssumeRolePolicy" => roles::update_trust(call),
        _ => Err(Fault::not_implemented(&format!("iam:{operation}"))),
    }
}

/// One request: who asks, for what, of which state.
struct Call<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    params: &'a Params,
}

impl Call<'_> {
    /// Finds the role that `RoleName` names and asks whether the caller may perform `action` on it.
    fn role(&mut self, action: &str) -> Result<&mut Role, Fault> {
        let name = self.params.require("RoleName")?;
        let slot = (self.caller.account.clone(), name.to_owned());
        let role = self.state.iam.roles.get_mut(&slot).ok_or_else(|| no_such_role(name))?;
        permit(self.caller, action, role.arn.as_str())?;
        Ok(role)
    }
}

fn permit(caller: &Caller, action: &str, arn: &str) -> Result<(), Fault> {
    let resource = Resource { arn: arn.to_owned(), owner: &caller.account };
    authorize(caller, action, &resource, &[("aws:RequestedRegion", caller.region.as_str())])
        .map_err(|denied| Fault::new(403, "AccessDenied", denied.message))
}

fn role_arn(caller: &Caller, path: &str, name: &str) -> Arn {
    let resource = format!("role{path}{name}");
    Arn::known(caller.partition(), "iam", "", caller.account.as_str(), &resource)
}

fn no_such_role(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
