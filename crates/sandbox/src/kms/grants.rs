//! Grants: permissions on one key in addition to its key policy (KMS Developer Guide, "Grants in
//! AWS KMS"). Create, list, revoke, retire.
//! Not for: authorizing requests with grants (see `gate::keys`). Grants take effect at once in
//! requests to KMS, so that grant tokens in other requests are not needed.

use super::conditions::{GrantFacts, of_direct_call, of_grant};
use super::find::not_pending;
use super::grant_members::{
    check_constraints, check_name, check_operations, check_principal, check_principal_arn,
};
use super::lists::{clip, truncated};
use crate::gate::KeyRequest;
use crate::kms::call::{KmsCall, exceeded, invalid, unless_dry_run};
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::clock::epoch_seconds;
use crate::world::kms::cipher::EncryptionContext;
use crate::world::kms::{AccountRegion, Constraints, Grant, Wanted, cipher};
use crate::world::{Caller, Quirk};
use aws_smithy_types::base64;
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateGrant {
    key_id: String,
    grantee_principal: String,
    retiring_principal: Option<String>,
    operations: Vec<String>,
    #[serde(default)]
    constraints: AskedConstraints,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
    name: Option<String>,
    dry_run: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedConstraints {
    encryption_context_equals: Option<EncryptionContext>,
    encryption_context_subset: Option<EncryptionContext>,
}

fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    cipher::random(&mut bytes);
    bytes
}

/// KMS API Reference, `CreateGrant`. A request with the name and everything else of an existing
/// grant returns that grant, with another grant token.
pub(super) fn create(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: CreateGrant = call.input()?;
    input.name.as_deref().map(check_name).transpose()?;
    let AskedConstraints { encryption_context_equals: equals, encryption_context_subset: subset } =
        input.constraints;
    let constraints = Constraints { equals, subset };
    let context = of_grant(&GrantFacts {
        grantee: &input.grantee_principal,
        retiring: input.retiring_principal.as_deref(),
        operations: &input.operations,
        constraints: &constraints,
    });
    let id = call.state.kms.find(call.caller, &input.key_id)?;
    let wanted = Wanted::Child(&input.operations, &constraints);
    let request = KeyRequest { action: "kms:CreateGrant", context, wanted };
    call.permit_request(call.caller, &id, request)?;
    let arn = call.arn(&id);
    not_pending(call.state.kms.key(call.caller, &id)?, &arn)?;
    check_principal(&call.state.iam, &input.grantee_principal, "grantee")?;
    if let Some(retiring) = &input.retiring_principal {
        check_principal(&call.state.iam, retiring, "retiring principal")?;
    }
    check_operations(&input.operations)?;
    check_constraints(&constraints)?;
    let created = call.state.now();
    let token = base64::encode(random(96));
    let new = Grant {
        id: hex::encode(random(32)),
        tokens: vec![token.clone()],
        name: input.name,
        grantee: input.grantee_principal,
        retiring: input.retiring_principal,
        operations: input.operations,
        constraints,
        created,
        in_force: call.state.quirk_end(Quirk::LateKeyPolicy).unwrap_or(created),
        issuer: call.caller.account.to_string(),
    };
    let old = call.state.kms.grants.get(&place(call.caller, &id));
    if !old.into_iter().flatten().any(|old| new.is_again(old)) {
        call.state.one_more_grant(call.caller, &id).map_err(exceeded)?;
    }
    call.check_room()?;
    unless_dry_run(input.dry_run)?;
    let grants = call.state.kms.grants.entry(place(call.caller, &id)).or_default();
    if let Some(old) = grants.iter_mut().find(|old| new.is_again(old)) {
        old.tokens.push(token.clone());
        return Ok(json!({"GrantId": old.id, "GrantToken": token}));
    }
    let answer = json!({"GrantId": new.id, "GrantToken": token});
    grants.push(new);
    Ok(answer)
}

fn place(at: &Caller, id: &KeyId) -> (AccountRegion, KeyId) {
    ((at.account.clone(), at.region.clone()), id.clone())
}

