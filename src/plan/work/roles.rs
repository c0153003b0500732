//! How roles and their policies are made and changed.
//! Not for: the rules that use a role (see `rules`).

use super::TagsDiffer;
use crate::names::Arn;
use crate::plan::StatementChange;
use crate::world::Tags;

/// A role that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMade {
    /// The statements of its trust policy.
    pub trust: Vec<StatementChange>,
    /// Its permissions boundary.
    pub boundary: Option<Arn>,
    /// Its tags.
    pub tags: Tags,
}

/// How a role differs from the one that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleDiffers {
    /// The statements of the trust policy that differ, if it does.
    pub trust: Option<Vec<StatementChange>>,
    /// How its permissions boundary differs.
    pub boundary: Option<BoundaryChange>,
    /// How its tags differ.
    pub tags: TagsDiffer,
}

/// The change of a permissions boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryChange {
    /// The boundary that is found.
    pub from: Option<String>,
    /// The boundary that is written.
    pub to: Arn,
}

/// How a role's policy is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolePolicyDiffers {
    /// It differs in these statements.
    Statements(Vec<StatementChange>),
    /// It is reduced to the destinations in the manifest, when the dropped ones are gone.
    Pruned,
}
