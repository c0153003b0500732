//! `UpdatePrimaryRegion`: changes the primary Region of a multi-Region key.
//! Not for: creating replica keys (see `keys`).

use super::find::enabled;
use super::keys::unsupported;
use crate::kms::call::{KmsCall, invalid};
use crate::wire::Fault;
use crate::world::Caller;
use crrctl_iam::Context;
use crrctl_iam::names::Region;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdatePrimaryRegion {
    key_id: String,
    primary_region: String,
}

/// KMS API Reference, `UpdatePrimaryRegion`: called in the primary key's Region. The caller needs
/// the permission on the primary key and on the replica key, and both keys must be enabled.
pub(super) fn update(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: UpdatePrimaryRegion = call.input()?;
    let context = Context::new().with("kms:PrimaryRegion", input.primary_region.as_str());
    let id = call.key_with("kms:UpdatePrimaryRegion", &input.key_id, context.clone())?;
    let (caller, arn) = (call.caller, call.arn(&id));
    let material = call.state.kms.material(caller, &id)?;
    if !material.multi_region || material.primary != caller.region {
        return Err(unsupported(format!("{arn} is not a multi-region primary key.")));
    }
    enabled(call.state.kms.key(caller, &id)?, &arn)?;
    let region = Region::new(&input.primary_region)
        .ok()
        .filter(|region| *region != caller.region)
        .ok_or_else(|| invalid(format!("Invalid primary region {}.", input.primary_region)))?;
    let there = Caller { region: region.clone(), ..caller.clone() };
    let replica = call.state.kms.key(&there, &id)?;
    enabled(replica, id.arn(&region, &caller.account).as_str())?;
    call.permit("kms:UpdatePrimaryRegion", &there, &id, context)?;
    call.state.kms.material_mut(caller, &id)?.primary = region;
    Ok(Value::Null)
}
