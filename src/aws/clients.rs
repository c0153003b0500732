//! SDK clients, one a service and Region, made once and sharing one pool of connections.
//! Not for: credentials of more than one account.

use super::pace::Pace;
use super::settle::pause;
use super::{CallCount, Calls};
use crate::names::{AccountId, Region};
use crate::stop::Stop;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How to reach AWS, or what stands in for it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The Region in which IAM and STS are called: the source's.
    pub home: Region,
    /// The profile of the shared configuration.
    pub profile: Option<String>,
    /// The endpoint of every service; without it `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` count.
    pub endpoint_url: Option<String>,
    /// Access key and secret for a stand-in on plain HTTP; nothing of the environment is read then.
    pub credentials: Option<(String, String)>,
}

/// How often the SDK sends a request before it gives up: throttling and broken connections.
const ATTEMPTS: u32 = 6;

/// The clients.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    home: Region,
    calls: Calls,
    pace: Pace,
    s3: Mutex<BTreeMap<Region, aws_sdk_s3::Client>>,
    kms: Mutex<BTreeMap<Region, aws_sdk_kms::Client>>,
    /// Batch jobs live in the source's Region alone.
    s3control: aws_sdk_s3control::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Makes the clients; sends nothing.
    pub async fn new(connection: Connection) -> Self {
        let home = connection.home.clone();
        let config = configuration(connection).await;
        let calls = Calls::default();
        let iam = aws_sdk_iam::config::Builder::from(&config).interceptor(calls.clone()).build();
        let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(calls.clone()).build();
        let s3control =
            aws_sdk_s3control::config::Builder::from(&config).interceptor(calls.clone());
        Self {
            home,
            calls,
            pace: Pace::default(),
            s3control: aws_sdk_s3control::Client::from_conf(s3control.build()),
            s3: Mutex::default(),
            kms: Mutex::default(),
            iam: aws_sdk_iam::Client::from_conf(iam),
            sts: aws_sdk_sts::Client::from_conf(sts),
            config,
        }
    }

    /// Returns the client of S3 in `region`.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let mut clients = self.s3.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let config = aws_sdk_s3::config::Builder::from(&self.config)
                .region(aws_config::Region::new(region.to_string()))
                .interceptor(self.calls.clone());
            aws_sdk_s3::Client::from_conf(config.build())
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }

    /// Returns the client of KMS in `region`.
    pub fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        let mut clients = self.kms.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let config = aws_sdk_kms::config::Builder::from(&self.config)
                .region(aws_config::Region::new(region.to_string()))
                .interceptor(self.calls.clone());
            aws_sdk_kms::Client::from_conf(config.build())
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }

    /// Returns the client of S3 Control in the source's Region.
    pub fn s3control(&self) -> &aws_sdk_s3control::Client {
        &self.s3control
    }

    /// Returns the client of IAM.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    /// Returns the client of STS.
    pub fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    /// Returns the Region in which IAM and STS are called.
    pub fn home(&self) -> &Region {
        &self.home
    }

    /// From now on every S3 call says that `account` is expected to own the bucket.
    pub fn expect_owner(&self, account: &AccountId) {
        self.calls.expect_owner(account);
    }

    /// Waits for a turn to call an operation that its service takes only few times a second.
    pub async fn paced(&self, operation: &'static str, region: &Region, stop: &Stop) {
        let wait = self.pace.turn(operation, region);
        if !wait.is_zero() {
            pause(stop, wait).await;
        }
    }

    /// Returns how many requests were sent.
    pub fn count(&self) -> CallCount {
        self.calls.count()
    }
}

/// Returns the Region that the environment or the profile names.
pub async fn region(profile: Option<&str>) -> Option<Region> {
    let mut files = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        files = files.profile_name(profile);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new());
    let region = chain.or_else(files.build()).region().await?;
    Region::new(region.as_ref()).ok()
}

async fn configuration(connection: Connection) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_mins(1))
        .build();
    let region = aws_config::Region::new(connection.home.to_string());
    if let Some((access_key, secret)) = connection.credentials {
        let credentials = Credentials::new(access_key, secret, None, None, "crrctl");
        // The stand-in inside this process speaks plain HTTP, so the system's certificates need not be read.
        let http_client = aws_smithy_http_client::Builder::new().build_http();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client)
            .region(region)
            .retry_config(retries)
            .timeout_config(timeouts);
        config.set_endpoint_url(connection.endpoint_url);
        return config.build();
    }
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts);
    if let Some(profile) = connection.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}
