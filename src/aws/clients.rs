//! SDK clients: one per service and Region, created once, sharing one connection pool. Each Region
//! is called with the credentials of one account.
//! Not for: which account the credentials belong to (see `observe`).

mod configuration;
mod connection;
mod identity;
mod log_in;
mod mfa;
mod profile;

pub use configuration::region;
pub use connection::{Connection, Credentials, QuotaFactor};
pub use log_in::LogIn;
pub use mfa::{MfaLogin, MfaRole};
pub use profile::ProfileSettings;

use super::listing::Listings;
use super::pace::Pace;
use super::recorder::{RecordInterceptor, Recording};
use super::s3control::AsGiven;
use super::seen::SeenTags;
use super::settle::pause;
use super::throttle::Throttle;
use super::transport::CaBundle;
use super::{CallCount, Calls, Error};
use crate::manifest::{Endpoints, Login, Service};
use crate::names::{AccountId, Region};
use crate::recording::Recorder;
use crate::stop::Stop;
use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The clients of one service, one per Region and endpoint.
#[derive(Debug)]
struct Clients<C>(Mutex<BTreeMap<Place, C>>);

/// A Region, and the endpoint that the manifest names for a service there.
type Place = (Region, Option<String>);

impl<C> Default for Clients<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Clone> Clients<C> {
    fn get(&self, place: &Place, make: impl FnOnce() -> C) -> C {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(place.clone()).or_insert_with(make).clone()
    }
}

/// The clients and the state of one set of credentials, shared by all pairs of a run.
#[derive(Debug)]
pub(super) struct Caller {
    credentials: Credentials,
    /// The endpoint of STS that the manifest names for these credentials.
    sts_endpoint: Option<String>,
    pub(super) config: SdkConfig,
    pub(super) calls: Calls,
    recording: Option<Recording>,
    pace: Arc<Pace>,
    stop: Arc<OnceLock<Stop>>,
    seen: SeenTags,
    /// The ARN that STS returned for the credentials.
    identity: OnceLock<String>,
    s3: Clients<aws_sdk_s3::Client>,
    s3control: Clients<aws_sdk_s3control::Client>,
    kms: Clients<aws_sdk_kms::Client>,
    sts: Clients<aws_sdk_sts::Client>,
    iam: Clients<aws_sdk_iam::Client>,
}

impl Caller {
    /// Returns the interceptor that retries throttled requests to `region`.
    pub(super) fn throttle(&self, region: &Region) -> Throttle {
        let (pace, stop) = (Arc::clone(&self.pace), Arc::clone(&self.stop));
        Throttle { pace, calls: self.calls.clone(), region: region.clone(), stop }
    }

    /// Returns the interceptor that records the requests to `region`.
    pub(super) fn watcher(&self, region: &Region) -> RecordInterceptor {
        RecordInterceptor { recording: self.recording.clone(), region: region.clone() }
    }
}

/// Returns the retry partition of all requests of a run. Its token bucket is unlimited: that of the
/// SDK is shared by the process, so a call's result would depend on the failures of other calls.
pub(super) fn retries() -> RetryPartition {
    RetryPartition::custom("crrctl").token_bucket(TokenBucket::unlimited()).build()
}

/// Builds the client of a service for a caller and a Region.
macro_rules! client {
    ($service:ident, $caller:expr, $place:expr $(, $setting:ident($value:expr))*) => {{
        let (region, endpoint) = $place;
        let mut config = $service::config::Builder::from(&$caller.config)
            $(.$setting($value))*
            .region(aws_config::Region::new(region.to_string()))
            .retry_partition(retries())
            .interceptor($caller.calls.clone())
            .interceptor($caller.throttle(region))
            .interceptor($caller.watcher(region));
        if let Some(url) = endpoint {
            config = config.endpoint_url(url);
        }
        $service::Client::from_conf(config.build())
    }};
}

/// Returns the endpoint that the manifest names for a service in `region`.
fn endpoint(
    endpoints: &BTreeMap<Region, Endpoints>,
    region: &Region,
    service: Service,
) -> Option<String> {
    Some(endpoints.get(region)?.of(service)?.to_string())
}

/// State shared by all pairs of a run: the endpoint, the request counters, the callers created so
/// far, the pace of KMS calls, and the stop signal.
#[derive(Debug)]
struct Shared {
    endpoint_url: Option<String>,
    ca_bundle: Option<CaBundle>,
    calls: Calls,
    recorder: Option<Recorder>,
    callers: tokio::sync::Mutex<Vec<Arc<Caller>>>,
    pace: Arc<Pace>,
    stop: Arc<OnceLock<Stop>>,
}

