//! Cache of the key tags that the run has read. A pair searches all keys of a Region for its own
//! keys. Without the cache, each of a thousand pairs would read the tags of a thousand keys, far
//! more often than KMS allows (2,000 times a second).
//! Not for: the pair's own keys, whose tags are read again each time.

use super::Error;
use crate::names::Region;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long the cached tags of another owner's key are valid.
const KEPT: Duration = Duration::from_mins(5);

type Tags = BTreeMap<String, String>;

/// The result of one read and its time: the tags of a key, or the refusal to read them.
type Seen = (Instant, Result<Tags, Error>);
type Cell = Arc<OnceCell<Seen>>;

/// The tags by Region and key id, as one caller reads them.
#[derive(Debug, Default)]
pub(super) struct SeenTags(Mutex<BTreeMap<(Region, String), Cell>>);

impl SeenTags {
    /// Returns the tags of the key `id`, or the refusal to read them. Cached tags are returned if
    /// they are not the `wanted` tags; otherwise `read` is called. Concurrent callers for the same
    /// key share one read.
    pub(super) async fn get(
        &self,
        (region, id): (&Region, &str),
        wanted: &[(&str, String)],
        read: impl AsyncFnOnce() -> Result<Result<Tags, Error>, Error>,
    ) -> Result<Result<Tags, Error>, Error> {
        let place = (region.clone(), id.to_owned());
        let cell = self.cell(place, |cell| cell.get().is_none_or(|seen| is_others(seen, wanted)));
        let seen = cell.get_or_try_init(async || Ok((Instant::now(), read().await?))).await?;
        Ok(seen.1.clone())
    }

    /// Returns the cell of a key. A cell that is not good is replaced by an empty one.
    fn cell(&self, place: (Region, String), is_good: impl FnOnce(&Cell) -> bool) -> Cell {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(place).or_default();
        if !is_good(cell) {
            *cell = Cell::default();
        }
        Arc::clone(cell)
    }
}

/// Returns whether an entry is valid and its key certainly belongs to another owner. A key without
/// tags may be new, and its tags may appear later.
fn is_others((at, seen): &Seen, wanted: &[(&str, String)]) -> bool {
    let is_other = |tags: &Tags| {
        !tags.is_empty() && wanted.iter().any(|(key, value)| tags.get(*key) != Some(value))
    };
    at.elapsed() < KEPT && seen.as_ref().map_or(true, is_other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn tags(pair: &str) -> Tags {
        Tags::from([("crrctl:pair".to_owned(), pair.to_owned())])
    }

    /// Reads the tags as the pair `pair`. Returns the tags and the number of calls to KMS.
    async fn asked(seen: &SeenTags, id: &str, pair: &str, answer: Tags) -> (Tags, usize) {
        let (region, count) = (Region::new("us-east-1").unwrap(), AtomicUsize::new(0));
        let wanted = [("crrctl:pair", pair.to_owned())];
        let read = async || {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Ok(answer))
        };
        let tags = seen.get((&region, id), &wanted, read).await.unwrap().unwrap();
        (tags, count.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn only_tags_of_others_are_remembered_and_not_for_long() {
        let seen = SeenTags::default();
        assert_eq!(asked(&seen, "one", "b", tags("a")).await, (tags("a"), 1));
        assert_eq!(asked(&seen, "one", "b", tags("b")).await, (tags("a"), 0));
        assert_eq!(asked(&seen, "one", "a", tags("a")).await.1, 1, "the pair's own is read again");
        assert_eq!(asked(&seen, "late", "a", Tags::new()).await.1, 1);
        assert_eq!(asked(&seen, "late", "a", tags("a")).await, (tags("a"), 1), "its tags came");
        tokio::time::advance(KEPT).await;
        assert_eq!(asked(&seen, "one", "b", tags("b")).await, (tags("b"), 1));
    }

    #[tokio::test]
    async fn many_that_ask_at_once_make_one_call() {
        let seen = SeenTags::default();
        let asks = (0..64).map(|n| {
            let seen = &seen;
            async move { asked(seen, "one", &format!("p{n}"), tags("a")).await.1 }
        });
        let calls: usize = futures::future::join_all(asks).await.iter().sum();
        assert_eq!(calls, 1);
    }
}
