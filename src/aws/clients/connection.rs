//! How AWS is reached, and with which credentials: what the clients are made from.
//! Not for: the SDK's configuration (see `configuration`).

use super::log_in::LogIn;
use super::mfa::MfaLogin;
use crate::aws::transport::CaBundle;
use crate::manifest::{Endpoints, Login};
use crate::names::{AccountId, Region};
use crate::recording::Recorder;
use std::collections::BTreeMap;

/// How to reach AWS, or an emulator of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// The credentials of every Region that is not in `away`.
    pub usual: Credentials,
    /// The endpoint of every service. If it is `None`, `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_<SERVICE>` apply.
    pub endpoint_url: Option<String>,
    /// Endpoints of services by Region. They count where `endpoint_url` is `None`.
    pub endpoints: BTreeMap<Region, Endpoints>,
    /// The certificates that are trusted in place of the system's.
    pub ca_bundle: Option<CaBundle>,
    /// The Regions that are called with other credentials.
    pub away: BTreeMap<Region, Credentials>,
    /// Where the run is recorded.
    pub recorder: Option<Recorder>,
    /// The KMS request quotas of the account, compared with the default quotas.
    pub quota_factor: QuotaFactor,
}

/// KMS request quotas, compared with the default quotas of an account. All of them are adjustable
/// (KMS Developer Guide, "Request quotas").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaFactor {
    /// The quotas are this many times the default quotas.
    Times(u32),
    /// There are no quotas: an emulator that does not throttle.
    Unlimited,
}

impl Default for QuotaFactor {
    fn default() -> Self {
        Self::Times(1)
    }
}

/// Where credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// A profile of the shared configuration, and a role to assume.
    pub login: Login,
    /// The role that the profile assumes with an MFA device, and its code.
    pub mfa: Option<MfaLogin>,
    /// The profile that a person logs in for, if the credentials come from one.
    pub log_in: Option<LogIn>,
    /// Access key and secret key for an emulator over plain HTTP. If they are set, the environment
    /// is not read.
    pub stand_in: Option<(String, String)>,
    /// The account of the Region, if its own credentials are not available and these credentials
    /// only have cross-account access to its buckets.
    pub guest_of: Option<AccountId>,
}

impl Credentials {
    /// Returns the credentials of an emulator.
    pub fn of_stand_in(access_key: &str, secret: &str) -> Self {
        let stand_in = Some((access_key.to_owned(), secret.to_owned()));
        Self { stand_in, ..Self::default() }
    }
}
