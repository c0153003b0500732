//! What bears crrctl's tags in an account, and what could not be read, as plain data.
//! Not for: which pair a thing belongs to (see `plan::fleet`).

use super::{Key, Tags};
use crate::events::Kind;
use crate::failure::Failure;
use crate::names::{AccountId, Arn, KeyAlias, Region};
use serde::Serialize;
use std::collections::BTreeSet;

/// What was found in an account.
#[derive(Debug, Clone)]
pub struct Found {
    /// The account that was looked at.
    pub account: AccountId,
    /// Everything that bears a tag of ours.
    pub things: Vec<Thing>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The Regions that were looked at.
    pub regions: BTreeSet<Region>,
}

/// A bucket, a key or a role that bears a tag of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// What it is: a bucket, a key, a replica key or a role.
    pub kind: Kind,
    /// The resource.
    pub arn: Arn,
    /// Where it is; `None` for a role.
    pub region: Option<Region>,
    /// Its tags.
    pub tags: Tags,
    /// What KMS says of a key, without its policy.
    pub key: Option<Key>,
    /// The aliases that name a key.
    pub aliases: Vec<KeyAlias>,
}

impl Thing {
    /// Returns whether this is a key on its way out: nothing is left to be done about it.
    pub fn is_going(&self) -> bool {
        self.key.as_ref().is_some_and(Key::is_pending_deletion)
    }
}

/// Something that could not be read: it may bear our tags or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Where; `None` for what is of no Region.
    pub region: Option<Region>,
    /// The call that failed, such as `kms:ListKeys`.
    pub operation: &'static str,
    /// What AWS answered.
    pub code: String,
    /// AWS's words, the first of them where there are several.
    pub message: String,
    /// How many things this is about; 0 for the list itself.
    pub count: usize,
    /// Some of their names.
    pub names: Vec<String>,
    /// The same as a failure, for where it ends a run.
    #[serde(skip)]
    pub cause: Failure,
}
