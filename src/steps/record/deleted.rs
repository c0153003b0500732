//! The buckets that a run deleted, with the time of each deletion.
//! Not for: deleting them (see `bucket`).

use crate::names::BucketName;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How old S3's confirmation that a bucket is deleted may be to count as current.
const JUST_NOW: Duration = Duration::from_millis(500);

/// The buckets of which S3 confirmed the deletion.
#[derive(Debug, Default)]
pub(in crate::steps) struct Deleted(BTreeMap<BucketName, Instant>);

impl Deleted {
    /// Records that S3 confirmed the deletion of `bucket` at `at`.
    pub(in crate::steps) fn add(&mut self, bucket: &BucketName, at: Instant) {
        self.0.insert(bucket.clone(), at);
    }

    /// Returns whether this run deleted `bucket`.
    pub(in crate::steps) fn has(&self, bucket: &BucketName) -> bool {
        self.0.contains_key(bucket)
    }

    /// Returns whether this run deleted every one of `buckets` so shortly before `now` that a check
    /// would show nothing new.
    pub(in crate::steps) fn has_all_just_now<'a>(
        &self,
        mut buckets: impl Iterator<Item = &'a BucketName>,
        now: Instant,
    ) -> bool {
        let is_gone = |at: &Instant| now.duration_since(*at) < JUST_NOW;
        buckets.all(|bucket| self.0.get(bucket).is_some_and(is_gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_gone_until_the_first_confirmation_is_old() {
        let [one, other] = ["demo-one", "demo-other"].map(|name| BucketName::new(name).unwrap());
        let (began, tick) = (Instant::now(), Duration::from_millis(1));
        let mut deleted = Deleted::default();
        let both =
            |deleted: &Deleted, now| deleted.has_all_just_now([&one, &other].into_iter(), now);
        deleted.add(&one, began);
        assert!(deleted.has(&one) && !deleted.has(&other));
        assert!(!both(&deleted, began), "one stands");
        deleted.add(&other, began + JUST_NOW - tick);
        assert!(both(&deleted, began + JUST_NOW - tick));
        assert!(!both(&deleted, began + JUST_NOW), "the first is old");
        assert!(deleted.has(&one), "it is deleted all the same");
    }
}
