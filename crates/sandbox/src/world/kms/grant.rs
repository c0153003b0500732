//! One grant: its principals, its operations and its constraints.
//! Not for: creating and retiring grants (see `kms::grants`).

use super::cipher::EncryptionContext;
use crrctl_iam::{Context, Principal};
use std::time::SystemTime;

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) id: String,
    /// The grant tokens: each `CreateGrant` that returned this grant made one.
    pub(crate) tokens: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) grantee: String,
    pub(crate) retiring: Option<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Constraints,
    pub(crate) created: SystemTime,
    /// When the grant first allows S3 to use the key.
    pub(crate) in_force: SystemTime,
    /// The account that created the grant.
    pub(crate) issuer: String,
}

/// The constraints of a grant on the encryption context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Constraints {
    pub(crate) equals: Option<EncryptionContext>,
    pub(crate) subset: Option<EncryptionContext>,
}

/// The operations with an encryption context. To others, constraints do not apply (KMS API
/// Reference, `GrantConstraints`).
const CRYPTOGRAPHIC: [&str; 6] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

/// Returns whether the ARN in a grant names a principal. A session is named by its role.
pub(crate) fn names(arn: &str, principal: &Principal) -> bool {
    match principal {
        Principal::RoleSession { role, .. } if arn == role.as_str() => true,
        other => other.arn().as_deref() == Some(arn),
    }
}

impl Grant {
    /// Returns whether the grant allows `principal` to perform `operation` in a request with these
    /// condition keys, which contain the encryption context.
    pub(crate) fn allows(&self, principal: &Principal, operation: &str, context: &Context) -> bool {
        names(&self.grantee, principal)
            && self.operations.iter().any(|it| it == operation)
            && (!CRYPTOGRAPHIC.contains(&operation) || self.constraints.hold(context))
    }

    /// Returns whether the grant, which has a name, differs from `old` in nothing that a request
    /// contains, so that KMS returns `old` (KMS API Reference, `CreateGrant`, `Name`).
    pub(crate) fn is_again(&self, old: &Self) -> bool {
        if self.name.is_none() || self.name != old.name {
            return false;
        }
        let Self { id, tokens, created, in_force, .. } = old.clone();
        *old == Self { id, tokens, created, in_force, ..self.clone() }
    }

    /// Returns whether `principal` can retire the grant without any policy: the retiring principal,
    /// the grantee if the grant contains `RetireGrant`, and the account that created the grant (KMS
    /// API Reference, `RetireGrant`).
    pub(crate) fn is_retired_by(&self, principal: &Principal) -> bool {
        let retiring = self.retiring.as_ref().is_some_and(|arn| names(arn, principal));
        let account = match principal {
            Principal::Root { account, .. } => account.as_str() == self.issuer,
            _ => false,
        };
        retiring || account || self.allows(principal, "RetireGrant", &Context::new())
    }
}

impl Constraints {
    fn hold(&self, context: &Context) -> bool {
        const PREFIX: &str = "kms:encryptioncontext:";
        let has = |(key, value): (&String, &String)| {
            let found = context.get(&format!("{PREFIX}{key}"));
            found.is_some_and(|values| values.contains(value))
        };
        let count = context.iter().filter(|(key, _)| key.starts_with(PREFIX)).count();
        self.subset.iter().flatten().all(has)
            && self.equals.as_ref().is_none_or(|all| all.len() == count && all.iter().all(has))
    }
}
