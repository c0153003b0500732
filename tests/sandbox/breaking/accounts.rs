//! A destination in another account.

use super::{Pair, count};
use crate::sandbox::{EAST, OTHER, ROLE};
use aws_sdk_s3::types::{
    AccessControlTranslation, BucketVersioningStatus, OwnerOverride, VersioningConfiguration,
};
use crrctl_sandbox::SECRET;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn another_account_lets_the_role_in_or_does_not() {
    let pair = Pair::new().await;
    let (s3, kms) = (pair.stand.s3_as(OTHER, SECRET, EAST), pair.stand.kms_as(OTHER, SECRET, EAST));
    s3.create_bucket().bucket("break-other").send().await.unwrap();
    let enabled =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning()
        .bucket("break-other")
        .versioning_configuration(enabled)
        .send()
        .await
        .unwrap();
    let key = kms.create_key().send().await.unwrap();
    let key = key.key_metadata().unwrap().arn().unwrap().to_owned();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"},
    ]});
    pair.grant(&policy.to_string()).await;
    let destination = aws_sdk_s3::types::Destination::builder()
        .bucket("arn:aws:s3:::break-other")
        .account(OTHER)
        .access_control_translation(
            AccessControlTranslation::builder().owner(OwnerOverride::Destination).build().unwrap(),
        )
        .encryption_configuration(
            aws_sdk_s3::types::EncryptionConfiguration::builder().replica_kms_key_id(&key).build(),
        )
        .build()
        .unwrap();
    let mut rule = pair.rules.rules()[0].clone();
    rule.destination = Some(destination);
    pair.rules(vec![rule]).await;
    let refused = Some("DstPutObjectNotPermitted");
    pair.expect("no bucket policy", refused).await;
    let bucket_policy = |actions: &[&str]| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": actions,
            "Resource": "arn:aws:s3:::break-other/*",
        }]})
        .to_string()
    };
    let put = |actions: &[&str]| {
        let put = s3.put_bucket_policy().bucket("break-other").policy(bucket_policy(actions));
        async move { put.send().await.unwrap() }
    };
    let all = ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"];
    put(&all).await;
    pair.expect("no key policy", refused).await;
    let key_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": [OTHER, ROLE]}, "Action": "kms:*", "Resource": "*",
    }]});
    kms.put_key_policy().key_id(&key).policy(key_policy.to_string()).send().await.unwrap();
    pair.expect("both let the role in", None).await;
    for (without, reason) in [
        ("s3:ReplicateObject", "DstPutObjectNotPermitted"),
        ("s3:ReplicateTags", "DstPutTaggingNotPermitted"),
        ("s3:ObjectOwnerOverrideToBucketOwner", "DstPutObjectNotPermitted"),
    ] {
        let rest: Vec<&str> = all.into_iter().filter(|action| *action != without).collect();
        put(&rest).await;
        pair.expect(without, Some(reason)).await;
    }
    count("another account", 5);
}
