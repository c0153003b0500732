//! What MFA delete refuses.

use super::versioning;
use crate::sandbox::{EAST, Stand, refused};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, MfaDelete, VersioningConfiguration,
};

/// S3 User Guide, "Configuring MFA delete".
#[tokio::test(flavor = "multi_thread")]
async fn of_mfa_delete() {
    const DEVICE: &str = "arn:aws:iam::111122223333:mfa/root 123456";
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    for name in ["guarded", "expiring"] {
        stand.bucket(name, EAST, false).await;
    }
    let days = LifecycleExpiration::builder().days(9).build();
    let rule = LifecycleRule::builder().status(ExpirationStatus::Enabled).expiration(days);
    let rule = rule.filter(LifecycleRuleFilter::builder().prefix("").build()).build().unwrap();
    let rules = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
    let expire = |bucket: &str| {
        let put = s3.put_bucket_lifecycle_configuration().bucket(bucket);
        put.lifecycle_configuration(rules.clone())
    };
    expire("expiring").send().await.unwrap();
    let mfa = |status| {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        enabled.mfa_delete(status).build()
    };
    let on = |client: &aws_sdk_s3::Client, bucket: &str| {
        let put = client.put_bucket_versioning().bucket(bucket);
        put.versioning_configuration(mfa(MfaDelete::Enabled))
    };
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let (id, secret) = stand.user("admin", everything).await;
    let admin = stand.s3_as(&id, &secret, EAST);
    refused! {
        "AccessDenied" 403 "Mfa Authentication must be used" on(&s3, "guarded");
        "AccessDenied" 403 "Mfa Authentication must be used" on(&s3, "guarded").mfa("serial");
        "AccessDenied" 403 "Mfa Authentication must be used" on(&admin, "guarded").mfa(DEVICE);
        "MalformedXML" 400 "" s3.put_bucket_versioning().bucket("guarded").versioning_configuration(mfa("Maybe".into())).mfa(DEVICE);
        "InvalidBucketState" 409 "lifecycle" on(&s3, "expiring").mfa(DEVICE);
    }
    on(&s3, "guarded").mfa(DEVICE).send().await.unwrap();
    stand.put("guarded", "k").await;
    let version = s3.head_object().bucket("guarded").key("k").send().await.unwrap();
    let version = version.version_id().unwrap();
    let delete = |client: &aws_sdk_s3::Client| {
        client.delete_object().bucket("guarded").key("k").version_id(version)
    };
    refused! {
        "AccessDenied" 403 "Mfa Authentication must be used" delete(&s3);
        "AccessDenied" 403 "Mfa Authentication must be used" delete(&admin).mfa(DEVICE);
        "AccessDenied" 403 "Mfa Authentication must be used" s3.put_bucket_versioning().bucket("guarded").versioning_configuration(versioning(BucketVersioningStatus::Suspended));
        "InvalidBucketState" 409 "MFA enabled" expire("guarded");
    }
    // A marker is no version that goes.
    s3.delete_object().bucket("guarded").key("k").send().await.unwrap();
    delete(&s3).mfa(DEVICE).send().await.unwrap();
}
