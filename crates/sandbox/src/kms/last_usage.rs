//! When a key was last used.
//! Not for: what counts as a use (see `world::kms::last_use`).

use crate::kms::call::KmsCall;
use crate::wire::Fault;
use crate::world::clock::epoch_seconds;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetKeyLastUsage {
    key_id: String,
}

/// KMS API Reference, `GetKeyLastUsage`: of a key of the caller's account, by key id or ARN. The
/// sandbox tracks every key from its creation on.
pub(super) fn get(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: GetKeyLastUsage = call.input()?;
    let id = call.key("kms:GetKeyLastUsage", &input.key_id)?;
    let created = epoch_seconds(call.state.kms.key(call.caller, &id)?.created);
    let arn = id.arn(&call.caller.region, &call.caller.account);
    let mut answer = json!({
        "KeyId": arn.as_str(),
        "KeyCreationDate": created,
        "TrackingStartDate": created,
    });
    if let Some(last) = call.state.kms.uses.of(&arn) {
        answer["KeyLastUsage"] =
            json!({"Operation": last.operation, "Timestamp": epoch_seconds(last.at)});
    }
    Ok(answer)
}
