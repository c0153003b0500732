//! A live source bucket with everything that its rules lead to, whoever created it.
//! Not for: the resources of a known pair (see `world`).

use super::{Alarm, Bucket, Key, Role};
use crate::names::{AccountId, BucketName, Region};
use std::collections::BTreeMap;

/// A source bucket with its destinations, keys, and roles.
#[derive(Debug, Clone)]
pub struct Live {
    /// Account of the source.
    pub account: AccountId,
    /// Source bucket.
    pub source: LiveBucket,
    /// Destination buckets of the rules.
    pub destinations: Vec<LiveBucket>,
    /// Keys that default encryptions and rules name, by Region and by the name they use. A name
    /// without an entry is not the name of an existing key.
    pub keys: BTreeMap<(Region, String), Key>,
    /// Aliases of keys that crrctl created, by Region.
    pub aliases: BTreeMap<Region, String>,
    /// Roles of the replication configurations, by the ARN in the configuration.
    pub roles: BTreeMap<String, Role>,
}

/// A bucket with its Region and account.
#[derive(Debug, Clone)]
pub struct LiveBucket {
    /// Region of the bucket.
    pub region: Region,
    /// Name of the bucket.
    pub name: BucketName,
    /// Account of the bucket.
    pub account: AccountId,
    /// Settings of the bucket.
    pub bucket: Bucket,
    /// Why its notification configuration was not read.
    pub notifications_unread: Option<String>,
    /// Alarms that crrctl made in its Region. Read only of a bucket whose tags record alarms.
    pub alarms: Vec<Alarm>,
    /// Why its alarms were not read.
    pub alarms_unread: Option<String>,
}
