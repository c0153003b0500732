//! Writes to a bucket's settings under `lag: aws`: each takes its time, and one that comes meanwhile may be refused, as S3 does
//! with `OperationAborted`. Not for: what such a write does.

use crate::lag::Slow;
use crate::state::Shared;
use s3s::{S3Result, s3_error};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many settings of each bucket are being written.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, usize>>);

impl Turns {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write under way; it ends when this is dropped.
pub(super) struct Turn<'a> {
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

/// Waits for as long as a write takes; nothing where things take no time, or where `method` writes no setting.
///
/// # Errors
/// `OperationAborted` for every second write that meets another, as the seed has it.
pub(super) async fn take<'a>(
    shared: &'a Shared,
    method: &str,
    path: &str,
) -> S3Result<Option<Turn<'a>>> {
    let bucket = path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    if !writes_setting(method) || bucket.is_empty() {
        return Ok(None);
    }
    let (time, unlucky) = {
        let mut state = shared.lock();
        (state.delays.draw(Slow::Write), state.delays.toss())
    };
    if time.is_zero() {
        return Ok(None);
    }
    let turn = {
        let mut writes = shared.turns.lock();
        let count = writes.entry(bucket.clone()).or_default();
        if *count > 0 && unlucky {
            return Err(s3_error!(
                OperationAborted,
                "A conflicting conditional operation is currently in progress against this resource. Please try again."
            ));
        }
        *count += 1;
        Turn { turns: &shared.turns, bucket }
    };
    tokio::time::sleep(time).await;
    Ok(Some(turn))
}

fn writes_setting(method: &str) -> bool {
    ["put_bucket_", "delete_bucket", "create_bucket"].iter().any(|start| method.starts_with(start))
        || method.ends_with("_public_access_block") && !method.starts_with("get_")
        || method == "put_object_lock_configuration"
}
