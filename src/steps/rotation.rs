//! Automatic key rotation: set on the primary key, shared by its replicas (KMS Developer Guide,
//! "Rotate AWS KMS keys", multi-Region keys).
//! Not for: the key itself (see `key`).

use super::{Steps, nothing_to_do};
use crate::aws::At;
use crate::aws::settle::retry;
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::Arn;
use crate::plan::Action;
use crate::settings::Setting;

impl Steps {
    pub(super) async fn run_rotation(
        &self,
        action: &Action,
        work: &Setting<Option<u32>>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let (region, key) = (&action.region, self.keys.committed_in(&action.region)?);
        let kms = self.aws.kms(region);
        if let Some(days) = *wanted {
            let days = i32::try_from(days).unwrap_or(i32::MAX);
            let enable =
                kms.enable_key_rotation().key_id(key.as_str()).rotation_period_in_days(days);
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
        Ok(self.scope.key_arn(&key, region))
    }
}
