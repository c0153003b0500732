//! KMS keys: create, replicate, describe, list.
//! Not for: changing them (see `changes`), key deletion (see `deletion`), rotation (see
//! `rotation`), key policies (see `policies`), tags (see `tags`).

use super::find::enabled;
use super::lists::{clip, truncated};
use super::policies::{default_policy, parsed};
use super::quirks::{begin, begin_on_role, check_dependencies};
use super::specs::{self, Asked, ORIGIN, SPEC, USAGE};
use super::tags::{Tag, checked};
use crate::gate::{AccessRequest, KeyRequest, authorize};
use crate::kms::call::{KmsCall, denied, exceeded, invalid};
use crate::kms::conditions;
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::clock::epoch_seconds;
use crate::world::kms::{Key, KeyState, Kms, Material, Wanted, new_id};
use crate::world::{Caller, Quirk, Slow, Spreading, State, Stored};
use crrctl_iam::Context;
use crrctl_iam::names::{AccountId, Arn, KeyId, Region};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct CreateKey {
    bypass_policy_lockout_safety_check: Option<bool>,
    customer_master_key_spec: Option<String>,
    description: String,
    key_spec: Option<String>,
    key_usage: Option<String>,
    multi_region: bool,
    origin: Option<String>,
    policy: Option<String>,
    tags: Vec<Tag>,
}

/// KMS API Reference, `CreateKey`.
pub(super) fn create(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: CreateKey = call.input()?;
    specs::check(&Asked {
        spec: input.key_spec.as_deref(),
        old_spec: input.customer_master_key_spec.as_deref(),
        usage: input.key_usage.as_deref(),
        origin: input.origin.as_deref(),
    })?;
    let (kind, bypass) =
        (input.multi_region.then_some("PRIMARY"), input.bypass_policy_lockout_safety_check);
    let context = conditions::of_new_key(&input.tags, kind, bypass);
    call.authorize_with("kms:CreateKey", "*".into(), context.clone())?;
    if !input.tags.is_empty() {
        call.authorize_with("kms:TagResource", any_key(call.caller), context)?;
    }
    check_dependencies(call)?;
    call.state.one_more_key(call.caller).map_err(exceeded)?;
    let key = new_key(call, input.description, input.policy, bypass == Some(true), input.tags)?;
    call.check_room()?;
    if input.multi_region {
        link(call)?;
    }
    let key = match call.state.quirk_end(Quirk::CreatingKey) {
        Some(until) => Key { state: KeyState::Creating { until }, ..key },
        None => key,
    };
    let id = new_id(input.multi_region);
    let caller = call.caller;
    let material = Material::new(input.multi_region, caller.region.clone());
    call.state.kms.materials.insert((caller.account.clone(), id.clone()), material);
    let place = (caller.account.clone(), caller.region.clone());
    call.state.kms.keys.insert((place, id.clone()), key);
    begin(call, caller, &id);
    Ok(json!({"KeyMetadata": metadata(call, call.caller, &id)?}))
}

/// Adds a key under a given ARN, unless it exists. `users` are other accounts that may use it.
pub(crate) fn add(state: &mut State, arn: &Arn, users: &[AccountId]) {
    let Some((at, id)) = Kms::parts(arn) else { return };
    if state.kms.stored_key(&at, &id).is_some() {
        return;
    }
    let now = state.now();
    if state.kms.stored_material(&at, &id).is_none() {
        let material = Material::new(id.is_multi_region(), at.region.clone());
        state.kms.materials.insert((at.account.clone(), id.clone()), material);
    }
    let root = |account: &AccountId| arn_of_root(&at, account);
    let users: Vec<String> = users.iter().map(root).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": root(&at.account)}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": users}, "Resource": "*",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]},
    ]});
    let key = Key {
        description: String::new(),
        policy: Spreading::new(Stored::known(&policy)),
        tags: Spreading::default(),
        state: KeyState::Enabled,
        created: now,
        aws_managed: false,
        usable: now,
        listed: now,
    };
    state.kms.keys.insert(((at.account.clone(), at.region.clone()), id), key);
}

fn arn_of_root(at: &Caller, account: &AccountId) -> String {
    Arn::known(at.partition(), "iam", "", account.as_str(), "root").to_string()
}

/// Creates KMS's service-linked role with an account's first multi-Region key. The caller needs
/// permission to create the role
/// (KMS Developer Guide, "Controlling access to multi-Region keys").
fn link(call: &mut KmsCall<'_>) -> Result<(), Fault> {
    let caller = call.caller;
    match call.state.iam.kms_role(&caller.account) {
        Some(role) if role.is_service_linked() => return Ok(()),
        Some(role) => {
            let text = format!("a multi-Region key in an account with the role {}", role.arn);
            return Err(Fault::not_implemented(&text));
        }
        None => {}
    }
    let role = "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
    let arn = Arn::known(caller.partition(), "iam", "", caller.account.as_str(), role);
    let context = Context::new().with("iam:AWSServiceName", "mrk.kms.amazonaws.com");
    call.authorize_with("iam:CreateServiceLinkedRole", arn.to_string(), context)?;
    let now = call.state.now();
    call.state.iam.link(&caller.account, caller.partition(), now);
    begin_on_role(call, arn.as_str());
    Ok(())
}

