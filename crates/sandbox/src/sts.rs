//! STS: `GetCallerIdentity`, sessions of roles through `AssumeRole`, and of users through
//! `GetSessionToken`.
//! Not for: federation and other operations that need an identity provider.

mod assume;
mod mfa;
mod session_tags;
mod session_token;

use crate::gate::{QueryService, Shared};
use crate::wire::query::{element, wrapped};
use crate::wire::{Answer, Fault, Params, query};
use crate::world::clock::rfc3339;
use crate::world::iam::{Session, Who};
use crate::world::{Caller, State};
use crrctl_iam::Principal;
use http::request::Parts;
use std::time::Duration;

/// The API version that distinguishes STS requests from IAM requests.
pub(crate) const VERSION: &str = "2011-06-15";

const SERVICE: QueryService = QueryService { signed: "sts", counted: "sts" };
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
    let done = shared.query((parts, body), SERVICE, operation, |state, caller| match operation {
        "AssumeRole" => assume::role(state, caller, params),
        // No permission is required (STS API Reference, `GetCallerIdentity`).
        "GetCallerIdentity" => Ok(element("Arn", caller.arn())
            + &element("UserId", user_id(caller))
            + &element("Account", caller.account.as_str())),
        "GetSessionToken" => session_token::get(state, caller, params),
        _ => Err(Fault::not_implemented(&format!("sts:{operation}"))),
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

/// Starts a session and returns the element `Credentials` of the response.
fn begin(state: &mut State, who: Who, seconds: u32) -> String {
    let random = |n: usize| (0..n).map(|_| fastrand::alphanumeric()).collect::<String>();
    let (secret, token, now) = (random(40), random(200), state.now());
    let expires = now + Duration::from_secs(seconds.into());
    let session = Session { secret: secret.clone(), token: token.clone(), expires, who };
    let credentials = element("AccessKeyId", state.iam.begin(session, now))
        + &element("SecretAccessKey", secret)
        + &element("SessionToken", token)
        + &element("Expiration", rfc3339(expires));
    wrapped("Credentials", &credentials)
}

fn denied(text: impl Into<String>) -> Fault {
    Fault::new(403, "AccessDenied", text)
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