impl Shared {
    /// Returns the caller for `credentials` and creates it if there is none yet. `region` is the
    /// Region in which STS is called to assume a role.
    async fn caller(
        &self,
        region: &Region,
        credentials: &Credentials,
        sts_endpoint: Option<String>,
    ) -> Arc<Caller> {
        let mut callers = self.callers.lock().await;
        let is_it =
            |it: &&Arc<Caller>| it.credentials == *credentials && it.sts_endpoint == sts_endpoint;
        if let Some(known) = callers.iter().find(is_it) {
            return Arc::clone(known);
        }
        let config = configuration::of(
            region,
            credentials,
            (self.endpoint_url.as_deref(), sts_endpoint.as_deref()),
            self.ca_bundle.as_ref(),
        )
        .await;
        let caller = Arc::new(Caller {
            credentials: credentials.clone(),
            sts_endpoint,
            config,
            calls: self.calls.beside(),
            recording: self.recorder.clone().map(|recorder| {
                let caller = recorder.caller();
                Recording { recorder, caller }
            }),
            pace: Arc::clone(&self.pace),
            stop: Arc::clone(&self.stop),
            seen: SeenTags::default(),
            identity: OnceLock::new(),
            s3: Clients::default(),
            s3control: Clients::default(),
            kms: Clients::default(),
            sts: Clients::default(),
            iam: Clients::default(),
        });
        callers.push(Arc::clone(&caller));
        caller
    }
}

/// The clients of one pair.
#[derive(Debug)]
pub struct Aws {
    home: Region,
    /// The callers, the source's first, each with the Region in which its STS is called.
    callers: Vec<(Region, Arc<Caller>)>,
    /// The index in `callers` of each Region that does not use the source's caller.
    away: BTreeMap<Region, usize>,
    /// The endpoints that the manifest names, unless another is given for every service.
    endpoints: BTreeMap<Region, Endpoints>,
    shared: Arc<Shared>,
}

impl Aws {
    /// Creates the clients. `home` is the source's Region, in which IAM and STS are called. Sends
    /// no request.
    pub async fn new(home: &Region, connection: Connection) -> Self {
        let shared = Shared {
            endpoint_url: connection.endpoint_url.clone(),
            ca_bundle: connection.ca_bundle.clone(),
            calls: Calls::default(),
            recorder: connection.recorder.clone(),
            callers: tokio::sync::Mutex::default(),
            pace: Arc::new(Pace::new(connection.quota_factor)),
            stop: Arc::default(),
        };
        Self::sharing(Arc::new(shared), home, &connection).await
    }

    /// From now on, throttled requests are retried without limit only until `stop` is ending.
    #[must_use]
    pub fn ending_with(self, stop: &Stop) -> Self {
        self.shared.stop.get_or_init(|| stop.clone());
        self
    }

    /// Creates the clients of another pair of the same run. Pairs with the same credentials share
    /// clients and connections. All pairs share the request counters and the pace.
    pub async fn beside(&self, home: &Region, connection: &Connection) -> Self {
        Self::sharing(Arc::clone(&self.shared), home, connection).await
    }

    async fn sharing(shared: Arc<Shared>, home: &Region, connection: &Connection) -> Self {
        let mut callers: Vec<(Region, Arc<Caller>)> = Vec::new();
        let mut away = BTreeMap::new();
        let endpoints = match shared.endpoint_url {
            Some(_) => BTreeMap::new(),
            None => connection.endpoints.clone(),
        };
        let wanted = std::iter::once((home, &connection.usual)).chain(&connection.away);
        for (region, credentials) in wanted {
            let known = callers.iter().position(|(_, it)| it.credentials == *credentials);
            let place = known.unwrap_or(callers.len());
            if known.is_none() {
                let sts = endpoint(&endpoints, region, Service::Sts);
                callers.push((region.clone(), shared.caller(region, credentials, sts).await));
            }
            if place > 0 {
                away.insert(region.clone(), place);
            }
        }
        Self { home: home.clone(), callers, away, endpoints, shared }
    }

    /// Returns the caller of `region`.
    pub(super) fn caller(&self, region: &Region) -> &Caller {
        &self.callers[self.away.get(region).copied().unwrap_or_default()].1
    }

    /// Returns where a service is called in `region`.
    pub(super) fn place(&self, region: &Region, service: Service) -> Place {
        (region.clone(), endpoint(&self.endpoints, region, service))
    }

