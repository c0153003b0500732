//! Keys that are brought back: out of pending deletion, which leaves them disabled, and then enabled
//! (KMS API Reference, `CancelKeyDeletion`). Not for: deciding that they are (see `plan`).

use super::Steps;
use super::key::describe;
use crate::aws::At;
use crate::aws::settle::retry;
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{KeyId, Region};
use crate::world::KeyState;

impl Steps {
    /// Brings the key in `region` back, from wherever a run before was cut off.
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
                // A key that is needed comes back, however late it is.
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