/// Returns a grant as a list shows it (KMS API Reference, `GrantListEntry`).
fn rendered(call: &KmsCall<'_>, key: &str, grant: &Grant) -> Value {
    let partition = call.caller.partition();
    let mut entry = json!({
        "KeyId": key,
        "GrantId": grant.id,
        "Name": grant.name.as_deref().unwrap_or_default(),
        "CreationDate": epoch_seconds(grant.created),
        "GranteePrincipal": grant.grantee,
        "IssuingAccount": format!("arn:{partition}:iam::{}:root", grant.issuer),
        "Operations": grant.operations,
    });
    if let Some(retiring) = &grant.retiring {
        entry["RetiringPrincipal"] = json!(retiring);
    }
    let Constraints { equals, subset } = &grant.constraints;
    for (member, context) in
        [("EncryptionContextEquals", equals), ("EncryptionContextSubset", subset)]
    {
        if let Some(context) = context {
            entry["Constraints"][member] = json!(context);
        }
    }
    entry
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListGrants {
    key_id: String,
    grant_id: Option<String>,
    grantee_principal: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListGrants`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListGrants = call.input()?;
    let limit = clip(input.limit, 50, 100)?;
    let id = call.key_with("kms:ListGrants", &input.key_id, of_direct_call())?;
    let arn = call.arn(&id);
    let grants = call.state.kms.grants.get(&place(call.caller, &id)).into_iter().flatten();
    let wanted = |grant: &&Grant| {
        input.grant_id.as_ref().is_none_or(|id| *id == grant.id)
            && input.grantee_principal.as_ref().is_none_or(|arn| *arn == grant.grantee)
    };
    let grants: Vec<&Grant> = grants.filter(wanted).collect();
    let page = page(grants, input.marker.as_deref(), limit, |grant| grant.id.clone());
    let rendered: Vec<Value> = page.items.iter().map(|grant| rendered(call, &arn, grant)).collect();
    Ok(truncated(json!({"Grants": rendered}), page.next))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRetirableGrants {
    retiring_principal: String,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListRetirableGrants`: the grants in the Region that have this retiring
/// principal, which belongs to the caller's account.
pub(super) fn list_retirable(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListRetirableGrants = call.input()?;
    let limit = clip(input.limit, 50, 100)?;
    check_principal_arn(&input.retiring_principal, "retiring principal")?;
    call.authorize("kms:ListRetirableGrants", "*".into())?;
    let here =
        call.state.kms.grants.iter().filter(|(((_, region), _), _)| *region == call.caller.region);
    let all = here.flat_map(|(((account, region), id), grants)| {
        let key = id.arn(region, account).to_string();
        grants.iter().map(move |grant| (key.clone(), grant))
    });
    let wanted = |grant: &Grant| grant.retiring.as_ref() == Some(&input.retiring_principal);
    let grants: Vec<(String, &Grant)> = all.filter(|(_, grant)| wanted(grant)).collect();
    let page = page(grants, input.marker.as_deref(), limit, |(_, grant)| grant.id.clone());
    let rendered: Vec<Value> =
        page.items.iter().map(|(key, grant)| rendered(call, key, grant)).collect();
    Ok(truncated(json!({"Grants": rendered}), page.next))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RevokeGrant {
    key_id: String,
    grant_id: String,
    dry_run: Option<bool>,
}

/// KMS API Reference, `RevokeGrant`.
pub(super) fn revoke(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: RevokeGrant = call.input()?;
    let id = call.key_with("kms:RevokeGrant", &input.key_id, of_direct_call())?;
    let place = place(call.caller, &id);
    let grants = call.state.kms.grants.get(&place).into_iter().flatten();
    if !grants.into_iter().any(|grant| grant.id == input.grant_id) {
        return Err(not_found(&input.grant_id));
    }
    unless_dry_run(input.dry_run)?;
    remove(call, &place, &input.grant_id);
    Ok(Value::Null)
}

fn not_found(grant: &str) -> Fault {
    Fault::bad("NotFoundException", format!("Grant ID {grant} is not found"))
}

fn remove(call: &mut KmsCall<'_>, place: &(AccountRegion, KeyId), grant: &str) {
    if let Some(grants) = call.state.kms.grants.get_mut(place) {
        grants.retain(|it| it.id != grant);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RetireGrant {
    grant_token: Option<String>,
    key_id: Option<String>,
    grant_id: Option<String>,
    dry_run: Option<bool>,
}

/// KMS API Reference, `RetireGrant`: the grant is named by its token, or by its id and its key. The
/// grant itself says who can retire it; a policy can allow it to others.
pub(super) fn retire(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: RetireGrant = call.input()?;
    let (place, grant) = match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), None, None) => by_token(call, token)?,
        (None, Some(key), Some(grant)) => by_id(call, key, grant)?,
        // The text is the sandbox's own.
        _ => {
            return Err(invalid("Specify either a grant token, or a grant ID with its key ID."));
        }
    };
    if !grant.is_retired_by(&call.caller.principal) {
        let ((account, region), id) = &place;
        let at = Caller::root(account.clone(), region.clone());
        call.permit("kms:RetireGrant", &at, id, Context::new())?;
    }
    unless_dry_run(input.dry_run)?;
    remove(call, &place, &grant.id);
    Ok(Value::Null)
}

type Found = ((AccountRegion, KeyId), Grant);

fn by_token(call: &KmsCall<'_>, token: &String) -> Result<Found, Fault> {
    let here =
        call.state.kms.grants.iter().filter(|(((_, region), _), _)| *region == call.caller.region);
    let mut all = here.flat_map(|(place, grants)| grants.iter().map(move |it| (place, it)));
    let found = all.find(|(_, grant)| grant.tokens.contains(token));
    found
        .map(|(place, grant)| (place.clone(), grant.clone()))
        .ok_or_else(|| Fault::bad("InvalidGrantTokenException", "Invalid grant token."))
}

fn by_id(call: &KmsCall<'_>, key: &str, grant: &str) -> Result<Found, Fault> {
    let (at, id) = call.state.kms.find_any(call.caller, key, false)?;
    let place = place(&at, &id);
    let mut grants = call.state.kms.grants.get(&place).into_iter().flatten();
    let found = grants.find(|it| it.id == grant).cloned();
    found.map(|found| (place, found)).ok_or_else(|| not_found(grant))
}
