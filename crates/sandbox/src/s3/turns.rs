//! Delays of writes to a bucket's settings under `lag: aws`. A write that overlaps another may be
//! refused with `OperationAborted`, as in S3. Not for: performing the write.

use crate::gate::{Shared, Turn};
use crate::world::Slow;
use s3s::{S3Result, s3_error};

/// Waits for the duration of a settings write. Returns `None` at once where the duration is zero,
/// or where `method` writes no setting.
///
/// # Errors
/// `OperationAborted` for one in two writes that overlap another; the seed determines which.
pub(super) async fn take<'a>(
    shared: &'a Shared,
    method: &str,
    bucket: &str,
) -> S3Result<Option<Turn<'a>>> {
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
    let turn = shared.turns.begin(bucket.to_owned(), unlucky).ok_or_else(|| {
        s3_error!(
            OperationAborted,
            "A conflicting conditional operation is currently in progress against this resource. Please try again."
        )
    })?;
    tokio::time::sleep(time).await;
    Ok(Some(turn))
}

fn writes_setting(method: &str) -> bool {
    ["put_bucket_", "delete_bucket", "create_bucket"].iter().any(|start| method.starts_with(start))
        || method.ends_with("_public_access_block") && !method.starts_with("get_")
        || method == "put_object_lock_configuration"
}
