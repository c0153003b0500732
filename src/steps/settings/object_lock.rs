//! Object Lock: enabled at bucket creation, or later by its own step, which also sets the default
//! retention. It can't be disabled (S3 User Guide, "Locking objects with Object Lock").
//! Not for: what holds single versions (see `objects`).

use super::{Steps, nothing_to_do};
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::Setting;
use crate::world::{DefaultRetention, Lock};
use aws_sdk_s3::types::{
    DefaultRetention as SdkRetention, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetentionMode, ObjectLockRule,
};

/// Returns the Object Lock configuration of the bucket, if Object Lock is enabled.
pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<Lock>, Error> {
    let request = aws.s3(region).get_object_lock_configuration().bucket(bucket.as_str());
    let output = match request.send().await.at("s3:GetObjectLockConfiguration", region) {
        Ok(output) => output,
        Err(error) if error.is("ObjectLockConfigurationNotFoundError") => return Ok(None),
        Err(error) => return Err(error),
    };
    let on = output
        .object_lock_configuration()
        .filter(|it| it.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled));
    Ok(on.map(|it| Lock {
        retention: it.rule().and_then(ObjectLockRule::default_retention).map(|it| {
            DefaultRetention {
                mode: it.mode().map(|mode| mode.as_str().to_owned()).unwrap_or_default(),
                days: it.days(),
                years: it.years(),
            }
        }),
    }))
}

impl Steps {
    pub(super) async fn run_object_lock(
        &self,
        action: &Action,
        work: &Setting<Option<DefaultRetention>>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let wanted = work.written().ok_or_else(|| nothing_to_do(action))?;
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let rule = wanted.as_ref().map(|wanted| {
            let retention = SdkRetention::builder()
                .mode(ObjectLockRetentionMode::from(wanted.mode.as_str()))
                .set_days(wanted.days)
                .set_years(wanted.years)
                .build();
            ObjectLockRule::builder().default_retention(retention).build()
        });
        let configuration = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .set_rule(rule)
            .build();
        let put = self
            .aws
            .s3(region)
            .put_object_lock_configuration()
            .bucket(bucket.as_str())
            .object_lock_configuration(configuration);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutObjectLockConfiguration", region)
        })
        .await?;
        Ok(self.bucket_arn(bucket))
    }
}
