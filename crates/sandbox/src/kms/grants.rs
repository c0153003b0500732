//! Grants: permissions on one key in addition to its key policy (KMS Developer Guide, "Grants in
//! AWS KMS").
//! Not for: grant tokens and grant constraints, which `CreateGrant` rejects.

use super::find::not_pending;
use super::lists::{clip, truncated};
use crate::kms::call::{KmsCall, exceeded, invalid};
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::Quirk;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{Grant, cipher};
use crrctl_iam::names::Arn;
use serde::Deserialize;
use serde_json::{Value, json};

/// The operations that a grant can allow on a symmetric key (KMS API Reference, `CreateGrant`).
const OPERATIONS: [&str; 9] = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateGrant {
    key_id: String,
    grantee_principal: String,
    operations: Vec<String>,
    name: Option<String>,
}

/// KMS API Reference, `CreateGrant`.
pub(super) fn create(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: CreateGrant = call.input()?;
    let id = call.key("kms:CreateGrant", &input.key_id)?;
    let arn = call.arn(&id);
    not_pending(call.state.kms.key(call.caller, &id)?, &arn)?;
    let is_principal = Arn::new(input.grantee_principal.as_str())
        .is_ok_and(|arn| matches!(arn.service(), "iam" | "sts"));
    if !is_principal {
        return Err(Fault::bad("InvalidArnException", "The grantee is no principal's ARN"));
    }
    if let Some(unknown) = input.operations.iter().find(|it| !OPERATIONS.contains(&it.as_str())) {
        return Err(invalid(format!("Operation {unknown} is not valid for this key")));
    }
    call.state.one_more_grant(call.caller, &id).map_err(exceeded)?;
    let created = call.state.now();
    let in_force = call.state.quirk_end(Quirk::LateKeyPolicy).unwrap_or(created);
    let mut random = [0; 32];
    cipher::random(&mut random);
    let grant = Grant {
        id: hex::encode(random),
        name: input.name,
        grantee: input.grantee_principal,
        operations: input.operations,
        created,
        in_force,
        issuer: call.caller.account.to_string(),
    };
    let answer = json!({"GrantId": grant.id, "GrantToken": grant.id});
    let place = ((call.caller.account.clone(), call.caller.region.clone()), id);
    call.state.kms.grants.entry(place).or_default().push(grant);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListGrants {
    key_id: String,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListGrants`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListGrants = call.input()?;
    let id = call.key("kms:ListGrants", &input.key_id)?;
    let arn = call.arn(&id);
    let place = ((call.caller.account.clone(), call.caller.region.clone()), id);
    let grants = call.state.kms.grants.get(&place).cloned().unwrap_or_default();
    let limit = clip(input.limit, 50, 100)?;
    let page = page(grants, input.marker.as_deref(), limit, |grant| grant.id.clone());
    let rendered: Vec<Value> = page
        .items
        .iter()
        .map(|grant| {
            json!({
                "KeyId": arn,
                "GrantId": grant.id,
                "Name": grant.name.as_deref().unwrap_or_default(),
                "CreationDate": epoch_seconds(grant.created),
                "GranteePrincipal": grant.grantee,
                "IssuingAccount": format!("arn:aws:iam::{}:root", grant.issuer),
                "Operations": grant.operations,
            })
        })
        .collect();
    Ok(truncated(json!({"Grants": rendered}), page.next))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RevokeGrant {
    key_id: String,
    grant_id: String,
}

/// KMS API Reference, `RevokeGrant`.
pub(super) fn revoke(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: RevokeGrant = call.input()?;
    let id = call.key("kms:RevokeGrant", &input.key_id)?;
    let place = ((call.caller.account.clone(), call.caller.region.clone()), id);
    let grants = call.state.kms.grants.entry(place).or_default();
    let before = grants.len();
    grants.retain(|grant| grant.id != input.grant_id);
    if grants.len() == before {
        return Err(Fault::bad(
            "NotFoundException",
            format!("Grant ID {} is not found", input.grant_id),
        ));
    }
    Ok(Value::Null)
}
