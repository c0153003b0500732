//! KMS over the AWS JSON 1.1 protocol, one function per operation.
//! Not for: S3's use of KMS keys (see `gate::keys`).

mod aliases;
mod call;
mod changes;
mod conditions;
mod crypto;
mod deletion;
mod find;
mod grant_members;
mod grants;
mod keys;
mod last_usage;
mod lists;
mod policies;
mod primary;
mod quirks;
mod random;
mod rotation;
mod specs;
mod tags;

use crate::gate::{Refusal, Shared, verify};
use crate::kms::call::KmsCall;
use crate::wire::answer::{answer as reply, with_code, with_request_id};
use crate::wire::{Answer, Fault};
use crate::world::quotas::OverQuota;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

pub(crate) use keys::add as add_key;

/// The prefix of the header `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "TrentService.";

/// Handles one KMS request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or("");
    let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or(target);
    let done = verify(shared, parts, body, "kms").map_err(refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("kms", operation);
        state.quotas.take(&caller, operation, body).map_err(|OverQuota| throttled())?;
        perform(operation, &mut KmsCall { state: &mut state, caller: &caller, body })
    });
    reply_with(done, id)
}

/// Builds the AWS JSON response for the result of an operation.
pub(crate) fn reply_with(done: Result<Value, Fault>, id: &str) -> Answer {
    let code = done.as_ref().err().map(|fault| fault.code.to_string());
    let (status, body) = match done {
        Ok(value) => (200, value),
        // AWS omits the member where there is no message.
        Err(fault) if fault.message.is_empty() => (fault.status, json!({"__type": fault.code})),
        Err(fault) => (fault.status, json!({"__type": fault.code, "message": fault.message})),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // An operation without output has an empty response body.
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let answer = reply(status, "application/x-amz-json-1.1", text);
    let answer = with_request_id(answer, "x-amzn-requestid", id);
    match code {
        Some(code) => with_code(answer, &code),
        None => answer,
    }
}

/// Converts a rejected signature to the error of an AWS JSON service.
pub(crate) fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Missing => {
            Fault::bad("MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        Refusal::UnknownKey => Fault::bad(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        Refusal::Expired => Fault::bad(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Refusal::Incomplete(text) => Fault::bad("IncompleteSignatureException", text),
        Refusal::Mismatch(text) => Fault::bad("InvalidSignatureException", text),
    }
}

fn perform(operation: &str, call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    match operation {
        "CancelKeyDeletion" => deletion::cancel(call),
        "CreateAlias" => aliases::create(call),
        "CreateGrant" => grants::create(call),
        "CreateKey" => keys::create(call),
        "Decrypt" => crypto::decrypt(call),
        "DeleteAlias" => aliases::delete(call),
        "DescribeKey" => keys::describe(call),
        "DisableKey" => changes::disable(call),
        "DisableKeyRotation" => rotation::disable(call),
        "EnableKey" => changes::enable(call),
        "EnableKeyRotation" => rotation::enable(call),
        "Encrypt" => crypto::encrypt(call),
        "GenerateDataKey" => crypto::data_key(call, true),
        "GenerateDataKeyWithoutPlaintext" => crypto::data_key(call, false),
        "GenerateRandom" => random::generate(call),
        "GetKeyLastUsage" => last_usage::get(call),
        "GetKeyPolicy" => policies::get(call),
        "GetKeyRotationStatus" => rotation::status(call),
        "ListAliases" => aliases::list(call),
        "ListGrants" => grants::list(call),
        "ListKeyPolicies" => policies::list(call),
        "ListKeyRotations" => rotation::list(call),
        "ListKeys" => keys::list(call),
        "ListResourceTags" => tags::list(call),
        "ListRetirableGrants" => grants::list_retirable(call),
        "PutKeyPolicy" => policies::put(call),
        "ReEncrypt" => crypto::re_encrypt(call),
        "RetireGrant" => grants::retire(call),
        "RevokeGrant" => grants::revoke(call),
        "ReplicateKey" => keys::replicate(call),
        "RotateKeyOnDemand" => rotation::on_demand(call),
        "ScheduleKeyDeletion" => deletion::schedule(call),
        "TagResource" => tags::add(call),
        "UntagResource" => tags::remove(call),
        "UpdateAlias" => aliases::update(call),
        "UpdatePrimaryRegion" => primary::update(call),
        "UpdateKeyDescription" => changes::update_description(call),
        _ => Err(Fault::not_implemented(&format!("kms:{operation}"))),
    }
}

/// Returns the error for an exceeded request quota. The message text is the sandbox's own.
fn throttled() -> Fault {
    let text =
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
    Fault::bad("ThrottlingException", text)
}
