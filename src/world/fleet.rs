//! The tagged resources of an account, and the reads that failed, as plain data.
//! Not for: assigning resources to pairs (see `plan::fleet`).

use super::{Key, Tags};
use crate::events::Kind;
use crate::failure::Failure;
use crate::names::{AccountId, Arn, KeyAlias, Region};
use serde::Serialize;
use std::collections::BTreeSet;

/// The result of a search through an account.
#[derive(Debug, Clone)]
pub struct Found {
    /// Account that was searched.
    pub account: AccountId,
    /// Resources with a tag that crrctl defines.
    pub things: Vec<Thing>,
    /// Reads that failed.
    pub unread: Vec<Unread>,
    /// Regions that were searched.
    pub regions: BTreeSet<Region>,
}

/// A bucket, a key, a role, or an alarm with a tag that crrctl defines.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// Kind of the resource: a bucket, a key, a replica key, a role, or an alarm.
    pub kind: Kind,
    /// ARN of the resource.
    pub arn: Arn,
    /// Region of the resource. `None` for a role.
    pub region: Option<Region>,
    /// Tags of the resource.
    pub tags: Tags,
    /// Details of a KMS key, without its key policy.
    pub key: Option<Key>,
    /// Aliases of a key.
    pub aliases: Vec<KeyAlias>,
}

impl Thing {
    /// Returns whether this is a key that is pending deletion, for which nothing is left to do.
    pub fn is_going(&self) -> bool {
        self.key.as_ref().is_some_and(Key::is_pending_deletion)
    }
}

/// A failed read. The resources it would have returned may have crrctl's tags or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "unread"))]
pub struct Unread {
    /// Region of the call. `None` for a global service.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub region: Option<Region>,
    /// Failed operation, such as `kms:ListKeys`.
    pub operation: &'static str,
    /// AWS's error code.
    pub code: String,
    /// AWS's error message. The first one, if there are several.
    pub message: String,
    /// Number of resources that could not be read. 0 if the list itself could not be read.
    pub count: usize,
    /// Names of some of these resources.
    pub names: Vec<String>,
    /// The same error as a failure, for commands that it ends.
    #[serde(skip)]
    pub cause: Failure,
}
