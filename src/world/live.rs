//! A bucket that replicates, with all that its rules lead to, whoever made it.

use super::{Bucket, Key, Role};
use crate::names::{AccountId, BucketName, Region};
use std::collections::BTreeMap;

/// A bucket that replicates, and what it replicates by.
#[derive(Debug, Clone)]
pub struct Live {
    /// The account that the source is in.
    pub account: AccountId,
    /// The source.
    pub source: LiveBucket,
    /// Every bucket that a rule leads to.
    pub destinations: Vec<LiveBucket>,
    /// The keys that encrypt and rules name, by Region and by what names each. What names none of these is no key.
    pub keys: BTreeMap<(Region, String), Key>,
    /// The aliases of crrctl's own keys, by Region.
    pub aliases: BTreeMap<Region, String>,
    /// The roles of the configurations, by what these call them.
    pub roles: BTreeMap<String, Role>,
}

/// A bucket and where it is.
#[derive(Debug, Clone)]
pub struct LiveBucket {
    /// Its Region.
    pub region: Region,
    /// Its name.
    pub name: BucketName,
    /// The account that it is in.
    pub account: AccountId,
    /// Its settings.
    pub bucket: Bucket,
}
