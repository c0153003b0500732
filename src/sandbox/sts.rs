//! STS: only `GetCallerIdentity` is modelled. Not for: sessions, which do not exist here yet.

use super::auth::verify;
use super::fault::Fault;
use super::query::{self, Params, element};
use super::server::{Answer, answer as reply, with_request_id};
use super::state::Shared;
use http::StatusCode;
use http::request::Parts;

/// The API version that tells STS requests from IAM's.
pub(crate) const VERSION: &str = "2011-06-15";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Answers one STS request.
pub(crate) fn answer(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
    params: &Params,
    id: &str,
) -> Answer {
    let operation = params.get("Action").unwrap_or_default();
    let done = verify(parts, body, "sts").map_err(query::refused).and_then(|caller| {
        shared.lock().calls.count("sts", operation);
        match operation {
            "GetCallerIdentity" => Ok(element("Arn", caller.arn().as_str())
                + &element("UserId", caller.account.as_str())
                + &element("Account", caller.account.as_str())),
            _ => Err(Fault::not_implemented(&format!("sts:{operation}"))),
        }
    });
    let (status, text) = match done {
        Ok(result) => (200, query::answer(NAMESPACE, operation, Some(&result), id)),
        Err(fault) => (fault.status, query::error(NAMESPACE, &fault, id)),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_request_id(reply(status, "text/xml", text), "x-amzn-requestid", id)
}
