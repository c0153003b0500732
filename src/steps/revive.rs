//! Restores keys: cancels the pending deletion, which leaves a key disabled, and then enables the
//! key (KMS API Reference, `CancelKeyDeletion`).
//! Not for: deciding which keys to restore (see `plan`).

use super::Run;
use super::key::describe;
use crate::aws::At;
use crate::failure::Failure;
use crate::names::{KeyId, Region};
use crate::world::KeyState;

/// Restores the key in `region` from any state that an interrupted run left.
pub(super) async fn revive(run: Run<'_>, key: &KeyId, region: &Region) -> Result<(), Failure> {
    let kms = run.aws.kms(region);
    let Some(found) = describe(&run.aws, region, key.as_str()).await? else { return Ok(()) };
    if found.is_pending_deletion() {
        let cancel = kms.cancel_key_deletion().key_id(key.as_str());
        run.retry(|| async {
            // A key that is needed is restored even if the run is ending.
            let _ = run.aws.paced("kms:CancelKeyDeletion", region, &run.stop).await;
            cancel.clone().send().await.at("kms:CancelKeyDeletion", region)
        })
        .await?;
    }
    if found.is_pending_deletion() || found.state == KeyState::Disabled {
        let enable = kms.enable_key().key_id(key.as_str());
        run.retry(|| async {
            let _ = run.aws.paced("kms:EnableKey", region, &run.stop).await;
            enable.clone().send().await.at("kms:EnableKey", region)
        })
        .await?;
        run.progress.note(format!("{} is back", found.arn));
    }
    Ok(())
}
