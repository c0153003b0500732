//! Service-linked roles: `CreateServiceLinkedRole`. Only KMS's role for multi-Region keys is
//! modelled. Not for: the creation of that role by `CreateKey` and `ReplicateKey` (see
//! `kms::keys`).

use super::call::IamCall;
use super::inline::malformed;
use super::roles;
use crate::wire::{Fault, XmlOutput};
use crate::world::documents::read;
use crate::world::iam::{Entity, Role};
use crate::world::random::unique_id;
use crrctl_iam::DocumentKind;

/// The services that were recorded to accept `CustomSuffix` (2024-26); 68 others were recorded to
/// refuse it.
const WITH_SUFFIX: [&str; 3] =
    ["autoscaling.amazonaws.com", "connect.amazonaws.com", "lexv2.amazonaws.com"];

/// KMS's service for multi-Region keys, its role and the role's policy (KMS Developer Guide,
/// "Authorizing AWS KMS to synchronize multi-Region keys").
const SERVICE: &str = "mrk.kms.amazonaws.com";
const NAME: &str = "AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
const POLICY: &str = "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy";

/// IAM API Reference, `CreateServiceLinkedRole`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let service = call.params.require("AWSServiceName")?;
    let path = format!("/aws-service-role/{service}/");
    let arn = call.arn("role", &path, if service == SERVICE { NAME } else { "*" });
    call.permit("iam:CreateServiceLinkedRole", arn.as_str())?;
    if call.params.get("CustomSuffix").is_some() && !WITH_SUFFIX.contains(&service) {
        let text = format!("Custom suffix is not allowed for {service}");
        return Err(Fault::bad("InvalidInput", text));
    }
    if service != SERVICE {
        return Err(Fault::not_implemented(&format!("the service-linked role of {service}")));
    }
    if call.state.iam.roles.contains_key(&call.slot(NAME)) {
        let text = format!(
            "Service role name {NAME} has been taken in this account, please try a different suffix."
        );
        return Err(Fault::bad("InvalidInput", text));
    }
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": [service]},
            "Action": ["sts:AssumeRole"],
        }],
    });
    let trust = read(DocumentKind::TrustPolicy, &trust.to_string(), &call.state.iam)
        .map_err(|flaw| malformed(DocumentKind::TrustPolicy, &flaw))?;
    let partition = call.caller.partition();
    let attached = format!("arn:{partition}:iam::aws:policy/aws-service-role/{POLICY}");
    let now = call.state.now();
    let role = Role {
        arn,
        id: unique_id("AROA"),
        path,
        name: NAME.to_owned(),
        created: now,
        usable: now,
        trust,
        description: call.params.get("Description").map(String::from),
        max_session: 3600,
        entity: Entity { attached: [attached].into(), ..Entity::default() },
    };
    let answer = roles::created(call, &role);
    call.state.iam.link(&call.caller.account);
    let slot = call.slot(NAME);
    call.state.iam.roles.insert(slot, role);
    Ok(Some(answer))
}
