//! S3 Block Public Access for bucket policies: which policies are public, and how public policies
//! are restricted.
//! Section: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of
//! public". Not for: access by ACLs (see `gate::grants`).

use crate::world::buckets::Bucket;
use crate::world::{Caller, State};
use crrctl_iam::document::{Comparison, Scope, Statement};
use crrctl_iam::{Document, Effect};
use s3s::dto::PublicAccessBlockConfiguration;

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
        Some(Scope::Except(_)) => true,
        Some(Scope::Only(principals)) => principals.name_everyone(),
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

impl State {
    /// Returns the bucket policy that applies to a caller. With `RestrictPublicBuckets`, a public
    /// policy does not apply to callers of other accounts.
    pub(crate) fn policy_for<'a>(
        &self,
        bucket: &'a Bucket,
        caller: &Caller,
    ) -> Option<&'a Document> {
        let stored = bucket.policy.as_ref()?;
        let restricted = self.blocks(bucket, |block| block.restrict_public_buckets);
        let outside = caller.principal.account() != Some(bucket.owner.as_str());
        let closed = restricted && outside && is_public(&stored.document);
        (!closed).then_some(&stored.document)
    }

    /// Returns whether a setting of Block Public Access is on for a bucket, in the configuration of
    /// the bucket or of its owner's account: the more restrictive one applies (S3 User Guide,
    /// "Blocking public access to your Amazon S3 storage").
    pub(crate) fn blocks(
        &self,
        bucket: &Bucket,
        setting: fn(&PublicAccessBlockConfiguration) -> Option<bool>,
    ) -> bool {
        let account = self.public_access_blocks.get(&bucket.owner);
        let both = [bucket.public_access_block.as_ref(), account];
        both.into_iter().flatten().any(|block| setting(block) == Some(true))
    }
}