/// Validates the input of a new key and builds the key. A key without a policy gets KMS's default
/// key policy.
fn new_key(
    call: &mut KmsCall<'_>,
    description: String,
    policy: Option<String>,
    bypass: bool,
    tags: Vec<Tag>,
) -> Result<Key, Fault> {
    if description.chars().count() > 8192 {
        return Err(invalid(
            "Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192",
        ));
    }
    let policy = match policy {
        Some(text) => parsed(call, &text, bypass)?,
        None => default_policy(call.caller),
    };
    let tags = checked(tags, &[])?;
    let (created, listed) = (call.state.now(), call.state.done_at(Slow::List));
    let mut shown = Spreading::new(Vec::new());
    shown.set(tags, created, call.state.done_at(Slow::List));
    let mut in_force = Spreading::new(Stored::empty());
    let from = call.state.quirk_end(Quirk::LateKeyPolicy).unwrap_or(created);
    in_force.set(policy, created, from);
    Ok(Key {
        description,
        policy: in_force,
        tags: shown,
        state: KeyState::Enabled,
        created,
        aws_managed: false,
        usable: created,
        listed,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReplicateKey {
    key_id: String,
    replica_region: String,
    bypass_policy_lockout_safety_check: Option<bool>,
    #[serde(default)]
    description: String,
    policy: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// KMS API Reference, `ReplicateKey`: called in the primary key's Region; at most one replica key
/// per Region, within the partition.
pub(super) fn replicate(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ReplicateKey = call.input()?;
    let bypass = input.bypass_policy_lockout_safety_check;
    let context = conditions::of_tags(&input.tags)
        .with("kms:ReplicaRegion", input.replica_region.as_str())
        .overlaid(conditions::of_bypass(bypass));
    let id = call.key_with("kms:ReplicateKey", &input.key_id, context)?;
    let (caller, arn) = (call.caller, call.arn(&id));
    let material = call.state.kms.material(caller, &id)?;
    if !material.multi_region {
        return Err(unsupported(format!("{arn} is not a multi-region key.")));
    }
    if material.primary != caller.region {
        return Err(unsupported(format!("{arn} is not a multi-region primary key.")));
    }
    enabled(call.state.kms.key(caller, &id)?, &arn)?;
    let region = Region::new(&input.replica_region)
        .ok()
        .filter(|r| r.partition() == caller.partition() && *r != caller.region)
        .ok_or_else(|| invalid(format!("Invalid replica region {}.", input.replica_region)))?;
    let there = Caller { region: region.clone(), ..caller.clone() };
    may_create(call, &there, &input.tags, bypass)?;
    if call.state.kms.key(&there, &id).is_ok() {
        let text = format!("Replica key {id} already exists in region {region}.");
        return Err(Fault::bad("AlreadyExistsException", text));
    }
    call.state.one_more_key(&there).map_err(exceeded)?;
    let key = new_key(call, input.description, input.policy, bypass == Some(true), input.tags)?;
    call.check_room()?;
    let until = call.state.done_at(Slow::ReplicaKey);
    // KMS always answers with `Creating` (KMS API Reference, ReplicateKey).
    let state = KeyState::Creating { until };
    let key = Key { state, ..key };
    let (policy, tags) = (key.policy.text().to_owned(), super::tags::rendered(&key.tags));
    call.state.kms.keys.insert(((there.account.clone(), region), id.clone()), key);
    begin(call, &there, &id);
    let mut answer = json!({
        "ReplicaKeyMetadata": metadata(call, &there, &id)?,
        "ReplicaPolicy": policy,
    });
    if !tags.is_empty() {
        answer["ReplicaTags"] = json!(tags);
    }
    Ok(answer)
}

/// Checks the caller's permissions in the replica key's Region, where the replica key is created
/// (KMS Developer Guide, "Controlling access to multi-Region keys").
fn may_create(
    call: &KmsCall<'_>,
    there: &Caller,
    tags: &[Tag],
    bypass: Option<bool>,
) -> Result<(), Fault> {
    let check = |action, arn| {
        let request = AccessRequest::plain(action, arn, &there.account);
        let context = || conditions::of_new_key(tags, Some("REPLICA"), bypass);
        authorize(&call.state.iam, there, request, context).map_err(denied)
    };
    check("kms:CreateKey", "*".to_owned())?;
    if tags.is_empty() { Ok(()) } else { check("kms:TagResource", any_key(there)) }
}

/// Returns the ARN pattern of all keys of the account and Region. Tagging a key at its creation
/// requires the permission on this pattern, not on `*` (KMS Developer Guide, "Controlling access to
/// tags").
pub(super) fn any_key(at: &Caller) -> String {
    let (region, account) = (at.region.as_str(), at.account.as_str());
    Arn::known(at.partition(), "kms", region, account, "key/*").to_string()
}

pub(super) fn unsupported(text: String) -> Fault {
    Fault::bad("UnsupportedOperationException", text)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeKey {
    key_id: String,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
}

/// KMS API Reference, `DescribeKey`: accepts a key id, key ARN, alias name or alias ARN. A
/// predefined alias gets its AWS managed key now, if the key policy that this key has allows the
/// call.
pub(super) fn describe(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: DescribeKey = call.input()?;
    let now = call.state.now();
    let created = call
        .state
        .kms
        .create_predefined(call.caller, &input.key_id, now)
        .map_err(|alias| Fault::not_implemented(&format!("the AWS managed key {alias}")))?;
    let context = conditions::of_reference(&input.key_id);
    let request = KeyRequest { action: "kms:DescribeKey", context, wanted: Wanted::Nothing };
    let found = call.any_key(&input.key_id, request);
    if let (Some(created), Err(_)) = (created, &found) {
        call.state.kms.forget(call.caller, &created, now);
    }
    let (at, id) = found?;
    Ok(json!({"KeyMetadata": metadata(call, &at, &id)?}))
}

/// Returns the `KeyMetadata` (KMS API Reference) of a key in the Region of `caller`.
pub(super) fn metadata(call: &KmsCall<'_>, caller: &Caller, id: &KeyId) -> Result<Value, Fault> {
    let kms = &call.state.kms;
    let (key, material) = (kms.key(caller, id)?, kms.material(caller, id)?);
    let state = match key.state {
        KeyState::Enabled => "Enabled",
        KeyState::Disabled => "Disabled",
        KeyState::Creating { .. } => "Creating",
        KeyState::PendingDeletion { .. } => "PendingDeletion",
        KeyState::PendingReplicaDeletion { .. } => "PendingReplicaDeletion",
    };
    let mut metadata = json!({
        "AWSAccountId": caller.account,
        "KeyId": id,
        "Arn": id.arn(&caller.region, &caller.account),
        "CreationDate": epoch_seconds(key.created),
        "Enabled": key.state == KeyState::Enabled,
        "Description": key.description,
        "KeyUsage": USAGE,
        "KeyState": state,
        "Origin": ORIGIN,
        "KeyManager": if key.aws_managed { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": SPEC,
        "KeySpec": SPEC,
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": material.multi_region,
        "CurrentKeyMaterialId": material.secret.material_id(),
    });
    match key.state {
        KeyState::PendingDeletion { due } => metadata["DeletionDate"] = json!(epoch_seconds(due)),
        KeyState::PendingReplicaDeletion { window } => {
            metadata["PendingDeletionWindowInDays"] = json!(window);
        }
        KeyState::Enabled | KeyState::Disabled | KeyState::Creating { .. } => {}
    }
    if material.multi_region {
        metadata["MultiRegionConfiguration"] = family(call, caller, id, &material.primary);
    }
    Ok(metadata)
}

fn family(call: &KmsCall<'_>, caller: &Caller, id: &KeyId, primary: &Region) -> Value {
    let member =
        |region: &Region| json!({"Arn": id.arn(region, &caller.account), "Region": region});
    let regions = call.state.kms.regions(&caller.account, id);
    let replicas: Vec<Value> = regions.iter().filter(|r| *r != primary).map(member).collect();
    json!({
        "MultiRegionKeyType": if caller.region == *primary { "PRIMARY" } else { "REPLICA" },
        "PrimaryKey": member(primary),
        "ReplicaKeys": replicas,
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct ListKeys {
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListKeys`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListKeys = call.input()?;
    call.authorize("kms:ListKeys", "*".into())?;
    let caller = call.caller;
    let now = call.state.now();
    let here = |(account, region): &(_, _)| *account == caller.account && *region == caller.region;
    let keys = call.state.kms.keys.iter();
    let ids: Vec<&KeyId> = keys
        .filter(|((place, _), key)| here(place) && key.listed <= now)
        .map(|((_, id), _)| id)
        .collect();
    let page =
        page(ids, input.marker.as_deref(), clip(input.limit, 100, 1000)?, ToString::to_string);
    let keys: Vec<Value> =
        page.items.iter().map(|id| json!({"KeyId": id, "KeyArn": call.arn(id)})).collect();
    Ok(truncated(json!({"Keys": keys}), page.next))
}
