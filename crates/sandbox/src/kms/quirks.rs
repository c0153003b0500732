//! The quirks of new keys, and of the role that KMS creates.
//! Not for: the table of all quirks (see `world::quirks`).

use super::keys::any_key;
use crate::kms::call::KmsCall;
use crate::wire::Fault;
use crate::world::iam::Role;
use crate::world::{Caller, Quirk};
use crrctl_iam::names::KeyId;

/// Begins the quirks of a new key in the Region of `at`.
pub(super) fn begin(call: &mut KmsCall<'_>, at: &Caller, id: &KeyId) {
    let arn = id.arn(&at.region, &at.account).to_string();
    call.begin(Quirk::LateKey, &arn);
    call.begin(Quirk::RemovalNotFound, &arn);
}

/// Begins the quirks of the service-linked role that KMS has created.
pub(super) fn begin_on_role(call: &mut KmsCall<'_>, arn: &str) {
    for quirk in Role::QUIRKS {
        let end = call.state.quirk_end(quirk);
        call.state.iam.recent.begin(quirk, arn, end);
    }
}

/// Refuses to create a key while the quirk `DependencyTimeout` lasts (KMS API Reference,
/// `CreateKey`, "Errors").
pub(super) fn check_dependencies(call: &mut KmsCall<'_>) -> Result<(), Fault> {
    let (keys, end) = (any_key(call.caller), call.state.quirk_end(Quirk::DependencyTimeout));
    let recent = &mut call.state.kms.recent;
    recent.begin_once(Quirk::DependencyTimeout, &keys, end);
    if recent.lasts(Quirk::DependencyTimeout, || keys) {
        let text =
            "The system timed out while trying to fulfill the request. You can retry the request.";
        return Err(Fault::new(503, "DependencyTimeoutException", text));
    }
    Ok(())
}
