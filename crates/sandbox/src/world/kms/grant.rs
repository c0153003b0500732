//! One grant: its principals, its operations and its constraints.
//! Not for: creating and retiring grants (see `kms::grants`).

use super::cipher::EncryptionContext;
use crrctl_iam::Principal;
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

/// What a request asks a grant to allow, beside its operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A cryptographic operation with this encryption context, which may be empty.
    Cryptography(&'a EncryptionContext),
    /// `CreateGrant` for a grant with these operations and constraints.
    Child(&'a [String], &'a Constraints),
    /// Nothing more. Constraints do not apply to such an operation (KMS API Reference,
    /// `GrantConstraints`).
    Nothing,
}

/// Returns whether the ARN in a grant names a principal. A session is named by its role.
pub(crate) fn names(arn: &str, principal: &Principal) -> bool {
    match principal {
        Principal::RoleSession { role, .. } if arn == role.as_str() => true,
        other => other.arn().as_deref() == Some(arn),
    }
}

impl Grant {
    /// Returns whether the grant allows `principal` to perform `operation`. With a grant, it can
    /// create only grants of the same or fewer operations, under constraints that are as strict
    /// or stricter (KMS Developer Guide, "Granting `CreateGrant` permission").
    pub(crate) fn allows(
        &self,
        principal: &Principal,
        operation: &str,
        wanted: Wanted<'_>,
    ) -> bool {
        let holds = match wanted {
            Wanted::Cryptography(context) => self.constraints.hold(context),
            Wanted::Child(operations, constraints) => {
                operations.iter().all(|it| self.operations.contains(it))
                    && constraints.imply(&self.constraints)
            }
            Wanted::Nothing => true,
        };
        names(&self.grantee, principal) && self.operations.iter().any(|it| it == operation) && holds
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
        retiring || account || self.allows(principal, "RetireGrant", Wanted::Nothing)
    }
}

impl Constraints {
    /// Returns whether an encryption context fulfils the constraints.
    fn hold(&self, context: &EncryptionContext) -> bool {
        self.subset.as_ref().is_none_or(|subset| contains(context, subset))
            && self.equals.as_ref().is_none_or(|all| are_same(context, all))
    }

    /// Returns whether every encryption context that fulfils these constraints fulfils `others`.
    fn imply(&self, others: &Self) -> bool {
        let own = [&self.equals, &self.subset];
        let has = |pair| own.into_iter().flatten().any(|own| has(own, pair));
        others.subset.iter().flatten().all(has)
            && others
                .equals
                .as_ref()
                .is_none_or(|all| self.equals.as_ref().is_some_and(|own| are_same(own, all)))
    }
}

/// Returns whether an encryption context has a pair. In constraints, the case of keys does not
/// matter, but that of values does (KMS API Reference, `GrantConstraints`).
fn has(context: &EncryptionContext, (key, value): (&String, &String)) -> bool {
    let key = key.to_lowercase();
    context.iter().any(|(other, its)| its == value && other.to_lowercase() == key)
}

fn contains(context: &EncryptionContext, pairs: &EncryptionContext) -> bool {
    pairs.iter().all(|pair| has(context, pair))
}

fn are_same(one: &EncryptionContext, other: &EncryptionContext) -> bool {
    one.len() == other.len() && contains(one, other) && contains(other, one)
}
