//! STS: `GetCallerIdentity`, and role sessions through `AssumeRole`.
//! Not for: federation and other operations that need an identity provider.

use crate::gate::{AccessRequest, Shared, authorize, refused_in_query, verify};
use crate::wire::query::{element, wrapped};
use crate::wire::{Answer, Fault, Params, query};
use crate::world::clock::rfc3339;
use crate::world::documents::read;
use crate::world::iam::{Session, Who};
use crate::world::{Caller, Flaw, State};
use crrctl_iam::names::AccountId;
use crrctl_iam::{Context, Document, DocumentKind, Principal, ResourceKind};
use http::request::Parts;
use std::sync::Arc;
use std::time::Duration;

/// The API version that distinguishes STS requests from IAM requests.
pub(crate) const VERSION: &str = "2011-06-15";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Handles one STS request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = verify(shared, parts, body, "sts").map_err(refused_in_query).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("sts", operation);
        match operation {
            "AssumeRole" => assume(&mut state, &caller, params),
            // No permission is required (STS API Reference, `GetCallerIdentity`).
            "GetCallerIdentity" => Ok(element("Arn", caller.arn())
                + &element("UserId", user_id(&caller))
                + &element("Account", caller.account.as_str())),
            _ => Err(Fault::not_implemented(&format!("sts:{operation}"))),
        }
    });
    reply_with(params, done.map(Some), id)
}

/// Wraps the result in STS's response envelope.
pub(crate) fn reply_with(params: &Params, done: Result<Option<String>, Fault>, id: &str) -> Answer {
    query::respond(NAMESPACE, params, done, id)
}

fn user_id(caller: &Caller) -> String {
    match &caller.principal {
        Principal::User { id: Some(id), .. } => id.clone(),
        Principal::RoleSession { id: Some(id), session, .. } => format!("{id}:{session}"),
        _ => caller.account.to_string(),
    }
}

/// STS API Reference, `AssumeRole`: the role's trust policy must allow the caller, and a root user
/// can never assume a role.
fn assume(state: &mut State, caller: &Caller, params: &Params) -> Result<String, Fault> {
    let (arn, name) = (params.require("RoleArn")?, params.require("RoleSessionName")?);
    for unmodelled in
        ["SerialNumber", "SourceIdentity", "Tags.member.1.Key", "PolicyArns.member.1.arn"]
    {
        if params.get(unmodelled).is_some() {
            return Err(Fault::not_implemented(unmodelled));
        }
    }
    let shaped = (2..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_=,.@-".contains(c));
    if !shaped {
        return Err(Fault::bad(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            ),
        ));
    }
    if matches!(caller.principal, Principal::Root { .. }) {
        return Err(denied("Roles may not be assumed by root accounts."));
    }
    let unknown = || {
        let user = caller.arn();
        denied(format!(
            "User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        ))
    };
    let now = state.now();
    let role = state.iam.role(arn).filter(|role| role.usable <= now).ok_or_else(unknown)?;
    let owner = AccountId::new(role.arn.account()).map_err(|_| unknown())?;
    let mut context = Context::new().with("sts:RoleSessionName", name);
    if let Some(external) = params.get("ExternalId") {
        context.set("sts:ExternalId", external);
    }
    let request = AccessRequest {
        action: "sts:AssumeRole",
        arn: arn.to_owned(),
        owner: &owner,
        on: Some((ResourceKind::Trust, &role.trust.document)),
        context,
    };
    authorize(&state.iam, caller, request).map_err(|refused| denied(refused.message()))?;
    let seconds = duration(params.get("DurationSeconds"), role.max_session)?;
    let policy = session_policy(state, params)?;
    let (role_arn, role_name, id) = (role.arn.clone(), role.name.clone(), role.id.clone());
    let who =
        Who::Session { account: owner, role: role_arn, name: name.into(), id: id.clone(), policy };
    let random = |n: usize| (0..n).map(|_| fastrand::alphanumeric()).collect::<String>();
    let (secret, token) = (random(40), random(200));
    let expires = now + Duration::from_secs(seconds.into());
    let session = Session { secret: secret.clone(), token: token.clone(), expires, who };
    let who = Caller::new(session.who.clone(), caller.region.clone(), true);
    let key = state.iam.begin(session, now);
    let credentials = element("AccessKeyId", key)
        + &element("SecretAccessKey", secret)
        + &element("SessionToken", token)
        + &element("Expiration", rfc3339(expires));
    tracing::debug!(role = role_name, session = name, "assumed");
    let user = element("AssumedRoleId", format!("{id}:{name}")) + &element("Arn", who.arn());
    Ok(wrapped("Credentials", &credentials) + &wrapped("AssumedRoleUser", &user))
}

fn denied(text: impl Into<String>) -> Fault {
    Fault::new(403, "AccessDenied", text)
}

fn duration(given: Option<&str>, most: u32) -> Result<u32, Fault> {
    let seconds = given.map_or(Ok(3600), str::parse::<u32>).unwrap_or(0);
    if (900..=most).contains(&seconds) {
        return Ok(seconds);
    }
    let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role, or is less than 900.";
    Err(Fault::bad("ValidationError", text))
}

fn session_policy(state: &State, params: &Params) -> Result<Option<Arc<Document>>, Fault> {
    let Some(text) = params.get("Policy") else { return Ok(None) };
    match read(DocumentKind::SessionPolicy, text, &state.iam) {
        Ok(stored) => Ok(Some(Arc::new(stored.document))),
        Err(Flaw::NotJson(text) | Flaw::Malformed(text) | Flaw::Principal(text)) => {
            Err(Fault::bad("MalformedPolicyDocument", text))
        }
    }
}
