//! Automatic key rotation. It is set on the primary key and shared with its replica keys.
//! Not for: on-demand rotation, which is not modelled.

use super::find::enabled;
use super::keys::unsupported;
use crate::kms::call::{KmsCall, invalid};
use crate::kms::find::managed;
use crate::wire::Fault;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{KeyState, days};
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

/// The default rotation period, in days (KMS API Reference, `EnableKeyRotation`).
const DEFAULT_PERIOD: u32 = 365;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rotation {
    key_id: String,
    rotation_period_in_days: Option<i64>,
}

/// KMS API Reference, `EnableKeyRotation`.
pub(super) fn enable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Rotation = call.input()?;
    let period = match input.rotation_period_in_days {
        None => DEFAULT_PERIOD,
        Some(days) => u32::try_from(days)
            .ok()
            .filter(|d| (90..=2560).contains(d))
            .ok_or_else(|| invalid(format!(
                "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between 90 and 2560"
            )))?,
    };
    let context = Context::new().with("kms:RotationPeriodInDays", period.to_string());
    let id = changeable(call, "kms:EnableKeyRotation", &input.key_id, context)?;
    let now = call.state.now();
    call.state.kms.material_mut(call.caller, &id)?.rotation = Some((period, now));
    Ok(Value::Null)
}

/// KMS API Reference, `DisableKeyRotation`.
pub(super) fn disable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Rotation = call.input()?;
    let id = changeable(call, "kms:DisableKeyRotation", &input.key_id, Context::new())?;
    call.state.kms.material_mut(call.caller, &id)?.rotation = None;
    Ok(Value::Null)
}

/// Finds a key whose rotation can be changed: the key is enabled, customer managed, and not a
/// replica key.
fn changeable(
    call: &KmsCall<'_>,
    action: &str,
    reference: &str,
    context: Context,
) -> Result<KeyId, Fault> {
    let id = call.key_with(action, reference, context)?;
    let arn = call.arn(&id);
    let key = call.state.kms.key(call.caller, &id)?;
    enabled(key, &arn)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    if call.state.kms.material(call.caller, &id)?.primary != call.caller.region {
        return Err(unsupported(format!(
            "{arn} is a multi-region replica key: rotation is changed on its primary key."
        )));
    }
    Ok(id)
}

/// KMS API Reference, `GetKeyRotationStatus`: a replica key returns the rotation that it shares
/// with its primary key. A key that is pending deletion does not rotate.
pub(super) fn status(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Rotation = call.input()?;
    let id = call.key("kms:GetKeyRotationStatus", &input.key_id)?;
    let state = call.state.kms.key(call.caller, &id)?.state;
    let rotation = call.state.kms.material(call.caller, &id)?.rotation;
    let mut answer = json!({"KeyId": call.arn(&id), "KeyRotationEnabled": false});
    if let (Some((period, since)), KeyState::Enabled | KeyState::Disabled) = (rotation, state) {
        answer["KeyRotationEnabled"] = json!(true);
        answer["RotationPeriodInDays"] = json!(period);
        answer["NextRotationDate"] = json!(epoch_seconds(since + days(period)));
    }
    Ok(answer)
}
