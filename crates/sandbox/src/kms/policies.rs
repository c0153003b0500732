//! Key policies. Each Region of a multi-Region key has its own key policy, and the only policy name
//! is `default`.
//! Not for: authorizing requests with key policies (see `gate::keys`).

use super::find::managed;
use crate::gate::context_of;
use crate::kms::call::KmsCall;
use crate::wire::Fault;
use crate::world::documents::read;
use crate::world::{Caller, Flaw, Quirk, Stored};
use crrctl_iam::document::{Scope, Statement};
use crrctl_iam::names::Arn;
use crrctl_iam::{
    Document, DocumentKind, Effect, Named, Policies, Request, ResourceKind, ResourcePolicy,
    evaluate,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Maximum size of a key policy, in bytes (KMS API Reference, `PutKeyPolicy`).
const MAX_POLICY: usize = 32_768;

/// Returns whether a key policy allows the caller to change it, either directly or by delegating
/// the decision to the caller's account. The caller is given an identity policy that allows
/// everything, because the account's own policies are not part of this check.
fn lets_in(policy: &Document, call: &KmsCall<'_>) -> bool {
    let anything = Some(Scope::Only(vec!["*".to_owned()]));
    let statement = Statement {
        sid: None,
        effect: Effect::Allow,
        principal: None,
        action: anything.clone(),
        resource: anything,
        condition: Vec::new(),
    };
    let account = Document { version: None, id: None, statements: vec![statement] };
    let policies = Policies {
        identity: vec![Named { name: "", document: &account }],
        resource: Some(ResourcePolicy {
            kind: ResourceKind::Key,
            policy: Named { name: "", document: policy },
        }),
        ..Policies::default()
    };
    let caller = call.caller;
    let (principal, context) = (caller.principal.clone(), context_of(caller));
    let owner = caller.account.clone();
    let request = Request::new(principal, "kms:PutKeyPolicy", "*", owner, context);
    evaluate(&request, &policies).is_allowed()
}

/// Validates and parses a key policy.
///
/// Unless `bypass` is set, makes the lockout safety check: "the key policy must allow the calling
/// principal to make a subsequent `PutKeyPolicy` request"
/// (KMS API Reference, `PutKeyPolicy`, `BypassPolicyLockoutSafetyCheck`).
pub(super) fn parsed(call: &KmsCall<'_>, text: &str, bypass: bool) -> Result<Stored, Fault> {
    if text.len() > MAX_POLICY {
        return Err(Fault::bad("LimitExceededException", "Policy exceeds 32768 bytes"));
    }
    let malformed = |text: String| Fault::bad("MalformedPolicyDocumentException", text);
    let stored =
        read(DocumentKind::KeyPolicy, text, &call.state.iam).map_err(|flaw| match flaw {
            Flaw::NotJson(finding) | Flaw::Malformed(finding) => {
                malformed(format!("Policy is malformed: {finding}"))
            }
            Flaw::Principal(_) => malformed(
                "Policy contains a statement with one or more invalid principals.".to_owned(),
            ),
        })?;
    if !bypass && !lets_in(&stored.document, call) {
        let text = "The new key policy will not allow you to update the key policy in the future.";
        return Err(malformed(text.to_owned()));
    }
    Ok(stored)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyPolicy {
    key_id: String,
    policy_name: Option<String>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(rename = "BypassPolicyLockoutSafetyCheck")]
    bypass: Option<bool>,
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
pub(super) fn get(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: KeyPolicy = call.input()?;
    let id = call.key("kms:GetKeyPolicy", &input.key_id)?;
    check_name(input.policy_name.as_deref())?;
    let policy = call.state.kms.key(call.caller, &id)?.policy.shown(&call.state.iam);
    Ok(json!({"Policy": policy, "PolicyName": "default"}))
}

/// KMS API Reference, `PutKeyPolicy`: also allowed for a key that is pending deletion (KMS
/// Developer Guide, "Key states").
pub(super) fn put(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: KeyPolicy = call.input()?;
    let context = super::conditions::of_bypass(input.bypass);
    let id = call.key_with("kms:PutKeyPolicy", &input.key_id, context)?;
    check_name(input.policy_name.as_deref())?;
    let policy = parsed(call, &input.policy.unwrap_or_default(), input.bypass == Some(true))?;
    let arn = call.arn(&id);
    let now = call.state.now();
    let from = call.state.quirk_end(Quirk::LateKeyPolicy).unwrap_or(now);
    let key = call.state.kms.key_mut(call.caller, &id)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    key.policy.set(policy, now, from);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListKeyPolicies {
    key_id: String,
}

/// KMS API Reference, `ListKeyPolicies`: a key has only the policy `default`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListKeyPolicies = call.input()?;
    call.key("kms:ListKeyPolicies", &input.key_id)?;
    Ok(json!({"PolicyNames": ["default"], "Truncated": false}))
}

/// Returns the default key policy, which KMS gives a key that is created without one
/// (KMS Developer Guide, "Default key policy").
pub(crate) fn default_policy(caller: &Caller) -> Stored {
    let root = Arn::known(caller.partition(), "iam", "", caller.account.as_str(), "root");
    Stored::known(&serde_json::json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": "kms:*",
            "Resource": "*",
        }],
    }))
}
