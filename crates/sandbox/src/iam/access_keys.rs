//! Access keys of users.
//! Not for: the root user's access key, which every account has from the start, and sessions (see
//! `sts`).

use crate::iam::call::{IamCall, is_active, status, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::clock::rfc3339;
use crate::world::iam::AccessKey;
use crate::world::random::letters;
use crrctl_iam::names::AccountId;

/// Maximum number of access keys per user (IAM User Guide, "IAM and AWS STS quotas").
const MOST: usize = 2;

/// Finds the user whose access keys the request is about: without `UserName`, the one whose access
/// key signed it (IAM API Reference, `CreateAccessKey`).
fn owner(call: &mut IamCall<'_>, action: &str) -> Result<(AccountId, String), Fault> {
    let name = call.user(action, true)?.name.clone();
    Ok(call.slot(&name))
}

/// IAM API Reference, `CreateAccessKey`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let owner = owner(call, "iam:CreateAccessKey")?;
    let keys = call.state.iam.keys.values();
    if keys.filter(|key| key.owner == owner).count() >= MOST {
        let text = format!("Cannot exceed quota for AccessKeysPerUser: {MOST}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    call.check_room()?;
    let id = format!("AKIA{}", letters(16));
    let created = call.state.clock.now();
    let secret: String = (0..40).map(|_| fastrand::alphanumeric()).collect();
    let shown = element("UserName", &owner.1)
        + &element("AccessKeyId", &id)
        + &element("Status", status(true))
        + &element("SecretAccessKey", &secret)
        + &element("CreateDate", rfc3339(created));
    call.state.iam.keys.insert(id, AccessKey { owner, secret, active: true, created });
    Ok(Some(wrapped("AccessKey", &shown)))
}

/// IAM API Reference, `ListAccessKeys`.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    let owner = owner(call, "iam:ListAccessKeys")?;
    let own: Vec<_> = call.state.iam.keys.iter().filter(|(_, key)| key.owner == owner).collect();
    let page = page(own, call.params.get("Marker"), call.limit()?, |(id, _)| (*id).clone());
    let member = |(id, key): &(&String, &AccessKey)| {
        let shown = element("UserName", &key.owner.1)
            + &element("AccessKeyId", id)
            + &element("Status", status(key.active))
            + &element("CreateDate", rfc3339(key.created));
        wrapped("member", &shown)
    };
    let members: String = page.items.iter().map(member).collect();
    Ok(Some(wrapped("AccessKeyMetadata", &members) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `UpdateAccessKey`.
pub(super) fn update(call: &mut IamCall<'_>) -> XmlOutput {
    let owner = owner(call, "iam:UpdateAccessKey")?;
    let id = call.params.require("AccessKeyId")?;
    let active = is_active(call.params)?;
    let key = call.state.iam.keys.get_mut(id).filter(|key| key.owner == owner);
    key.ok_or_else(|| missing(id))?.active = active;
    Ok(None)
}

/// IAM API Reference, `DeleteAccessKey`.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let owner = owner(call, "iam:DeleteAccessKey")?;
    let id = call.params.require("AccessKeyId")?;
    if call.state.iam.keys.get(id).is_none_or(|key| key.owner != owner) {
        return Err(missing(id));
    }
    call.state.iam.keys.remove(id);
    Ok(None)
}

fn missing(id: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The Access Key with id {id} cannot be found."))
}
