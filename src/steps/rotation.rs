//! Automatic key rotation: set on the primary key, shared by its replicas (KMS Developer Guide,
//! "Rotate AWS KMS keys", multi-Region keys).
//! Not for: the key itself (see `key`).

use super::Steps;
use crate::aws::At;
use crate::aws::settle::retry;
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::Arn;
use crate::plan::Action;

impl Steps {
    pub(super) async fn apply_rotation(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let (region, key) = (&action.region, self.committed_key(&action.region)?);
        let kms = self.aws.kms(region);
        if let Some(days) = self.topology.key.rotation_days {
            let enable =
                kms.enable_key_rotation().key_id(key.as_str()).rotation_period_in_days(days.into());
            retry(&self.stop, progress, || async {
                self.aws.paced("kms:EnableKeyRotation", region, &self.stop).await?;
                enable.clone().send().await.at("kms:EnableKeyRotation", region)
            })
            .await?;
        } else {
            let disable = kms.disable_key_rotation().key_id(key.as_str());
            retry(&self.stop, progress, || async {
                self.aws.paced("kms:DisableKeyRotation", region, &self.stop).await?;
                disable.clone().send().await.at("kms:DisableKeyRotation", region)
            })
            .await?;
        }
        Ok(self.key_arn(&key, region))
    }
}
