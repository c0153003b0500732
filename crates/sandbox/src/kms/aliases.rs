//! KMS aliases. An alias belongs to one account and Region and refers to one key there.
//! Not for: resolving an alias to its key (see `world::kms`).

use crate::kms::call::{KmsCall, exceeded, invalid};
use crate::kms::find::not_pending;
use crate::kms::lists::{clip, truncated};
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{AccountRegion, Alias, arn_of, predefined};
use crate::world::{Quirk, Slow};
use crrctl_iam::names::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Naming {
    alias_name: String,
    target_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteAlias {
    alias_name: String,
}

/// Rejects an alias name that KMS rejects (KMS API Reference, `CreateAlias`).
fn check(name: &str) -> Result<(), Fault> {
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    if rest.is_empty() {
        return Err(invalid(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if rest.starts_with("aws/") {
        return Err(Fault::bad("NotAuthorizedException", ""));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    if name.len() > 256 || !rest.chars().all(allowed) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
        )));
    }
    Ok(())
}

/// KMS API Reference, `CreateAlias`.
pub(super) fn create(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Naming = call.input()?;
    check(&input.alias_name)?;
    let id = target(call, "kms:CreateAlias", &input)?;
    let place = alias_id(call, &input.alias_name);
    let arn = arn_of(call.caller, &input.alias_name).to_string();
    let kms = &call.state.kms;
    if kms.aliases.contains_key(&place) || kms.stale_aliases.contains_key(&place) {
        let text = format!("An alias with the name {arn} already exists");
        return Err(Fault::bad("AlreadyExistsException", text));
    }
    call.state.one_more_alias(call.caller, &id).map_err(exceeded)?;
    call.check_room()?;
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::List));
    call.state.kms.aliases.insert(place, Alias { target: id, created: now, updated: now, listed });
    call.begin(Quirk::LateAlias, &arn);
    call.begin(Quirk::RemovalNotFound, &arn);
    Ok(Value::Null)
}

/// KMS API Reference, `UpdateAlias`.
pub(super) fn update(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Naming = call.input()?;
    check(&input.alias_name)?;
    let id = target(call, "kms:UpdateAlias", &input)?;
    let (place, now) = (alias_id(call, &input.alias_name), call.state.now());
    let missing = not_found(call, &input.alias_name);
    let named = call.state.kms.aliases.get(&place).ok_or(missing.clone())?;
    if named.target != id {
        call.state.one_more_alias(call.caller, &id).map_err(exceeded)?;
    }
    let alias = call.state.kms.aliases.get_mut(&place).ok_or(missing)?;
    (alias.target, alias.updated) = (id, now);
    Ok(Value::Null)
}

/// KMS API Reference, `DeleteAlias`.
pub(super) fn delete(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: DeleteAlias = call.input()?;
    check(&input.alias_name)?;
    let place = alias_id(call, &input.alias_name);
    let arn = arn_of(call.caller, &input.alias_name).to_string();
    call.authorize("kms:DeleteAlias", arn.clone())?;
    let missing = not_found(call, &input.alias_name);
    call.check_removable(&arn, missing.clone())?;
    let alias = call.state.kms.aliases.remove(&place).ok_or(missing)?;
    if let Some(until) = call.state.quirk_end(Quirk::StaleAlias) {
        call.state.kms.stale_aliases.insert(place, (alias.target, until));
    }
    Ok(Value::Null)
}

/// Finds the target key of an alias. The caller needs permission for `action` on the alias and on
/// the key.
fn target(call: &KmsCall<'_>, action: &str, input: &Naming) -> Result<KeyId, Fault> {
    call.authorize(action, arn_of(call.caller, &input.alias_name).to_string())?;
    let id = call.key(action, &input.target_key_id)?;
    not_pending(call.state.kms.key(call.caller, &id)?, &call.arn(&id))?;
    Ok(id)
}

fn alias_id(call: &KmsCall<'_>, name: &str) -> (AccountRegion, String) {
    ((call.caller.account.clone(), call.caller.region.clone()), name.to_owned())
}

fn not_found(call: &KmsCall<'_>, name: &str) -> Fault {
    let arn = arn_of(call.caller, name);
    Fault::bad("NotFoundException", format!("Alias {arn} is not found."))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct ListAliases {
    key_id: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListAliases`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListAliases = call.input()?;
    call.authorize("kms:ListAliases", "*".into())?;
    let wanted = match &input.key_id {
        Some(reference) => Some(call.key("kms:ListAliases", reference)?),
        None => None,
    };
    let (caller, now) = (call.caller, call.state.now());
    let here =
        |(account, region): &AccountRegion| *account == caller.account && *region == caller.region;
    let is_wanted =
        |alias: &Alias| alias.listed <= now && wanted.as_ref().is_none_or(|id| *id == alias.target);
    let stored = &call.state.kms.aliases;
    let own = stored.iter().filter(|((place, _), alias)| here(place) && is_wanted(alias));
    let own = own.map(|((_, name), alias)| (name.as_str(), Some(alias)));
    // A predefined alias without a key is shown without `TargetKeyId`.
    let has_key = |name: &str| stored.keys().any(|(place, other)| here(place) && other == name);
    let predefined = predefined().filter(|name| wanted.is_none() && !has_key(name));
    let aliases = own.chain(predefined.map(|name| (name, None))).collect();
    let limit = clip(input.limit, 50, 100)?;
    let page = page(aliases, input.marker.as_deref(), limit, |(name, _)| (*name).to_owned());
    let shown = |(name, alias): &(&str, Option<&Alias>)| {
        let mut shown = json!({"AliasName": name, "AliasArn": arn_of(caller, name)});
        if let Some(alias) = alias {
            shown["TargetKeyId"] = json!(alias.target);
            shown["CreationDate"] = json!(epoch_seconds(alias.created));
            shown["LastUpdatedDate"] = json!(epoch_seconds(alias.updated));
        }
        shown
    };
    let aliases: Vec<Value> = page.items.iter().map(shown).collect();
    Ok(truncated(json!({"Aliases": aliases}), page.next))
}
