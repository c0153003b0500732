//! The condition keys of KMS requests (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Key Management Service"; KMS Developer Guide, "AWS KMS condition keys").
//! A key without a value is absent.
//! Not for: the keys that the KMS key determines (see `gate::keys`).

use super::tags::Tag;
use crate::world::kms::Constraints;
use crrctl_iam::Context;

/// Returns the keys for the tags of a request.
pub(super) fn of_tags(tags: &[Tag]) -> Context {
    let mut context = Context::new();
    for tag in tags {
        context.set(&format!("aws:RequestTag/{}", tag.tag_key), &tag.tag_value);
    }
    if !tags.is_empty() {
        context.set_all("aws:TagKeys", tags.iter().map(|tag| &tag.tag_key));
    }
    context
}

/// Returns the keys of a `CreateKey`. `kind` is the type of a multi-Region key.
pub(super) fn of_new_key(tags: &[Tag], kind: Option<&str>, bypass: Option<bool>) -> Context {
    let mut context = of_tags(tags)
        .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
        .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
        .with("kms:KeyOrigin", "AWS_KMS")
        .with("kms:MultiRegion", kind.is_some().to_string());
    if let Some(kind) = kind {
        context.set("kms:MultiRegionKeyType", kind);
    }
    context.overlaid(of_bypass(bypass))
}

/// Returns the key for `BypassPolicyLockoutSafetyCheck`.
pub(super) fn of_bypass(bypass: Option<bool>) -> Context {
    let mut context = Context::new();
    if let Some(bypass) = bypass {
        context.set("kms:BypassPolicyLockoutSafetyCheck", bypass.to_string());
    }
    context
}

/// Returns the key for the alias that a request names the KMS key by.
pub(super) fn of_reference(reference: &str) -> Context {
    let mut context = Context::new();
    if let Some(at) = reference.find("alias/") {
        context.set("kms:RequestAlias", &reference[at..]);
    }
    context
}

/// The parts of a grant that are condition keys.
pub(super) struct GrantFacts<'a> {
    pub(super) grantee: &'a str,
    pub(super) retiring: Option<&'a str>,
    pub(super) operations: &'a [String],
    pub(super) constraints: &'a Constraints,
}

/// Returns the keys of a `CreateGrant`.
pub(super) fn of_grant(grant: &GrantFacts<'_>) -> Context {
    let mut context = of_direct_call().with("kms:GranteePrincipal", grant.grantee);
    context.set_all("kms:GrantOperations", grant.operations.iter().cloned());
    if let Some(retiring) = grant.retiring {
        context.set("kms:RetiringPrincipal", retiring);
    }
    let kinds = [
        grant.constraints.equals.as_ref().map(|_| "EncryptionContextEquals"),
        grant.constraints.subset.as_ref().map(|_| "EncryptionContextSubset"),
    ];
    let kinds: Vec<&str> = kinds.into_iter().flatten().collect();
    if !kinds.is_empty() {
        context.set_all("kms:GrantConstraintType", kinds);
    }
    context
}

/// Returns the key that tells whether an AWS service asks on behalf of a user: none does here.
pub(super) fn of_direct_call() -> Context {
    Context::new().with("kms:GrantIsForAWSResource", "false")
}
