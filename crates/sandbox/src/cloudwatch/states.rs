//! The states of alarms as a caller sets them, and whether alarms take their actions.
//! Sources: CloudWatch API Reference, `SetAlarmState`, `EnableAlarmActions`, `DisableAlarmActions`.
//! Not for: evaluation (see `world::alarms`).

use super::call::{CloudWatchCall, invalid};
use crate::wire::Fault;
use crate::world::alarms::AlarmState;
use crrctl_iam::Context;
use serde_json::Value;

/// Sets the state of an alarm until its next evaluation.
pub(super) fn set(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let name = call.params.require("AlarmName")?.to_owned();
    call.params.require("StateValue")?;
    let state = call.one_of("StateValue", &AlarmState::NAMES)?;
    let reason = call.params.require("StateReason")?.to_owned();
    if reason.chars().count() > 1023 {
        return Err(invalid("StateReason must have length less than or equal to 1023"));
    }
    call.permit("cloudwatch:SetAlarmState", &call.arn(&name), Context::new())?;
    let place = call.place(&name);
    if !call.state.alarms.all.contains_key(&place) {
        return Err(Fault::new(404, "ResourceNotFound", format!("Alarm {name} does not exist")));
    }
    if let Some(state) = state.as_deref().and_then(AlarmState::of) {
        call.state.hold_alarm(&place);
        call.state.set_alarm(&place, state, reason);
        call.state.run_alarms();
    }
    Ok(Value::Null)
}

/// Lets alarms take their actions, or not. Names of no alarm are ignored.
pub(super) fn switch_actions(call: &mut CloudWatchCall<'_>, on: bool) -> Result<Value, Fault> {
    let action =
        if on { "cloudwatch:EnableAlarmActions" } else { "cloudwatch:DisableAlarmActions" };
    let names = call.alarm_names()?;
    if names.is_empty() {
        call.params.require("AlarmNames.member.1")?;
    }
    for name in &names {
        call.permit(action, &call.arn(name), Context::new())?;
    }
    for name in names {
        let place = call.place(&name);
        if let Some(alarm) = call.state.alarms.all.get_mut(&place) {
            alarm.wanted.actions_enabled = on;
        }
    }
    Ok(Value::Null)
}
