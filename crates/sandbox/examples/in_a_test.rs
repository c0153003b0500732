//! Starts a sandbox and points an AWS SDK client at it, as a test does.
//! `cargo test --example in_a_test` runs it as a test.
//! Not for: services other than S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET, Sandbox};
use std::error::Error;

/// Returns an S3 client with the credentials of [`DEFAULT_ACCOUNT`].
fn client(sandbox: &Sandbox) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(sandbox.endpoint())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new(DEFAULT_ACCOUNT, SECRET, None, None, "example"))
        .build();
    Client::from_conf(config)
}

/// Enables versioning on a new bucket. The change takes effect immediately unless [`Options::lag`]
/// sets a delay.
async fn versioning_is_switched_on() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Options::default()).await?;
    let s3 = client(&sandbox);
    s3.create_bucket().bucket("orders-src").send().await?;
    let before = s3.get_bucket_versioning().bucket("orders-src").send().await?;
    assert_eq!(before.status(), None);
    let enabled =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning()
        .bucket("orders-src")
        .versioning_configuration(enabled)
        .send()
        .await?;
    let after = s3.get_bucket_versioning().bucket("orders-src").send().await?;
    assert_eq!(after.status(), Some(&BucketVersioningStatus::Enabled));
    // The sandbox returns the same error code as AWS.
    let refused = s3.get_bucket_replication().bucket("orders-src").send().await;
    let error = refused.err().ok_or("a bucket without rules has no replication configuration")?;
    assert_eq!(error.code(), Some("ReplicationConfigurationNotFoundError"));
    s3.delete_bucket().bucket("orders-src").send().await?;
    assert!(sandbox.leftovers().is_empty());
    sandbox.stop().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    versioning_is_switched_on().await
}

#[cfg(test)]
#[tokio::test]
async fn a_bucket_gets_versioning() -> Result<(), Box<dyn Error>> {
    versioning_is_switched_on().await
}
