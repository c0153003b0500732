//! How policies and tags differ, which things of several kinds have.
//! Not for: the statements of a policy (see `plan::statements`).

use crate::plan::StatementChange;
use std::collections::BTreeMap;

/// How a policy differs from the one that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyDiffers {
    /// The statements that differ.
    pub statements: Vec<StatementChange>,
    /// The principals that were deleted. Their statements no longer have any effect.
    pub deleted_principals: Vec<String>,
}

/// How tags differ. Tags of others stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagsDiffer {
    /// The tags that are written.
    pub set: BTreeMap<String, TagChange>,
    /// The expiry date that is taken away, because the pair is no longer ephemeral.
    pub expires: Option<String>,
}

impl TagsDiffer {
    /// Returns whether tags are written, and none is taken away.
    pub(super) fn is_only_set(&self) -> bool {
        !self.set.is_empty() && self.expires.is_none()
    }
}

/// The change of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// The value that is found.
    pub from: Option<String>,
    /// The value that is written.
    pub to: String,
}
