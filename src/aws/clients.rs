//! SDK clients, one a service and Region, made once and sharing one pool of connections. Each Region is worked with the
//! credentials of one account.
//! Not for: which account that is (see `observe`).

mod configuration;

pub use configuration::region;

use super::pace::Pace;
use super::settle::pause;
use super::{CallCount, Calls};
use crate::manifest::Login;
use crate::names::{AccountId, Region};
use crate::stop::Stop;
use aws_config::SdkConfig;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How to reach AWS, or what stands in for it.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The credentials of every Region that has none of its own.
    pub usual: Credentials,
    /// The endpoint of every service; without it `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` count.
    pub endpoint_url: Option<String>,
    /// The Regions that are worked with other credentials.
    pub away: BTreeMap<Region, Credentials>,
}

/// Where credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// A profile of the shared configuration, and a role to assume.
    pub login: Login,
    /// Access key and secret for a stand-in on plain HTTP; nothing of the environment is read then.
    pub stand_in: Option<(String, String)>,
}

impl Credentials {
    /// Makes those of a stand-in.
    pub fn of_stand_in(access_key: &str, secret: &str) -> Self {
        let stand_in = Some((access_key.to_owned(), secret.to_owned()));
        Self { stand_in, ..Self::default() }
    }
}

/// What goes by the credentials of one account.
#[derive(Debug)]
struct Caller {
    credentials: Credentials,
    config: SdkConfig,
    calls: Calls,
    sts: aws_sdk_sts::Client,
}

/// The clients.
#[derive(Debug)]
pub struct Aws {
    home: Region,
    /// The source's first.
    callers: Vec<Caller>,
    /// The callers of the Regions that the source's is not for.
    away: BTreeMap<Region, usize>,
    pace: Pace,
    s3: Mutex<BTreeMap<Region, aws_sdk_s3::Client>>,
    kms: Mutex<BTreeMap<Region, aws_sdk_kms::Client>>,
    /// Batch jobs live in the source's Region alone.
    s3control: aws_sdk_s3control::Client,
    iam: aws_sdk_iam::Client,
}

impl Aws {
    /// Makes the clients, with `home` as the Region of IAM and STS: the source's. Sends nothing.
    pub async fn new(home: &Region, connection: Connection) -> Self {
        let Connection { usual, endpoint_url, away: of_regions } = connection;
        let calls = Calls::default();
        let mut callers = Vec::new();
        let mut away = BTreeMap::new();
        let wanted = std::iter::once((home, &usual)).chain(&of_regions);
        for (region, credentials) in wanted {
            let known = callers.iter().position(|it: &Caller| it.credentials == *credentials);
            let place = known.unwrap_or(callers.len());
            if known.is_none() {
                let endpoint_url = endpoint_url.as_deref();
                let config = configuration::of(region, credentials, endpoint_url).await;
                let calls = calls.beside();
                let sts =
                    aws_sdk_sts::config::Builder::from(&config).interceptor(calls.clone()).build();
                let sts = aws_sdk_sts::Client::from_conf(sts);
                callers.push(Caller { credentials: credentials.clone(), config, calls, sts });
            }
            if place > 0 {
                away.insert(region.clone(), place);
            }
        }
        let Caller { config, calls, .. } = &callers[0];
        let iam = aws_sdk_iam::config::Builder::from(config).interceptor(calls.clone()).build();
        let s3control = aws_sdk_s3control::config::Builder::from(config).interceptor(calls.clone());
        Self {
            home: home.clone(),
            pace: Pace::default(),
            s3control: aws_sdk_s3control::Client::from_conf(s3control.build()),
            s3: Mutex::default(),
            kms: Mutex::default(),
            iam: aws_sdk_iam::Client::from_conf(iam),
            callers,
            away,
        }
    }

    fn caller(&self, region: &Region) -> &Caller {
        &self.callers[self.away.get(region).copied().unwrap_or_default()]
    }

    /// Returns the client of S3 in `region`.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let mut clients = self.s3.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let Caller { config, calls, .. } = self.caller(region);
            let config = aws_sdk_s3::config::Builder::from(config)
                .region(aws_config::Region::new(region.to_string()))
                .interceptor(calls.clone());
            aws_sdk_s3::Client::from_conf(config.build())
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }

    /// Returns the client of KMS in `region`.
    pub fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        let mut clients = self.kms.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let Caller { config, calls, .. } = self.caller(region);
            let config = aws_sdk_kms::config::Builder::from(config)
                .region(aws_config::Region::new(region.to_string()))
                .interceptor(calls.clone());
            aws_sdk_kms::Client::from_conf(config.build())
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }

    /// Returns the client of S3 Control in the source's Region.
    pub fn s3control(&self) -> &aws_sdk_s3control::Client {
        &self.s3control
    }

    /// Returns the client of IAM, for the source's account: the role is there.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    /// Returns the client of STS with the credentials of `region`.
    pub fn sts(&self, region: &Region) -> &aws_sdk_sts::Client {
        &self.caller(region).sts
    }

    /// Returns what the credentials of `region` come from.
    pub fn login(&self, region: &Region) -> &Login {
        &self.caller(region).credentials.login
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

    /// Waits for a turn to call an operation that its service takes only few times a second.
    pub async fn paced(&self, operation: &'static str, region: &Region, stop: &Stop) {
        let wait = self.pace.turn(operation, region);
        if !wait.is_zero() {
            pause(stop, wait).await;
        }
    }

    /// Returns how many requests were sent, with all credentials.
    pub fn count(&self) -> CallCount {
        self.callers[0].calls.count()
    }
}
