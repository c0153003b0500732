//! IAM over the AWS Query protocol, one function per operation: roles, users with access keys,
//! inline and managed policies, permissions boundaries, policy simulation.
//! Not for: evaluating policies (see `gate::access`), nor groups, instance profiles and identity
//! providers, which are not modelled.

mod access_keys;
mod attached;
mod boundaries;
mod call;
mod inline;
mod managed;
mod roles;
mod service_linked;
mod simulate;
mod tags;
mod users;

use crate::gate::{Shared, refused_in_query, verify};
use crate::iam::call::IamCall;
use crate::wire::{Answer, Fault, Params, XmlOutput, query};
use crate::world::State;
use http::request::Parts;

const VERSION: &str = "2010-05-08";
const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Handles one IAM request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = verify(shared, parts, body, "iam").map_err(refused_in_query).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("iam", operation);
        if params.get("Version") != Some(VERSION) {
            return Err(Fault::not_implemented("this version of the Query API"));
        }
        check_room(&state, operation)?;
        perform(operation, &mut IamCall { state: &mut state, caller: &caller, params })
    });
    reply_with(params, done, id)
}

/// Wraps the result in IAM's response envelope.
pub(crate) fn reply_with(params: &Params, done: Result<Option<String>, Fault>, id: &str) -> Answer {
    query::respond(NAMESPACE, params, done, id)
}

/// Checks that the sandbox can keep what an operation creates.
fn check_room(state: &State, operation: &str) -> Result<(), Fault> {
    if !operation.starts_with("Create") {
        return Ok(());
    }
    state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))
}

fn perform(operation: &str, call: &mut IamCall<'_>) -> XmlOutput {
    match operation {
        "AttachRolePolicy" | "AttachUserPolicy" => attached::attach(call, operation),
        "CreateAccessKey" => access_keys::create(call),
        "CreatePolicy" => managed::create(call),
        "CreateRole" => roles::create(call),
        "CreateServiceLinkedRole" => service_linked::create(call),
        "CreateUser" => users::create(call),
        "DeleteAccessKey" => access_keys::delete(call),
        "DeletePolicy" => managed::delete(call),
        "DeleteRole" => roles::delete(call),
        "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary" => {
            boundaries::delete(call, operation)
        }
        "DeleteRolePolicy" | "DeleteUserPolicy" => inline::delete(call, operation),
        "DeleteUser" => users::delete(call),
        "DetachRolePolicy" | "DetachUserPolicy" => attached::detach(call, operation),
        "GetPolicy" => managed::get(call),
        "GetPolicyVersion" => managed::get_version(call),
        "GetRole" => roles::get(call),
        "GetRolePolicy" | "GetUserPolicy" => inline::get(call, operation),
        "GetUser" => users::get(call),
        "ListAccessKeys" => access_keys::list(call),
        "ListAttachedRolePolicies" | "ListAttachedUserPolicies" => attached::list(call, operation),
        "ListInstanceProfilesForRole" => roles::instance_profiles(call),
        "ListPolicies" => managed::list(call),
        "ListRolePolicies" | "ListUserPolicies" => inline::list(call, operation),
        "ListRoleTags" | "ListUserTags" => tags::list(call, operation),
        "ListRoles" => roles::list(call),
        "ListUsers" => users::list(call),
        "PutRolePermissionsBoundary" | "PutUserPermissionsBoundary" => {
            boundaries::put(call, operation)
        }
        "PutRolePolicy" | "PutUserPolicy" => inline::put(call, operation),
        "SimulateCustomPolicy" => simulate::custom(call),
        "SimulatePrincipalPolicy" => simulate::principal(call),
        "TagRole" | "TagUser" => tags::add(call, operation),
        "UntagRole" | "UntagUser" => tags::remove(call, operation),
        "UpdateAccessKey" => access_keys::update(call),
        "UpdateAssumeRolePolicy" => roles::update_trust(call),
        _ => Err(Fault::not_implemented(&format!("iam:{operation}"))),
    }
}
