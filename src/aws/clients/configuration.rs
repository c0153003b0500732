//! SDK configuration: credentials, TLS, retries and timeouts.
//! Not for: the clients (see `clients`).

use super::Credentials;
use super::log_in::OfLogIn;
use super::mfa::Session;
use crate::aws::transport::{self, CaBundle};
use crate::names::Region;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::time::Duration;

/// The maximum number of attempts of a request after connection errors and service errors.
const ATTEMPTS: u32 = 6;

/// Returns the Region that the environment or the profile sets.
pub async fn region(profile: Option<&str>) -> Option<Region> {
    let mut files = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        files = files.profile_name(profile);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new());
    let region = chain.or_else(files.build()).region().await?;
    Region::new(region.as_ref()).ok()
}

pub(super) async fn of(
    region: &Region,
    credentials: &Credentials,
    (endpoint_url, sts_endpoint): (Option<&str>, Option<&str>),
    ca_bundle: Option<&CaBundle>,
) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(transport::CONNECTING)
        .operation_attempt_timeout(Duration::from_mins(1))
        .build();
    let region = aws_config::Region::new(region.to_string());
    if let Some((access_key, secret)) = &credentials.stand_in {
        let credentials =
            aws_credential_types::Credentials::new(access_key, secret, None, None, "crrctl");
        // The emulator runs inside this process and uses plain HTTP, so the system's certificates
        // are not read.
        let http_client = transport::plain();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client)
            .region(region)
            .retry_config(retries)
            .timeout_config(timeouts);
        config.set_endpoint_url(endpoint_url.map(str::to_owned));
        return config.build();
    }
    let http_client = transport::https(ca_bundle);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client.clone())
        .region(region.clone())
        .retry_config(retries)
        .timeout_config(timeouts);
    if let Some(mfa) = &credentials.mfa {
        let provider = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http_client);
        loader = loader.credentials_provider(mfa.base(&provider));
        if let Some(profile) = &credentials.login.profile {
            loader = loader.profile_name(profile);
        }
    } else if let Some(profile) = &credentials.login.profile {
        // A named profile takes precedence over keys in the environment, as in the AWS CLI.
        let provider = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http_client);
        let of_profile = ProfileFileCredentialsProvider::builder().profile_name(profile);
        loader = loader
            .profile_name(profile)
            .credentials_provider(of_profile.configure(&provider).build());
    }
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let mut config = loader.load().await;
    if let (Some(log_in), Some(credentials)) = (&credentials.log_in, config.credentials_provider())
    {
        let log_in = log_in.clone();
        let credentials = SharedCredentialsProvider::new(OfLogIn { credentials, log_in });
        config = config.into_builder().credentials_provider(credentials).build();
    }
    if let Some(mfa) = &credentials.mfa {
        let sts = aws_sdk_sts::Client::new(&sts_config(&config, sts_endpoint));
        let session = SharedCredentialsProvider::new(Session::new(sts, mfa.clone()));
        config = config.into_builder().credentials_provider(session).build();
    }
    let Some(role) = &credentials.login.assume_role else { return config };
    let assumed = AssumeRoleProvider::builder(role.as_str())
        .session_name("crrctl")
        .region(region)
        .configure(&sts_config(&config, sts_endpoint))
        .build()
        .await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build()
}

/// Returns the configuration of the client that assumes roles.
fn sts_config(config: &SdkConfig, endpoint: Option<&str>) -> SdkConfig {
    let mut sts = config.to_builder();
    if let Some(url) = endpoint {
        sts = sts.endpoint_url(url);
    }
    sts.build()
}
