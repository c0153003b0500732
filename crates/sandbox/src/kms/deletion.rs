//! `ScheduleKeyDeletion` and `CancelKeyDeletion`.
//! Not for: deleting the keys when their deletion date is reached (see `world::kms`).

use super::find::not_pending;
use crate::kms::call::{KmsCall, in_bounds};
use crate::kms::find::{gone, managed};
use crate::wire::Fault;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{KeyState, days};
use crrctl_iam::Context;
use serde::Deserialize;
use serde_json::{Value, json};

/// The default waiting period, in days (KMS API Reference, `ScheduleKeyDeletion`).
const DEFAULT_WINDOW: u32 = 30;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Deletion {
    key_id: String,
    pending_window_in_days: Option<i64>,
}

/// KMS API Reference, `ScheduleKeyDeletion`: a primary key that has replica keys becomes
/// `PendingReplicaDeletion` and gets no deletion date until its replica keys are deleted.
pub(super) fn schedule(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Deletion = call.input()?;
    let given = input.pending_window_in_days;
    let mut context = Context::new();
    if let Some(days) = given {
        context.set("kms:ScheduleKeyDeletionPendingWindowInDays", days.to_string());
    }
    let window =
        given.map_or(Ok(DEFAULT_WINDOW), |days| in_bounds(days, "pendingWindowInDays", (7, 30)))?;
    let id = call.key_with("kms:ScheduleKeyDeletion", &input.key_id, context)?;
    let (arn, now, caller) = (call.arn(&id), call.state.now(), call.caller);
    call.check_removable(&arn, gone(caller, &id))?;
    let primary = call.state.kms.material(caller, &id)?.primary == caller.region;
    let has_replicas = primary && call.state.kms.regions(&caller.account, &id).len() > 1;
    let key = call.state.kms.key_mut(caller, &id)?;
    not_pending(key, &arn)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    if has_replicas {
        key.state = KeyState::PendingReplicaDeletion { window };
        return Ok(json!({
            "KeyId": arn,
            "KeyState": "PendingReplicaDeletion",
            "PendingWindowInDays": window,
        }));
    }
    let due = now + days(window);
    key.state = KeyState::PendingDeletion { due };
    Ok(json!({
        "KeyId": arn,
        "KeyState": "PendingDeletion",
        "DeletionDate": epoch_seconds(due),
        "PendingWindowInDays": window,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Cancellation {
    key_id: String,
}

/// KMS API Reference, `CancelKeyDeletion`: the key state becomes `Disabled`.
pub(super) fn cancel(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Cancellation = call.input()?;
    let id = call.key("kms:CancelKeyDeletion", &input.key_id)?;
    let arn = call.arn(&id);
    let key = call.state.kms.key_mut(call.caller, &id)?;
    if not_pending(key, &arn).is_ok() {
        let text = format!("{arn} is not pending deletion.");
        return Err(Fault::bad("KMSInvalidStateException", text));
    }
    key.state = KeyState::Disabled;
    Ok(json!({"KeyId": arn}))
}
