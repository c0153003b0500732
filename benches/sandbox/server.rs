//! `crrctl sandbox` in a process of its own, and what can be seen of it from outside.

use super::client::Connection;
use super::process::{self, Running};
use aws_sdk_s3::types as s3;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A running server; it ends with this.
pub(crate) struct Server {
    child: Running,
    pub(crate) address: SocketAddr,
}

/// Holds the benchmark itself to the second processor, where there are two.
pub(crate) fn pin_client() {
    if std::thread::available_parallelism().is_ok_and(|n| n.get() > 1) {
        let pinned = Command::new("taskset")
            .args(["-apc", "1", &std::process::id().to_string()])
            .stdout(Stdio::null())
            .status();
        assert!(pinned.is_ok_and(|status| status.success()), "taskset (util-linux) is needed");
    }
}

impl Server {
    /// Starts the binary on the first processor. `taskset` becomes the binary: a process that is held
    /// to a processor later than its start has threads that are not.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(process::binary())
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
        Self { child: Running(child), address }
    }

    /// Returns how much memory it has in use, in bytes.
    pub(crate) fn memory(&self) -> usize {
        process::memory(self.child.0.id())
    }

    /// Returns how many files and connections it has open.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.0.id())).unwrap().count()
    }

    /// Returns how long it has kept a processor busy.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.0.id())
    }

    /// Sends a control request and returns the answer.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let request = format!(
            "{method} /_crrctl/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (_, answer) = Connection::new(self.address).call(request.as_bytes()).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    /// Returns the log of replication.
    pub(crate) fn replication(&self) -> Vec<Value> {
        self.control("GET", "replication", "").as_array().unwrap().clone()
    }

    /// Returns how many tasks it runs.
    pub(crate) fn tasks(&self) -> u64 {
        self.control("GET", "health", "")["tasks"].as_u64().unwrap()
    }

    /// Makes a pair of buckets, `source` and `destination`, under keys of their own if told to.
    pub(crate) async fn pair(&self, keyed: bool) {
        let config = |region: &str| {
            aws_config::SdkConfig::builder()
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .behavior_version(aws_config::BehaviorVersion::latest())
                .region(aws_config::Region::new(region.to_owned()))
                .endpoint_url(format!("http://{}", self.address))
                .credentials_provider(
                    aws_credential_types::provider::SharedCredentialsProvider::new(
                        aws_credential_types::Credentials::new(
                            crrctl_sandbox::DEFAULT_ACCOUNT,
                            crrctl_sandbox::SECRET,
                            None,
                            None,
                            "bench",
                        ),
                    ),
                )
                .build()
        };
        let (east, west) = (config("us-east-1"), config("us-west-2"));
        let (from, to) = (aws_sdk_s3::Client::new(&east), aws_sdk_s3::Client::new(&west));
        from.create_bucket().bucket("source").send().await.unwrap();
        let constraint = s3::CreateBucketConfiguration::builder()
            .location_constraint(s3::BucketLocationConstraint::UsWest2)
            .build();
        let create = to.create_bucket().bucket("destination");
        create.create_bucket_configuration(constraint).send().await.unwrap();
        for (client, bucket) in [(&from, "source"), (&to, "destination")] {
            let enabled = s3::VersioningConfiguration::builder()
                .status(s3::BucketVersioningStatus::Enabled)
                .build();
            let put = client.put_bucket_versioning().bucket(bucket);
            put.versioning_configuration(enabled).send().await.unwrap();
        }
        let mut rule = s3::ReplicationRule::builder();
        let mut destination = s3::Destination::builder().bucket("arn:aws:s3:::destination");
        if keyed {
            let (kms, there) = (aws_sdk_kms::Client::new(&east), aws_sdk_kms::Client::new(&west));
            let own = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
            let other = there.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
            encrypt(&from, "source", &own).await;
            encrypt(&to, "destination", &other).await;
            let opted = s3::SseKmsEncryptedObjects::builder()
                .status(s3::SseKmsEncryptedObjectsStatus::Enabled)
                .build()
                .unwrap();
            rule = rule.source_selection_criteria(
                s3::SourceSelectionCriteria::builder().sse_kms_encrypted_objects(opted).build(),
            );
            destination = destination.encryption_configuration(
                s3::EncryptionConfiguration::builder().replica_kms_key_id(other).build(),
            );
        }
        let arn = role(&aws_sdk_iam::Client::new(&east)).await;
        let off = s3::DeleteMarkerReplicationStatus::Disabled;
        let whole = rule
            .id("all")
            .priority(1)
            .status(s3::ReplicationRuleStatus::Enabled)
            .filter(s3::ReplicationRuleFilter::builder().prefix("").build())
            .delete_marker_replication(s3::DeleteMarkerReplication::builder().status(off).build())
            .destination(destination.build().unwrap())
            .build()
            .unwrap();
        let configuration =
            s3::ReplicationConfiguration::builder().role(arn).rules(whole).build().unwrap();
        // Where things take their time, S3 sees versioning and role only now.
        self.control("POST", "clock", r#"{"advance": "1h"}"#);
        let put = from.put_bucket_replication().bucket("source");
        put.replication_configuration(configuration).send().await.unwrap();
    }
}

async fn encrypt(client: &aws_sdk_s3::Client, bucket: &str, key: &str) {
    let default = s3::ServerSideEncryptionByDefault::builder()
        .sse_algorithm(s3::ServerSideEncryption::AwsKms)
        .kms_master_key_id(key)
        .build()
        .unwrap();
    let rule = s3::ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(true)
        .build();
    let rules = s3::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = client.put_bucket_encryption().bucket(bucket);
    put.server_side_encryption_configuration(rules).send().await.unwrap();
}

async fn role(iam: &aws_sdk_iam::Client) -> String {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}"#;
    let create = iam.create_role().role_name("bench").assume_role_policy_document(trust);
    let role = create.send().await.unwrap().role.unwrap().arn;
    let put = iam.put_role_policy().role_name("bench").policy_name("bench");
    put.policy_document(policy).send().await.unwrap();
    role
}
