//! SDK clients, one a service and Region, made once and sharing one pool of connections. Each Region is worked with the
//! credentials of one account.
//! Not for: which account that is (see `observe`).

mod configuration;

pub use configuration::region;

use super::pace::Pace;
use super::s3control::AsGiven;
use super::seen::SeenTags;
use super::settle::pause;
use super::throttle::Throttle;
use super::{CallCount, Calls, Error};
use crate::manifest::Login;
use crate::names::{AccountId, Region};
use crate::stop::Stop;
use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How to reach AWS, or what stands in for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// The credentials of every Region that has none of its own.
    pub usual: Credentials,
    /// The endpoint of every service; without it `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` count.
    pub endpoint_url: Option<String>,
    /// The Regions that are worked with other credentials.
    pub away: BTreeMap<Region, Credentials>,
    /// How many times as high as usual the request quotas of KMS are; nothing where there are none.
    pub quota_factor: QuotaFactor,
}

/// How the request quotas of KMS are beside those that an account has at first; all of them are adjustable (KMS Developer Guide,
/// "Request quotas").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaFactor {
    /// So many times as high.
    Times(u32),
    /// There are none: a stand-in that does not throttle.
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
    /// Access key and secret for a stand-in on plain HTTP; nothing of the environment is read then.
    pub stand_in: Option<(String, String)>,
    /// The account whose buckets they are only let into: its own credentials are not at hand.
    pub guest_of: Option<AccountId>,
}

impl Credentials {
    /// Makes those of a stand-in.
    pub fn of_stand_in(access_key: &str, secret: &str) -> Self {
        let stand_in = Some((access_key.to_owned(), secret.to_owned()));
        Self { stand_in, ..Self::default() }
    }
}

/// The clients of one service, one a Region.
#[derive(Debug)]
struct Clients<C>(Mutex<BTreeMap<Region, C>>);

impl<C> Default for Clients<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Clone> Clients<C> {
    fn get(&self, region: &Region, make: impl FnOnce() -> C) -> C {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(region.clone()).or_insert_with(make).clone()
    }
}

/// What goes by the credentials of one account, for all pairs of a run.
#[derive(Debug)]
pub(super) struct Caller {
    credentials: Credentials,
    pub(super) config: SdkConfig,
    pub(super) calls: Calls,
    pace: Arc<Pace>,
    stop: Arc<OnceLock<Stop>>,
    seen: SeenTags,
    s3: Clients<aws_sdk_s3::Client>,
    s3control: Clients<aws_sdk_s3control::Client>,
    kms: Clients<aws_sdk_kms::Client>,
    sts: Clients<aws_sdk_sts::Client>,
    iam: Clients<aws_sdk_iam::Client>,
}

impl Caller {
    /// Returns what looks after throttled requests to `region`.
    pub(super) fn throttle(&self, region: &Region) -> Throttle {
        let (pace, stop) = (Arc::clone(&self.pace), Arc::clone(&self.stop));
        Throttle { pace, calls: self.calls.clone(), region: region.clone(), stop }
    }
}

/// Returns what bounds the retries of all requests of a run together: nothing, since each request has a bound of its own. The SDK's own
/// bucket is one for the whole process, so how a call ends would depend on what others met.
pub(super) fn retries() -> RetryPartition {
    RetryPartition::custom("crrctl").token_bucket(TokenBucket::unlimited()).build()
}

/// Makes the client of a service for a caller and a Region.
macro_rules! client {
    ($service:ident, $caller:expr, $region:expr $(, $setting:ident($value:expr))?) => {
        $service::Client::from_conf(
            $service::config::Builder::from(&$caller.config)
                $(.$setting($value))?
                .region(aws_config::Region::new($region.to_string()))
                .retry_partition(retries())
                .interceptor($caller.calls.clone())
                .interceptor($caller.throttle($region))
                .build(),
        )
    };
}

