//! Versions of managed policies: create, get, list, delete, and set the default version, which is
//! the one that is evaluated.
//! Not for: creating the policy with its first version (see `managed`).

use super::inline::document;
use super::managed::{MAX_POLICY, find, find_of_aws, missing};
use crate::iam::call::{IamCall, encoded, invalid, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::clock::rfc3339;
use crate::world::iam::{Managed, PolicyVersion};
use crrctl_iam::DocumentKind;

/// Maximum number of versions of a managed policy (IAM User Guide, "IAM and AWS STS quotas").
const MOST: usize = 5;

fn policy<'a>(call: &'a mut IamCall<'_>, arn: &str) -> Result<&'a mut Managed, Fault> {
    call.state.iam.managed.get_mut(arn).ok_or_else(|| missing(arn))
}

/// Returns the number of the version that `VersionId` names.
fn number(call: &IamCall<'_>) -> Result<u32, Fault> {
    let given = call.params.require("VersionId")?;
    let digits = given.strip_prefix('v').filter(|digits| !digits.starts_with(['0', '+']));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{given}' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"
        ))
    })
}

fn no_version(arn: &str, version: &str) -> Fault {
    let text = format!("Policy {arn} version {version} does not exist or is not attachable.");
    Fault::new(404, "NoSuchEntity", text)
}

/// Returns a version without its document.
fn shown(number: u32, version: &PolicyVersion, default: u32) -> String {
    element("VersionId", format!("v{number}"))
        + &element("IsDefaultVersion", (number == default).to_string())
        + &element("CreateDate", rfc3339(version.created))
}

/// IAM API Reference, `CreatePolicyVersion`: the response does not contain the document.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let arn = find(call, "iam:CreatePolicyVersion")?;
    let text = call.params.require("PolicyDocument")?;
    let stored = document(call, DocumentKind::ManagedPolicy, text, MAX_POLICY)?;
    let default = call.params.get("SetAsDefault") == Some("true");
    let created = call.state.now();
    let managed = policy(call, &arn)?;
    if managed.versions.len() >= MOST {
        let text = format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing version."
        );
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    managed.last += 1;
    managed.updated = created;
    let (number, version) = (managed.last, PolicyVersion { stored, created });
    if default {
        managed.default = number;
    }
    let shown = shown(number, &version, managed.default);
    managed.versions.insert(number, version);
    Ok(Some(wrapped("PolicyVersion", &shown)))
}

/// IAM API Reference, `GetPolicyVersion`: the document is URL-encoded.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let number = number(call)?;
    if let Some(policy) = find_of_aws(call, "iam:GetPolicyVersion")? {
        let version = call.params.require("VersionId")?;
        if version != policy.version {
            let text = format!("version {version} of the AWS managed policy {}", policy.name);
            return Err(Fault::not_implemented(&text));
        }
        let shown = element("Document", encoded(policy.text))
            + &element("VersionId", version)
            + &element("IsDefaultVersion", "true")
            + &element("CreateDate", policy.updated);
        return Ok(Some(wrapped("PolicyVersion", &shown)));
    }
    let arn = find(call, "iam:GetPolicyVersion")?;
    let managed = policy(call, &arn)?;
    let default = managed.default;
    let version = managed.versions.get(&number);
    let version = version.ok_or_else(|| no_version(&arn, &format!("v{number}")))?;
    let shown =
        element("Document", encoded(version.stored.text())) + &shown(number, version, default);
    Ok(Some(wrapped("PolicyVersion", &shown)))
}

/// IAM API Reference, `ListPolicyVersions`: the newest version is first.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    if let Some(policy) = find_of_aws(call, "iam:ListPolicyVersions")? {
        let text = format!("the versions of the AWS managed policy {}", policy.name);
        return Err(Fault::not_implemented(&text));
    }
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let arn = find(call, "iam:ListPolicyVersions")?;
    let managed = policy(call, &arn)?;
    let versions: Vec<_> = managed.versions.iter().collect();
    let page = page(versions, marker, limit, |(number, _)| format!("{:010}", u32::MAX - **number));
    let member = |(number, version): &(&u32, &PolicyVersion)| {
        wrapped("member", &shown(**number, version, managed.default))
    };
    let members: String = page.items.iter().map(member).collect();
    Ok(Some(wrapped("Versions", &members) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `SetDefaultPolicyVersion`.
pub(super) fn set_default(call: &mut IamCall<'_>) -> XmlOutput {
    let number = number(call)?;
    let arn = find(call, "iam:SetDefaultPolicyVersion")?;
    let managed = policy(call, &arn)?;
    if !managed.versions.contains_key(&number) {
        return Err(no_version(&arn, &format!("v{number}")));
    }
    managed.default = number;
    Ok(None)
}

/// IAM API Reference, `DeletePolicyVersion`: the default version can't be deleted.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let number = number(call)?;
    let arn = find(call, "iam:DeletePolicyVersion")?;
    let managed = policy(call, &arn)?;
    if managed.default == number {
        let text = "Cannot delete the default version of a policy.";
        return Err(Fault::new(409, "DeleteConflict", text));
    }
    managed.versions.remove(&number).ok_or_else(|| no_version(&arn, &format!("v{number}")))?;
    Ok(None)
}
