//! Changes that others make to a pair by hand. A missing resource can't be changed, so errors are
//! ignored.
//! Not for: faults of AWS (see `faults`).

use super::machines::World;
use crate::common::{DESTINATION, SOURCE, iam, kms, s3};

const ROLE: &str = "crrctl-demo-us-east-1";
const ALIAS: &str = "alias/crrctl/demo";

/// A change to a pair, with its name.
type Break = (&'static str, fn(&World));

/// Every kind of drift and of deletion.
pub(super) const BREAKS: [Break; 13] = [
    ("no rules", |world| {
        let s3 = s3(world.endpoint(), "us-east-1");
        let _ = world.by_hand(s3.delete_bucket_replication().bucket(SOURCE).send());
    }),
    ("no encryption at the source", |world| {
        let s3 = s3(world.endpoint(), "us-east-1");
        let _ = world.by_hand(s3.delete_bucket_encryption().bucket(SOURCE).send());
    }),
    ("no encryption at the destination", |world| {
        let s3 = s3(world.endpoint(), "us-west-2");
        let _ = world.by_hand(s3.delete_bucket_encryption().bucket(DESTINATION).send());
    }),
    ("no bucket policy", |world| {
        let s3 = s3(world.endpoint(), "us-west-2");
        let _ = world.by_hand(s3.delete_bucket_policy().bucket(DESTINATION).send());
    }),
    ("open to the public", |world| {
        let s3 = s3(world.endpoint(), "us-east-1");
        let _ = world.by_hand(s3.delete_public_access_block().bucket(SOURCE).send());
    }),
    ("versioning suspended at the destination", |world| {
        let s3 = s3(world.endpoint(), "us-west-2");
        let suspended = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(aws_sdk_s3::types::BucketVersioningStatus::Suspended)
            .build();
        let put =
            s3.put_bucket_versioning().bucket(DESTINATION).versioning_configuration(suspended);
        let _ = world.by_hand(put.send());
    }),
    ("no rotation", |world| {
        let kms = kms(world.endpoint(), "us-east-1");
        let _ = world.by_hand(async {
            let key = kms.describe_key().key_id(ALIAS).send().await.ok()?;
            let id = key.key_metadata()?.key_id().to_owned();
            kms.disable_key_rotation().key_id(id).send().await.ok()
        });
    }),
    ("another key policy", |world| {
        let kms = kms(world.endpoint(), "us-west-2");
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
        let _ = world.by_hand(async {
            let key = kms.describe_key().key_id(ALIAS).send().await.ok()?;
            let id = key.key_metadata()?.key_id().to_owned();
            kms.put_key_policy().key_id(id).policy_name("default").policy(policy).send().await.ok()
        });
    }),
    ("no role policy", |world| {
        let iam = iam(world.endpoint());
        let _ = world
            .by_hand(iam.delete_role_policy().role_name(ROLE).policy_name("replication").send());
    }),
    ("no role", |world| {
        let iam = iam(world.endpoint());
        let _ = world
            .by_hand(iam.delete_role_policy().role_name(ROLE).policy_name("replication").send());
        let _ = world.by_hand(iam.delete_role().role_name(ROLE).send());
    }),
    ("no alias at the source", |world| {
        let kms = kms(world.endpoint(), "us-east-1");
        let _ = world.by_hand(kms.delete_alias().alias_name(ALIAS).send());
    }),
    ("no alias at the destination", |world| {
        let kms = kms(world.endpoint(), "us-west-2");
        let _ = world.by_hand(kms.delete_alias().alias_name(ALIAS).send());
    }),
    ("no destination bucket", |world| {
        let s3 = s3(world.endpoint(), "us-west-2");
        let _ = world.by_hand(s3.delete_bucket().bucket(DESTINATION).send());
    }),
];
