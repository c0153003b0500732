//! IAM over the AWS Query protocol, one function per operation: roles, users with access keys,
//! inline and managed policies, permissions boundaries, policy simulation.
//! Not for: evaluating policies (see `gate::access`), nor groups, instance profiles and identity
//! providers, which are not modelled.

mod access_keys;
mod attached;
mod boundaries;
mod call;
mod conditions;
mod entities_for_policy;
mod furnished;
mod inline;
mod managed;
mod policy_flaws;
mod policy_tags;
mod positions;
mod roles;
mod service_credentials;
mod service_linked;
mod simulate;
mod tags;
mod user_parts;
mod users;
mod versions;

use crate::gate::{QueryService, Refusal, Shared, refused_in_query};
use crate::iam::call::IamCall;
use crate::wire::{Answer, Fault, Params, XmlOutput, query};
use http::request::Parts;

pub(crate) use furnished::{add_policy, add_principal};

const VERSION: &str = "2010-05-08";
const SERVICE: QueryService = QueryService { signed: "iam", counted: "iam" };
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
    let done = shared.query((parts, body), SERVICE, operation, |state, caller| {
        // Credentials of `GetSessionToken` call IAM only with MFA, which no user has here (STS API
        // Reference, `GetSessionToken`).
        if caller.is_session_of_user() {
            return Err(refused_in_query(Refusal::UnknownKey));
        }
        if params.get("Version") != Some(VERSION) {
            return Err(Fault::not_implemented("this version of the Query API"));
        }
        perform(operation, &mut IamCall { state, caller, params })
    });
    reply_with(params, done, id)
}

/// Wraps the result in IAM's response envelope.
pub(crate) fn reply_with(params: &Params, done: Result<Option<String>, Fault>, id: &str) -> Answer {
    query::respond(NAMESPACE, params, done, id)
}

fn perform(operation: &str, call: &mut IamCall<'_>) -> XmlOutput {
    match operation {
        "AttachRolePolicy" | "AttachUserPolicy" => attached::attach(call, operation),
        "CreateAccessKey" => access_keys::create(call),
        "CreatePolicy" => managed::create(call),
        "CreatePolicyVersion" => versions::create(call),
        "CreateRole" => roles::create(call),
        "CreateServiceLinkedRole" => service_linked::create(call),
        "CreateServiceSpecificCredential" => service_credentials::create(call),
        "CreateUser" => users::create(call),
        "DeleteAccessKey" => access_keys::delete(call),
        "DeleteLoginProfile" | "GetLoginProfile" => user_parts::login_profile(call, operation),
        "DeletePolicy" => managed::delete(call),
        "DeletePolicyVersion" => versions::delete(call),
        "DeleteRole" => roles::delete(call),
        "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary" => {
            boundaries::delete(call, operation)
        }
        "DeleteRolePolicy" | "DeleteUserPolicy" => inline::delete(call, operation),
        "DeleteServiceLinkedRole" => service_linked::delete(call),
        "DeleteServiceSpecificCredential" => service_credentials::delete(call),
        "DeleteUser" => users::delete(call),
        "DetachRolePolicy" | "DetachUserPolicy" => attached::detach(call, operation),
        "GetPolicy" => managed::get(call),
        "GetPolicyVersion" => versions::get(call),
        "GetRole" => roles::get(call),
        "GetRolePolicy" | "GetUserPolicy" => inline::get(call, operation),
        "GetServiceLinkedRoleDeletionStatus" => service_linked::deletion_status(call),
        "GetUser" => users::get(call),
        "ListAccessKeys" => access_keys::list(call),
        "ListAttachedRolePolicies" | "ListAttachedUserPolicies" => attached::list(call, operation),
        "ListEntitiesForPolicy" => entities_for_policy::list(call),
        "ListGroupsForUser"
        | "ListMFADevices"
        | "ListSSHPublicKeys"
        | "ListSigningCertificates" => user_parts::list(call, operation),
        "ListInstanceProfilesForRole" => roles::instance_profiles(call),
        "ListPolicies" => managed::list(call),
        "ListPolicyTags" => policy_tags::list(call),
        "ListPolicyVersions" => versions::list(call),
        "ListRolePolicies" | "ListUserPolicies" => inline::list(call, operation),
        "ListRoleTags" | "ListUserTags" => tags::list(call, operation),
        "ListRoles" => roles::list(call),
        "ListServiceSpecificCredentials" => service_credentials::list(call),
        "ListUsers" => users::list(call),
        "ListVirtualMFADevices" => user_parts::virtual_mfa_devices(call),
        "PutRolePermissionsBoundary" | "PutUserPermissionsBoundary" => {
            boundaries::put(call, operation)
        }
        "PutRolePolicy" | "PutUserPolicy" => inline::put(call, operation),
        "ResetServiceSpecificCredential" => service_credentials::reset(call),
        "SetDefaultPolicyVersion" => versions::set_default(call),
        "SimulateCustomPolicy" => simulate::custom(call),
        "SimulatePrincipalPolicy" => simulate::principal(call),
        "TagPolicy" => policy_tags::add(call),
        "TagRole" | "TagUser" => tags::add(call, operation),
        "UntagPolicy" => policy_tags::remove(call),
        "UntagRole" | "UntagUser" => tags::remove(call, operation),
        "UpdateAccessKey" => access_keys::update(call),
        "UpdateAssumeRolePolicy" => roles::update_trust(call),
        "UpdateRole" => roles::update(call),
        "UpdateRoleDescription" => roles::update_description(call),
        "UpdateServiceSpecificCredential" => service_credentials::update(call),
        "UpdateUser" => users::update(call),
        _ => Err(Fault::not_implemented(&format!("iam:{operation}"))),
    }
}
