//! Service-specific credentials of users: create, list, update, reset, delete.
//! Not for: signing in to a service with them, since no service that takes them is modelled.

use crate::iam::call::{IamCall, invalid, is_active, status, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::clock::rfc3339;
use crate::world::iam::ServiceCredential;
use crate::world::random::letters;
use crrctl_iam::names::AccountId;

/// The services with a user name and a password (IAM User Guide, "Service-specific credentials for
/// IAM users").
const SERVICES: [&str; 2] = ["codecommit.amazonaws.com", "cassandra.amazonaws.com"];

/// The services with API keys (IAM API Reference, `CreateServiceSpecificCredential`), which are not
/// modelled.
const WITH_API_KEYS: [&str; 2] = ["bedrock.amazonaws.com", "logs.amazonaws.com"];

/// Maximum number of credentials of a user for a service (IAM User Guide, "IAM and AWS STS
/// quotas").
const MOST: usize = 2;

/// Finds the user that the credentials belong to. Without `UserName`, it is the one whose access
/// key signed the request.
fn owner(call: &mut IamCall<'_>, action: &str) -> Result<(AccountId, String), Fault> {
    let name = call.user(action, true)?.name.clone();
    Ok(call.slot(&name))
}

/// Checks that a service takes these credentials. The error is recorded (2024-26).
fn check_service(service: &str) -> Result<(), Fault> {
    if SERVICES.contains(&service) {
        return Ok(());
    }
    if WITH_API_KEYS.contains(&service) {
        return Err(Fault::not_implemented(&format!("API keys of {service}")));
    }
    let text = format!("No such service {service} is supported for Service Specific Credentials");
    Err(Fault::new(404, "NoSuchEntity", text))
}

fn password() -> String {
    (0..44).map(|_| fastrand::alphanumeric()).collect()
}

/// Returns the members that every response shows of a credential.
fn shown(id: &str, credential: &ServiceCredential) -> String {
    let (account, user) = &credential.owner;
    element("CreateDate", rfc3339(credential.created))
        + &element("ServiceName", &credential.service)
        + &element("ServiceUserName", format!("{user}-at-{account}"))
        + &element("ServiceSpecificCredentialId", id)
        + &element("UserName", user)
        + &element("Status", status(credential.active))
}

/// Returns a credential with its password, which only the response that makes it shows.
fn whole(id: &str, credential: &ServiceCredential) -> String {
    let password = element("ServicePassword", &credential.password);
    wrapped("ServiceSpecificCredential", &(shown(id, credential) + &password))
}

/// IAM API Reference, `CreateServiceSpecificCredential`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let service = call.params.require("ServiceName")?;
    if call.params.get("CredentialAgeDays").is_some() {
        return Err(Fault::not_implemented("CredentialAgeDays"));
    }
    let owner = owner(call, "iam:CreateServiceSpecificCredential")?;
    check_service(service)?;
    let all = call.state.iam.service_credentials.values();
    if all.filter(|it| it.owner == owner && it.service == service).count() >= MOST {
        let text = format!("Cannot exceed quota for ServiceSpecificCredentialsPerUser: {MOST}");
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    call.check_room()?;
    let id = format!("ACCA{}", letters(17));
    let credential = ServiceCredential {
        owner,
        service: service.to_owned(),
        password: password(),
        active: true,
        created: call.state.now(),
    };
    let answer = whole(&id, &credential);
    call.state.iam.service_credentials.insert(id, credential);
    Ok(Some(answer))
}

/// IAM API Reference, `ListServiceSpecificCredentials`.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    if call.params.get("AllUsers").is_some() {
        return Err(Fault::not_implemented("AllUsers"));
    }
    let (service, marker) = (call.params.get("ServiceName"), call.params.get("Marker"));
    let limit = call.limit()?;
    let owner = owner(call, "iam:ListServiceSpecificCredentials")?;
    service.map(check_service).transpose()?;
    let all = call.state.iam.service_credentials.iter();
    let wanted = all
        .filter(|(_, it)| it.owner == owner && service.is_none_or(|service| it.service == service));
    let page = page(wanted.collect(), marker, limit, |(id, _)| (*id).clone());
    let member = |(id, credential): &(&String, &ServiceCredential)| {
        wrapped("member", &shown(id, credential))
    };
    let members: String = page.items.iter().map(member).collect();
    let next = truncation(page.next.as_deref());
    Ok(Some(wrapped("ServiceSpecificCredentials", &members) + &next))
}

/// Finds the credential that `ServiceSpecificCredentialId` names. It must be the user's. The texts
/// of the errors are not recorded.
fn find<'a>(
    call: &'a mut IamCall<'_>,
    action: &str,
) -> Result<(String, &'a mut ServiceCredential), Fault> {
    let id = call.params.require("ServiceSpecificCredentialId")?;
    let refused = |bound: &str| {
        invalid(format!(
            "1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must {bound}"
        ))
    };
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(refused("satisfy regular expression pattern: [\\w]+"));
    }
    match id.len() {
        0..20 => return Err(refused("have length greater than or equal to 20")),
        20..=128 => {}
        _ => return Err(refused("have length less than or equal to 128")),
    }
    let owner = owner(call, action)?;
    let found = call.state.iam.service_credentials.get_mut(id).filter(|it| it.owner == owner);
    let missing = || Fault::new(404, "NoSuchEntity", format!("No such credential {id} exists"));
    Ok((id.to_owned(), found.ok_or_else(missing)?))
}

/// IAM API Reference, `UpdateServiceSpecificCredential`.
pub(super) fn update(call: &mut IamCall<'_>) -> XmlOutput {
    let active = is_active(call.params)?;
    find(call, "iam:UpdateServiceSpecificCredential")?.1.active = active;
    Ok(None)
}

/// IAM API Reference, `ResetServiceSpecificCredential`: makes a new password.
pub(super) fn reset(call: &mut IamCall<'_>) -> XmlOutput {
    let (id, credential) = find(call, "iam:ResetServiceSpecificCredential")?;
    credential.password = password();
    Ok(Some(whole(&id, credential)))
}

/// IAM API Reference, `DeleteServiceSpecificCredential`.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let (id, _) = find(call, "iam:DeleteServiceSpecificCredential")?;
    call.state.iam.service_credentials.remove(&id);
    Ok(None)
}
