//! Which keys `CreateKey` creates: symmetric encryption keys of KMS. Not for: creating them (see
//! `keys`).

use crate::kms::call::{invalid, not_in_set};
use crate::wire::Fault;

/// The enumerations of `CreateKey` (KMS API Reference, `CreateKey`).
const SPECS: [&str; 17] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SPEC,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
];
const USAGES: [&str; 4] = ["SIGN_VERIFY", USAGE, "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];
const ORIGINS: [&str; 4] = [ORIGIN, "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];

/// The key spec, key usage and origin that are modelled.
pub(super) const SPEC: &str = "SYMMETRIC_DEFAULT";
pub(super) const USAGE: &str = "ENCRYPT_DECRYPT";
pub(super) const ORIGIN: &str = "AWS_KMS";

/// The members of a `CreateKey` that say what the key is.
pub(super) struct Asked<'a> {
    pub(super) spec: Option<&'a str>,
    /// `CustomerMasterKeySpec`, the old name of `KeySpec`.
    pub(super) old_spec: Option<&'a str>,
    pub(super) usage: Option<&'a str>,
    pub(super) origin: Option<&'a str>,
}

/// Checks that the request is for a symmetric encryption key of KMS. Other keys that exist on AWS
/// are not modelled.
pub(super) fn check(asked: &Asked<'_>) -> Result<(), Fault> {
    let known = |given: Option<&str>, member: &str, set: &[&str]| match given {
        Some(other) if !set.contains(&other) => Err(not_in_set(other, member, set)),
        _ => Ok(()),
    };
    known(asked.old_spec, "customerMasterKeySpec", &SPECS)?;
    known(asked.spec, "keySpec", &SPECS)?;
    known(asked.usage, "keyUsage", &USAGES)?;
    known(asked.origin, "origin", &ORIGINS)?;
    if asked.spec.is_some() && asked.old_spec.is_some() {
        return Err(invalid(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
        ));
    }
    let only = |given: Option<&str>, modelled: &str| match given {
        Some(other) if other != modelled => Err(Fault::not_implemented(other)),
        _ => Ok(()),
    };
    only(asked.spec.or(asked.old_spec), SPEC)?;
    only(asked.origin, ORIGIN)?;
    match asked.usage {
        None | Some(USAGE) => Ok(()),
        Some(other) => {
            Err(invalid(format!("KeyUsage {other} is not compatible with KeySpec {SPEC}")))
        }
    }
}