/// What all pairs of a run share: the callers, which of them have been made, and how often KMS may be called.
#[derive(Debug)]
struct Shared {
    endpoint_url: Option<String>,
    calls: Calls,
    callers: tokio::sync::Mutex<Vec<Arc<Caller>>>,
    pace: Arc<Pace>,
    stop: Arc<OnceLock<Stop>>,
}

impl Shared {
    /// Returns the caller of these credentials, making it where nobody was it before; `region` is where STS is asked for a role.
    async fn caller(&self, region: &Region, credentials: &Credentials) -> Arc<Caller> {
        let mut callers = self.callers.lock().await;
        if let Some(known) = callers.iter().find(|it| it.credentials == *credentials) {
            return Arc::clone(known);
        }
        let config = configuration::of(region, credentials, self.endpoint_url.as_deref()).await;
        let caller = Arc::new(Caller {
            credentials: credentials.clone(),
            config,
            calls: self.calls.beside(),
            pace: Arc::clone(&self.pace),
            stop: Arc::clone(&self.stop),
            seen: SeenTags::default(),
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

/// The clients.
#[derive(Debug)]
pub struct Aws {
    home: Region,
    /// The source's first, each with the Region in which its STS is called.
    callers: Vec<(Region, Arc<Caller>)>,
    /// The callers of the Regions that the source's is not for.
    away: BTreeMap<Region, usize>,
    shared: Arc<Shared>,
}

impl Aws {
    /// Makes the clients, with `home` as the Region of IAM and STS: the source's. Sends nothing.
    pub async fn new(home: &Region, connection: Connection) -> Self {
        let shared = Shared {
            endpoint_url: connection.endpoint_url.clone(),
            calls: Calls::default(),
            callers: tokio::sync::Mutex::default(),
            pace: Arc::new(Pace::new(connection.quota_factor)),
            stop: Arc::default(),
        };
        Self::sharing(Arc::new(shared), home, &connection).await
    }

    /// From now on what is throttled is sent again only until `stop` says that the run is to end.
    #[must_use]
    pub fn ending_with(self, stop: &Stop) -> Self {
        self.shared.stop.get_or_init(|| stop.clone());
        self
    }

    /// Makes those of another pair of the same run: what goes by the same credentials shares clients, connections, the count and
    /// the pace.
    pub async fn beside(&self, home: &Region, connection: &Connection) -> Self {
        Self::sharing(Arc::clone(&self.shared), home, connection).await
    }

    async fn sharing(shared: Arc<Shared>, home: &Region, connection: &Connection) -> Self {
        let mut callers: Vec<(Region, Arc<Caller>)> = Vec::new();
        let mut away = BTreeMap::new();
        let wanted = std::iter::once((home, &connection.usual)).chain(&connection.away);
        for (region, credentials) in wanted {
            let known = callers.iter().position(|(_, it)| it.credentials == *credentials);
            let place = known.unwrap_or(callers.len());
            if known.is_none() {
                callers.push((region.clone(), shared.caller(region, credentials).await));
            }
            if place > 0 {
                away.insert(region.clone(), place);
            }
        }
        Self { home: home.clone(), callers, away, shared }
    }

    /// Returns what `region` is worked with.
    pub(super) fn caller(&self, region: &Region) -> &Caller {
        &self.callers[self.away.get(region).copied().unwrap_or_default()].1
    }

    /// Returns the client of S3 in `region`.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let caller = self.caller(region);
        caller.s3.get(region, || client!(aws_sdk_s3, caller, region))
    }

    /// Returns the client of S3 Control in the source's Region, where batch jobs live.
    pub fn s3control(&self) -> aws_sdk_s3control::Client {
        let (region, caller) = (&self.home, self.caller(&self.home));
        caller.s3control.get(region, || {
            client!(aws_sdk_s3control, caller, region, endpoint_resolver(AsGiven::default()))
        })
    }

    /// Returns the client of KMS in `region`.
    pub fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        let caller = self.caller(region);
        caller.kms.get(region, || client!(aws_sdk_kms, caller, region))
    }

    /// Returns the client of IAM with the credentials of `region`: roles are their account's, in whichever Region they serve.
    pub fn iam(&self, region: &Region) -> aws_sdk_iam::Client {
        let place = self.away.get(region).copied().unwrap_or_default();
        let (region, caller) = &self.callers[place];
        caller.iam.get(region, || client!(aws_sdk_iam, caller, region))
    }

    /// Returns the client of STS with the credentials of `region`.
    pub fn sts(&self, region: &Region) -> aws_sdk_sts::Client {
        let place = self.away.get(region).copied().unwrap_or_default();
        let (region, caller) = &self.callers[place];
        caller.sts.get(region, || client!(aws_sdk_sts, caller, region))
    }

    /// Returns what the credentials of `region` come from.
    pub fn login(&self, region: &Region) -> &Login {
        &self.caller(region).credentials.login
    }

    /// Returns the account that `region` is worked in without its own credentials, if it is.
    pub fn guest_of(&self, region: &Region) -> Option<&AccountId> {
        self.caller(region).credentials.guest_of.as_ref()
    }

    /// Returns the Regions that are worked with other credentials than the source's: of those that share theirs, all.
    pub fn away(&self) -> impl Iterator<Item = &Region> {
        self.away.keys()
    }

    /// Returns the first Region of each of the credentials, the source's first.
    pub fn callers(&self) -> Vec<&Region> {
        let first = |caller| self.away.iter().find(|(_, it)| **it == caller);
        let others = (1..self.callers.len()).filter_map(|caller| Some(first(caller)?.0));
        std::iter::once(&self.home).chain(others).collect()
    }

    /// Returns whether both Regions are worked with the same credentials.
    pub fn same_caller(&self, one: &Region, other: &Region) -> bool {
        std::ptr::eq(self.caller(one), self.caller(other))
    }

    /// Returns the Region in which IAM and STS are called.
    pub fn home(&self) -> &Region {
        &self.home
    }

    /// From now on every S3 call with the credentials of `region` says that `account` is expected to own the bucket.
    pub fn expect_owner(&self, region: &Region, account: &AccountId) {
        self.caller(region).calls.expect_owner(account);
    }

    /// Waits for a turn to call an operation that KMS takes only few times a second.
    ///
    /// # Errors
    /// Where the run ends before the turn comes: what waits for it is not to be called.
    pub async fn paced(
        &self,
        operation: &'static str,
        region: &Region,
        stop: &Stop,
    ) -> Result<(), Error> {
        self.wait_for(&[(operation, region)], stop).await
    }

    /// Waits for a turn to replicate a key from the primary's Region `home` to `region`. That counts as one `ReplicateKey` at home
    /// and two `CreateKey` in the replica's Region, one of which is a dry run (KMS Developer Guide, "Request quotas").
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

    /// The first of the turns is that of the call itself.
    async fn wait_for(&self, turns: &[(&'static str, &Region)], stop: &Stop) -> Result<(), Error> {
        let [(operation, of), ..] = turns else { return Ok(()) };
        let account = self.caller(of).calls.account().cloned();
        let wait = self.shared.pace.turns(account.as_ref(), turns);
        if wait.is_zero() {
            return Ok(());
        }
        pause(stop, wait).await;
        // Those that wait for the same turns would all call at once.
        if stop.is_ending() {
            return Err(Error::not_begun(operation, of, &stop.failure()));
        }
        Ok(())
    }

    /// Returns the tags of the key `id`, or the refusal to tell them: as the run has seen them lately where they are not `wanted`, else
    /// as `read` finds them.
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

    /// Returns how long the shortest request of the run took so far.
    pub fn round_trip(&self) -> Option<std::time::Duration> {
        self.shared.calls.round_trip()
    }

    /// Returns how many requests were sent, with all credentials.
    pub fn count(&self) -> CallCount {
        self.shared.calls.count()
    }
}
