//! The whole state of a sandbox as plain data. Not for: its lock (see `gate::shared`),
//! authorization (see `gate::access`), or the encoding of requests and responses (see `wire`).

use super::buckets::Buckets;
use super::iam::Iam;
use super::jobs::Jobs;
use super::kms::Kms;
use super::replication::Replication;
use super::{Calls, Clock, Delays, Lag, Limits, Patience, Quotas, Slow};
use std::time::{Duration, SystemTime};

/// The whole state of one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) calls: Calls,
    pub(crate) kms: Kms,
    pub(crate) iam: Iam,
    pub(crate) buckets: Buckets,
    pub(crate) replication: Replication,
    pub(crate) jobs: Jobs,
    pub(crate) delays: Delays,
    pub(crate) limits: Limits,
    pub(crate) quotas: Quotas,
}

impl State {
    /// Returns the current time of the sandbox's clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the time at which a change of the kind `what` that starts now is complete.
    pub(crate) fn done_at(&mut self, what: Slow) -> SystemTime {
        self.now() + self.delays.draw(what)
    }

    /// Returns the ids of the keys that are pending deletion and that a bucket setting or a role
    /// policy still references.
    pub(crate) fn pending_keys_in_use(&self) -> Vec<String> {
        let texts: Vec<String> = self.buckets.settings().chain(self.iam.role_policies()).collect();
        let is_named = |id: &String| texts.iter().any(|text| text.contains(id.as_str()));
        self.kms.pending().filter(is_named).collect()
    }

    pub(crate) fn new(settings: &Settings) -> Self {
        let delays = Delays::new(settings.lag, settings.hurry, settings.seed);
        let quotas = Quotas::new(settings.quotas);
        let clock = Clock::new(settings.clock_behind, settings.clock_stands);
        Self { clock, delays, limits: settings.limits, quotas, ..Self::default() }
    }

    /// Returns the ARNs of all resources that exist and are not pending deletion.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut arns = self.buckets.arns();
        arns.extend(self.iam.arns());
        arns.extend(self.kms.arns());
        arns
    }
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
            limits,
            patience,
        }
    }
}
