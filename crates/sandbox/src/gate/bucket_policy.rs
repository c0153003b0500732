//! S3 Block Public Access for bucket policies: which policies are public, and how public policies
//! are restricted.
//! Section: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of
//! public". Not for: ACLs.

use crate::world::Caller;
use crate::world::buckets::Bucket;
use crrctl_iam::document::{Comparison, PrincipalKind, Principals, Scope, Statement};
use crrctl_iam::{Document, Effect};

/// The condition keys that make a statement for all principals not public, if their values are
/// fixed.
const FIXED: [&str; 14] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Returns whether a bucket policy is public: a statement allows access to all principals, without
/// a condition that restricts the access to fixed values.
pub(crate) fn is_public(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Allow && names_everyone(statement) && !is_fixed(statement)
    })
}

fn names_everyone(statement: &Statement) -> bool {
    match &statement.principal {
        Some(Scope::Only(Principals::Everyone) | Scope::Except(_)) => true,
        Some(Scope::Only(Principals::Listed(listed))) => listed.iter().any(|(kind, names)| {
            *kind == PrincipalKind::Aws && names.iter().any(|name| name == "*")
        }),
        None => false,
    }
}

fn is_fixed(statement: &Statement) -> bool {
    statement.condition.iter().any(|condition| {
        let fixed = |value: &String| match condition.operator.comparison {
            Comparison::IpAddress => !value.starts_with("0.0.0.0/") && !value.starts_with("::/"),
            _ => !value.contains(['*', '?', '$']),
        };
        let positive = matches!(
            condition.operator.comparison,
            Comparison::StringEquals
                | Comparison::StringLike
                | Comparison::ArnEquals
                | Comparison::ArnLike
                | Comparison::IpAddress
        );
        positive
            && FIXED.contains(&condition.key.to_lowercase().as_str())
            && condition.values.iter().all(fixed)
    })
}

impl Bucket {
    /// Returns the bucket policy that applies to a caller. With `RestrictPublicBuckets`, a public
    /// policy does not apply to callers of other accounts.
    pub(crate) fn policy_for(&self, caller: &Caller) -> Option<&Document> {
        let stored = self.policy.as_ref()?;
        let restricted = self
            .public_access_block
            .as_ref()
            .is_some_and(|block| block.restrict_public_buckets == Some(true));
        let outside = caller.principal.account() != Some(self.owner.as_str());
        let closed = restricted && outside && is_public(&stored.document);
        (!closed).then_some(&stored.document)
    }

    /// Returns whether the bucket refuses public policies (`BlockPublicPolicy`).
    pub(crate) fn blocks_public_policy(&self) -> bool {
        let block = self.public_access_block.as_ref();
        block.is_some_and(|block| block.block_public_policy == Some(true))
    }
}
