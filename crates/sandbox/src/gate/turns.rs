//! Tracks the writes to bucket settings that are in progress. Not for: the duration or the effect
//! of a write (see `s3::turns`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of writes to settings in progress, by bucket.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, usize>>);

impl Turns {
    /// Begins a write. Returns `None` if another write to the bucket is in progress and this write
    /// is `unlucky`.
    pub(crate) fn begin(&self, bucket: String, unlucky: bool) -> Option<Turn<'_>> {
        let mut writes = self.lock();
        let count = writes.entry(bucket.clone()).or_default();
        if *count > 0 && unlucky {
            return None;
        }
        *count += 1;
        Some(Turn { turns: self, bucket })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write in progress. It ends when this value is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    bucket: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut writes = self.turns.lock();
        match writes.get_mut(&self.bucket) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                writes.remove(&self.bucket);
            }
        }
    }
}
