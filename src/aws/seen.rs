//! Tags of keys that the run has read. A pair looks for its own keys among all of a Region; without a memory, a thousand pairs would
//! read the tags of a thousand keys each, far more often than KMS lets itself be asked (2,000 times a second).
//! Not for: keys that are the pair's, which are read anew each time.

use super::Error;
use crate::names::Region;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long the tags of somebody else's key are taken for as they were.
const KEPT: Duration = Duration::from_mins(5);

type Tags = BTreeMap<String, String>;

/// What was read of one key, and when: its tags, or that the caller may not read them.
type Seen = (Instant, Result<Tags, Error>);
type Cell = Arc<OnceCell<Seen>>;

/// The tags, by Region and key id, as one caller sees them.
#[derive(Debug, Default)]
pub(super) struct SeenTags(Mutex<BTreeMap<(Region, String), Cell>>);

impl SeenTags {
    /// Returns the tags of the key `id`, or the refusal to tell them: from memory where they are not `wanted`, else as `read` finds
    /// them. Who asks while they are being read gets the same answer.
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

    /// Returns the cell of a key, or a new one where that of before is no good.
    fn cell(&self, place: (Region, String), is_good: impl FnOnce(&Cell) -> bool) -> Cell {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(place).or_default();
        if !is_good(cell) {
            *cell = Cell::default();
        }
        Arc::clone(cell)
    }
}

/// Whether a key is surely somebody else's. One that showed no tags may be new: its tags may come.
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

    /// Reads as the pair `pair`, and returns the answer and how often KMS was asked.
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
