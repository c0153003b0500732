//! Key policies: each Region's key has its own, and the only one is named `default`. Not for: evaluating them.

use super::keys::managed;
use super::{Aliases, Call};
use crate::sandbox::fault::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most bytes a key policy may have (KMS API Reference, `PutKeyPolicy`).
const MAX_POLICY: usize = 32_768;

/// Returns a policy that is a JSON object with a `Statement`, as it was given.
pub(super) fn parsed(text: String) -> Result<String, Fault> {
    if text.len() > MAX_POLICY {
        return Err(Fault::bad("LimitExceededException", "Policy exceeds 32768 bytes"));
    }
    let shaped = serde_json::from_str::<Value>(&text)
        .is_ok_and(|policy| policy.is_object() && !policy["Statement"].is_null());
    if !shaped {
        let text = "Policy contains malformed JSON or no statement";
        return Err(Fault::bad("MalformedPolicyDocumentException", text));
    }
    Ok(text)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyPolicy {
    key_id: String,
    policy_name: Option<String>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default, rename = "BypassPolicyLockoutSafetyCheck")]
    _bypass: bool,
}

fn check_name(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some("default") => Ok(()),
        Some(other) => {
            Err(Fault::bad("NotFoundException", format!("No such policy exists: {other}")))
        }
    }
}

/// KMS API Reference, `GetKeyPolicy`.
pub(super) fn get(call: &mut Call<'_>) -> Result<Value, Fault> {
    let input: KeyPolicy = call.input()?;
    let id = call.key("kms:GetKeyPolicy", &input.key_id, Aliases::Refused)?;
    check_name(input.policy_name.as_deref())?;
    let policy = &call.state.kms.key(call.caller, &id)?.policy;
    Ok(json!({"Policy": policy, "PolicyName": "default"}))
}

/// KMS API Reference, `PutKeyPolicy`; keys that are pending deletion take it too (KMS Developer Guide, "Key states").
pub(super) fn put(call: &mut Call<'_>) -> Result<Value, Fault> {
    let input: KeyPolicy = call.input()?;
    let id = call.key("kms:PutKeyPolicy", &input.key_id, Aliases::Refused)?;
    check_name(input.policy_name.as_deref())?;
    let policy = parsed(input.policy.unwrap_or_default())?;
    let arn = call.arn(&id);
    let key = call.state.kms.key_mut(call.caller, &id)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    key.policy = policy;
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListKeyPolicies {
    key_id: String,
}

/// KMS API Reference, `ListKeyPolicies`: there is only one.
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Fault> {
    let input: ListKeyPolicies = call.input()?;
    call.key("kms:ListKeyPolicies", &input.key_id, Aliases::Refused)?;
    Ok(json!({"PolicyNames": ["default"], "Truncated": false}))
}
