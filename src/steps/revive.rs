//! Restores keys: cancels the pending deletion, which leaves a key disabled, and then enables the
//! key (KMS API Reference, `CancelKeyDeletion`).
//! Not for: deciding which keys to restore (see `plan`).

use super::Steps;
use super::key::describe;
use crate::aws::At;
use crate::aws::settle::retry;
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{KeyId, Region};
use crate::world::KeyState;

impl Steps {
    /// Restores the key in `region` from any state that an interrupted run left.
    pub(super) async fn revive(
        &self,
        key: &KeyId,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let kms = self.aws.kms(region);
        let Some(found) = describe(&self.aws, region, key.as_str()).await? else { return Ok(()) };
        if found.is_pending_deletion() {
            let cancel = kms.cancel_key_deletion().key_id(key.as_str());
            retry(&self.stop, progress, || async {
                // A key that is needed is restored even if the run is ending.
                let _ = self.aws.paced("kms:CancelKeyDeletion", region, &self.stop).await;
                cancel.clone().send().await.at("kms:CancelKeyDeletion", region)
            })
            .await?;
        }
        if found.is_pending_deletion() || found.state == KeyState::Disabled {
            let enable = kms.enable_key().key_id(key.as_str());
            retry(&self.stop, progress, || async {
                let _ = self.aws.paced("kms:EnableKey", region, &self.stop).await;
                enable.clone().send().await.at("kms:EnableKey", region)
            })
            .await?;
            progress.note(format!("{} is back", found.arn));
        }
        Ok(())
    }
}
