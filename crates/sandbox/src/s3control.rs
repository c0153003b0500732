//! S3 Control: batch jobs that replicate existing objects, tags of buckets, and the public access
//! block of accounts. Requests are
//! recognized by their path. The account id that clients put in front of the host is ignored; the
//! header `x-amz-account-id` is checked.
//! Not for: the replication itself (see `replication`).
//!
//! `create` validates and stores a job; `run` advances jobs from status to status; `role` checks
//! the permissions of a job's role; `manifest` lists a job's objects; `report` writes the
//! completion report; `public_access` has the public access block of accounts; `describe` and
//! `change` return and update jobs; `tags` handles bucket tags. Stored jobs are in `world::jobs`,
//! the XML of their requests in `world::jobs::request`.

mod call;
mod change;
mod create;
mod csv;
mod describe;
mod manifest;
mod public_access;
mod report;
mod role;
mod run;
mod tags;

pub(crate) use run::work;

use crate::gate::{Refusal, Shared, verify};
use crate::s3control::call::{ControlCall, invalid};
use crate::wire::answer::{answer as answer_of, with_code, with_request_id};
use crate::wire::query::{element, wrapped};
use crate::wire::{Answer, Fault};
use crate::world::Caller;
use crrctl_iam::names::AccountId;
use http::request::Parts;
use http::{Method, StatusCode};

/// The path prefix that distinguishes S3 Control requests from S3 requests.
pub(crate) const PREFIX: &str = "/v20180820/";

/// The path of the public access block of an account.
const BLOCK: &str = "publicAccessBlock";

/// Returns the operation that a request names; empty if the sandbox does not have the operation.
pub(crate) fn operation(parts: &Parts) -> &'static str {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let last = rest.split_once('/').map_or("", |(_, last)| last);
    match (&parts.method, first, rest.is_empty(), last) {
        (&Method::POST, "jobs", true, _) => "CreateJob",
        (&Method::GET, "jobs", true, _) => "ListJobs",
        (&Method::GET, "jobs", false, "") => "DescribeJob",
        (&Method::POST, "jobs", false, "status") => "UpdateJobStatus",
        (&Method::POST, "jobs", false, "priority") => "UpdateJobPriority",
        (&Method::GET, "jobs", false, "tagging") => "GetJobTagging",
        (&Method::GET, "configuration", false, "") if rest == BLOCK => "GetPublicAccessBlock",
        (&Method::PUT, "configuration", false, "") if rest == BLOCK => "PutPublicAccessBlock",
        (&Method::DELETE, "configuration", false, "") if rest == BLOCK => "DeletePublicAccessBlock",
        (&Method::POST, "tags", false, _) => "TagResource",
        (&Method::GET, "tags", false, _) => "ListTagsForResource",
        (&Method::DELETE, "tags", false, _) => "UntagResource",
        _ => "",
    }
}

/// Handles one S3 Control request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let done = verify(shared, parts, body, "s3").map_err(refused).and_then(|caller| {
        let operation = operation(parts);
        let mut state = shared.lock();
        state.calls.count("s3control", operation);
        check_account(parts, &caller)?;
        let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let rest = path.split_once('/').map_or("", |(_, rest)| rest);
        let rest =
            if path.starts_with("jobs") { rest.split('/').next().unwrap_or("") } else { rest };
        let call = &mut ControlCall { state: &mut state, caller, parts, body, rest };
        match operation {
            "CreateJob" => create::create(call),
            "DescribeJob" => describe::describe(call),
            "ListJobs" => describe::list(call),
            "GetJobTagging" => describe::tags(call),
            "UpdateJobStatus" => change::status(call),
            "UpdateJobPriority" => change::priority(call),
            "GetPublicAccessBlock" => public_access::get(call),
            "PutPublicAccessBlock" => public_access::put(call),
            "DeletePublicAccessBlock" => public_access::delete(call),
            "TagResource" => tags::add(call),
            "UntagResource" => tags::remove(call),
            "ListTagsForResource" => tags::list(call),
            _ => Err(Fault::not_implemented("this operation of S3 Control")),
        }
    });
    shared.batch.notify_one();
    match done {
        Ok(Some(body)) => reply(StatusCode::OK, body, id),
        Ok(None) => reply(StatusCode::NO_CONTENT, String::new(), id),
        Err(fault) => refuse(&fault, id),
    }
}

fn reply(status: StatusCode, body: String, id: &str) -> Answer {
    let answer =
        with_request_id(answer_of(status, "application/xml", body), "x-amz-request-id", id);
    with_request_id(answer, "x-amz-id-2", id)
}

/// Wraps a fault in S3 Control's error response, as recorded (`LocalStack`'s snapshot
/// `test_tag_resource_validation`).
pub(crate) fn refuse(fault: &Fault, id: &str) -> Answer {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = element("Code", &fault.code) + &element("Message", &fault.message);
    let ids = element("RequestId", id) + &element("HostId", id);
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let body = format!("{xml}<ErrorResponse>{}{ids}</ErrorResponse>", wrapped("Error", &error));
    with_code(reply(status, body, id), &fault.code)
}

/// Converts a rejected signature to S3 Control's error, which is the same as S3's (S3 API
/// Reference, "Error responses").
fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Missing => Fault::new(403, "AccessDenied", "Access Denied"),
        Refusal::UnknownKey => Fault::new(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        Refusal::Expired => Fault::bad("ExpiredToken", "The provided token has expired."),
        Refusal::Incomplete(text) => Fault::bad("AuthorizationHeaderMalformed", text),
        Refusal::Mismatch(text) => Fault::new(403, "SignatureDoesNotMatch", text),
    }
}

/// Checks that `x-amz-account-id` is the caller's own account.
fn check_account(parts: &Parts, caller: &Caller) -> Result<(), Fault> {
    let given = parts.headers.get("x-amz-account-id").and_then(|value| value.to_str().ok());
    let given = given.and_then(|account| AccountId::new(account).ok());
    let given = given.ok_or_else(|| {
        invalid("The header x-amz-account-id must be the 12 digits of an account.")
    })?;
    if given != caller.account {
        return Err(Fault::new(403, "AccessDenied", "Access Denied"));
    }
    Ok(())
}
