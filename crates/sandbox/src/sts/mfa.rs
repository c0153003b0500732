//! The MFA device of a user who assumes a role. Each user has every device of its account, and each
//! code of six digits is right, once: AWS takes a code of a device only once too (IAM User Guide,
//! "MFA-protected API access").
//! Not for: devices that IAM's operations list (there are none), and MFA delete (see `s3`).

use super::{denied, invalid};
use crate::wire::{Fault, Params};
use crate::world::{Caller, State};
use crrctl_iam::names::Arn;
use crrctl_iam::{Context, Principal};

/// The texts of STS (recorded in public reports of the AWS CLI and of other clients).
const BOTH: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const UNKNOWN: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";

/// Checks the device and its code, where the request has them (STS API Reference, `AssumeRole`).
/// Returns whether it has. The code is used up.
pub(super) fn verified(state: &mut State, caller: &Caller, params: &Params) -> Result<bool, Fault> {
    let (serial, code) = match (params.get("SerialNumber"), params.get("TokenCode")) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(denied(BOTH)),
    };
    check("serialNumber", serial, (9, 256), |c| c.is_alphanumeric() || "_+=/:,.@-".contains(c))?;
    check("tokenCode", code, (6, 6), |c| c.is_ascii_digit())?;
    let is_user = matches!(caller.principal, Principal::User { .. });
    if !is_user || caller.temporary.is_some() || !is_of_account(serial, caller) {
        return Err(denied(UNKNOWN));
    }
    let used = (caller.arn(), format!("{serial} {code}"));
    if !state.iam.used_codes.insert(used) {
        return Err(denied(WRONG));
    }
    Ok(true)
}

/// Returns the condition keys of a request with a device (IAM User Guide, "AWS global condition
/// context keys"). The session that it begins has none of them: "The temporary credentials returned
/// by `AssumeRole` do not include MFA information in the context" (IAM User Guide, "Secure API access
/// with MFA").
pub(super) fn context() -> Context {
    Context::new().with("aws:MultiFactorAuthPresent", "true").with("aws:MultiFactorAuthAge", "0")
}

/// Returns whether the user can have the device: a virtual one of its account, or a hardware one,
/// which has no ARN.
fn is_of_account(serial: &str, caller: &Caller) -> bool {
    if !serial.starts_with("arn:") {
        return true;
    }
    Arn::new(serial).is_ok_and(|arn| {
        arn.service() == "iam"
            && arn.account() == caller.account.as_str()
            && arn.resource().starts_with("mfa/")
    })
}

fn check(
    member: &str,
    value: &str,
    (least, most): (usize, usize),
    allowed: impl Fn(char) -> bool,
) -> Result<(), Fault> {
    let bound = if value.len() < least {
        format!("have length greater than or equal to {least}")
    } else if value.len() > most {
        format!("have length less than or equal to {most}")
    } else if value.chars().all(allowed) {
        return Ok(());
    } else if member == "tokenCode" {
        r"satisfy regular expression pattern: [\d]*".to_owned()
    } else {
        r"satisfy regular expression pattern: [\w+=/:,.@-]*".to_owned()
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {bound}"
    )))
}
