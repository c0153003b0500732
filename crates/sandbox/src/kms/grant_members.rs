//! The members of a `CreateGrant`: principals, operations, names, constraints.
//! Not for: creating grants (see `grants`), or what a grant allows (see `world::kms`).

use crate::kms::call::{invalid, not_in_set};
use crate::wire::Fault;
use crate::world::Quirk;
use crate::world::iam::Iam;
use crate::world::kms::Constraints;
use crrctl_iam::names::Arn;

/// The operations that a grant can allow (KMS API Reference, `CreateGrant`).
const OPERATIONS: [&str; 17] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

/// Those of them that a symmetric encryption key does not support.
const NOT_SYMMETRIC: [&str; 6] =
    ["Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac", "DeriveSharedSecret"];

/// Checks that a text is the ARN of a principal.
pub(super) fn check_principal_arn(text: &str, what: &str) -> Result<Arn, Fault> {
    let arn = Arn::new(text).ok().filter(|arn| matches!(arn.service(), "iam" | "sts"));
    arn.ok_or_else(|| no_principal(what))
}

/// Checks that a text is the ARN of an account, of a session, or of a user or role that exists
/// (recorded in hashicorp/terraform-provider-aws#3038: KMS refuses a role that it does not know
/// yet).
pub(super) fn check_principal(iam: &Iam, text: &str, what: &str) -> Result<(), Fault> {
    let arn = check_principal_arn(text, what)?;
    let is_late = || iam.recent.lasts(Quirk::LatePrincipal, || text);
    let is_known = || iam.id_of(text).is_some() && !is_late();
    if arn.service() == "sts" || arn.resource() == "root" || is_known() {
        Ok(())
    } else {
        Err(no_principal(what))
    }
}

fn no_principal(what: &str) -> Fault {
    Fault::bad("InvalidArnException", format!("The {what} is no principal's ARN"))
}

pub(super) fn check_operations(operations: &[String]) -> Result<(), Fault> {
    for operation in operations.iter().map(String::as_str) {
        if !OPERATIONS.contains(&operation) {
            return Err(not_in_set(operation, "operations", &OPERATIONS));
        }
        if NOT_SYMMETRIC.contains(&operation) {
            return Err(invalid(format!("Operation {operation} is not valid for this key")));
        }
    }
    Ok(())
}

/// Checks the name of a grant (KMS API Reference, `CreateGrant`).
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let refused = |bound: &str| {
        Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must {bound}"
        )))
    };
    match name.chars().count() {
        0 => return refused("have length greater than or equal to 1"),
        1..=256 => {}
        _ => return refused("have length less than or equal to 256"),
    }
    if name.chars().all(|c| c.is_ascii_alphanumeric() || ":/_-".contains(c)) {
        return Ok(());
    }
    refused("satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")
}

/// Checks the size of the constraints: at most 8 pairs and 384 characters in each (KMS API
/// Reference, `CreateGrant`, `Constraints`). The texts are the sandbox's own.
pub(super) fn check_constraints(constraints: &Constraints) -> Result<(), Fault> {
    let given = [
        ("EncryptionContextEquals", &constraints.equals),
        ("EncryptionContextSubset", &constraints.subset),
    ];
    for (name, context) in given {
        let Some(context) = context else { continue };
        if context.len() > 8 {
            let text = format!("The constraint {name} has more than 8 encryption context pairs.");
            return Err(invalid(text));
        }
        let size = |(key, value): (&String, &String)| key.chars().count() + value.chars().count();
        if context.iter().map(size).sum::<usize>() > 384 {
            return Err(invalid(format!("The constraint {name} has more than 384 characters.")));
        }
    }
    Ok(())
}
