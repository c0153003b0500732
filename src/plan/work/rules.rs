//! How replication rules are written and removed.
//! Not for: which rules a pair wants (see `plan::rules`).

use super::{WhyLeft, WhyRemoved};
use crate::events::Verb;
use crate::names::Arn;
use crate::world::Rule;

/// The rules of a direction that are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesWritten {
    /// The role that the configuration has, if it gets another.
    pub replaced_role: Option<String>,
    /// The role of the configuration.
    pub role: RuleRole,
    /// The rules that differ, if any does.
    pub rules: Option<Vec<RuleChange>>,
    /// Whether rules of others get another role too.
    pub others_get_role: bool,
    /// Whether that role is made or changed by this run, so that it may not have spread.
    pub role_is_fresh: bool,
    /// The id of a rule of others that selects no SSE-KMS objects.
    pub unselecting: Option<String>,
    /// Whether the rules are proven on probes before they apply to other objects.
    pub proven_first: bool,
}

/// Whose role rules have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleRole {
    /// The pair's own.
    Own(Arn),
    /// One that the manifest gives.
    Given(Arn),
    /// The one that rules of others have.
    OfOthers(Arn),
}

/// A rule that is added, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The rule that is found.
    pub from: Option<Rule>,
    /// The rule that is written. It has a placeholder in place of the id of a key that the run makes.
    pub to: Option<Rule>,
}

/// How the rules of a direction are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulesRemoved {
    /// Why they go.
    pub why: WhyRemoved,
    /// What becomes of their bucket.
    pub bucket: RulesBucket,
}

/// What becomes of the bucket whose rules are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulesBucket {
    /// It is empty and is deleted, and the rules with it. They can no longer apply to any object.
    TakesThemAlong,
    /// It is deleted later.
    GoesLater,
    /// It stays, and others may write to it: S3 must stop applying the rules before anything else is
    /// deleted.
    Stays,
}

/// The change of one rule that the manifest no longer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DroppedRuleWork {
    /// It is removed.
    Remove {
        /// Whether others write to the bucket, so that S3 must stop applying the rule before
        /// anything else is deleted.
        bucket_is_live: bool,
    },
    /// It stays.
    Leave(WhyLeft),
}

impl DroppedRuleWork {
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Remove { .. } => Verb::Delete,
            Self::Leave(_) => Verb::Orphan,
        }
    }
}
