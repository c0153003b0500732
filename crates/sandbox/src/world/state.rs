//! The whole state of a sandbox as plain data. Not for: its lock (see `gate::shared`),
//! authorization (see `gate::access`), or the encoding of requests and responses (see `wire`).

use super::alarms::Alarms;
use super::buckets::{Bucket, Buckets, bucket_arn};
use super::iam::Iam;
use super::jobs::Jobs;
use super::kms::Kms;
use super::messaging::Messaging;
use super::replication::Replication;
use super::{
    Calls, Clock, Delays, Lag, Limits, Patience, Quirk, QuirkSpec, Quirks, Quotas, Recent,
    ResourceQuotas, Slow, Trail,
};
use crrctl_iam::names::{AccountId, Region};
use s3s::dto::PublicAccessBlockConfiguration;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The whole state of one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) calls: Calls,
    pub(crate) kms: Kms,
    pub(crate) iam: Iam,
    pub(crate) buckets: Buckets,
    /// The topics and queues that S3 publishes events to.
    pub(crate) messaging: Messaging,
    /// The Block Public Access configurations of accounts, which apply to all their buckets.
    pub(crate) public_access_blocks: BTreeMap<AccountId, PublicAccessBlockConfiguration>,
    pub(crate) replication: Replication,
    /// CloudWatch's alarms.
    pub(crate) alarms: Alarms,
    /// The event history of CloudTrail.
    pub(crate) trail: Trail,
    pub(crate) jobs: Jobs,
    pub(crate) delays: Delays,
    pub(crate) limits: Limits,
    pub(crate) quotas: Quotas,
    pub(crate) resource_quotas: ResourceQuotas,
    pub(crate) quirks: Quirks,
    /// The buckets on which a quirk lasts.
    pub(crate) recent: Recent,
    /// The deleted buckets that `HeadBucket` still finds.
    deleted_buckets: BTreeMap<String, DeletedBucket>,
}

impl State {
    /// Returns the current time of the sandbox's clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the time at which a change of the kind `what` that starts now is complete.
    pub(crate) fn done_at(&mut self, what: Slow) -> SystemTime {
        let time = what.quirk().and_then(|quirk| self.quirks.time(quirk));
        self.now() + time.unwrap_or_else(|| self.delays.draw(what))
    }

    /// Returns the time at which a quirk ends that starts now; `None` if it does not start.
    pub(crate) fn quirk_end(&mut self, quirk: Quirk) -> Option<SystemTime> {
        let lasts = self.quirks.draw(quirk);
        (!lasts.is_zero()).then(|| self.now() + lasts)
    }

    /// Begins a quirk on a bucket that was created or deleted now.
    pub(crate) fn begin_on_bucket(&mut self, quirk: Quirk, arn: &str) {
        let end = self.quirk_end(quirk);
        self.recent.begin(quirk, arn, end);
    }

    /// Returns a bucket, unless it was created so late that calls do not find it yet.
    pub(crate) fn found_bucket(&self, name: &str) -> Option<&Bucket> {
        let bucket = self.buckets.0.get(name)?;
        let arn = || bucket_arn(bucket.region.partition(), name);
        (!self.recent.lasts(Quirk::LateBucket, arn)).then_some(bucket)
    }

    /// Removes a bucket.
    pub(crate) fn delete_bucket(&mut self, name: &str) {
        let Some(bucket) = self.buckets.0.remove(name) else { return };
        self.begin_on_bucket(Quirk::NameInUse, &bucket_arn(bucket.region.partition(), name));
        if let Some(found_until) = self.quirk_end(Quirk::StaleHead) {
            let Bucket { owner, region, .. } = bucket;
            let deleted = DeletedBucket { owner, region, found_until };
            self.deleted_buckets.insert(name.to_owned(), deleted);
        }
    }

    /// Returns a deleted bucket that `HeadBucket` still finds.
    pub(crate) fn deleted_bucket(&self, name: &str) -> Option<&DeletedBucket> {
        let is_new = self.buckets.0.contains_key(name);
        self.deleted_buckets.get(name).filter(|_| !is_new)
    }

    /// Applies the changes that are due.
    pub(crate) fn pass_time(&mut self) {
        let now = self.now();
        self.recent.pass_time(now);
        self.deleted_buckets.retain(|_, bucket| bucket.found_until > now);
        self.kms.pass_time(now);
        self.iam.pass_time(now);
    }

    /// Returns the ids of the keys that are pending deletion and that a bucket setting or a role
    /// policy still references.
    pub(crate) fn pending_keys_in_use(&self) -> Vec<String> {
        let texts: Vec<String> = self.buckets.settings().chain(self.iam.role_policies()).collect();
        let is_named = |id: &String| texts.iter().any(|text| text.contains(id.as_str()));
        self.kms.pending().filter(is_named).collect()
    }

    /// Returns the ids of the keys that are pending deletion and that a setting of a bucket names.
    pub(crate) fn pending_keys_of_buckets(&self) -> Vec<String> {
        let texts: Vec<String> = self.buckets.settings().collect();
        let is_named = |id: &String| texts.iter().any(|text| text.contains(id.as_str()));
        self.kms.pending().filter(is_named).collect()
    }

    pub(crate) fn new(settings: &Settings) -> Self {
        let delays = Delays::new(settings.lag, settings.hurry, settings.seed);
        let quotas = Quotas::new(settings.quotas);
        let clock = Clock::new(settings.clock_behind, settings.clock_stands);
        let quirks = Quirks::new(&settings.quirks, settings.lag, settings.hurry, settings.seed);
        let limits = settings.limits;
        let resource_quotas = settings.resource_quotas;
        let mut state =
            Self { clock, delays, limits, quotas, resource_quotas, quirks, ..Self::default() };
        state.pass_time();
        state
    }

    /// Returns the ARNs of all resources that exist and are not pending deletion.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut arns = self.buckets.arns();
        arns.extend(self.iam.arns());
        arns.extend(self.kms.arns());
        arns.extend(self.messaging.0.keys().cloned());
        arns.extend(self.alarms.arns());
        arns
    }
}

/// A deleted bucket that `HeadBucket` still finds.
#[derive(Debug, Clone)]
pub(crate) struct DeletedBucket {
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    found_until: SystemTime,
}

/// The settings that a sandbox keeps from its start to its end.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Whether requests count as sent over TLS (`aws:SecureTransport`).
    pub(crate) secure: bool,
    /// Further host names under which S3 is served, with buckets before them.
    pub(crate) hostnames: Vec<String>,
    pub(crate) clock_stands: bool,
    pub(crate) clock_behind: Duration,
    pub(crate) lag: Lag,
    pub(crate) hurry: u32,
    pub(crate) seed: Option<u64>,
    pub(crate) quotas: Option<u32>,
    pub(crate) resource_quotas: ResourceQuotas,
    pub(crate) quirks: Vec<QuirkSpec>,
    pub(crate) limits: Limits,
    pub(crate) patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        let (limits, patience) = (Limits::default(), Patience::default());
        let (lag, quotas) = (Lag::None, None);
        Self {
            secure: true,
            hostnames: Vec::new(),
            clock_stands: false,
            clock_behind: Duration::ZERO,
            lag,
            hurry: 1,
            seed: None,
            quotas,
            resource_quotas: ResourceQuotas::default(),
            quirks: Vec::new(),
            limits,
            patience,
        }
    }
}
