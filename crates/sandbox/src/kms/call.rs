//! One KMS request, and what all operations ask of it. Not for: what an operation does.

use crate::gate::{AccessRequest, Denied, authorize};
use crate::wire::Fault;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::de::DeserializeOwned;

/// One request: who asks, for what, of which state.
pub(super) struct KmsCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) body: &'a [u8],
}

impl KmsCall<'_> {
    /// Decodes the request. A member that is not modelled is `NotImplemented`, never ignored.
    pub(super) fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
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
    pub(super) fn key(&self, action: &str, reference: &str) -> Result<KeyId, Fault> {
        self.key_with(action, reference, Context::new())
    }

    /// Like [`Self::key`], with the condition keys that follow from the request.
    pub(super) fn key_with(
        &self,
        action: &str,
        reference: &str,
        context: Context,
    ) -> Result<KeyId, Fault> {
        let id = self.state.kms.find(self.caller, reference)?;
        self.permit(action, self.caller, &id, context)?;
        Ok(id)
    }

    /// Like [`Self::key`], for operations that take keys of other accounts: returns the key's account and Region too.
    pub(super) fn any_key(
        &self,
        action: &str,
        reference: &str,
        context: Context,
    ) -> Result<(Caller, KeyId), Fault> {
        let (at, id) = self.state.kms.find_any(self.caller, reference, true)?;
        self.permit(action, &at, &id, context)?;
        Ok((at, id))
    }

    pub(super) fn permit(
        &self,
        action: &str,
        at: &Caller,
        id: &KeyId,
        context: Context,
    ) -> Result<(), Fault> {
        let state = &self.state;
        state.kms.permit(&state.iam, self.caller, action, (at, id), context).map_err(denied)
    }

    /// Asks whether the caller may perform `action` on something of its own account that has no policy.
    pub(super) fn authorize(&self, action: &str, arn: String) -> Result<(), Fault> {
        self.authorize_with(action, arn, Context::new())
    }

    pub(super) fn authorize_with(
        &self,
        action: &str,
        arn: String,
        context: Context,
    ) -> Result<(), Fault> {
        let request =
            AccessRequest { context, ..AccessRequest::plain(action, arn, &self.caller.account) };
        authorize(&self.state.iam, self.caller, request).map_err(denied)
    }

    pub(super) fn arn(&self, id: &KeyId) -> String {
        id.arn(&self.caller.region, &self.caller.account).to_string()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn denied(denied: Denied) -> Fault {
    Fault::bad("AccessDeniedException", denied.message())
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationException", text)
}
