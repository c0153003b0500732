//! Tests of the sandbox over HTTP with the real SDK: a replicated pair from start to end, and
//! tables of the requests that AWS refuses.
//! Not for: the commands of crrctl (see the other tests).

#![expect(clippy::unwrap_used, reason = "what can't be set up fails the test")]

mod access;
mod account_settings;
mod acls;
mod alarms;
mod batch;
mod batch_refusals;
pub(crate) mod breakers;
mod breaking;
mod condition_keys;
mod control;
mod crypto;
mod guide;
mod iam_condition_keys;
mod iam_life;
mod iam_limits;
mod iam_recorded;
mod kms_grants;
mod kms_life;
mod lag;
mod limits;
mod messaging;
mod object_owners;
mod objects;
mod posts;
mod presigned;
mod quirks;
mod raw;
mod recorded;
mod refusals;
mod requests;
mod rewritten;
mod server;
mod settings;
mod signed;
mod simulations;
mod sts;
mod trouble;
mod walk;

use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET, Sandbox};
use serde_json::Value;

/// A running sandbox with clients for any account and Region.
pub(crate) struct Stand {
    pub(crate) sandbox: Sandbox,
}

pub(crate) const ACCOUNT: &str = DEFAULT_ACCOUNT;
pub(crate) const OTHER: &str = "444455556666";
pub(crate) const EAST: &str = "us-east-1";
pub(crate) const WEST: &str = "us-west-2";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/crrctl/replication";
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}"#;

/// Builds the client of one SDK crate for this stand. The SDK's retries are disabled, so that each
/// call is one request.
macro_rules! client {
    ($sdk:ident, $stand:expr, $account:expr, $secret:expr, $region:expr) => {
        client!($sdk, $stand, credentials($account, $secret), $region)
    };
    ($sdk:ident, $stand:expr, $credentials:expr, $region:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .http_client(crate::common::plain_http())
                .behavior_version_latest()
                .region($sdk::config::Region::new($region.to_owned()))
                .credentials_provider($credentials)
                .endpoint_url($stand.sandbox.endpoint())
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .build(),
        )
    };
}

pub(crate) use client;

pub(crate) fn credentials(account: &str, secret: &str) -> Credentials {
    Credentials::new(account, secret, None, None, "test")
}

/// Resolves every host to the loopback address.
#[derive(Debug, Clone)]
struct Loopback;

impl aws_smithy_runtime_api::client::dns::ResolveDns for Loopback {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> aws_smithy_runtime_api::client::dns::DnsFuture<'a> {
        aws_smithy_runtime_api::client::dns::DnsFuture::ready(Ok(vec![
            std::net::Ipv4Addr::LOCALHOST.into(),
        ]))
    }
}

/// Asserts the status of a response, and that it contains each of `parts`.
pub(crate) fn assert_answer(answer: &str, status: u16, parts: &[&str]) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "wanted {status}: {answer}");
    for part in parts {
        assert!(answer.contains(part), "no {part} in {answer}");
    }
}

