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
    /// Returns the role that the direction's rules use instead of the pair's own: the role from
    /// `role.arn`, or the live role of a replication configuration with foreign rules.
    pub fn shared_role(&self) -> Option<&Arn> {
        let given = self.role_settings.given.as_ref();
        given.or_else(|| self.found.shared_role.as_ref().filter(|_| !self.is_back()))
    }

    /// Returns the pair as if its replication configuration had the pair's own role.
    #[must_use]
    pub fn with_own_role(&self) -> Self {
        let mut own = self.clone();
        own.found.shared_role = None;
        own
    }

    /// Returns the ARN of the role that S3 assumes for the pair's rules: the shared role, or the
    /// pair's own role.
    pub fn assumed_role(&self) -> Arn {
        self.shared_role().cloned().unwrap_or_else(|| self.role_arn())
    }

    /// Returns the Region whose credentials are used for the role. Each account's IAM is called
    /// with the credentials of one Region only.
    pub fn role_region(&self) -> &Region {
        let (source, home) = (&self.source, self.wanted.home());
        if source.account == home.account { &home.region } else { &source.region }
    }
}
