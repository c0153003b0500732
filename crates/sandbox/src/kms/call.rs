//! One KMS request, with the functions that all operations share: decoding, finding keys,
//! authorization.
//! Not for: the operations themselves (see the other files in `kms`).

use crate::gate::{AccessRequest, Denied, KeyRequest, authorize};
use crate::wire::Fault;
use crate::world::kms::Wanted;
use crate::world::resource_quotas::Exceeded;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::de::DeserializeOwned;

/// One request: its caller, its body, and the state that it reads and changes.
pub(super) struct KmsCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) body: &'a [u8],
}

impl KmsCall<'_> {
    /// Decodes the request body. A member that the sandbox does not model is rejected with
    /// `NotImplemented`, never ignored.
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

    /// Finds a key by key id or key ARN and checks that the caller may perform `action` on it.
    pub(super) fn key(&self, action: &str, reference: &str) -> Result<KeyId, Fault> {
        self.key_with(action, reference, Context::new())
    }

    /// Like [`Self::key`], with the condition keys of the request.
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

    /// Like [`Self::key_with`], for operations that accept aliases and keys of other accounts. Also
    /// returns the key's account and Region.
    pub(super) fn any_key(
        &self,
        reference: &str,
        request: KeyRequest<'_>,
    ) -> Result<(Caller, KeyId), Fault> {
        let (at, id) = self.state.kms.find_any(self.caller, reference, true)?;
        self.permit_request(&at, &id, request)?;
        Ok((at, id))
    }

    pub(super) fn permit(
        &self,
        action: &str,
        at: &Caller,
        id: &KeyId,
        context: Context,
    ) -> Result<(), Fault> {
        self.permit_request(at, id, KeyRequest { action, context, wanted: Wanted::Nothing })
    }

    /// Like [`Self::permit`], for a request in which a grant's constraints matter.
    pub(super) fn permit_request(
        &self,
        at: &Caller,
        id: &KeyId,
        request: KeyRequest<'_>,
    ) -> Result<(), Fault> {
        let state = &self.state;
        state.kms.permit(&state.iam, self.caller, (at, id), request).map_err(denied)
    }

    /// Checks that the caller may perform `action` on a resource of its own account that has no
    /// resource-based policy.
    pub(super) fn authorize(&self, action: &str, arn: String) -> Result<(), Fault> {
        self.authorize_with(action, arn, Context::new())
    }

    pub(super) fn authorize_with(
        &self,
        action: &str,
        arn: String,
        context: Context,
    ) -> Result<(), Fault> {
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        authorize(&self.state.iam, self.caller, request, || context).map_err(denied)
    }

    /// Checks that the sandbox can keep what an operation creates.
    pub(super) fn check_room(&self) -> Result<(), Fault> {
        self.state.one_more_resource().map_err(|text| Fault::new(507, "SandboxFull", text))
    }

    /// Begins a quirk on a key or an alias.
    pub(super) fn begin(&mut self, quirk: Quirk, arn: &str) {
        let end = self.state.quirk_end(quirk);
        self.state.kms.recent.begin(quirk, arn, end);
    }

    /// Refuses to remove what KMS finds but, by a quirk, says is not there.
    pub(super) fn check_removable(&self, arn: &str, missing: Fault) -> Result<(), Fault> {
        let is_late = self.state.kms.recent.lasts(Quirk::RemovalNotFound, || arn);
        if is_late { Err(missing) } else { Ok(()) }
    }

    pub(super) fn arn(&self, id: &KeyId) -> String {
        id.arn(&self.caller.region, &self.caller.account).to_string()
    }
}

/// Returns `DryRunOperationException` if the request sets `DryRun`: its permissions and parameters
/// were checked, and nothing is done (KMS Developer Guide, "Testing your permissions").
pub(super) fn unless_dry_run(dry_run: Option<bool>) -> Result<(), Fault> {
    if dry_run != Some(true) {
        return Ok(());
    }
    let text = "The request would have succeeded, but the DryRun option is set.";
    Err(Fault::new(412, "DryRunOperationException", text))
}

/// Checks that a number is within its bounds. `member` is its name in KMS's error message.
pub(super) fn in_bounds<T: TryFrom<i64>>(
    number: i64,
    member: &str,
    (least, most): (i64, i64),
) -> Result<T, Fault> {
    let bound = match number {
        _ if number < least => format!("greater than or equal to {least}"),
        _ => format!("less than or equal to {most}"),
    };
    let checked = T::try_from(number).ok().filter(|_| (least..=most).contains(&number));
    checked.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{number}' at '{member}' failed to satisfy constraint: Member must have value {bound}"
        ))
    })
}

/// Returns the error for a value that is not in an enumeration.
pub(super) fn not_in_set(value: &str, member: &str, set: &[&str]) -> Fault {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
        set.join(", ")
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn denied(denied: Denied) -> Fault {
    Fault::bad("AccessDeniedException", denied.message())
}

/// Returns the error for a resource quota (KMS API Reference, `CreateKey`, "Errors"). The text is
/// the sandbox's own.
pub(super) fn exceeded(Exceeded { quota }: Exceeded) -> Fault {
    Fault::bad("LimitExceededException", format!("The quota of {quota} is reached."))
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationException", text)
}
