//! What users can have on AWS and no user has in the sandbox: groups, MFA devices, passwords, SSH
//! public keys, signing certificates. Their lists are empty, so that a client that looks for them
//! before it deletes a user gets AWS's answer.
//! Not for: creating any of them, which is not modelled.

use crate::iam::call::{IamCall, truncation};
use crate::wire::query::wrapped;
use crate::wire::{Fault, XmlOutput};

/// Returns the empty list of an existing user (IAM API Reference, the operation's page).
pub(super) fn list(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (member, own) = match operation {
        "ListGroupsForUser" => ("Groups", false),
        "ListMFADevices" => ("MFADevices", true),
        "ListSSHPublicKeys" => ("SSHPublicKeys", true),
        _ => ("Certificates", true),
    };
    call.limit()?;
    call.user(&format!("iam:{operation}"), own)?;
    Ok(Some(wrapped(member, "") + &truncation(None)))
}

/// IAM API Reference, `ListVirtualMFADevices`.
pub(super) fn virtual_mfa_devices(call: &mut IamCall<'_>) -> XmlOutput {
    call.limit()?;
    call.permit("iam:ListVirtualMFADevices", call.arn("mfa", "/", "*").as_str())?;
    Ok(Some(wrapped("VirtualMFADevices", "") + &truncation(None)))
}

/// IAM API Reference, `GetLoginProfile` and `DeleteLoginProfile`: no user has a password.
pub(super) fn login_profile(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let user = call.user(&format!("iam:{operation}"), true)?;
    let text = format!("Login Profile for User {} cannot be found.", user.name);
    Err(Fault::new(404, "NoSuchEntity", text))
}
