//! Automatic key rotation: set on the primary key, shared by its replicas (KMS Developer Guide,
//! "Rotate AWS KMS keys", multi-Region keys).
//! Not for: the key itself (see `key`).

use super::{Run, nothing_to_do};
use crate::aws::At;
use crate::failure::Failure;
use crate::names::Arn;
use crate::plan::Action;
use crate::settings::Setting;

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Setting<Option<u32>>,
) -> Result<Arn, Failure> {
    let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
    let (region, key) = (&action.region, run.keys.committed_in(&action.region)?);
    let kms = run.aws.kms(region);
    if let Some(days) = *wanted {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let enable = kms.enable_key_rotation().key_id(key.as_str()).rotation_period_in_days(days);
        run.retry(|| async {
            run.aws.paced("kms:EnableKeyRotation", region, &run.stop).await?;
            enable.clone().send().await.at("kms:EnableKeyRotation", region)
        })
        .await?;
    } else {
        let disable = kms.disable_key_rotation().key_id(key.as_str());
        run.retry(|| async {
            run.aws.paced("kms:DisableKeyRotation", region, &run.stop).await?;
            disable.clone().send().await.at("kms:DisableKeyRotation", region)
        })
        .await?;
    }
    Ok(run.scope.key_arn(&key, region))
}