    /// Returns the client of S3 in `region`.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let (caller, place) = (self.caller(region), self.place(region, Service::S3));
        caller.s3.get(&place, || {
            let is_path = place.1.is_some() || caller.is_given_an_endpoint();
            client!(aws_sdk_s3, caller, &place, force_path_style(is_path), interceptor(Listings))
        })
    }

    /// Returns the client of S3 Control in the source's Region, for batch jobs.
    pub fn s3control(&self) -> aws_sdk_s3control::Client {
        self.s3control_in(&self.home)
    }

    /// Returns the client of S3 Control in `region`, where buckets are tagged.
    pub fn s3control_in(&self, region: &Region) -> aws_sdk_s3control::Client {
        let (caller, place) = (self.caller(region), self.place(region, Service::S3Control));
        caller.s3control.get(&place, || {
            client!(aws_sdk_s3control, caller, &place, endpoint_resolver(AsGiven::default()))
        })
    }

    /// Returns the client of KMS in `region`.
    pub fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        let (caller, place) = (self.caller(region), self.place(region, Service::Kms));
        caller.kms.get(&place, || client!(aws_sdk_kms, caller, &place))
    }

    /// Returns the client of IAM with the credentials of `region`. A role belongs to an account,
    /// whichever Region it serves.
    pub fn iam(&self, region: &Region) -> aws_sdk_iam::Client {
        let place = self.away.get(region).copied().unwrap_or_default();
        let (region, caller) = &self.callers[place];
        let place = self.place(region, Service::Iam);
        caller.iam.get(&place, || client!(aws_sdk_iam, caller, &place))
    }

    /// Returns the client of STS with the credentials of `region`.
    pub fn sts(&self, region: &Region) -> aws_sdk_sts::Client {
        let place = self.away.get(region).copied().unwrap_or_default();
        let (region, caller) = &self.callers[place];
        let place = self.place(region, Service::Sts);
        caller.sts.get(&place, || client!(aws_sdk_sts, caller, &place))
    }

    /// Returns the login that the credentials of `region` come from.
    pub fn login(&self, region: &Region) -> &Login {
        &self.caller(region).credentials.login
    }

    /// Returns the account of `region`, if its own credentials are not available.
    pub fn guest_of(&self, region: &Region) -> Option<&AccountId> {
        self.caller(region).credentials.guest_of.as_ref()
    }

    /// Returns every Region that is called with other credentials than the source's.
    pub fn away(&self) -> impl Iterator<Item = &Region> {
        self.away.keys()
    }

    /// Returns the first Region of each set of credentials, the source's Region first.
    pub fn callers(&self) -> Vec<&Region> {
        let first = |caller| self.away.iter().find(|(_, it)| **it == caller);
        let others = (1..self.callers.len()).filter_map(|caller| Some(first(caller)?.0));
        std::iter::once(&self.home).chain(others).collect()
    }

    /// Returns whether both Regions are called with the same credentials.
    pub fn same_caller(&self, one: &Region, other: &Region) -> bool {
        std::ptr::eq(self.caller(one), self.caller(other))
    }

    /// Returns the Region in which IAM and STS are called.
    pub fn home(&self) -> &Region {
        &self.home
    }

    /// Sets `account` as the expected bucket owner of every later S3 request with the credentials
    /// of `region`.
    pub fn expect_owner(&self, region: &Region, account: &AccountId) {
        self.caller(region).calls.expect_owner(account);
    }

    /// Waits for a turn to call an operation with a low KMS request quota.
    ///
    /// # Errors
    /// The run ends before the turn comes. The operation must not be called then.
    pub async fn paced(
        &self,
        operation: &'static str,
        region: &Region,
        stop: &Stop,
    ) -> Result<(), Error> {
        self.wait_for(&[(operation, region)], stop).await
    }

    /// Waits for a turn to replicate a key from `home`, the Region of the primary key, to `region`.
    /// The call counts as one `ReplicateKey` in `home` and two `CreateKey` in `region`, one of
    /// which is a dry run (KMS Developer Guide, "Request quotas").
    ///
    /// # Errors
    /// Those of [`Aws::paced`].
    pub async fn paced_replica(
        &self,
        home: &Region,
        region: &Region,
        stop: &Stop,
    ) -> Result<(), Error> {
        let turns =
            [("kms:ReplicateKey", home), ("kms:CreateKey", region), ("kms:CreateKey", region)];
        self.wait_for(&turns, stop).await
    }

    /// Waits for all `turns`. The first one is the turn of the call itself.
    async fn wait_for(&self, turns: &[(&'static str, &Region)], stop: &Stop) -> Result<(), Error> {
        let [(operation, of), ..] = turns else { return Ok(()) };
        let account = self.caller(of).calls.account().cloned();
        let wait = self.shared.pace.turns(account.as_ref(), turns);
        if wait.is_zero() {
            return Ok(());
        }
        pause(stop, wait).await;
        // When the run ends, all waiting calls would otherwise be sent at once.
        if stop.is_ending() {
            return Err(Error::not_begun(operation, of, &stop.failure()));
        }
        Ok(())
    }

    /// Returns the tags of the key `id`, or the error if the caller may not read them. Returns
    /// cached tags if they are not the `wanted` tags, otherwise the result of `read`.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn key_tags(
        &self,
        (region, id): (&Region, &str),
        wanted: &[(&str, String)],
        read: impl AsyncFnOnce() -> Result<Result<BTreeMap<String, String>, Error>, Error>,
    ) -> Result<Result<BTreeMap<String, String>, Error>, Error> {
        self.caller(region).seen.get((region, id), wanted, read).await
    }

    /// Returns the duration of the fastest request of the run so far.
    pub fn round_trip(&self) -> Option<std::time::Duration> {
        self.shared.calls.round_trip()
    }

    /// Returns the time by the clock of AWS.
    pub fn now(&self) -> aws_smithy_types::DateTime {
        self.shared.calls.now()
    }

    /// Returns the number of requests sent with all credentials.
    pub fn count(&self) -> CallCount {
        self.shared.calls.count()
    }
}
