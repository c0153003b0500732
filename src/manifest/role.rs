//! What the manifest says of the replication role beside its name.
//! Not for: what it may do (see `policy`).

use super::topology::Topology;
use crate::names::{Arn, Region, RoleName};
use std::collections::BTreeMap;

/// The replication role's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    /// The path under which it is made.
    pub path: String,
    /// The policy that bounds what it may do.
    pub boundary: Option<Arn>,
    /// A role that exists already: it is proven, and never written, tagged or deleted.
    pub given: Option<Arn>,
    /// Roles that exist by which destinations replicate back, by the destination's Region; else the given one serves there too.
    pub back: BTreeMap<Region, Arn>,
    /// The boundaries of the roles by which destinations replicate back, by the destination's Region; else that of the role.
    pub back_boundaries: BTreeMap<Region, Arn>,
    /// Whether rules of others get the pair's role, once it is proven for them too.
    pub take_over: bool,
}

impl Default for RoleSettings {
    fn default() -> Self {
        let path = RoleName::PATH.to_owned();
        Self {
            path,
            boundary: None,
            given: None,
            back: BTreeMap::new(),
            back_boundaries: BTreeMap::new(),
            take_over: false,
        }
    }
}

impl RoleSettings {
    /// Returns the name in the ARN of a role, which is what follows its path.
    pub fn name_of(arn: &Arn) -> Option<RoleName> {
        RoleName::new(arn.resource().strip_prefix("role/")?.rsplit('/').next()?).ok()
    }

    /// Returns whether crrctl makes the role.
    pub fn is_ours(&self) -> bool {
        self.given.is_none()
    }
}

impl Topology {
    /// Returns the description of the pair's keys.
    pub fn key_description(&self) -> String {
        format!("S3 replication of the pair {} (crrctl)", self.name)
    }

    /// Returns the description of the replication role.
    pub fn role_description(&self) -> String {
        format!("S3 replicates objects of the pair {} with it (crrctl)", self.name)
    }

    /// Returns the ARN of the pair's own role.
    pub fn role_arn(&self) -> Arn {
        if let Some(arn) = &self.role_settings.given {
            return arn.clone();
        }
        let resource = format!("role{}{}", self.role_settings.path, self.role);
        Arn::known(self.partition(), "iam", "", self.account.as_str(), &resource)
    }

    /// Returns the pair as it is where the configuration has its own role.
    #[must_use]
    pub fn with_own_role(&self) -> Self {
        let mut own = self.clone();
        own.shared_role = None;
        own
    }

    /// Returns the ARN of the role that S3 assumes for the pair's rules: its own, unless the configuration has another's.
    pub fn assumed_role(&self) -> Arn {
        self.shared_role.clone().unwrap_or_else(|| self.role_arn())
    }
}
