//! What a run saw to stand, with the time of each look, so that its end looks again only at what is
//! older.
//! Not for: the looks themselves (see `standing`).

use crate::names::{BucketName, Region};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The resources that were verified, with the time of each check.
#[derive(Debug, Default)]
pub(in crate::steps) struct Seen {
    /// The aliases, each with its key, by Region.
    aliases: BTreeMap<Region, Instant>,
    /// The rules, by source bucket.
    rules: BTreeMap<BucketName, Instant>,
}

impl Seen {
    /// Records that the alias of `region` named the pair's key at `at`.
    pub(in crate::steps) fn alias(&mut self, region: &Region, at: Instant) {
        self.aliases.insert(region.clone(), at);
    }

    /// Records that the rules of `bucket` were as wanted at `at`.
    pub(in crate::steps) fn rules(&mut self, bucket: &BucketName, at: Instant) {
        self.rules.insert(bucket.clone(), at);
    }

    /// Returns whether this run read or created the alias of `region`.
    pub(in crate::steps) fn has_alias(&self, region: &Region) -> bool {
        self.aliases.contains_key(region)
    }

    /// Returns whether the alias of `region` was seen at `since` or later.
    pub(in crate::steps) fn has_alias_since(&self, region: &Region, since: Instant) -> bool {
        self.aliases.get(region).is_some_and(|at| *at >= since)
    }

    /// Returns whether the rules of `bucket` were seen at `since` or later.
    pub(in crate::steps) fn has_rules_since(&self, bucket: &BucketName, since: Instant) -> bool {
        self.rules.get(bucket).is_some_and(|at| *at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_seen_at_the_time_or_later_counts() {
        let (region, other) = ("us-east-1", "us-west-2");
        let [region, other] = [region, other].map(|name| Region::new(name).unwrap());
        let bucket = BucketName::new("demo-111122223333-us-east-1").unwrap();
        let (first, tick) = (Instant::now(), Duration::from_secs(1));
        let mut seen = Seen::default();
        assert!(!seen.has_alias(&region) && !seen.has_rules_since(&bucket, first));
        seen.alias(&region, first);
        seen.rules(&bucket, first);
        assert!(seen.has_alias(&region) && !seen.has_alias(&other));
        assert!(seen.has_alias_since(&region, first) && !seen.has_alias_since(&other, first));
        assert!(!seen.has_alias_since(&region, first + tick));
        assert!(seen.has_rules_since(&bucket, first));
        assert!(!seen.has_rules_since(&bucket, first + tick));
        seen.alias(&region, first + tick);
        assert!(seen.has_alias_since(&region, first + tick));
    }
}