impl Stand {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self { sandbox: Sandbox::start(options).await.unwrap() }
    }

    pub(crate) fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        self.s3_as(ACCOUNT, SECRET, region)
    }

    pub(crate) fn s3_as(&self, account: &str, secret: &str, region: &str) -> aws_sdk_s3::Client {
        client!(aws_sdk_s3, self, account, secret, region)
    }

    pub(crate) fn kms(&self, region: &str) -> aws_sdk_kms::Client {
        self.kms_as(ACCOUNT, SECRET, region)
    }

    pub(crate) fn kms_as(&self, account: &str, secret: &str, region: &str) -> aws_sdk_kms::Client {
        client!(aws_sdk_kms, self, account, secret, region)
    }

    /// Returns an S3 Control client. The SDK puts the account id in front of the host name;
    /// `Loopback` resolves that host.
    pub(crate) fn s3control(
        &self,
        account: &str,
        secret: &str,
        region: &str,
    ) -> aws_sdk_s3control::Client {
        let tls = aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(tls))
            .build_with_resolver(Loopback);
        aws_sdk_s3control::Client::from_conf(
            aws_sdk_s3control::Config::builder()
                .behavior_version_latest()
                .http_client(http)
                .region(aws_sdk_s3control::config::Region::new(region.to_owned()))
                .credentials_provider(credentials(account, secret))
                .endpoint_url(self.sandbox.endpoint())
                .retry_config(aws_sdk_s3control::config::retry::RetryConfig::disabled())
                .build(),
        )
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        self.iam_as(ACCOUNT, SECRET)
    }

    pub(crate) fn iam_as(&self, account: &str, secret: &str) -> aws_sdk_iam::Client {
        client!(aws_sdk_iam, self, account, secret, EAST)
    }

    pub(crate) fn sts(&self, account: &str, secret: &str, region: &str) -> aws_sdk_sts::Client {
        client!(aws_sdk_sts, self, account, secret, region)
    }

    /// Creates a user with one inline policy, and returns its access key.
    pub(crate) async fn user(&self, name: &str, policy: &str) -> (String, String) {
        let iam = self.iam();
        iam.create_user().user_name(name).send().await.unwrap();
        let put = iam.put_user_policy().user_name(name).policy_name("own").policy_document(policy);
        put.send().await.unwrap();
        let key = iam.create_access_key().user_name(name).send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    }

    /// Sends a control request over a separate connection. Returns the status and the JSON of the
    /// response.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = format!(
            "{method} /_crrctl/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.json_of(&request).await
    }

    /// Sends a request as it is. Returns the status and the JSON of the response.
    pub(crate) async fn json_of(&self, request: &str) -> (u16, Value) {
        let answer = self.answer_to(request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Sends the bytes of a request over a separate connection, which the request must close.
    /// Returns the whole response as text.
    pub(crate) async fn answer_to(&self, request: impl AsRef<[u8]>) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(self.sandbox.address()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Creates a bucket in a Region, with or without versioning.
    pub(crate) async fn bucket(&self, name: &str, region: &str, versioned: bool) {
        use aws_sdk_s3::types::{
            BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
            VersioningConfiguration,
        };
        let s3 = self.s3(region);
        let mut create = s3.create_bucket().bucket(name);
        if region != EAST {
            let constraint = BucketLocationConstraint::from(region);
            create = create.create_bucket_configuration(
                CreateBucketConfiguration::builder().location_constraint(constraint).build(),
            );
        }
        create.send().await.unwrap();
        if versioned {
            let enabled =
                VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            s3.put_bucket_versioning()
                .bucket(name)
                .versioning_configuration(enabled)
                .send()
                .await
                .unwrap();
        }
    }

    /// Creates a bucket with Object Lock, which also enables versioning.
    pub(crate) async fn locked_bucket(&self, name: &str, region: &str) {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let constraint = (region != EAST).then(|| BucketLocationConstraint::from(region));
        let configuration =
            constraint.map(|c| CreateBucketConfiguration::builder().location_constraint(c).build());
        let s3 = self.s3(region);
        let create = s3.create_bucket().bucket(name).object_lock_enabled_for_bucket(true);
        create.set_create_bucket_configuration(configuration).send().await.unwrap();
    }

    /// Creates a multi-Region primary key and its replica key. Returns the ARNs of both.
    pub(crate) async fn keys(&self) -> (String, String) {
        let kms = self.kms(EAST);
        let key = kms.create_key().multi_region(true).send().await.unwrap();
        let primary = key.key_metadata().unwrap();
        let replica =
            kms.replicate_key().key_id(primary.key_id()).replica_region(WEST).send().await.unwrap();
        let replica = replica.replica_key_metadata().unwrap().arn().unwrap().to_owned();
        (primary.arn().unwrap().to_owned(), replica)
    }

    /// Creates the role that [`ROLE`] names, with every permission in S3 and KMS.
    pub(crate) async fn role(&self) {
        let (iam, name) = (self.iam(), "replication");
        let create = iam.create_role().path("/crrctl/").role_name(name);
        create.assume_role_policy_document(TRUST).send().await.unwrap();
        let put = iam.put_role_policy().role_name(name).policy_name(name);
        put.policy_document(POLICY).send().await.unwrap();
    }

    /// Sets the default encryption of `bucket` to `key`, with a Bucket Key.
    pub(crate) async fn encrypt(&self, bucket: &str, region: &str, key: &str) {
        use aws_sdk_s3::types::{
            ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
            ServerSideEncryptionRule,
        };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .kms_master_key_id(key)
            .build()
            .unwrap();
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(true)
            .build();
        let configuration =
            ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        self.s3(region)
            .put_bucket_encryption()
            .bucket(bucket)
            .server_side_encryption_configuration(configuration)
            .send()
            .await
            .unwrap();
    }

    /// Puts a replication configuration with these rules.
    pub(crate) async fn replicate(
        &self,
        bucket: &str,
        rules: impl IntoIterator<Item = aws_sdk_s3::types::ReplicationRule>,
    ) {
        let configuration = aws_sdk_s3::types::ReplicationConfiguration::builder()
            .role(ROLE)
            .set_rules(Some(rules.into_iter().collect()))
            .build()
            .unwrap();
        self.s3(EAST)
            .put_bucket_replication()
            .bucket(bucket)
            .replication_configuration(configuration)
            .send()
            .await
            .unwrap();
    }

    /// Puts an object and returns its version id.
    pub(crate) async fn put(&self, bucket: &str, key: &str) -> String {
        let put = self
            .s3(EAST)
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from_static(b"hello"))
            .send()
            .await
            .unwrap();
        put.version_id().unwrap_or("null").to_owned()
    }

    /// Polls until a version is no longer PENDING and returns its replication status.
    pub(crate) async fn settled(&self, bucket: &str, key: &str, version: &str) -> Option<String> {
        for _ in 0..500 {
            let head = self
                .s3(EAST)
                .head_object()
                .bucket(bucket)
                .key(key)
                .version_id(version)
                .send()
                .await
                .unwrap();
            let status = head.replication_status().map(|status| status.as_str().to_owned());
            if status.as_deref() != Some("PENDING") {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("{key} stayed PENDING");
    }

    /// Returns the failure reason of a version, from the sandbox's replication log.
    pub(crate) async fn reason(&self, version: &str) -> Option<String> {
        let (_, log) = self.control("GET", "replication", "").await;
        let record =
            log.as_array()?.iter().rfind(|record| record["version_id"] == version)?.clone();
        record["failure_reason"].as_str().map(String::from)
    }
}

/// Returns a V2 rule to `bucket` with the given priority, and with the destination's key if one is
/// given.
pub(crate) fn rule(
    id: &str,
    priority: i32,
    bucket: &str,
    key: Option<&str>,
) -> aws_sdk_s3::types::builders::ReplicationRuleBuilder {
    use aws_sdk_s3::types::{
        DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination,
        EncryptionConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus,
        SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
    };
    let mut destination = Destination::builder().bucket(format!("arn:aws:s3:::{bucket}"));
    let mut rule = ReplicationRule::builder();
    if let Some(key) = key {
        destination = destination.encryption_configuration(
            EncryptionConfiguration::builder().replica_kms_key_id(key).build(),
        );
        let opted = SseKmsEncryptedObjects::builder()
            .status(SseKmsEncryptedObjectsStatus::Enabled)
            .build()
            .unwrap();
        rule = rule.source_selection_criteria(
            SourceSelectionCriteria::builder().sse_kms_encrypted_objects(opted).build(),
        );
    }
    rule.id(id)
        .priority(priority)
        .status(ReplicationRuleStatus::Enabled)
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .delete_marker_replication(
            DeleteMarkerReplication::builder()
                .status(DeleteMarkerReplicationStatus::Disabled)
                .build(),
        )
        .destination(destination.build().unwrap())
}

/// Returns the code, status and message of a request that must be refused.
pub(crate) fn refusal<T, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> (String, u16, String) {
    let Err(error) = result else { return ("(no error)".into(), 200, String::new()) };
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let service = error.as_service_error().map(|e| (e.code(), e.message()));
    let (code, message) = service.unwrap_or_default();
    (code.unwrap_or_default().into(), status, message.unwrap_or_default().into())
}

/// Sends each request, and compares the code, the status and a part of the message.
macro_rules! refused {
    ($($code:literal $status:literal $part:literal $call:expr;)*) => {
        let mut wrong = Vec::new();
        $({
            let (code, status, message) = $crate::sandbox::refusal($call.send().await);
            if (code.as_str(), status) != ($code, $status) || !message.contains($part) {
                wrong.push(format!(
                    "{}\n  wanted {} {} {:?}\n  got    {code} {status} {message:?}",
                    stringify!($call), $code, $status, $part
                ));
            }
        })*
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
}
pub(crate) use refused;
