//! Which buckets' settings are being written right now. Not for: how long a write takes, nor what it does (see `s3::turns`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many settings of each bucket are being written.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, usize>>);

impl Turns {
    /// Begins a write; none where another of the bucket is under way and this one is `unlucky`.
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

/// A write under way; it ends when this is dropped.
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
