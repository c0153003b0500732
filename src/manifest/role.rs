//! The manifest's settings for the replication role.
//! Not for: the role's permissions (see `policy`).

use super::topology::Topology;
use crate::names::{Arn, Region, RoleName};
use std::collections::BTreeMap;

/// The replication role's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    /// Path of the role.
    pub path: String,
    /// Policy that is the role's permissions boundary.
    pub boundary: Option<Arn>,
    /// Existing role from `role.arn`. It is proven, but never changed, tagged, or deleted.
    pub given: Option<Arn>,
    /// Existing roles of the reverse directions, by the destination's Region. The default is
    /// `given`.
    pub back: BTreeMap<Region, Arn>,
    /// Permissions boundaries of the reverse directions' roles, by the destination's Region. The
    /// default is `boundary`.
    pub back_boundaries: BTreeMap<Region, Arn>,
    /// Whether foreign rules get the pair's role, after it is proven for them.
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
    /// Returns the name in a role ARN: the part after the path.
    pub fn name_of(arn: &Arn) -> Option<RoleName> {
        RoleName::new(arn.resource().strip_prefix("role/")?.rsplit('/').next()?).ok()
    }

    /// Returns whether crrctl creates the role.
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

    /// Returns the ARN of the pair's own role: the role from `role.arn`, or the role that crrctl
    /// creates.
    pub fn role_arn(&self) -> Arn {
        if let Some(arn) = &self.role_settings.given {
            return arn.clone();
        }
        let resource = format!("role{}{}", self.role_settings.path, self.role);
        Arn::known(self.partition(), "iam", "", self.account.as_str(), &resource)
    }

    /// Returns the pair as if its replication configuration had the pair's own role.
    #[must_use]
    pub fn with_own_role(&self) -> Self {
        let mut own = self.clone();
        own.shared_role = None;
        own
    }

    /// Returns the ARN of the role that S3 assumes for the pair's rules: the shared role, or the
    /// pair's own role.
    pub fn assumed_role(&self) -> Arn {
        self.shared_role.clone().unwrap_or_else(|| self.role_arn())
    }
}
