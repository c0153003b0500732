//! KMS: AWS JSON 1.1, one function an operation. Not for: what S3 needs of a key (that is [`Kms::usable`], in `kms/store.rs`).

mod access;
mod aliases;
pub(super) mod cipher;
mod crypto;
mod deletion;
mod grants;
mod keys;
mod lists;
mod policies;
mod primary;
mod quotas;
mod rotation;
mod store;
mod tags;

pub(crate) use access::ThroughS3;
pub(crate) use quotas::Quotas;
pub(crate) use store::{Kms, Unusable};

use super::access::{AccessRequest, authorize};
use super::auth::{Caller, Refusal, verify};
use super::fault::Fault;
use super::server::{Answer, answer as reply, with_code, with_request_id};
use super::state::{Shared, State};
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What `X-Amz-Target` begins with.
pub(crate) const TARGET_PREFIX: &str = "TrentService.";

/// Answers one KMS request.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or("");
    let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or(target);
    let done = verify(shared, parts, body, "kms").map_err(refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("kms", operation);
        state.quotas.take(&caller, operation, body)?;
        perform(operation, &mut KmsCall { state: &mut state, caller: &caller, body })
    });
    reply_with(done, id)
}

/// Returns the answer to a request that went so.
pub(crate) fn reply_with(done: Result<Value, Fault>, id: &str) -> Answer {
    let code = done.as_ref().err().map(|fault| fault.code.to_string());
    let (status, body) = match done {
        Ok(value) => (200, value),
        Err(fault) => (fault.status, json!({"__type": fault.code, "message": fault.message})),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Operations without an output answer with an empty body.
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let answer = reply(status, "application/x-amz-json-1.1", text);
    let answer = with_request_id(answer, "x-amzn-requestid", id);
    match code {
        Some(code) => with_code(answer, &code),
        None => answer,
    }
}

/// Returns how AWS JSON services word a refused signature.
fn refused(refusal: Refusal) -> Fault {
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
        "DisableKey" => keys::disable(call),
        "DisableKeyRotation" => rotation::disable(call),
        "EnableKey" => keys::enable(call),
        "EnableKeyRotation" => rotation::enable(call),
        "Encrypt" => crypto::encrypt(call),
        "GenerateDataKey" => crypto::data_key(call, true),
        "GenerateDataKeyWithoutPlaintext" => crypto::data_key(call, false),
        "GetKeyPolicy" => policies::get(call),
        "GetKeyRotationStatus" => rotation::status(call),
        "ListAliases" => aliases::list(call),
        "ListGrants" => grants::list(call),
        "ListKeyPolicies" => policies::list(call),
        "ListKeys" => keys::list(call),
        "ListResourceTags" => tags::list(call),
        "PutKeyPolicy" => policies::put(call),
        "ReEncrypt" => crypto::re_encrypt(call),
        "RevokeGrant" => grants::revoke(call),
        "ReplicateKey" => keys::replicate(call),
        "ScheduleKeyDeletion" => deletion::schedule(call),
        "TagResource" => tags::add(call),
        "UntagResource" => tags::remove(call),
        "UpdateAlias" => aliases::update(call),
        "UpdatePrimaryRegion" => primary::update(call),
        "UpdateKeyDescription" => keys::update_description(call),
        _ => Err(Fault::not_implemented(&format!("kms:{operation}"))),
    }
}

/// One request: who asks, for what, of which state.
struct KmsCall<'a> {
    state: &'a mut State,
    caller: &'a Caller,
    body: &'a [u8],
}

impl KmsCall<'_> {
    /// Decodes the request. A member that is not modelled is `NotImplemented`, never ignored.
    fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(self.body).map_err(|error| {
            let text = error.to_string();
            match text.strip_prefix("unknown field ") {
                Some(rest) => {
                    Fault::not_implemented(rest.split(',').next().unwrap_or_default())
                }
                None if text.starts_with("missing field") => {
                    let field = text.split('`').nth(1).unwrap_or_default();
                    invalid(format!(
                        "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
                    ))
                }
                None => Fault::bad("SerializationException", text),
            }
        })
    }

    /// Finds a key by id or ARN and asks whether the caller may perform `action` on it.
    fn key(&self, action: &str, reference: &str) -> Result<KeyId, Fault> {
        self.key_with(action, reference, Context::new())
    }

    /// Like [`Self::key`], with the condition keys that follow from the request.
    fn key_with(&self, action: &str, reference: &str, context: Context) -> Result<KeyId, Fault> {
        let id = self.state.kms.find(self.caller, reference)?;
        self.permit(action, self.caller, &id, context)?;
        Ok(id)
    }

    /// Like [`Self::key`], for operations that take keys of other accounts: returns the key's account and Region too.
    fn any_key(
        &self,
        action: &str,
        reference: &str,
        context: Context,
    ) -> Result<(Caller, KeyId), Fault> {
        let (at, id) = self.state.kms.locate(self.caller, reference, true)?;
        self.permit(action, &at, &id, context)?;
        Ok((at, id))
    }

    fn permit(&self, action: &str, at: &Caller, id: &KeyId, context: Context) -> Result<(), Fault> {
        let state = &self.state;
        state.kms.permit(&state.iam, self.caller, action, (at, id), context).map_err(denied)
    }

    /// Asks whether the caller may perform `action` on something of its own account that has no policy.
    fn authorize(&self, action: &str, arn: String) -> Result<(), Fault> {
        self.authorize_with(action, arn, Context::new())
    }

    fn authorize_with(&self, action: &str, arn: String, context: Context) -> Result<(), Fault> {
        let request =
            AccessRequest { context, ..AccessRequest::plain(action, arn, &self.caller.account) };
        authorize(&self.state.iam, self.caller, request).map_err(denied)
    }

    fn arn(&self, id: &KeyId) -> String {
        id.arn(&self.caller.region, &self.caller.account).to_string()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn denied(denied: super::access::Denied) -> Fault {
    Fault::bad("AccessDeniedException", denied.message())
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationException", text)
}
