//! Server access logging. S3 checks that the target bucket exists, and that Region and account are
//! the bucket's; it does not check that the target's policy lets logs be written.
//! Not for: the target bucket, which is not the pair's.

use super::Stored;
use crate::aws::{At, Aws, Error};
use crate::names::{BucketName, Region};
use crate::settings::{LogTarget, Logging};
use aws_sdk_s3::types::{
    BucketLoggingStatus, BucketLogsPermission, Grantee, LoggingEnabled, PartitionDateSource,
    PartitionedPrefix, SimplePrefix, TargetGrant, TargetObjectKeyFormat, Type,
};
use aws_smithy_types::error::operation::BuildError;
use serde_json::{Value, json};

impl Stored for Logging {
    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error> {
        let request = aws.s3(region).get_bucket_logging().bucket(bucket.as_str());
        let output = request.send().await.at("s3:GetBucketLogging", region)?;
        Ok(output.logging_enabled().map(|live| Self {
            target: Some(LogTarget {
                bucket: live.target_bucket().to_owned(),
                prefix: live.target_prefix().to_owned(),
            }),
            key_format: live.target_object_key_format().map(described),
            grants: live.target_grants().iter().map(grant).collect(),
        }))
    }

    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error> {
        let grants = self.grants.iter().map(sdk_grant).collect::<Result<Vec<_>, _>>();
        let grants = Some(grants.at("s3:PutBucketLogging", region)?);
        let enabled = self.target.as_ref().map(|target| {
            LoggingEnabled::builder()
                .target_bucket(&target.bucket)
                .target_prefix(&target.prefix)
                .set_target_object_key_format(self.key_format.as_ref().map(format))
                .set_target_grants(grants.filter(|it| !it.is_empty()))
                .build()
                .at("s3:PutBucketLogging", region)
        });
        let status =
            BucketLoggingStatus::builder().set_logging_enabled(enabled.transpose()?).build();
        let put = aws.s3(region).put_bucket_logging().bucket(bucket.as_str());
        put.bucket_logging_status(status).send().await.at("s3:PutBucketLogging", region).map(drop)
    }
}

fn described(live: &TargetObjectKeyFormat) -> Value {
    match live.partitioned_prefix() {
        Some(prefix) => {
            let source = prefix.partition_date_source().map(PartitionDateSource::as_str);
            json!({"PartitionedPrefix": {"PartitionDateSource": source}})
        }
        None => json!({"SimplePrefix": {}}),
    }
}

fn format(kept: &Value) -> TargetObjectKeyFormat {
    let format = TargetObjectKeyFormat::builder();
    let Some(prefix) = kept.get("PartitionedPrefix") else {
        return format.simple_prefix(SimplePrefix::builder().build()).build();
    };
    let source = prefix["PartitionDateSource"].as_str().map(PartitionDateSource::from);
    let prefix = PartitionedPrefix::builder().set_partition_date_source(source).build();
    format.partitioned_prefix(prefix).build()
}

fn sdk_grant(kept: &Value) -> Result<TargetGrant, BuildError> {
    let of = |name: &str| kept["Grantee"][name].as_str().map(str::to_owned);
    let grantee = Grantee::builder()
        .r#type(Type::from(of("Type").as_deref().unwrap_or_default()))
        .set_id(of("ID"))
        .set_uri(of("URI"))
        .set_email_address(of("EmailAddress"));
    let permission = kept["Permission"].as_str().map(BucketLogsPermission::from);
    Ok(TargetGrant::builder().grantee(grantee.build()?).set_permission(permission).build())
}

fn grant(live: &TargetGrant) -> Value {
    let mut grantee = json!({});
    if let Some(it) = live.grantee() {
        grantee["Type"] = json!(it.r#type().as_str());
        for (name, value) in
            [("ID", it.id()), ("URI", it.uri()), ("EmailAddress", it.email_address())]
        {
            if let Some(value) = value {
                grantee[name] = json!(value);
            }
        }
    }
    json!({"Grantee": grantee, "Permission": live.permission().map(BucketLogsPermission::as_str)})
}
