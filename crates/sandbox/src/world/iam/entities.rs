//! Roles, users and managed policies as plain data. Not for: looking them up (see
//! `world::iam::store`).

use crate::world::{Spreading, Stored};
use crrctl_iam::names::Arn;
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

/// A customer managed policy.
#[derive(Debug, Clone)]
pub(crate) struct Managed {
    pub(crate) stored: Stored,
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) created: SystemTime,
}
