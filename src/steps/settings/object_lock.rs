//! Object Lock: enabled at bucket creation, or later by its own step, which also sets the default
//! retention.
//! Not for: what holds single versions (see `objects`).

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::names::{BucketName, Region};
use crate::settings::{DefaultRetention, Lock};
use aws_sdk_s3::types::{
    DefaultRetention as SdkRetention, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetentionMode, ObjectLockRule,
};

impl Stored for Lock {
    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_object_lock_configuration().bucket(bucket.as_str());
        let output = match request.send().await.at("s3:GetObjectLockConfiguration", region) {
            Ok(output) => output,
            Err(error) if error.is("ObjectLockConfigurationNotFoundError") => return Ok(None),
            Err(error) => return Err(error),
        };
        let on = output
            .object_lock_configuration()
            .filter(|it| it.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled));
        Ok(on.map(|it| {
            let default = it.rule().and_then(ObjectLockRule::default_retention);
            Self { retention: default.map(described) }
        }))
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let configuration = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .set_rule(self.retention.as_ref().map(rule))
            .build();
        let s3 = aws.s3(region);
        let put = s3.put_object_lock_configuration().bucket(bucket.as_str());
        let put = put.object_lock_configuration(configuration);
        put.send().await.at("s3:PutObjectLockConfiguration", region).map(drop)
    }
}

fn described(live: &SdkRetention) -> DefaultRetention {
    DefaultRetention {
        mode: live.mode().map(|mode| mode.as_str().to_owned()).unwrap_or_default(),
        days: live.days(),
        years: live.years(),
    }
}

fn rule(wanted: &DefaultRetention) -> ObjectLockRule {
    let retention = SdkRetention::builder()
        .mode(ObjectLockRetentionMode::from(wanted.mode.as_str()))
        .set_days(wanted.days)
        .set_years(wanted.years)
        .build();
    ObjectLockRule::builder().default_retention(retention).build()
}
