//! Key rotation, automatic and on demand. It is set and started on the primary key and shared with
//! its replica keys. A rotation on demand ends at once, so that none is ever in progress.
//! Not for: the dates of automatic rotations (see `world::kms`).

use super::find::enabled;
use super::keys::unsupported;
use super::lists::{clip, truncated};
use crate::kms::call::{KmsCall, in_bounds, not_in_set};
use crate::kms::find::managed;
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{KeyState, Rotation, Schedule};
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The default rotation period, in days (KMS API Reference, `EnableKeyRotation`).
const DEFAULT_PERIOD: u32 = 365;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AutomaticRotation {
    key_id: String,
    rotation_period_in_days: Option<i64>,
}

/// KMS API Reference, `EnableKeyRotation`.
pub(super) fn enable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: AutomaticRotation = call.input()?;
    let period = input
        .rotation_period_in_days
        .map_or(Ok(DEFAULT_PERIOD), |days| in_bounds(days, "rotationPeriodInDays", (90, 2560)))?;
    let context = Context::new().with("kms:RotationPeriodInDays", period.to_string());
    let id = changeable(call, "kms:EnableKeyRotation", &input.key_id, context)?;
    let now = call.state.now();
    call.state.kms.material_mut(call.caller, &id)?.rotation = Some(Schedule::new(period, now));
    Ok(Value::Null)
}

/// KMS API Reference, `DisableKeyRotation`.
pub(super) fn disable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: AutomaticRotation = call.input()?;
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
    let input: AutomaticRotation = call.input()?;
    let id = call.key("kms:GetKeyRotationStatus", &input.key_id)?;
    let state = call.state.kms.key(call.caller, &id)?.state;
    let rotation = call.state.kms.material(call.caller, &id)?.rotation;
    let mut answer = json!({"KeyId": call.arn(&id), "KeyRotationEnabled": false});
    if let (Some(schedule), KeyState::Enabled | KeyState::Disabled) = (rotation, state) {
        answer["KeyRotationEnabled"] = json!(true);
        answer["RotationPeriodInDays"] = json!(schedule.period);
        answer["NextRotationDate"] = json!(epoch_seconds(schedule.next));
    }
    Ok(answer)
}

/// Maximum number of rotations on demand of a key (KMS API Reference, `RotateKeyOnDemand`).
const MOST_ON_DEMAND: usize = 25;
/// How long before a scheduled rotation a rotation on demand is refused (KMS API Reference,
/// `ConflictException`).
const TOO_CLOSE: Duration = Duration::from_mins(20);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OnDemand {
    key_id: String,
}

/// KMS API Reference, `RotateKeyOnDemand`: leaves the schedule as it is. The text of the error
/// beyond the limit is not recorded.
pub(super) fn on_demand(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: OnDemand = call.input()?;
    let id = changeable(call, "kms:RotateKeyOnDemand", &input.key_id, Context::new())?;
    let (arn, now) = (call.arn(&id), call.state.now());
    let material = call.state.kms.material_mut(call.caller, &id)?;
    if material.on_demand() >= MOST_ON_DEMAND {
        let text = format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {arn}"
        );
        return Err(Fault::bad("LimitExceededException", text));
    }
    if material.is_due(now + TOO_CLOSE) {
        // The text is the sandbox's own.
        let text = format!("An automatic rotation of {arn} begins within the next 20 minutes.");
        return Err(Fault::bad("ConflictException", text));
    }
    material.rotate(now, false);
    Ok(json!({"KeyId": arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListKeyRotations {
    key_id: String,
    include_key_material: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListKeyRotations`: without `ALL_KEY_MATERIAL`, the first key material, which
/// no rotation created, is left out.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    const SET: [&str; 2] = ["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"];
    let input: ListKeyRotations = call.input()?;
    let include = input.include_key_material.as_deref().unwrap_or(SET[1]);
    if !SET.contains(&include) {
        return Err(not_in_set(include, "includeKeyMaterial", &SET));
    }
    let limit = clip(input.limit, 100, 1000)?;
    let id = call.key("kms:ListKeyRotations", &input.key_id)?;
    let material = call.state.kms.material(call.caller, &id)?;
    let current = material.secret.material_id();
    let all = material.all().into_iter().enumerate();
    let wanted = all.filter(|(_, (_, rotation))| include == SET[0] || rotation.is_some());
    let page = page(wanted.collect(), input.marker.as_deref(), limit, |(n, _)| format!("{n:06}"));
    let entry = |(_, (material, rotation)): &(usize, (String, Option<_>))| {
        let state = if *material == current { "CURRENT" } else { "NON_CURRENT" };
        let mut entry = json!({"KeyId": id, "KeyMaterialId": material, "KeyMaterialState": state});
        if let Some(Rotation { date, automatic }) = rotation {
            entry["RotationDate"] = json!(epoch_seconds(*date));
            entry["RotationType"] = json!(if *automatic { "AUTOMATIC" } else { "ON_DEMAND" });
        }
        entry
    };
    let rotations: Vec<Value> = page.items.iter().map(entry).collect();
    Ok(truncated(json!({"Rotations": rotations}), page.next))
}
