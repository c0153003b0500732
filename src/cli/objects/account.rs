//! What the commands about an account print with `-o json`.
//! Not for: commands about one pair (see `pair`).

use super::object;
use crate::events::{Kind, StepId};
use crate::names::{Arn, BucketName, Region};
use crate::ops::{Going, Removed};
use crate::plan::fleet::State;
use crate::world::{KeyState, LastUse, Unread};
use jiff::Timestamp;
use serde::Serialize;

object! {
    /// What `crrctl list` prints.
    ListObject, "list", "list-output", [[account, regions, pairs, unread, api_calls, elapsed_ms]]
    {
        account: String,
        /// The Regions that were looked at
        regions: Vec<String>,
        pairs: Vec<FleetPair>,
        unread: Vec<Unread>,
        /// AWS calls made
        api_calls: u64,
        elapsed_ms: u64,
    }
}

object! {
    /// What `crrctl gc` prints.
    GcObject, "gc", "gc-output", [[account, regions, pairs, unread, expired, api_calls, elapsed_ms]]
    {
        account: String,
        /// The Regions that were looked at
        regions: Vec<String>,
        pairs: Vec<FleetPair>,
        unread: Vec<Unread>,
        /// The ids of the pairs whose time is over
        expired: Vec<String>,
        removed: Vec<RemovedOfPair>,
        left: Vec<LeftOfPair>,
        keys: Vec<GoingOfPair>,
        /// AWS calls made
        api_calls: u64,
        elapsed_ms: u64,
    }
}

/// A pair that the tags of an account tell of
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "pair"))]
pub(in crate::cli) struct FleetPair {
    pub(in crate::cli) name: String,
    pub(in crate::cli) id: String,
    pub(in crate::cli) source: FleetSource,
    pub(in crate::cli) destinations: Vec<FleetBucket>,
    pub(in crate::cli) state: State,
    pub(in crate::cli) expires: Option<Timestamp>,
    pub(in crate::cli) resources: Vec<FleetResource>,
}

/// A source
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct FleetSource {
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) region: Region,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) bucket: BucketName,
}

/// A destination
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct FleetBucket {
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) region: Region,
    /// Null where no tag names it
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::cli) bucket: Option<BucketName>,
}

/// A resource with the pair's tags
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct FleetResource {
    pub(in crate::cli) kind: Kind,
    /// Null of a role
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::cli) region: Option<Region>,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) arn: Arn,
    pub(in crate::cli) expires: Option<Timestamp>,
    /// The state of a key
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::cli) state: Option<KeyState>,
    pub(in crate::cli) deletes_not_before: Option<Timestamp>,
    pub(in crate::cli) aliases: Vec<String>,
}

/// A resource that was removed, and its pair
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct RemovedOfPair {
    pair: String,
    step: StepId,
    kind: Kind,
    #[cfg_attr(test, schemars(with = "String"))]
    region: Region,
    #[cfg_attr(test, schemars(with = "String"))]
    arn: Arn,
}

impl RemovedOfPair {
    pub(in crate::cli) fn new(pair: &str, removed: Removed) -> Self {
        let Removed { step, kind, region, arn } = removed;
        Self { pair: pair.to_owned(), step, kind, region, arn }
    }
}

/// What stays of a pair, and why
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct LeftOfPair {
    pub(in crate::cli) pair: String,
    pub(in crate::cli) kind: Kind,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) arn: Arn,
    pub(in crate::cli) why: String,
}

/// A key that is scheduled for deletion, and its pair
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct GoingOfPair {
    pair: String,
    #[cfg_attr(test, schemars(with = "String"))]
    arn: Arn,
    #[cfg_attr(test, schemars(with = "String"))]
    state: KeyState,
    /// Null where its last replica key must go first
    deletes_not_before: Option<Timestamp>,
    /// The last cryptographic use that KMS told before the removal; null if it is unknown, which
    /// never means that the key is unused
    last_use: Option<LastUse>,
}

impl GoingOfPair {
    pub(in crate::cli) fn new(pair: &str, going: &Going) -> Self {
        let Going { arn, state, deletes_not_before, last_use } = going.clone();
        Self { pair: pair.to_owned(), arn, state, deletes_not_before, last_use }
    }
}
