//! Roles, users and managed policies as plain data. Not for: looking them up (see
//! `world::iam::store`).

use crate::world::{Quirk, Spreading, Stored};
use crrctl_iam::names::{AccountId, Arn};
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

/// The properties that users and roles share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entity {
    /// Inline policies by name.
    pub(crate) inline: Spreading<BTreeMap<String, Stored>>,
    /// The ARNs of the attached managed policies.
    pub(crate) attached: BTreeSet<String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
}

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) arn: Arn,
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    pub(crate) trust: Stored,
    pub(crate) description: Option<String>,
    /// The maximum session duration, in seconds.
    pub(crate) max_session: u32,
    /// When the role can first be assumed.
    pub(crate) usable: SystemTime,
    pub(crate) entity: Entity,
}

impl Role {
    /// The quirks of a new role.
    pub(crate) const QUIRKS: [Quirk; 4] =
        [Quirk::LateEntity, Quirk::LatePrincipal, Quirk::FreshRole, Quirk::RemovalNotFound];

    /// Returns whether the role is linked to a service, which alone can change it.
    pub(crate) fn is_service_linked(&self) -> bool {
        self.path.starts_with(LINKED_PATH)
    }
}

/// The path of the service-linked roles, which only they can have (IAM User Guide, "IAM
/// identifiers").
pub(crate) const LINKED_PATH: &str = "/aws-service-role/";

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) arn: Arn,
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    pub(crate) entity: Entity,
}

/// A service-specific credential of a user.
#[derive(Debug, Clone)]
pub(crate) struct ServiceCredential {
    pub(crate) owner: (AccountId, String),
    /// The service principal.
    pub(crate) service: String,
    pub(crate) password: String,
    pub(crate) active: bool,
    pub(crate) created: SystemTime,
}

/// A customer managed policy.
#[derive(Debug, Clone)]
pub(crate) struct Managed {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) created: SystemTime,
    /// When the newest version was created.
    pub(crate) updated: SystemTime,
    /// The versions by number.
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    /// The number of the default version, which is the one that is evaluated.
    pub(crate) default: u32,
    /// The number of the version that was created last. Numbers are not used again.
    pub(crate) last: u32,
}

impl Managed {
    /// Returns the document of the default version.
    pub(crate) fn document(&self) -> Option<&Stored> {
        self.versions.get(&self.default).map(|version| &version.stored)
    }
}

/// A version of a customer managed policy.
#[derive(Debug, Clone)]
pub(crate) struct PolicyVersion {
    pub(crate) stored: Stored,
    pub(crate) created: SystemTime,
}
