//! IAM: AWS Query, one function an operation: roles, users with access keys, inline and managed policies, boundaries, simulation.
//! Not for: evaluating policies (see `access`), nor groups, instance profiles and identity providers, which are not modelled.

mod access_keys;
mod attached;
mod boundaries;
mod inline;
mod managed;
mod roles;
mod simulate;
mod store;
mod tags;
mod users;

pub(crate) use roles::Role;
pub(crate) use store::{Credential, Iam, Session, Who};

use super::access::{AccessRequest, authorize};
use super::auth::{Caller, verify};
use super::fault::Fault;
use super::lag::Spreading;
use super::query::{self, Params, element};
use super::server::Answer;
use super::state::{Shared, State};
use crrctl_iam::Context;
use crrctl_iam::names::{AccountId, Arn};
use http::request::Parts;

const VERSION: &str = "2010-05-08";
const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Answers one IAM request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = verify(shared, parts, body, "iam").map_err(query::refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("iam", operation);
        if params.get("Version") != Some(VERSION) {
            return Err(Fault::not_implemented("this version of the Query API"));
        }
        perform(operation, &mut IamCall { state: &mut state, caller: &caller, params })
    });
    reply_with(params, done, id)
}

/// Returns the answer to a request that went so.
pub(crate) fn reply_with(params: &Params, done: Result<Option<String>, Fault>, id: &str) -> Answer {
    query::told(NAMESPACE, params, done, id)
}

/// What an operation answers; `None` is the answer of those that answer nothing.
type Output = Result<Option<String>, Fault>;

fn perform(operation: &str, call: &mut IamCall<'_>) -> Output {
    match operation {
        "AttachRolePolicy" | "AttachUserPolicy" => attached::attach(call, operation),
        "CreateAccessKey" => access_keys::create(call),
        "CreatePolicy" => managed::create(call),
        "CreateRole" => roles::create(call),
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

/// What users and roles have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entity {
    /// Inline policies by name.
    inline: Spreading<std::collections::BTreeMap<String, super::documents::Stored>>,
    /// The ARNs of managed policies.
    attached: std::collections::BTreeSet<String>,
    /// The ARN of the managed policy that is its boundary.
    boundary: Option<String>,
    tags: Vec<(String, String)>,
}

/// One request: who asks, for what, of which state.
struct IamCall<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    params: &'a Params,
}

impl IamCall<'_> {
    /// Asks whether the caller may perform `action` on something of its own account.
    fn permit(&self, action: &str, arn: &str) -> Result<(), Fault> {
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        authorize(&self.state.iam, self.caller, AccessRequest { context: self.asked(), ..request })
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Returns the condition keys that follow from the tags of the request.
    fn asked(&self) -> Context {
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

    fn slot(&self, name: &str) -> (AccountId, String) {
        (self.caller.account.clone(), name.to_owned())
    }

    /// Finds the role that `RoleName` names and asks whether the caller may perform `action` on it.
    fn role(&mut self, action: &str) -> Result<&mut Role, Fault> {
        let name = self.params.require("RoleName")?;
        let slot = self.slot(name);
        let role = self.state.iam.roles.get(&slot).ok_or_else(|| no_such("role", name))?;
        self.permit(action, role.arn.as_str())?;
        self.state.iam.roles.get_mut(&slot).ok_or_else(|| no_such("role", name))
    }

    /// Finds the user or role that an operation such as `PutRolePolicy` is about, with its name, and asks whether the caller may.
    fn entity(&mut self, operation: &str) -> Result<(String, &mut Entity), Fault> {
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
        self.permit(&format!("iam:{operation}"), arn.ok_or_else(missing)?.as_str())?;
        let iam = &mut self.state.iam;
        let entity = if user {
            iam.users.get_mut(&slot).map(|user| &mut user.entity)
        } else {
            iam.roles.get_mut(&slot).map(|role| &mut role.entity)
        };
        Ok((name.to_owned(), entity.ok_or_else(missing)?))
    }

    /// Returns an ARN of the caller's account, such as that of `role/path/name`.
    fn arn(&self, kind: &str, path: &str, name: &str) -> Arn {
        let resource = format!("{kind}{path}{name}");
        let (partition, account) = (self.caller.partition(), self.caller.account.as_str());
        Arn::known(partition, "iam", "", account, &resource)
    }

    /// Returns `MaxItems`, 100 unless given (IAM API Reference, `ListRoles`).
    fn limit(&self) -> Result<usize, Fault> {
        let Some(given) = self.params.get("MaxItems") else { return Ok(100) };
        given.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{given}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000"
            ))
        })
    }
}

fn is_user(operation: &str) -> bool {
    operation.contains("User")
}

fn kind(operation: &str) -> &'static str {
    if is_user(operation) { "user" } else { "role" }
}

/// Returns a new unique id: a prefix and 17 letters or digits (IAM User Guide, "IAM identifiers").
fn new_id(prefix: &str) -> String {
    prefix.to_owned() + &letters(17)
}

fn letters(count: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..count).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).collect()
}

fn checked_path<'p>(call: &IamCall<'p>) -> Result<&'p str, Fault> {
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

/// Refuses a name that IAM refuses; `what` is the parameter as IAM calls it in its text.
fn check_name(name: &str, what: &str, most: usize) -> Result<(), Fault> {
    let shaped = (1..=most).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if shaped {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {what} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )))
}

fn truncation(next: Option<&str>) -> String {
    let marker = next.map(|marker| element("Marker", marker)).unwrap_or_default();
    element("IsTruncated", next.is_some().to_string()) + &marker
}

/// A document is URL-encoded in answers (RFC 3986), where a space is %20.
fn encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

fn no_such(kind: &str, name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
