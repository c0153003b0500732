//! What the manifest says of the replication role beside its name.
//! Not for: what it may do (see `policy`).

use crate::names::{Arn, RoleName};

/// The replication role's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    /// The path under which it is made.
    pub path: String,
    /// The policy that bounds what it may do.
    pub boundary: Option<Arn>,
    /// A role that exists already: it is proven, and never written, tagged or deleted.
    pub given: Option<Arn>,
    /// Whether rules of others get the pair's role, once it is proven for them too.
    pub take_over: bool,
}

impl Default for RoleSettings {
    fn default() -> Self {
        Self { path: RoleName::PATH.to_owned(), boundary: None, given: None, take_over: false }
    }
}

impl RoleSettings {
    /// Returns whether crrctl makes the role.
    pub fn is_ours(&self) -> bool {
        self.given.is_none()
    }
}
