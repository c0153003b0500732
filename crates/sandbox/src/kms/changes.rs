//! Changes of KMS keys: enable, disable, update the description.
//! Not for: key deletion (see `deletion`), rotation (see `rotation`), key policies (see
//! `policies`), tags (see `tags`).

use super::find::{managed, not_pending};
use crate::kms::call::KmsCall;
use crate::wire::Fault;
use crate::world::kms::KeyState;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OneKey {
    key_id: String,
}

/// KMS API Reference, `EnableKey`. A rotation that is overdue is made by the primary key, whose
/// replica keys get the new key material from it (KMS Developer Guide, "Rotate AWS KMS keys",
/// multi-Region keys).
pub(super) fn enable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    switch(call, "kms:EnableKey", KeyState::Enabled)
}

/// KMS API Reference, `DisableKey`.
pub(super) fn disable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    switch(call, "kms:DisableKey", KeyState::Disabled)
}

fn switch(call: &mut KmsCall<'_>, action: &str, to: KeyState) -> Result<Value, Fault> {
    let input: OneKey = call.input()?;
    let id = call.key(action, &input.key_id)?;
    let arn = call.arn(&id);
    let key = call.state.kms.key_mut(call.caller, &id)?;
    not_pending(key, &arn)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    key.state = to;
    if to == KeyState::Enabled {
        let now = call.state.now();
        let material = call.state.kms.material_mut(call.caller, &id)?;
        if material.primary == call.caller.region {
            material.rotate_overdue(now);
        }
    }
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateKeyDescription {
    key_id: String,
    description: String,
}

/// KMS API Reference, `UpdateKeyDescription`.
pub(super) fn update_description(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: UpdateKeyDescription = call.input()?;
    let id = call.key("kms:UpdateKeyDescription", &input.key_id)?;
    let arn = call.arn(&id);
    let key = call.state.kms.key_mut(call.caller, &id)?;
    not_pending(key, &arn)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    key.description = input.description;
    Ok(Value::Null)
}
